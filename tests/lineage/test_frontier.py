"""Read around a node, the ledger answers as when all of it is read."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from catalog.models import Cluster, Service
from lineage import actions, graph
from lineage.ledger import Naming, Observation, record

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
PATTERNS = [
    {"groups": ["g1", "g2"], "transactional_ids": ["x1"]},
    {"groups": ["g3*"], "sources": ["/s1"], "client_ids": ["c1"]},
    {"client_ids": ["c2*"], "sources": ["/s*"]},
    {"groups": ["*4"], "transactional_ids": ["x2"]},
]
topics = st.sampled_from([f"t{n}" for n in range(7)])
groups = st.sampled_from([*(f"g{n}" for n in range(6)), "insideout.connector.k"])
producers = st.integers(1, 8)
bearers = st.one_of(
    st.tuples(st.just("group"), groups),
    st.tuples(st.just("transactional_id"), st.sampled_from(["x1", "x2", "x3"])),
    st.tuples(st.just("source"), st.sampled_from(["/s1", "/s2", "/o"])),
)
hours = st.integers(0, 40)


def at(hour: float) -> datetime:
    return BEGIN + timedelta(hours=hour)


def _reads(topic: str, group: str, client: str, hour: int) -> Observation:
    detail = {"client_ids": [client]} if client else {}
    return Observation("topic", topic, "group", group, "member", at(hour), detail)


def _writes(bearer: tuple[str, str], topic: str, hour: int) -> Observation:
    return Observation(*bearer, "topic", topic, "producer", at(hour))


def _copies(topic: str, hour: int) -> Observation:
    return Observation("topic", topic, "copy", "k", "connector", at(hour), {"context": "sales"})


observations = st.lists(
    st.one_of(
        st.builds(_reads, topics, groups, st.sampled_from(["", "c1", "c2x", "c3"]), hours),
        st.builds(_writes, bearers, topics, hours),
        st.builds(_writes, producers.map(lambda n: ("producer_id", str(n))), topics, hours),
        st.builds(_copies, topics, hours),
    ),
    min_size=1,
    max_size=40,
)
namings = st.lists(
    st.builds(
        lambda number, bearer: Naming(number, bearer[0], bearer[1], "commit"), producers, bearers
    ),
    max_size=6,
)


def observe(seen: list[Observation], names: list[Naming]) -> None:
    """Begin a ledger of one cluster anew, with the services of PATTERNS and these observations."""
    Cluster.objects.all().delete()
    Service.objects.all().delete()
    cluster = Cluster.objects.create(name="one", bootstrap_servers="x:1")
    for number, patterns in enumerate(PATTERNS):
        Service.objects.create(name=f"s{number}", recognised_by=patterns)
    record(cluster, seen, at(40), names=names)


class AsTheWhole(TestCase):
    @settings(max_examples=40, deadline=None)
    @given(observations, namings, st.integers(0, 42), st.integers(1, 4))
    def test_around_every_node(
        self, seen: list[Observation], names: list[Naming], hour: int, hops: int
    ) -> None:
        observe(seen, names)
        whole = actions.resolve(as_of=at(hour))
        for node in {node for edge in whole for node in (edge.source, edge.target)}:
            focus, part = actions.neighbourhood(node.key, hops=hops, as_of=at(hour), cap=5)
            assert focus == node
            assert part == graph.neighbourhood(whole, node, hops, cap=5)

    @settings(max_examples=40, deadline=None)
    @given(observations, namings, st.integers(0, 42), topics)
    def test_at_one_topic(
        self, seen: list[Observation], names: list[Naming], hour: int, topic: str
    ) -> None:
        observe(seen, names)
        whole = actions.resolve(as_of=at(hour))
        assert actions.resolve(as_of=at(hour), topics=[topic]) == [
            edge
            for edge in whole
            if any(it.kind == "topic" and it.name == topic for it in (edge.source, edge.target))
        ]
