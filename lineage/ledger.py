"""The evidence ledger's one way in: a batch of observations in one short transaction."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import OperationalError, close_old_connections, connection, transaction
from django.db.models import OuterRef, Subquery

from catalog.models import Cluster
from lineage import revision
from lineage.intervals import Interval, fold, gap_of
from lineage.models import Edge, Evidence, ProducerName, Proof
from lineage.proofs import Proved, prove
from lineage.standing import Batch, EdgeKey, Standing

# rows a statement: SQLite takes 32,766 variables in one, PostgreSQL 65,535
_ROWS = 1000
# SQLite waits for other writers by itself, and then gives up
_ATTEMPTS = 3
_PAUSE_SECONDS = 0.2
# how exact the last time is that a producer was named
_RENEWED_EACH = timedelta(seconds=60)


@dataclass(frozen=True)
class Observation:
    """Data was seen to flow from source to target, at `seen_at`, by one kind of evidence.

    Nodes are raw: (`topic`, `orders`), (`group`, `g-billing`), (`producer_id`, `4711`) …, the
    kinds of Edge.NodeKind. `detail` holds particulars for people; the newest one is kept.
    """

    source_kind: str
    source_name: str
    target_kind: str
    target_name: str
    evidence_kind: str
    seen_at: datetime
    detail: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)

    @property
    def edge(self) -> EdgeKey:
        """The edge it speaks of."""
        return self.source_kind, self.source_name, self.target_kind, self.target_name


@dataclass(frozen=True)
class Naming:
    """The bearer of a producer id became known: as which raw node, and by what evidence."""

    producer_id: int
    node_kind: str
    node_name: str
    evidence_kind: str


def record(
    cluster: Cluster,
    observations: Iterable[Observation],
    at: datetime,
    *,
    names: Iterable[Naming] = (),
    gap: timedelta | None = None,
    standing: Standing | None = None,
) -> int:
    """Write a batch of evidence; return how many intervals were opened.

    A fixed number of statements a thousand edges, in one short transaction. Recording the same
    batch again changes nothing. `gap` is the silence that ends an interval. With the `standing`
    intervals of the batch before, what merely goes on is renewed without being read.
    """
    batch = _latest(observations)
    namings = list(dict.fromkeys(names))
    if not batch and not namings:
        return 0
    standing = standing if standing is not None else Standing()

    def silence(kind: str) -> timedelta:
        return gap if gap is not None else gap_of(kind, settings.SAMPLE_SECONDS)

    def write() -> int:
        with transaction.atomic():
            hold(cluster)
            rest = standing.renew(batch, silence)
            edges, made = _edges(cluster, {key[0] for key in rest})
            plan = _write_evidence(edges, rest, silence, standing, made)
            named = _write_names(cluster, namings, at)
            revision.renew(
                cluster,
                grown=bool(made) or named or plan.proved.fresh,
                rewritten=plan.proved.moved,
                since=_earliest(batch, silence),
            )
        return len(plan.opened)

    for left in reversed(range(_ATTEMPTS)):
        try:
            return write()
        except OperationalError:
            # a database that was busy or away; another's transaction is not ours to repeat
            standing.clear()
            if not left or connection.in_atomic_block:
                raise
            close_old_connections()
            time.sleep(_PAUSE_SECONDS)
        except BaseException:
            # what it learnt was rolled back
            standing.clear()
            raise
    raise AssertionError("unreachable")


def hold(cluster: Cluster) -> None:
    """Let one transaction at a time write a cluster's intervals.

    Two that read the same ones would both open the next. SQLite has one writer anyway.
    """
    if connection.features.has_select_for_update:
        Cluster.objects.select_for_update(no_key=True).values_list("pk").get(pk=cluster.pk)


def _latest(observations: Iterable[Observation]) -> Batch:
    """Gather instants by edge and kind, with the particulars of the newest."""
    gathered: dict[tuple[EdgeKey, str], list[Observation]] = defaultdict(list)
    for it in observations:
        gathered[
            (it.source_kind, it.source_name, it.target_kind, it.target_name), it.evidence_kind
        ].append(it)
    return {
        key: (
            {observation.seen_at for observation in group},
            max(group, key=lambda observation: observation.seen_at).detail,
        )
        for key, group in gathered.items()
    }


def _earliest(batch: Batch, gap: Callable[[str], timedelta]) -> datetime | None:
    """Return from when on the batch may change what was known: an interval goes on over a gap."""
    return min(
        (min(instants) - gap(kind) for (_, kind), (instants, _) in batch.items()), default=None
    )


def _edges(cluster: Cluster, wanted: set[EdgeKey]) -> tuple[dict[EdgeKey, int], frozenset[int]]:
    """Return the ids of the edges, made where they are new; and which were."""
    known = _known_edges(cluster, wanted)
    missing = [key for key in sorted(wanted) if key not in known]
    if missing:
        Edge.objects.bulk_create(
            [
                Edge(
                    cluster=cluster,
                    source_kind=key[0],
                    source_name=key[1],
                    target_kind=key[2],
                    target_name=key[3],
                )
                for key in missing
            ],
            batch_size=_ROWS,
            # another process may have made the same edge since we looked
            ignore_conflicts=True,
        )
        known |= _known_edges(cluster, set(missing))
    return known, frozenset(known[key] for key in missing)


def _known_edges(cluster: Cluster, wanted: set[EdgeKey]) -> dict[EdgeKey, int]:
    """Look edges up by their end that is no topic: a topic may have had thousands of writers."""
    by_end: dict[tuple[str, str], set[str]] = defaultdict(set)
    for source_kind, source_name, target_kind, target_name in wanted:
        if source_kind == "topic":
            by_end["target", target_kind].add(target_name)
        else:
            by_end["source", source_kind].add(source_name)
    return {
        edge: pk
        for (end, kind), names in by_end.items()
        for edge, pk in _edges_at(cluster, end, kind, sorted(names))
        if edge in wanted
    }


def _edges_at(
    cluster: Cluster, end: str, kind: str, names: Sequence[str]
) -> Iterator[tuple[EdgeKey, int]]:
    for start in range(0, len(names), _ROWS):
        chunk = names[start : start + _ROWS]
        at_end = {f"{end}_kind": kind, f"{end}_name__in": chunk}
        rows = Edge.objects.filter(cluster=cluster, **at_end)
        for row in rows.values_list(
            "source_kind", "source_name", "target_kind", "target_name", "pk"
        ):
            yield row[:4], row[4]


def _write_evidence(
    edges: Mapping[EdgeKey, int],
    batch: Batch,
    gap: Callable[[str], timedelta],
    standing: Standing,
    made: Collection[int],
) -> "_Plan":
    """Write what is neither standing nor known; of edges that were just `made` nothing is known."""
    plan = _Plan(made)
    if not batch:
        return plan
    earliest = min(min(instants) for instants, _ in batch.values())
    longest = max(gap(kind) for _, kind in batch)
    known_before = {edges[key] for key, _ in batch}.difference(made)
    recent = _recent(sorted(known_before), earliest - longest)
    newest: list[tuple[tuple[EdgeKey, str], Evidence]] = []
    for (key, kind), (instants, detail) in batch.items():
        edge = edges[key]
        silence = gap(kind)
        rows = recent.get((edge, kind), [])
        known = [Interval(row.first_seen, row.last_seen, row.observations) for row in rows]
        fitted = [
            plan.fit(edge, kind, interval, rows, detail)
            for interval in fold(known, instants, silence)
        ]
        newest.append(((key, kind), fitted[-1]))
    plan.write()
    standing.learn(newest)
    return plan


class _Plan:
    """Which rows are to be written, so that the ledger holds the folded intervals."""

    def __init__(self, made: Collection[int]) -> None:
        self._made = made
        self.opened: list[Evidence] = []
        self.proved = Proved()
        self._changed: list[Evidence] = []
        self._superfluous: list[int] = []
        self._begun: list[Evidence] = []

    def fit(
        self,
        edge: int,
        kind: str,
        interval: Interval,
        rows: Sequence[Evidence],
        detail: Mapping[str, Any],
    ) -> Evidence:
        """Extend the row that the interval covers; drop others it swallowed; or open one."""
        within = [row for row in rows if interval.first <= row.first_seen <= interval.last]
        if not within:
            row = Evidence(
                edge_id=edge,
                kind=kind,
                first_seen=interval.first,
                last_seen=interval.last,
                observations=interval.observations,
                detail=dict(detail),
            )
            self.opened.append(row)
            self._begun.append(row)
            return row
        kept = within[-1]
        self._superfluous += [row.pk for row in within[:-1]]
        if (kept.first_seen, kept.last_seen) == (interval.first, interval.last):
            return kept
        if interval.last > kept.last_seen:
            kept.detail = dict(detail)
        if interval.first < kept.first_seen:
            self._begun.append(kept)
        kept.first_seen, kept.last_seen = interval.first, interval.last
        kept.observations = interval.observations
        self._changed.append(kept)
        return kept

    def write(self) -> None:
        """Write it all; a fixed number of statements a thousand rows."""
        Evidence.objects.bulk_create(self.opened, batch_size=_ROWS)
        # an insert that meets its own key: ten times the speed of Django's bulk_update
        Evidence.objects.bulk_create(
            self._changed,
            batch_size=_ROWS,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=["first_seen", "last_seen", "observations", "detail"],
        )
        if self._superfluous:
            Evidence.objects.filter(pk__in=self._superfluous).delete()
        self._prove()

    def _prove(self) -> None:
        begun: dict[tuple[int, str], datetime] = {}
        for row in self._begun:
            key = (row.edge_id, row.kind)
            begun[key] = min(row.first_seen, begun.get(key, row.first_seen))
        self.proved = prove(begun, self._made)


_RECENT = """
SELECT v.* FROM lineage_proof p JOIN lineage_evidence v
ON v.edge_id = p.edge_id AND v.kind = p.kind AND v.first_seen >= COALESCE(
  (SELECT MAX(w.first_seen) FROM lineage_evidence w
   WHERE w.edge_id = p.edge_id AND w.kind = p.kind AND w.first_seen <= %s), p.first_seen)
