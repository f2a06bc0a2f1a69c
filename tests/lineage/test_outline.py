"""What an outline answers is what all edges with their evidence answer."""

from datetime import datetime
from itertools import product
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from catalog.models import BoundedContext, Cluster, Service, Topic
from lineage import actions, graph
from lineage.actions.resolution import Resolution
from lineage.edges import EdgeView, Node
from lineage.ledger import Naming, Observation, record
from lineage.reading import read
from tests.lineage.test_frontier import PATTERNS, at, namings, observations

# one topic in two that Kafka Streams names for itself, so that some are folded away
_INTERNAL = {"t5": "app-store-changelog", "t6": "app-step-repartition"}


def _estate(seen: list[Observation], names: list[Naming]) -> None:
    for model in (Cluster, Service, BoundedContext):
        model.objects.all().delete()
    cluster = Cluster.objects.create(name="one", bootstrap_servers="x:1")
    context = BoundedContext.objects.create(name="sales")
    for number, patterns in enumerate(PATTERNS):
        home = context if number % 2 else None
        Service.objects.create(name=f"s{number}", recognised_by=patterns, context=home)
    Topic.objects.create(cluster=cluster, name="t1", context=context)
    record(cluster, [_renamed(it) for it in seen], at(40), names=names)


def _renamed(it: Observation) -> Observation:
    ends = (
        it.source_kind,
        _INTERNAL.get(it.source_name, it.source_name),
        it.target_kind,
        _INTERNAL.get(it.target_name, it.target_name),
    )
    return Observation(*ends, it.evidence_kind, it.seen_at, it.detail)


def _whole(instant: datetime) -> list[EdgeView]:
    """Every row of the ledger resolved and joined: what all else is held against."""
    return graph.merged(Resolution(read(instant)).edges(instant))


def _nodes(edges: list[EdgeView]) -> list[Node]:
    return sorted({node for edge in edges for node in (edge.source, edge.target)})


def _contexts(edges: list[EdgeView]) -> list[tuple[str | None, str | None]]:
    return [(edge.source.context, edge.target.context) for edge in edges]


class AsTheWhole(TestCase):
    @settings(max_examples=10, deadline=None)
    @given(observations, namings, st.integers(0, 42))
    def test_all_edges_and_pages_of_them(
        self, seen: list[Observation], names: list[Naming], hour: int
    ) -> None:
        _estate(seen, names)
        whole = _whole(at(hour))
        listed = actions.list_edges(as_of=at(hour))
        assert listed == whole
        assert _contexts(listed) == _contexts(whole)
        pages = actions.find_edges(as_of=at(hour))
        assert len(pages) == len(whole)
        assert [*pages[:2], *pages[2:]] == whole
        for node in _nodes(whole):
            found = actions.find_edges(source=node.key, as_of=at(hour))
            assert list(found) == [it for it in whole if it.source == node]
        for kind in ("member", "producer", "connector", "service", "actor"):
            assert list(actions.find_edges(kind=kind, as_of=at(hour))) == [
                it
                for it in whole
                if kind in {it.source.kind, it.target.kind, *(each.kind for each in it.evidence)}
            ]
        assert actions.list_couplings(actions.Scope(as_of=at(hour))) == graph.fold_by_context(
            graph.select(whole, internal=False)
        )

    @settings(max_examples=10, deadline=None)
    @given(
        observations,
        namings,
        st.integers(0, 42),
        st.sampled_from([1, 2, None]),
        st.sampled_from(graph.PROJECTIONS),
        st.booleans(),
    )
    def test_up_and_down_the_stream(
        self,
        seen: list[Observation],
        names: list[Naming],
        hour: int,
        depth: int | None,
        projection: graph.Projection,
        internal: bool,
    ) -> None:
        _estate(seen, names)
        whole = _whole(at(hour))
        scope = actions.Scope(as_of=at(hour), internal=internal)
        ways: tuple[Literal["upstream", "downstream"], ...] = ("upstream", "downstream")
        for node, way in product(_nodes(whole), ways):
            told = actions.trace(
                node.key, way, depth=depth, projection=projection, cap=3, scope=scope
            )
            chosen = graph.select(whole, internal=internal, keep=node)
            assert told == graph.reach(chosen, node, way, depth=depth, projection=projection, cap=3)

    @settings(max_examples=8, deadline=None)
    @given(observations, namings, st.integers(0, 42))
    def test_ways_and_footprints(
        self, seen: list[Observation], names: list[Naming], hour: int
    ) -> None:
        _estate(seen, names)
        whole = _whole(at(hour))
        scope = actions.Scope(as_of=at(hour))
        nodes = _nodes(whole)
        for one, other in product(nodes[:4], nodes[-4:]):
            chosen = graph.select(whole, internal=False, keep=one)
            told = actions.tell_story(one.key, other.key, scope)
            assert told == graph.shortest_story(chosen, one, other)
        resolution = Resolution(read(at(hour)))
        for node in nodes:
            if node.kind != "topic":
                expected = graph.footprint_of(
                    graph.select(whole, internal=False), node, resolution.names(node)
                )
                assert actions.take_footprint(node.key, scope) == expected

    @settings(max_examples=8, deadline=None)
    @given(observations, namings, st.integers(0, 42), st.integers(0, 42))
    def test_what_changed(
        self, seen: list[Observation], names: list[Naming], hour: int, other: int
    ) -> None:
        _estate(seen, names)
        instants = [at(hour), at(other)]
        resolution = Resolution(read(max(instants)))
        snapshots = [
            graph.Snapshot(
                instant,
                graph.select(
                    graph.merged(resolution.edges(instant, read(instant))), internal=False
                ),
            )
            for instant in instants
        ]
        told = actions.compare_instants(instants[0], scope=actions.Scope(as_of=instants[1]))
        assert told == graph.compare(*snapshots)
