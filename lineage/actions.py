"""What is asked of lineage; pages, REST and the catalog's witness all call these.

Raw edges are resolved when they are read: a pattern changed in the catalog, or a producer id
named later, re-reads the whole past.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from catalog.actions import find_cluster
from catalog.models import Cluster, Topic
from catalog.policies.contract import Finding, Subject
from catalog.policies.words import listing, span
from catalog.recognition import recogniser
from lineage import graph
from lineage.edges import EdgeView, EvidenceView, Node, edge_view
from lineage.errors import InstantInvalidError, NodeMissingError
from lineage.identity import Identities, KnownService, copy_of
from lineage.models import ProducerName, Sampling
from lineage.reading import Row, read
from lineage.succession import Life, successors

ANONYMOUS = "producer_id"


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
    rows = read(at, cluster=_cluster_id(cluster), topics=topics)
    resolved = _Resolution(rows).edges(at)
    return graph.merged(resolved)


def find_node(key: str, edges: Iterable[EdgeView]) -> Node:
    """Return the node of that key (`topic:orders`) or, failing that, name; topics before others.

    Raises NodeMissingError.
    """
    order = {"topic": 0, "service": 1, "copy": 2, "actor": 3, "dataset": 4}
    matching = {node for edge in edges for node in (edge.source, edge.target) if _is(node, key)}
    if not matching:
        raise NodeMissingError(f"nothing observed is called {key!r}")
    return min(matching, key=lambda node: (node.key != key, order[node.kind], node.key))


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


def list_samplings(cluster: str | None = None) -> list[Sampling]:
    """Return the last run of each kind of sampler: how old each kind of evidence is, and why.

    Raises ThingMissingError when there is no such cluster.
    """
    rows = Sampling.objects.select_related("cluster").order_by("cluster__name", "kind")
    return list(rows.filter(cluster=_cluster_id(cluster)) if cluster else rows)


def find_blind_spots() -> list[Finding]:
    """Return what cannot be observed now: one finding a cause, not one a kind of evidence.

    A cluster that is away is a finding of the catalog's and none here.
    """
    rows = Sampling.objects.exclude(message="").select_related("cluster")
    reached = rows.exclude(cluster__state=Cluster.State.UNREACHABLE)
    causes: dict[tuple[str, str], list[Sampling]] = defaultdict(list)
    for row in reached.order_by("cluster__name", "kind"):
        causes[row.cluster.name, row.message].append(row)
    now = timezone.now()
    found = []
    for (cluster, message), group in causes.items():
        successes = [row.succeeded_at for row in group if row.succeeded_at]
        last = f"last succeeded {span(now - min(successes))} ago" if successes else "never yet"
        kinds = listing(row.kind for row in group)
        subject = Subject("sampling", f"sampling of {kinds}", cluster)
        found.append(Finding("sampling", "warning", subject, f"{message}; {last}"))
    return found


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant; without a zone it is UTC. Raises InstantInvalidError."""
    try:
        # a plus sign that was not escaped in a URL arrives as a space
        found = parse_datetime(text.strip().replace(" ", "+") if "T" in text else text.strip())
    except ValueError:
        found = None
    if found is None:
        raise InstantInvalidError(f"{text!r} is no instant; expected 2026-01-31T12:00:00Z")
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError as error:  # year 1 or 9999, moved past the calendar's end by its zone
        raise InstantInvalidError(f"{text!r} lies outside the years 1 to 9999") from error


def _cluster_id(name: str | None) -> int | None:
    return find_cluster(name).pk if name else None


def _is(node: Node, text: str) -> bool:
    return text in {node.name, node.key, f"{node.kind}:{node.name}"}


def _selected(edge: EdgeView, source: str | None, target: str | None, kind: str | None) -> bool:
    if source and not _is(edge.source, source):
        return False
    if target and not _is(edge.target, target):
        return False
    if not kind:
        return True
    return kind in {edge.source.kind, edge.target.kind, *(it.kind for it in edge.evidence)}


