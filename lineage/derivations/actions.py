"""What is asked of derivations; pages, REST and commands all call these."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.actions import find_cluster
from lineage.actions import find_node, resolve_rows
from lineage.derivations.derivation import DEEPEST, Derivation, Direction, chain, derive
from lineage.derivations.ties import Bearer, NamedRow, find_ties
from lineage.edges import EdgeView, Node
from lineage.errors import NodeMissingError
from lineage.models import ProducerName


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


def _bearers(cluster: str | None) -> list[Bearer]:
    """Who bears each producer id, for all time: an id is given out but once."""
    found = ProducerName.objects.all()
    if cluster:
        found = found.filter(cluster=find_cluster(cluster))
    return [
        Bearer(cluster_id, producer_id, (kind, name), evidence)
        for cluster_id, producer_id, kind, name, evidence in found.values_list(
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
    known = read_known(as_of, cluster)
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


def _followed(
    known: Known, found: Sequence[Derivation], name: str, direction: Direction, depth: int
) -> list[Derivation]:
    start = find_node(name, known.edges)
    return chain(found, start, direction, min(depth, DEEPEST))


def _is(node: Node, text: str) -> bool:
    return text in {node.name, node.key, f"{node.kind}:{node.name}"}
