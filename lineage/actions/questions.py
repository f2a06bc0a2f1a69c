"""What is asked of the graph: each question as of any instant, answered from the same edges.

Which edges count is told by the same three words everywhere: `active` (true: only those seen now,
false: only stale ones), `declared` (false leaves out what is merely claimed) and `internal` (true
shows the repartition and changelog topics that a service keeps for itself).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Literal

from django.db.models import Max, Q
from django.utils import timezone

from catalog.models import Cluster, Service, Topic
from lineage import graph
from lineage.actions.edges import (
    cluster_id,
    find_node,
    is_called,
    nodes_called,
    resolve,
    resolve_around,
)
from lineage.edges import EdgeView, Node
from lineage.errors import NodeMissingError
from lineage.graph.selection import is_named_internal
from lineage.models import Sampling
from lineage.outline import Outline, read_outline


@dataclass(frozen=True)
class Scope:
    """Which edges a question is asked of: as of when, of which cluster, and which count."""

    as_of: datetime | None = None
    cluster: str | None = None
    active: bool | None = None
    declared: bool = True
    internal: bool = False

    def edges(self, keep: Node | None = None) -> list[EdgeView]:
        """Return the edges that count; those at `keep` are never folded away."""
        return self.select(self.resolved(), keep)

    def resolved(self) -> list[EdgeView]:
        """Return all edges of the instant and the cluster."""
        return resolve(as_of=self.as_of, cluster=self.cluster)

    def flow(self) -> Outline | None:
        """Return the graph without its evidence; None where that tells which edges count."""
        if self.active is not None or not self.declared:
            return None
        return read_outline(self.as_of, cluster_id(self.cluster))

    def counted(self) -> "Outline | list[EdgeView]":
        """Return what counts: as a graph without its evidence, where that tells nothing of it."""
        flow = self.flow()
        if flow is None:
            return self.edges()
        return flow if self.internal else flow.folded()

    def select(self, edges: Sequence[EdgeView], keep: Node | None = None) -> list[EdgeView]:
        """Return those of `edges` that count."""
        return graph.select(
            edges,
            active=self.active,
            declared=self.declared,
            internal=self.internal,
            keep=keep,
        )


NOW = Scope()


def find_thing(key: str, edges: Sequence[EdgeView] | Outline) -> Node:
    """Return what is called so: as observed, or else as the catalog knows it. Raises
    NodeMissingError when neither does.
    """
    try:
        return find_node(key, edges)
    except NodeMissingError:
        name = key.partition(":")[2] or key
        topic = Topic.objects.filter(name__in={key, name}).select_related("context").first()
        service = Service.objects.filter(name__in={key, name}).select_related("context").first()
        for node in (_node_of("topic", topic), _node_of("service", service)):
            if node is not None and is_called(node, key):
                return node
        raise NodeMissingError(f"nothing observed or declared is called {key!r}") from None


def _node_of(kind: Literal["topic", "service"], row: Topic | Service | None) -> Node | None:
    return Node(kind, row.name, row.context.name if row.context else None) if row else None


def trace(
    node: str,
    direction: Literal["upstream", "downstream"],
    *,
    depth: int | None = None,
    projection: graph.Projection = "things",
    cap: int = graph.DEFAULT_CAP,
    scope: Scope = NOW,
    edges: Sequence[EdgeView] | None = None,
) -> graph.Reach:
    """Return what feeds a node, or what it feeds, within `depth` hops. Raises NodeMissingError.

    `edges` are all those of the scope's instant, where the caller has them already.
    """
    flow = scope.flow() if edges is None else None
    chosen: Outline | Sequence[EdgeView]
    if flow is not None:
        focus = find_thing(node, flow)
        chosen = flow if scope.internal else flow.folded(focus)
    else:
        edges = scope.resolved() if edges is None else edges
        focus = find_thing(node, edges)
        chosen = scope.select(edges, focus)
    return graph.reach(chosen, focus, direction, depth=depth, projection=projection, cap=cap)


def tell_story(
    source: str, target: str, scope: Scope = NOW, edges: Sequence[EdgeView] | None = None
) -> graph.Story:
    """Return the shortest way of data from one thing to another. Raises NodeMissingError.

    Where a bare name is that of several things (a topic and its service, say), topics are meant
    before others, unless there is a way between others only. `edges` as in `trace`.
    """
    flow = scope.flow() if edges is None else None
    known: Outline | Sequence[EdgeView]
    known = flow if flow is not None else scope.resolved() if edges is None else edges
    first: graph.Story | None = None
    for one, other in product(_things_called(source, known), _things_called(target, known)):
        if isinstance(known, Outline):
            chosen: Outline | Sequence[EdgeView] = known if scope.internal else known.folded(one)
        else:
            chosen = scope.select(known, one)
        story = graph.shortest_story(chosen, one, other)
        if story.found:
            return story
        first = first or story
    assert first is not None
    return first


def _things_called(key: str, edges: Sequence[EdgeView] | Outline) -> list[Node]:
    """Return all that is called so, the one that is meant first. Raises NodeMissingError."""
    first = find_thing(key, edges)
    return [first, *sorted(nodes_called(key, edges) - {first})]


def list_cycles(scope: Scope = NOW) -> list[graph.Cycle]:
    """List where data comes back to where it went out: loops over services, then own cycles."""
    return graph.find_cycles(scope.counted())


def list_couplings(scope: Scope = NOW) -> list[graph.Coupling]:
    """List which bounded context feeds which, the most coupled first."""
    found = scope.counted()
    return graph.fold_by_context(found.ends() if isinstance(found, Outline) else found)


@dataclass(frozen=True)
class OrphanView:
    """An orphan of one cluster; `known` when the catalog has the topic, thus a page of it.

    `records` are those that the topic holds now; None of an earlier instant, or where unknown.
    """

    cluster: str
    orphan: graph.Orphan
    known: bool
    records: int | None = None

    @property
    def written_unseen(self) -> bool:
        """Whether somebody wrote it whom nothing shows: a producer without an id, or long ago."""
        return bool(self.records) and not self.orphan.writers


def list_orphans(
    *, state: str | None = None, idle: timedelta | None = None, scope: Scope = NOW
) -> list[OrphanView]:
    """List topics without readers or writers, by cluster and name; Kafka's own are none.

    Asked of all edges, stale ones too, since they tell "not since" from "never". Raises
    ThingMissingError when there is no such cluster.
    """
    at = scope.as_of or timezone.now()
    clusters = Cluster.objects.order_by("name")
    if one := cluster_id(scope.cluster):
        clusters = clusters.filter(pk=one)
    found = []
    for cluster in clusters:
        chosen = graph.select(
            resolve(as_of=at, cluster=cluster.name),
            declared=scope.declared,
            internal=scope.internal,
        )
        topics = _topics_known(cluster, at, internal=scope.internal)
        unsampled = _unsampled(cluster, topics)
        nodes = [
            Node("topic", row.name, row.context.name if row.context else None) for row in topics
        ]
        known = set(nodes)
        held = {row.name: row.records for row in topics} if scope.as_of is None else {}
        orphans = graph.find_orphans(chosen, nodes, at=at, idle=idle, unsampled=unsampled)
        found += [
            OrphanView(cluster.name, it, it.topic in known, held.get(it.topic.name))
            for it in orphans
        ]
    return [view for view in found if state in {None, "", view.orphan.state}]


def _topics_known(cluster: Cluster, at: datetime, *, internal: bool) -> list[Topic]:
    """Return the topics that Kafka had at the instant, as far as the catalog knows."""
    rows = (
        Topic.objects
        .filter(Q(gone_at=None) | Q(gone_at__gt=at), cluster=cluster, synchronised_at__isnull=False)
        .exclude(kind=Topic.Kind.INTERNAL)
        .exclude(first_seen_at__gt=at)
        .select_related("context")
        .defer("configs", "description")
    )
    return [row for row in rows if internal or not is_named_internal(row.name)]


def _unsampled(cluster: Cluster, topics: Sequence[Topic]) -> set[str]:
    """Return the topics that no sample can have seen: none succeeded since they are known."""
    last = Sampling.objects.filter(cluster=cluster).aggregate(last=Max("succeeded_at"))["last"]
    return {
        row.name
        for row in topics
        if last is None or (row.first_seen_at is not None and row.first_seen_at > last)
    }


def compare_instants(since: datetime, *, kind: str | None = None, scope: Scope = NOW) -> graph.Diff:
    """Return what changed from `since` to the scope's instant; either may be the later.

    Both are resolved by what is known at the later one, so that a name learnt in between is no
    change, and neither is a producer that was restarted.
    """
    until = scope.as_of or timezone.now()
    last = max(since, until)
    outline = read_outline(last, cluster_id(scope.cluster))

    def snapshot(at: datetime) -> graph.Snapshot:
        edges = outline.edges if at == last else outline.edges_before(at)
        return graph.Snapshot(at, _countable(edges, scope))

    found = graph.compare(snapshot(since), snapshot(until))
    if not kind:
        return found
    return graph.Diff(
        found.since,
        found.until,
        tuple(change for change in found.edges if change.kind == kind),
        tuple(change for change in found.nodes if change.kind == kind),
    )


def _countable(edges: Sequence[EdgeView], scope: Scope) -> list[EdgeView]:
    """Select without `active`: to be active or not is what a difference is about."""
    return graph.select(edges, declared=scope.declared, internal=scope.internal)


def take_footprint(name: str, scope: Scope = NOW) -> graph.Footprint:
    """Return all that a service leaves behind in Kafka. Raises NodeMissingError.

    `name` is a name or key; a service is preferred to a topic of the same name, and a topic has
    no footprint.
    """
    at = scope.as_of or timezone.now()
    resolution = resolve_around(name, 1, at, cluster_id(scope.cluster))
    edges = graph.merged(resolution.edges(at))
    keys = [name] if ":" in name else [f"service:{name}", f"copy:{name}", name]
    node = _first_thing(keys, edges)
    if node.kind == "topic":
        raise NodeMissingError(f"{name!r} is a topic: it has readers and writers, no footprint")
    chosen = scope.select(edges)
    return graph.footprint_of(chosen, node, resolution.names(node))


def _first_thing(keys: Sequence[str], edges: Sequence[EdgeView]) -> Node:
    for key in keys[:-1]:
        try:
            return find_thing(key, edges)
        except NodeMissingError:
            continue
    return find_thing(keys[-1], edges)