class _Resolution:
    """Turns raw rows into edges between services, topics, copies and actors."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._contexts = _contexts_of_topics()
        self._copies = {
            (row.cluster, row.target[1]): row.detail.get("context")
            for row in sorted(rows, key=lambda row: row.last_seen)
            if row.target[0] == "copy"
        }
        known = recogniser()

        def recognise(kind: str, name: str) -> KnownService | None:
            service = known.service_of(kind, name)
            if service is None:
                return None
            return KnownService(service.name, service.context.name if service.context else None)

        # a producer id is unique within its cluster only
        self._identities = {
            cluster: Identities(names, recognise)
            for cluster, names in _names_by_cluster({row.cluster for row in rows}).items()
        }

    def edges(self, at: datetime) -> list[EdgeView]:
        """Return an edge per pair of raw nodes; several may join the same two nodes."""
        gathered: dict[tuple[int, Node, Node], list[Row]] = defaultdict(list)
        client_ids = self._client_ids()
        for row in self._rows:
            source = self._node(row, row.source, client_ids)
            target = self._node(row, row.target, client_ids)
            gathered[row.cluster, source, target].append(row)
        views = [
            edge_view(source, target, _evidence(rows), at)
            for (_, source, target), rows in gathered.items()
        ]
        return _join_successors(views)

    def _client_ids(self) -> dict[tuple[int, tuple[str, str]], set[str]]:
        """Gather the client ids that members of each group were seen with."""
        found: dict[tuple[int, tuple[str, str]], set[str]] = defaultdict(set)
        for row in self._rows:
            if ids := row.detail.get("client_ids"):
                reader = row.target if row.source[0] == "topic" else row.source
                found[row.cluster, reader].update(ids)
        return found

    def _node(
        self,
        row: Row,
        raw: tuple[str, str],
        client_ids: dict[tuple[int, tuple[str, str]], set[str]],
    ) -> Node:
        kind, name = raw
        if kind == "topic":
            context = self._contexts.get((row.cluster, name))
        else:
            context = self._copies.get((row.cluster, copy_of(kind, name) or ""))
        return self._identities[row.cluster].node(
            kind, name, context, sorted(client_ids.get((row.cluster, raw), ()))
        )


def _contexts_of_topics() -> dict[tuple[int, str], str | None]:
    rows = Topic.objects.values_list("cluster_id", "name", "context__name")
    return {(cluster, name): context for cluster, name, context in rows}


def _names_by_cluster(clusters: set[int]) -> dict[int, list[tuple[int, str, str]]]:
    found: dict[int, list[tuple[int, str, str]]] = {cluster: [] for cluster in clusters}
    rows = ProducerName.objects.filter(cluster__in=clusters)
    for row in rows.values_list("cluster_id", "producer_id", "node_kind", "node_name"):
        found[row[0]].append((row[1], row[2], row[3]))
    return found


def _evidence(rows: Sequence[Row]) -> list[EvidenceView]:
    """Return one proof a kind: the span of all its rows, the particulars of the newest."""
    by_kind: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_kind[row.kind].append(row)
    return [
        EvidenceView(
            kind,
            min(row.first_seen for row in group),
            max(row.last_seen for row in group),
            max(group, key=lambda row: row.last_seen).detail,
        )
        for kind, group in by_kind.items()
    ]


def _join_successors(edges: Sequence[EdgeView]) -> list[EdgeView]:
    """Show unnamed producers that followed each other as one actor."""
    written: dict[str, list[EdgeView]] = defaultdict(list)
    for edge in edges:
        if edge.source.known_by == ANONYMOUS:
            written[edge.source.name].append(edge)
    last = successors(
        Life(
            name,
            frozenset(edge.target.name for edge in group),
            min(edge.first_seen for edge in group),
            max(edge.last_seen for edge in group),
        )
        for name, group in written.items()
    )
    return [
        replace(edge, source=replace(edge.source, name=last[edge.source.name]))
        if edge.source.known_by == ANONYMOUS
        else edge
        for edge in edges
    ]
