"""Raw rows of the ledger into edges between services, topics, copies and actors.

Raw edges are resolved when they are read: a pattern changed in the catalog, or a producer id
named later, re-reads the whole past.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property, partial

from catalog.models import Cluster, Topic
from catalog.recognition import recogniser
from lineage import frontier
from lineage.edges import EdgeView, EvidenceView, Node, edge_view
from lineage.graph import Name
from lineage.identity import Identities, KnownService, copy_of
from lineage.models import ProducerName
from lineage.reading import Row
from lineage.succession import Life, successors

ANONYMOUS = "producer_id"
FEW = 500
"""Topics that are read one by one; of more of them the whole ledger is."""

_LISTED = {"client_ids": "client_id", "hosts": "host"}


class Resolution:
    """Turns raw rows into edges, by what all of `rows` tell: who is who does not depend on when."""

    def __init__(self, rows: Sequence[Row], named: Iterable[frontier.Name] | None = None) -> None:
        """Resolve by the names of producers that are given, or by all that they ever had."""
        self._rows = rows
        self._contexts = _contexts_of_topics(rows)
        self._copies = {
            (row.cluster, row.target[1]): row.detail.get("context")
            for row in sorted(rows, key=lambda row: row.last_seen)
            if row.target[0] == "copy"
        }
        self._client_ids = _client_ids(rows)
        self._nodes: dict[tuple[int, tuple[str, str]], Node] = {}
        known = recogniser()
        clusters = dict(Cluster.objects.values_list("pk", "name"))

        def recognise(cluster: int, kind: str, name: str) -> KnownService | None:
            # a producer id is unique within its cluster only
            sought = f"{clusters[cluster]}/{name}" if kind == ANONYMOUS else name
            service = known.service_of(kind, sought)
            if service is None:
                return None
            return KnownService(service.name, service.context.name if service.context else None)

        self._named = _names_by_cluster({row.cluster for row in rows}, named)
        self._identities = {
            cluster: Identities((name[:3] for name in names), partial(recognise, cluster))
            for cluster, names in self._named.items()
        }

    def edges(self, at: datetime, rows: Sequence[Row] | None = None) -> list[EdgeView]:
        """Return an edge per pair of raw nodes; several may join the same two nodes.

        `rows` may be fewer than those known, as an earlier instant saw them.
        """
        return [edge for edge, _ in self.proven(at, rows)]

    def proven(
        self, at: datetime, rows: Sequence[Row] | None = None
    ) -> list[tuple[EdgeView, list[Row]]]:
        """Return the same edges, each with the rows that it was resolved from."""
        return [
            (
                replace(edge, source=self._latest(edge.source))
                if edge.source.known_by == ANONYMOUS
                else edge,
                behind,
            )
            for edge, behind in self._views(self._rows if rows is None else rows, at)
        ]

    def ends(self) -> list[tuple[Row, Node, Node]]:
        """Return each row with the nodes of its ends; producers that nobody names as they are."""
        return [
            (row, self._node(row.cluster, row.source), self._node(row.cluster, row.target))
            for row in self._rows
        ]

    def names(self, node: Node) -> Iterator[Name]:
        """Yield the names under which Kafka knew a node, and from when to when."""
        for row in self._rows:
            for raw in (row.source, row.target):
                if raw[0] != "topic" and self._latest(self._node(row.cluster, raw)) == node:
                    yield Name(raw[0], raw[1], row.first_seen, row.last_seen)
                    yield from _told(row)
        for cluster, names in self._named.items():
            for number, kind, name, first, until in names:
                if self._node(cluster, (kind, name)) == node:
                    yield Name(ANONYMOUS, str(number), first, until)
                    yield Name(kind, name, first, until)

    @cached_property
    def _last(self) -> dict[str, str]:
        """The newest id of each unnamed producer: those that followed each other are one."""
        written: dict[str, list[Row]] = defaultdict(list)
        for row in self._rows:
            if row.source[0] == ANONYMOUS:
                node = self._node(row.cluster, row.source)
                if node.known_by == ANONYMOUS:
                    written[node.name].append(row)
        return successors(
            Life(
                name,
                frozenset(row.target[1] for row in rows),
                min(row.first_seen for row in rows),
                max(row.last_seen for row in rows),
            )
            for name, rows in written.items()
        )

    def _latest(self, node: Node) -> Node:
        if node.known_by != ANONYMOUS:
            return node
        return replace(node, name=self._last.get(node.name, node.name))

    def _views(self, rows: Sequence[Row], at: datetime) -> list[tuple[EdgeView, list[Row]]]:
        gathered: dict[tuple[int, Node, Node], list[Row]] = defaultdict(list)
        for row in rows:
            source = self._node(row.cluster, row.source)
            target = self._node(row.cluster, row.target)
            gathered[row.cluster, source, target].append(row)
        return [
            (edge_view(source, target, _evidence(found), at), found)
            for (_, source, target), found in gathered.items()
        ]

    def _node(self, cluster: int, raw: tuple[str, str]) -> Node:
        key = cluster, raw
        if key not in self._nodes:
            self._nodes[key] = self._resolved(cluster, raw)
        return self._nodes[key]

    def _resolved(self, cluster: int, raw: tuple[str, str]) -> Node:
        kind, name = raw
        if kind == "topic":
            context = self._contexts.get((cluster, name))
        else:
            context = self._copies.get((cluster, copy_of(kind, name) or ""))
        client_ids = sorted(self._client_ids.get((cluster, raw), ()))
        return self._identities[cluster].node(kind, name, context, client_ids)


def _client_ids(rows: Sequence[Row]) -> dict[tuple[int, tuple[str, str]], set[str]]:
    """Gather the client ids that members of each group were seen with."""
    found: dict[tuple[int, tuple[str, str]], set[str]] = defaultdict(set)
    for row in rows:
        if ids := row.detail.get("client_ids"):
            reader = row.target if row.source[0] == "topic" else row.source
            found[row.cluster, reader].update(ids)
    return found


def _told(row: Row) -> Iterator[Name]:
    """Yield the names that the particulars of a proof tell besides."""
    for key, kind in _LISTED.items():
        for name in row.detail.get(key, ()):
            yield Name(kind, str(name), row.first_seen, row.last_seen)
    for key, kind in (("stamp", "source"), ("producer_id", ANONYMOUS)):
        if key in row.detail:
            yield Name(kind, str(row.detail[key]), row.first_seen, row.last_seen)


def _contexts_of_topics(seen: Sequence[Row]) -> dict[tuple[int, str], str | None]:
    topics = Topic.objects.all()
    names = {name for row in seen for kind, name in (row.source, row.target) if kind == "topic"}
    if len(names) <= FEW:
        topics = topics.filter(name__in=names)
    rows = topics.values_list("cluster_id", "name", "context__name")
    return {(cluster, name): context for cluster, name, context in rows}


def _names_by_cluster(
    clusters: set[int], named: Iterable[frontier.Name] | None
) -> dict[int, list[tuple[int, str, str, datetime, datetime]]]:
    found: dict[int, list[tuple[int, str, str, datetime, datetime]]]
    found = {cluster: [] for cluster in clusters}
    if named is None:
        named = ProducerName.objects.filter(cluster__in=clusters).values_list(
            "cluster_id", "producer_id", "node_kind", "node_name", "first_seen", "last_seen"
        )
    for cluster, producer_id, kind, name, first, last in sorted(named):
        found.setdefault(cluster, []).append((producer_id, kind, name, first, last))
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
