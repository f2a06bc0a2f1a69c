"""Read around a thing, derivations and impact are those of the whole ledger."""

from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from lineage import actions
from lineage.derivations import actions as derivations
from lineage.derivations.fields import trace_fields
from lineage.derivations.impact import Impact, Question, find_impact
from lineage.ledger import Naming, Observation
from tests.lineage.test_frontier import at, namings, observations, observe


def _impact(key: str, hour: int) -> Impact:
    return find_impact(Question(of=key, as_of=at(hour)))


class AsTheWhole(TestCase):
    @settings(max_examples=8, deadline=None)
    @given(observations, namings, st.integers(0, 42), st.integers(1, 3))
    def test_of_every_thing(
        self, seen: list[Observation], names: list[Naming], hour: int, depth: int
    ) -> None:
        observe(seen, names)
        edges = actions.list_edges(as_of=at(hour))
        for key in {node.key for edge in edges for node in (edge.source, edge.target)}:
            for asked in ({"view": key}, {"stream": key}):
                near = derivations.list_derivations(**asked, depth=depth, as_of=at(hour))
                with patch.object(derivations, "MOST_NEAR", -1):
                    whole = derivations.list_derivations(**asked, depth=depth, as_of=at(hour))
                assert near == whole
            impact = _impact(key, hour)
            fields = trace_fields(key, depth=depth, as_of=at(hour))
            with patch.object(derivations, "MOST_NEAR", -1):
                assert impact == _impact(key, hour)
                assert fields == trace_fields(key, depth=depth, as_of=at(hour))