WHERE p.edge_id IN ({}) ORDER BY v.first_seen
"""


def _recent(edges: Sequence[int], since: datetime) -> dict[tuple[int, str], list[Evidence]]:
    """Return the intervals that reach beyond `since`, oldest first, by edge and kind.

    Walks the index from the last one that began before: a year of older ones is not touched.
    """
    found: dict[tuple[int, str], list[Evidence]] = defaultdict(list)
    instant = connection.ops.adapt_datetimefield_value(since)
    for start in range(0, len(edges), _ROWS):
        chunk = edges[start : start + _ROWS]
        statement = _RECENT.format(", ".join(["%s"] * len(chunk)))
        for row in Evidence.objects.raw(statement, [instant, *chunk]):
            if row.last_seen >= since:
                found[row.edge_id, row.kind].append(row)
    return found


def _write_names(cluster: Cluster, names: Sequence[Naming], at: datetime) -> bool:
    """Renew the names that are known, keep the others; whether there were others."""
    ids = sorted({naming.producer_id for naming in names})
    known: dict[tuple[int, str, str], ProducerName] = {}
    for start in range(0, len(ids), _ROWS):
        for row in ProducerName.objects.filter(
            cluster=cluster, producer_id__in=ids[start : start + _ROWS]
        ):
            known[row.producer_id, row.node_kind, row.node_name] = row
    fresh: dict[tuple[int, str, str], ProducerName] = {}
    renewed = []
    for naming in names:
        key = (naming.producer_id, naming.node_kind, naming.node_name)
        if key in known:
            renewed.append(known[key])
        else:
            fresh[key] = ProducerName(
                cluster=cluster,
                producer_id=naming.producer_id,
                node_kind=naming.node_kind,
                node_name=naming.node_name,
                evidence=naming.evidence_kind,
                first_seen=at,
                last_seen=at,
            )
    ProducerName.objects.filter(
        pk__in=[row.pk for row in renewed], last_seen__lt=at - _RENEWED_EACH
    ).update(last_seen=at)
    ProducerName.objects.bulk_create(fresh.values(), batch_size=_ROWS, ignore_conflicts=True)
    return bool(fresh)


def bare_writers(cluster: Cluster) -> list[tuple[int, str]]:
    """Return (producer id, topic) of writers that were recorded by nothing but their id."""
    rows = Edge.objects.filter(cluster=cluster, source_kind="producer_id", target_kind="topic")
    return [(int(row[0]), row[1]) for row in rows.values_list("source_name", "target_name")]


def latest_details(cluster: Cluster, kind: str) -> dict[EdgeKey, dict[str, Any]]:
    """Return the particulars of the newest evidence of one kind, by edge."""
    newest = Evidence.objects.filter(edge=OuterRef("edge"), kind=kind).order_by("-first_seen")
    rows = Proof.objects.filter(edge__cluster=cluster, kind=kind).annotate(
        detail=Subquery(newest.values("detail")[:1])
    )
    return {
        (row[0], row[1], row[2], row[3]): row[4]
        for row in rows.values_list(
            "edge__source_kind",
            "edge__source_name",
            "edge__target_kind",
            "edge__target_name",
            "detail",
        )
    }
