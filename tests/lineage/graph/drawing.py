"""Edges for tests, written as arrows: `a > t1 > b` is service a writing topic t1 that b reads."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import strategies as st

from lineage.edges import EdgeView, EvidenceView, Node, edge_view

NOW = datetime(2026, 1, 9, tzinfo=UTC)
STALE = NOW - timedelta(days=2)


def node(name: str) -> Node:
    """Topics begin with t, copies with k, services are called otherwise; `a@x` is of context x."""
    name, _, context = name.partition("@")
    kind = {"t": "topic", "k": "copy"}.get(name[0], "service")
    if kind == "topic":
        return Node("topic", name, context or None)
    return Node("copy" if kind == "copy" else "service", name, context or None)


def edge(
    source: str, target: str, *kinds: str, seen: datetime = NOW, first: datetime | None = None
) -> EdgeView:
    """One edge, seen last at `seen` by each kind of evidence."""
    proofs = [EvidenceView(kind, first or seen, seen) for kind in kinds or ("member",)]
    return edge_view(node(source), node(target), proofs, NOW)


def edges(*chains: str, seen: datetime = NOW) -> list[EdgeView]:
    """The edges of chains, each pair once."""
    found: dict[tuple[str, str], EdgeView] = {}
    for chain in chains:
        names = [name.strip() for name in chain.split(">")]
        for source, target in pairwise(names):
            found[source, target] = edge(source, target, seen=seen)
    return list(found.values())


def _drawn(arrows: Iterable[tuple[int, int, bool, int, int]]) -> list[EdgeView]:
    found: dict[tuple[Node, Node], EdgeView] = {}
    kinds = ("member", "producer", "header", "declared")
    for service, topic, writes, kind, age in arrows:
        ends = (f"s{service}@c{service % 3}", f"t{topic}")
        source, target = ends if writes else ends[::-1]
        drawn = edge(source, target, kinds[kind], seen=NOW - timedelta(hours=age))
        found[drawn.source, drawn.target] = drawn
    return list(found.values())


graphs = st.lists(
    st.tuples(
        st.integers(0, 6), st.integers(0, 8), st.booleans(), st.integers(0, 3), st.integers(0, 1)
    ),
    max_size=40,
).map(_drawn)
