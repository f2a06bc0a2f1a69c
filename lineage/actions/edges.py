"""The edges of the ledger, between services, topics, copies and actors, as of any instant."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from catalog.actions import find_cluster
from lineage import graph
from lineage.actions.resolution import FEW, Resolution
from lineage.edges import EdgeView, Node
from lineage.errors import NodeMissingError
from lineage.frontier import Frontier
from lineage.reading import Row, read
from lineage.recognised import read_recognised

_ORDER = {"topic": 0, "service": 1, "copy": 2, "actor": 3, "dataset": 4}


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
    found = resolve(as_of=as_of, cluster=cluster)
    return [edge for edge in found if _selected(edge, source, target, kind)]


def resolve(
    *,
    as_of: datetime | None = None,
    cluster: str | None = None,
    topics: Sequence[str] | None = None,
) -> list[EdgeView]:
    """Return the edges at `topics` (all of them when None), each pair of nodes once."""
    at = as_of or timezone.now()
    one, known = cluster_id(cluster), read_recognised()
    if topics is None or len(topics) > FEW:
        found = graph.merged(Resolution(read(at, known.topology, cluster=one), known).edges(at))
        return found if topics is None else _at(topics, found)
    frontier = Frontier(at, known, cluster=one)
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


def find_node(key: str, edges: Iterable[EdgeView]) -> Node:
    """Return the node of that key (`topic:orders`) or, failing that, name; topics before others.

    Raises NodeMissingError.
    """
    matching = {
        node for edge in edges for node in (edge.source, edge.target) if is_called(node, key)
    }
    if not matching:
        raise NodeMissingError(f"nothing observed is called {key!r}")
    return min(matching, key=lambda node: (node.key != key, _ORDER[node.kind], node.key))


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
    return graph.merged(_around(focus, hops, at, cluster_id(cluster)).edges(at))


def _around(focus: str, hops: int, at: datetime, cluster: int | None = None) -> Resolution:
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
        for edge, rows in _around(source, 1, at).proven(at)
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


def _selected(edge: EdgeView, source: str | None, target: str | None, kind: str | None) -> bool:
    if source and not is_called(edge.source, source):
        return False
    if target and not is_called(edge.target, target):
        return False
    if not kind:
        return True
    return kind in {edge.source.kind, edge.target.kind, *(it.kind for it in edge.evidence)}
