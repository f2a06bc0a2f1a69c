"""The edges of the ledger, between services, topics, copies and actors, as of any instant."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from catalog.actions import find_cluster
from lineage import graph
from lineage.actions.resolution import ANONYMOUS, Resolution
from lineage.edges import EdgeView, Node
from lineage.errors import NodeMissingError
from lineage.models import Edge
from lineage.reading import Row, read

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
    one = cluster_id(cluster)
    rows = read(at, cluster=one, topics=topics)
    known = rows if topics is None else _as_seen_from_everywhere(rows, topics, at, one)
    return graph.merged(Resolution(known).edges(at, rows))


@dataclass(frozen=True)
class Resolved:
    """Edges, the raw rows they were made of, and the nodes that a row's ends are shown as."""

    edges: list[EdgeView]
    rows: list[tuple[Row, Node, Node]]


def resolve_rows(*, as_of: datetime | None = None, cluster: str | None = None) -> Resolved:
    """Return all edges with the raw rows behind them, read once."""
    at = as_of or timezone.now()
    resolution = Resolution(read(at, cluster=cluster_id(cluster)))
    return Resolved(graph.merged(resolution.edges(at)), resolution.ends())


def _as_seen_from_everywhere(
    rows: list[Row], topics: Sequence[str], at: datetime, cluster: int | None
) -> list[Row]:
    """Return the rows with all else that unnamed producers wrote.

    Which of them are one, restarted, is told by all the topics of each: looked at from one topic
    the answer has to be the same as from the whole.
    """
    wanted = set(topics)
    while len(names := _unnamed(rows)) > 1:
        written = Edge.objects.filter(source_kind=ANONYMOUS, source_name__in=names)
        if cluster is not None:
            written = written.filter(cluster=cluster)
        beyond = set(written.values_list("target_name", flat=True)) - wanted
        if not beyond:
            break
        wanted |= beyond
        rows = read(at, cluster=cluster, topics=sorted(wanted))
    return rows


def _unnamed(rows: Iterable[Row]) -> set[str]:
    return {row.source[1] for row in rows if row.source[0] == ANONYMOUS}


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
    edges = resolve(as_of=as_of, cluster=cluster)
    node = find_node(focus, edges)
    return node, graph.neighbourhood(edges, node, hops, direction=direction, cap=cap)


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
