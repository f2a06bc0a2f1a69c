"""The same edges from one topic as from the whole, and no change where a producer restarted."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from catalog.models import Cluster
from lineage import actions
from lineage.edges import EdgeView
from lineage.ledger import Observation, record

HOUR = timedelta(hours=1)
NOW = timezone.now()
Lives = list[tuple[int, int, int]]


def observe(lives: Lives) -> Cluster:
    """Unnamed producers: (producer id, topic, hours ago)."""
    cluster = Cluster.objects.create(name="c", bootstrap_servers="127.0.0.1:1")
    for producer, topic, hours in lives:
        at = NOW - hours * HOUR
        written = Observation("producer_id", str(producer), "topic", f"t{topic}", "producer", at)
        read = Observation("topic", f"t{topic}", "group", f"g{producer % 2}", "offset", at)
        record(cluster, [written, read], at)
    return cluster


def at_topic(edges: list[EdgeView], topic: str) -> list[EdgeView]:
    return [it for it in edges if topic in {it.source.name, it.target.name}]


class Viewpoints(TestCase):
    @settings(max_examples=25, deadline=None)
    @given(
        st.lists(
            st.tuples(st.integers(1, 4), st.integers(0, 2), st.integers(0, 9)),
            min_size=1,
            max_size=8,
        )
    )
    def test_a_topic_alone_shows_what_the_whole_shows(self, lives: Lives) -> None:
        observe(lives)
        whole = actions.list_edges()
        for topic in ("t0", "t1", "t2"):
            alone = at_topic(actions.resolve(topics=[topic]), topic)
            assert _facts(alone) == _facts(at_topic(whole, topic))


def _facts(edges: list[EdgeView]) -> list[tuple[str, str, datetime, datetime, float]]:
    return [
        (it.source.key, it.target.key, it.first_seen, it.last_seen, it.confidence) for it in edges
    ]


@pytest.mark.django_db
def test_a_restarted_producer_is_no_news() -> None:
    observe([(1, 0, 5), (2, 0, 0)])
    found = actions.compare_instants(NOW - 5 * HOUR, scope=actions.Scope(as_of=NOW))
    assert [it for it in found.edges if it.edge.source.known_by == "producer_id"] == []
    assert [it for it in found.nodes if it.node.known_by == "producer_id"] == []


@pytest.mark.django_db
def test_what_wrote_more_is_somebody_else_from_each_topic() -> None:
    observe([(1, 0, 5), (2, 0, 0), (2, 1, 0)])
    writers = {it.source.name for it in actions.resolve(topics=["t0"]) if it.target.name == "t0"}
    assert writers == {"1", "2"}
