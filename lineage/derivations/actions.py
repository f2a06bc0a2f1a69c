"""What is asked of derivations; pages, REST and commands all call these."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from catalog.actions import find_cluster
from catalog.models import Cluster
from lineage import graph
from lineage.actions import cluster_id, find_node, resolve_rows
from lineage.actions.resolution import Resolution
from lineage.derivations.derivation import DEEPEST, Derivation, Direction, chain, derive
from lineage.derivations.ties import Bearer, NamedRow, applications, find_ties
from lineage.edges import PLACES, EdgeView, Node
from lineage.errors import NodeMissingError
from lineage.frontier import Frontier
from lineage.models import ProducerName
from lineage.outline import Outline, read_outline
from lineage.topology import Raw, Topology

MOST_NEAR = 500
"""Places whose edges are looked up; around more of them the whole ledger is read."""


@dataclass(frozen=True)
class Known:
    """Everything observed up to an instant: edges, raw rows with their nodes, derivations."""

    edges: list[EdgeView]
    rows: list[NamedRow]
    derivations: list[Derivation]


def read_known(as_of: datetime | None = None, cluster: str | None = None) -> Known:
    """Read the ledger once, and derive. Raises ThingMissingError when there is no such cluster."""
    resolved = resolve_rows(as_of=as_of, cluster=cluster)
    rows = [NamedRow(*each) for each in resolved.rows]
    return Known(resolved.edges, rows, derive(resolved.edges, find_ties(rows, _bearers(cluster))))


def read_near(
    names: Iterable[str],
    ways: Iterable[Direction],
    depth: int | None,
    as_of: datetime | None = None,
    cluster: str | None = None,
) -> Known:
    """Read what lies within so many derivations (None: any number) of what is called so.

    Of that it knows what `read_known` knows; of all else little. Where that is much, it is all.
    """
    at = as_of or timezone.now()
    one = cluster_id(cluster)
    outline = read_outline(as_of, one)
    places = _places_near(outline, names, ways, None if depth is None else 2 * depth)
    if places is None:
        return read_known(as_of, cluster)
    known = outline.known
    frontier = Frontier(at, known, cluster=one)
    frontier.around(places)
    seen = {end[1] for edge in frontier.edges.values() for end in (edge.source, edge.target)}
    groups = {("group", group) for topic in seen for group in applications(topic)}
    frontier.include(groups & known.topology.at.keys())
    resolution = Resolution(frontier.rows(), known)
    edges = graph.merged(resolution.edges(at))
    rows = [NamedRow(*each) for each in resolution.ends()]
    ties = find_ties(rows, _bearers(cluster, _producer_ids(rows, known.topology)))
    return Known(edges, rows, derive(edges, ties))


def _places_near(
    outline: Outline, names: Iterable[str], ways: Iterable[Direction], hops: int | None
) -> set[Raw] | None:
    """Return the topics and datasets so near; None when they are more than are looked up."""
    starts = {number for name in names for number in outline.numbers_called(name)}
    found: set[int] = set()
    for way in ways:
        steps = outline.pred if way == "upstream" else outline.succ
        seen, ring, far = set(starts), set(starts), 0
        while ring and (hops is None or far <= hops):
            found |= {it for it in ring if outline.nodes[it].kind in PLACES}
            if len(found) > MOST_NEAR:
                return None
            ring = {step for number in ring for step in steps[number]} - seen
            seen |= ring
            far += 1
    # a thing that is no place is found by those at it
    found |= {
        step
        for number in starts
        for step in (*outline.pred[number], *outline.succ[number])
        if outline.nodes[step].kind in PLACES
    }
    return {(outline.nodes[it].kind, outline.nodes[it].name) for it in found}


def _producer_ids(rows: Iterable[NamedRow], topology: Topology) -> set[int]:
    """The producer ids that rows may stand for, and of which a tie may be told."""
    found: set[int] = set()
    for row in (each.row for each in rows):
        found.update(it.producer_id for it in topology.numbers.get(row.source, ()))
        if isinstance(told := row.detail.get("producer_id"), int):
            found.add(told)
        if row.source[0] == "producer_id" and row.source[1].isdecimal():
            found.add(int(row.source[1]))
    return found


def _bearers(cluster: str | None, producer_ids: Collection[int] | None = None) -> list[Bearer]:
    """Who bears each producer id, for all time: an id is given out but once."""
    found = ProducerName.objects.all()
    if cluster:
        found = found.filter(cluster=find_cluster(cluster))
    if producer_ids is not None:
        found = found.filter(cluster__in=Cluster.objects.all(), producer_id__in=producer_ids)
    return [
        Bearer(found_in, producer_id, (kind, name), evidence)
        for found_in, producer_id, kind, name, evidence in found.values_list(
            "cluster_id", "producer_id", "node_kind", "node_name", "evidence"
        )
    ]


def list_derivations(
    *,
    view: str | None = None,
    service: str | None = None,
    stream: str | None = None,
    depth: int = 1,
    as_of: datetime | None = None,
    cluster: str | None = None,
) -> list[Derivation]:
    """List derivations: of a view, by a deriver, from a stream; those that fit all that is given.

    With `depth` beyond 1 a view's inputs are followed to what they are derived from, a stream's
    views to what is derived from them, nearest first. A name that nothing observed bears has none.
    Raises ThingMissingError when there is no such cluster.
    """
    known = _known_for(view, stream, min(depth, DEEPEST), as_of, cluster)
    found = known.derivations
    try:
        if view:
            found = _followed(known, found, view, "upstream", depth)
        if stream:
            found = _followed(known, found, stream, "downstream", depth)
    except NodeMissingError:
        return []
    if service:
        found = [each for each in found if _is(each.deriver, service)]
    return found


def _known_for(
    view: str | None, stream: str | None, depth: int, as_of: datetime | None, cluster: str | None
) -> Known:
    """Read what lies around the view and the stream that are asked for; everything if neither."""
    names = [name for name in (view, stream) if name]
    if not names:
        return read_known(as_of, cluster)
    ways: list[Direction] = ["upstream", "downstream"] if view and stream else ["downstream"]
    return read_near(names, ["upstream"] if not stream else ways, depth, as_of, cluster)


def _followed(
    known: Known, found: Sequence[Derivation], name: str, direction: Direction, depth: int
) -> list[Derivation]:
    start = find_node(name, known.edges)
    return chain(found, start, direction, min(depth, DEEPEST))


def _is(node: Node, text: str) -> bool:
    return text in {node.name, node.key, f"{node.kind}:{node.name}"}
