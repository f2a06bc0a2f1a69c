"""The edges of the ledger, between services, topics, copies and actors, as of any instant."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import overload

from django.utils import timezone

from catalog.actions import find_cluster
from lineage import graph
from lineage.actions.resolution import Resolution
from lineage.edges import EdgeView, Node
from lineage.errors import NodeMissingError
from lineage.frontier import Frontier
from lineage.graph.flow import Pair
from lineage.outline import FEW, Outline, read_outline
from lineage.reading import Row, read
from lineage.recognised import read_recognised

_ORDER = {"topic": 0, "service": 1, "copy": 2, "actor": 3, "dataset": 4}


class Listed(Sequence[EdgeView]):
    """Edges in the order of their ends' keys; the evidence is read of those that are looked at."""

    def __init__(self, outline: Outline, pairs: Sequence[Pair]) -> None:
        self._outline = outline
        self._pairs = pairs

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._pairs)

    @overload
    def __getitem__(self, index: int) -> EdgeView: ...

    @overload
    def __getitem__(self, index: slice) -> list[EdgeView]: ...

    def __getitem__(self, index: int | slice) -> EdgeView | list[EdgeView]:
        """Read one, or some in one query."""
        if isinstance(index, slice):
            return list(self._outline.edges_of(self._pairs[index]).values())
        return self._outline.edges_of([self._pairs[index]])[self._pairs[index]]

    def __iter__(self) -> Iterator[EdgeView]:
        """Read all of them at once."""
        return iter(self[:])


def find_edges(
    *,
    source: str | None = None,
    target: str | None = None,
    kind: str | None = None,
    as_of: datetime | None = None,
    cluster: str | None = None,
) -> Listed:
    """Return the edges of `list_edges`, of which pages are looked at."""
    outline = read_outline(as_of, cluster_id(cluster))
    pairs: Sequence[Pair] = outline.pairs
    if source:
        called = set(outline.numbers_called(source))
        pairs = [pair for pair in pairs if pair[0] in called]
    if target:
        called = set(outline.numbers_called(target))
        pairs = [pair for pair in pairs if pair[1] in called]
    if kind:
        proved = outline.proved_by(kind)
        nodes = outline.nodes
        pairs = [
            pair
            for pair in pairs
            if pair in proved or kind in {nodes[pair[0]].kind, nodes[pair[1]].kind}
        ]
    return Listed(outline, pairs)


def list_edges(
    *,
    source: str | None = None,
    target: str | None = None,
    kind: str | None = None,
    as_of: datetime | None = None,
    cluster: str | None = None,
) -> list[EdgeView]:
    """List edges now, or as they were known at `as_of`, by name; of one cluster or of all.

    `source` and `target` select by a node's name or key (`orders`, `topic:orders`), `kind` by the
    kind of either node (`service`, `topic`, `copy`, `actor`, `dataset`) or by a kind of evidence.
    Raises ThingMissingError when there is no such cluster.
    """
    if source or target or kind:
        return list(
            find_edges(source=source, target=target, kind=kind, as_of=as_of, cluster=cluster)
        )
    return resolve(as_of=as_of, cluster=cluster)


def resolve(
    *,
    as_of: datetime | None = None,
    cluster: str | None = None,
    topics: Sequence[str] | None = None,
) -> list[EdgeView]:
    """Return the edges at `topics` (all of them when None), each pair of nodes once."""
    if topics is None or len(topics) > FEW:
        found = read_outline(as_of, cluster_id(cluster)).edges
        return list(found) if topics is None else _at(topics, found)
    at, known = as_of or timezone.now(), read_recognised()
    frontier = Frontier(at, known, cluster=cluster_id(cluster))
    frontier.around({("topic", topic) for topic in topics})
    return graph.merged(_at(topics, Resolution(frontier.rows(), known).edges(at)))


