"""Raw rows of the ledger into edges between services, topics, copies and actors.

Raw edges are resolved when they are read: a pattern changed in the catalog, or a producer id
named later, re-reads the whole past.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property

from catalog.models import Topic
from lineage.edges import EdgeView, EvidenceView, Node, edge_view
from lineage.graph import Name
from lineage.identity import copy_of
from lineage.models import ProducerName
from lineage.outline import ANONYMOUS, FEW
from lineage.reading import Row
from lineage.recognised import Recognised, read_recognised
from lineage.succession import Life, successors

_LISTED = {"client_ids": "client_id", "hosts": "host"}


class Resolution:
    """Turns raw rows into edges, by what all of `rows` tell: who is who does not depend on when."""

    def __init__(self, rows: Sequence[Row], known: Recognised | None = None) -> None:
        """Resolve by who is `known` to be who; by default that is read now."""
        self._rows = rows
        self._known = known or read_recognised()
        self._contexts = _contexts_of_topics(rows)
        self._copies = {
            (row.cluster, row.target[1]): row.detail.get("context")
            for row in sorted(
                (row for row in rows if row.target[0] == "copy"), key=lambda row: row.last_seen
            )
        }
        self._client_ids = _client_ids(rows)
        self._nodes: dict[tuple[int, tuple[str, str]], Node] = {}

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
        yield from self._borne(node)

    def _borne(self, node: Node) -> Iterator[Name]:
        """Yield the names that producer ids tie to a node, and those ids."""
        clusters = {row.cluster for row in self._rows}
        raws = set(self._known.raws_of([node.name])) if node.kind == "service" else set()
        raws |= {
            raw
            for row in self._rows
            for raw in (row.source, row.target)
            if self._node(row.cluster, raw) == node
        }
        tied = {
            (cluster, *other)
            for cluster in clusters
            for raw in raws
            for other in self._known.identities(cluster).names_of(*raw)
            if self._node(cluster, other) == node
        }
        rows = ProducerName.objects.filter(
            cluster__in=clusters, node_name__in={name for _, _, name in tied}
        )
        for row in rows.values_list(
            "cluster_id", "node_kind", "node_name", "producer_id", "first_seen", "last_seen"
        ):
            if row[:3] in tied:
                yield Name(ANONYMOUS, str(row[3]), *row[4:])
                yield Name(row[1], row[2], *row[4:])

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
        return self._known.identities(cluster).node(kind, name, context, client_ids)


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
