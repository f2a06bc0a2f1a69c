"""Actors of Kafka by any of their names: what each does, which names are tied, whose it is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from catalog.actions import claim, find_claim, list_claims, withdraw
from catalog.models import Claim, Cluster, Service
from lineage.derivations.actions import Known, read_known
from lineage.derivations.errors import ActorMissingError
from lineage.edges import EdgeView, Node
from lineage.models import ProducerName
from lineage.succession import Life, successors

PRODUCER_ID = "producer_id"
_DATA = frozenset({"topic", "copy", "dataset"})


@dataclass(frozen=True, order=True)
class ActorName:
    """One name that Kafka has for an actor, and since when and until when it was seen."""

    cluster: str
    kind: str
    name: str
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True)
class ActorView:
    """An actor, looked up by one of its names: what it is shown as, and everything it was seen at.

    `node` is a service once a pattern recognises it. `claims` are those of any of its names.
    """

    kind: str
    name: str
    node: Node
    names: tuple[ActorName, ...]
    writes: tuple[EdgeView, ...]
    reads: tuple[EdgeView, ...]
    claims: tuple[Claim, ...]

    @property
    def first_seen(self) -> datetime:
        """Since when it was seen under any of its names."""
        return min(it.first_seen for it in self.names)

    @property
    def last_seen(self) -> datetime:
        """When it was seen last."""
        return max(it.last_seen for it in self.names)


def describe_actor(kind: str, name: str, as_of: datetime | None = None) -> ActorView:
    """Describe an actor by a name in Kafka (`group`, `mail`). Raises ActorMissingError."""
    known = read_known(as_of)
    node = _node_of(known, kind, name)
    names = tuple(sorted(_names_of(known, node)))
    borne = {(it.kind, it.name) for it in names} | {(kind, name)}
    return ActorView(
        kind,
        name,
        node,
        names,
        writes=tuple(edge for edge in known.edges if edge.source == node),
        reads=tuple(edge for edge in known.edges if edge.target == node),
        claims=tuple(it for it in list_claims(ended=True) if (it.kind, it.name) in borne),
    )


def _node_of(known: Known, kind: str, name: str) -> Node:
    """The node that a raw name is shown as; an unnamed producer as its line's newest."""
    for each in known.rows:
        for raw, node in ((each.row.source, each.source), (each.row.target, each.target)):
            if raw == (kind, name):
                return _newest(known, node)
    for edge in known.edges:
        for node in (edge.source, edge.target):
            if (node.known_by, node.name) == (kind, name):
                return node
    raise ActorMissingError(f"no {kind} named {name!r} was observed")


def _newest(known: Known, node: Node) -> Node:
    if node.known_by != PRODUCER_ID:
        return node
    name = _lines(known).get(node.name, node.name)
    return Node(node.kind, name, node.context, node.known_by)


def _lines(known: Known) -> dict[str, str]:
    """Unnamed producers by the newest that followed them, as the edges show them joined."""
    lives: dict[str, Life] = {}
    for each in known.rows:
        if each.source.known_by != PRODUCER_ID:
            continue
        name, row = each.source.name, each.row
        life = lives.get(name, Life(name, frozenset(), row.first_seen, row.last_seen))
        lives[name] = Life(
            name,
            life.topics | {each.target.name},
            min(life.first_seen, row.first_seen),
            max(life.last_seen, row.last_seen),
        )
    return successors(lives.values())


def _names_of(known: Known, node: Node) -> Iterator[ActorName]:
    """Every raw name that is shown as this node."""
    clusters = dict(Cluster.objects.values_list("pk", "name"))
    lines = _lines(known) if node.known_by == PRODUCER_ID else {}
    spans: dict[tuple[str, str, str], tuple[datetime, datetime]] = {}
    found = {
        (each.row.cluster, raw)
        for each in known.rows
        for raw, shown in ((each.row.source, each.source), (each.row.target, each.target))
        if raw[0] not in _DATA and _same(shown, node, lines)
    }
    for each in known.rows:
        for raw in (each.row.source, each.row.target):
            if (each.row.cluster, raw) in found:
                key = (clusters[each.row.cluster], *raw)
                _widen(spans, key, each.row.first_seen, each.row.last_seen)
    for row in _tied(found):
        _widen(spans, row[0], *row[1])
    return (ActorName(*key, *span) for key, span in spans.items())


def _same(shown: Node, node: Node, lines: dict[str, str]) -> bool:
    if shown == node:
        return True
    return shown.known_by == PRODUCER_ID and lines.get(shown.name) == node.name


Span = tuple[datetime, datetime]


def _widen(
    spans: dict[tuple[str, str, str], Span],
    key: tuple[str, str, str],
    first: datetime,
    last: datetime,
) -> None:
    known = spans.get(key, (first, last))
    spans[key] = (min(first, known[0]), max(last, known[1]))


def _tied(
    found: Iterable[tuple[int, tuple[str, str]]],
) -> Iterator[tuple[tuple[str, str, str], Span]]:
    """Names that share a producer id with one that was seen reading or writing, and the ids."""
    wanted = set(found)
    rows = list(ProducerName.objects.select_related("cluster"))
    ids = {
        (row.cluster_id, row.producer_id)
        for row in rows
        if (row.cluster_id, (row.node_kind, row.node_name)) in wanted
        or (row.cluster_id, (PRODUCER_ID, str(row.producer_id))) in wanted
    }
    for row in rows:
        if (row.cluster_id, row.producer_id) in ids:
            span = (row.first_seen, row.last_seen)
            yield (row.cluster.name, row.node_kind, row.node_name), span
            yield (row.cluster.name, PRODUCER_ID, str(row.producer_id)), span


def claim_actor(kind: str, name: str, service: str, by: str = "") -> Claim:
    """Claim an unresolved actor for a service, by one of its names.

    Of an unnamed producer all ids of its line are claimed; a next restart brings one that is not.
    Raises ActorMissingError, and the catalog's ThingMissingError and ClaimRefusedError.
    """
    known = read_known()
    node = _node_of(known, kind, name)
    if kind != PRODUCER_ID:
        return claim(service, kind, name, by=by)
    borne = [it for it in _names_of(known, node) if it.kind == PRODUCER_ID]
    names = sorted(f"{it.cluster}/{it.name}" for it in borne)
    return claim(service, kind, name, names=names, by=by)


def service_names() -> list[str]:
    """Return the services for which an actor may be claimed."""
    return list(Service.objects.order_by("name").values_list("name", flat=True))


__all__ = [
    "ActorName",
    "ActorView",
    "claim_actor",
    "describe_actor",
    "find_claim",
    "list_claims",
    "service_names",
    "withdraw",
]