def _at(topics: Sequence[str], edges: Iterable[EdgeView]) -> list[EdgeView]:
    wanted = set(topics)
    return [
        edge
        for edge in edges
        if any(it.kind == "topic" and it.name in wanted for it in (edge.source, edge.target))
    ]


@dataclass(frozen=True)
class Resolved:
    """Edges, the raw rows they were made of, and the nodes that a row's ends are shown as."""

    edges: list[EdgeView]
    rows: list[tuple[Row, Node, Node]]


def resolve_rows(*, as_of: datetime | None = None, cluster: str | None = None) -> Resolved:
    """Return all edges with the raw rows behind them, read once."""
    at = as_of or timezone.now()
    known = read_recognised()
    resolution = Resolution(read(at, known.topology, cluster=cluster_id(cluster)), known)
    return Resolved(graph.merged(resolution.edges(at)), resolution.ends())


def find_node(key: str, edges: Iterable[EdgeView] | Outline) -> Node:
    """Return the node of that key (`topic:orders`) or, failing that, name; topics before others.

    Raises NodeMissingError.
    """
    matching = nodes_called(key, edges)
    if not matching:
        raise NodeMissingError(f"nothing observed is called {key!r}")
    return min(matching, key=lambda node: (node.key != key, _ORDER[node.kind], node.key))


def nodes_called(key: str, edges: Iterable[EdgeView] | Outline) -> set[Node]:
    """Return all nodes of that name or key."""
    if isinstance(edges, Outline):
        return set(edges.called(key))
    return {node for edge in edges for node in (edge.source, edge.target) if is_called(node, key)}


def neighbourhood(
    focus: str,
    *,
    hops: int = 1,
    cap: int = graph.DEFAULT_CAP,
    direction: graph.Direction = "both",
    as_of: datetime | None = None,
    cluster: str | None = None,
) -> tuple[Node, graph.Subgraph]:
    """Return what surrounds a node, given by key or name. Raises NodeMissingError."""
    edges = surroundings(focus, hops=hops, as_of=as_of, cluster=cluster)
    node = find_node(focus, edges)
    return node, graph.neighbourhood(edges, node, hops, direction=direction, cap=cap)


def surroundings(
    focus: str, *, hops: int, as_of: datetime | None = None, cluster: str | None = None
) -> list[EdgeView]:
    """Return all edges of what lies within `hops` of a node, as the whole ledger has them.

    And some others: of what lies further away not all edges are there.
    """
    at = as_of or timezone.now()
    return graph.merged(resolve_around(focus, hops, at, cluster_id(cluster)).edges(at))


def resolve_around(focus: str, hops: int, at: datetime, cluster: int | None = None) -> Resolution:
    """Resolve what lies around a node."""
    known = read_recognised()
    frontier = Frontier(at, known, cluster=cluster)
    places = frontier.start(focus)
    for _ in range(hops // 2 + 1):
        places = frontier.around(places)
    return Resolution(frontier.rows(), known)


def find_edge(
    source: str, target: str, *, as_of: datetime | None = None
) -> tuple[EdgeView, list[Row]]:
    """Return the edge between two nodes, given by key, and the raw rows behind it.

    Raises NodeMissingError when no such edge was observed.
    """
    at = as_of or timezone.now()
    found = [
        (edge, rows)
        for edge, rows in resolve_around(source, 1, at).proven(at)
        if (edge.source.key, edge.target.key) == (source, target)
    ]
    if not found:
        raise NodeMissingError(f"no flow from {source!r} to {target!r} was observed")
    (edge,) = graph.merged(edge for edge, _ in found)
    return edge, [row for _, rows in found for row in rows]


def cluster_id(name: str | None) -> int | None:
    """Return the row of a cluster, none for all. Raises ThingMissingError."""
    return find_cluster(name).pk if name else None


def is_called(node: Node, text: str) -> bool:
    """Whether `text` is a node's name or key."""
    return text in {node.name, node.key, f"{node.kind}:{node.name}"}
