"""Compacting the past: many short intervals into one with a count, by a documented resolution.

Older than `LEDGER_EXACT_DAYS`, silences up to `LEDGER_RESOLUTION_HOURS` are no longer kept. An
answer as of such an instant keeps every edge, every kind of evidence and when it was first seen;
when it was last seen may be told later than it was, by less than the resolution, never later than
the instant asked. Unnamed producers that followed each other are kept as one, under the id that
the line had last (see `succession`): by then their numbers say nothing to anybody.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, Min
from django.utils import timezone

from catalog.models import Cluster
from lineage import revision
from lineage.intervals import coarsen
from lineage.ledger import hold
from lineage.models import Compaction, Edge, Evidence, ProducerName, Proof
from lineage.proofs import prove
from lineage.succession import Life, lines

T = TypeVar("T")
# edges, or lines of producers, a transaction: a sample waits for as long as it holds the cluster
_A_TRANSACTION = 500
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
# what tells who a node is: intervals that differ in it stay apart
_IDENTITY = ("client_ids", "context")


@dataclass(frozen=True)
class Compacted:
    """How many intervals were looked at and joined, and how many producers became others."""

    intervals: int = 0
    joined: int = 0
    producers: int = 0

    def __str__(self) -> str:
        return (
            f"{self.joined} of {self.intervals} intervals joined, "
            f"{self.producers} unnamed producers folded into their successors"
        )


def compact(at: datetime | None = None, *, again: bool = False) -> Compacted:
    """Compact what has become older than LEDGER_EXACT_DAYS since the last time.

    Can be stopped and repeated at any moment. `again` looks at everything, also at what was
    recorded late, for instants that had been compacted by then.
    """
    horizon = (at or timezone.now()) - timedelta(days=settings.LEDGER_EXACT_DAYS)
    resolution = timedelta(hours=settings.LEDGER_RESOLUTION_HOURS)
    intervals = joined = producers = 0
    for cluster in Cluster.objects.order_by("pk"):
        known = Compaction.objects.filter(cluster=cluster).first()
        since = known.until - resolution if known and not again else _LONG_AGO
        producers += _fold_producers(cluster, horizon)
        edges = _begun_before(cluster, horizon)
        for chunk in _chunks(edges):
            seen, gone = _compact_edges(cluster, chunk, (since, horizon), resolution)
            intervals, joined = intervals + seen, joined + gone
        Compaction.objects.update_or_create(cluster=cluster, defaults={"until": horizon})
    return Compacted(intervals, joined, producers)


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _A_TRANSACTION):
        yield items[start : start + _A_TRANSACTION]


# -- intervals ----------------------------------------------------------------------------------
def _begun_before(cluster: Cluster, horizon: datetime) -> list[int]:
    proofs = Proof.objects.filter(edge__cluster=cluster, first_seen__lt=horizon)
    return list(proofs.order_by("edge").values_list("edge", flat=True).distinct())


_WITHIN = """
SELECT v.* FROM lineage_proof p JOIN lineage_evidence v
ON v.edge_id = p.edge_id AND v.kind = p.kind AND v.first_seen < %s AND v.first_seen >= COALESCE(
  (SELECT MAX(w.first_seen) FROM lineage_evidence w
   WHERE w.edge_id = p.edge_id AND w.kind = p.kind AND w.first_seen <= %s), p.first_seen)
WHERE p.edge_id IN ({}) ORDER BY v.first_seen
"""


def _compact_edges(
    cluster: Cluster,
    edges: Sequence[int],
    span: tuple[datetime, datetime],
    resolution: timedelta,
) -> tuple[int, int]:
    """Join the intervals of some edges; return how many there were, and how many are gone."""
    since, horizon = map(connection.ops.adapt_datetimefield_value, span)
    statement = _WITHIN.format(", ".join(["%s"] * len(edges)))
    with transaction.atomic():
        hold(cluster)
        rows: dict[tuple[int, str], list[Evidence]] = defaultdict(list)
        for row in Evidence.objects.raw(statement, [horizon, since, *edges]):
            rows[row.edge_id, row.kind].append(row)
        joins = [join for group in rows.values() for join in _joins(group, span[1], resolution)]
        _write([_whole(join) for join in joins])
        gone = [row.pk for join in joins for row in join[:-1]]
        for chunk in _chunks(gone):
            Evidence.objects.filter(pk__in=chunk).delete()
        if joins:
            revision.renew(cluster, since=_LONG_AGO)
    return sum(map(len, rows.values())), len(gone)


def _joins(
    rows: Sequence[Evidence], horizon: datetime, resolution: timedelta
) -> list[list[Evidence]]:
    """Return the runs of intervals that become one."""
    runs = coarsen(
        rows,
        horizon,
        resolution,
        alike=lambda one, other: _identity(one) == _identity(other),
    )
    return [run for run in runs if len(run) > 1]


def _identity(row: Evidence) -> tuple[object, ...]:
    return tuple(row.detail.get(key) for key in _IDENTITY)


def _whole(run: Sequence[Evidence]) -> Evidence:
    """Return the newest of them, with its particulars, over the span and the count of all."""
    kept = run[-1]
    kept.first_seen = run[0].first_seen
    kept.observations = sum(row.observations for row in run)
    return kept


def _write(changed: Sequence[Evidence]) -> None:
    Evidence.objects.bulk_create(
        changed,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["first_seen", "observations"],
    )


# -- producers ----------------------------------------------------------------------------------
def _fold_producers(cluster: Cluster, horizon: datetime) -> int:
    """Give the evidence of unnamed producers of the past to those that followed them."""
    edges: dict[str, dict[str, int]] = defaultdict(dict)
    span: dict[str, tuple[datetime, datetime]] = {}
    named = set(ProducerName.objects.filter(cluster=cluster).values_list("producer_id", flat=True))
    rows = Edge.objects.filter(cluster=cluster, source_kind=Edge.NodeKind.PRODUCER_ID)
    seen = rows.annotate(first=Min("evidence__first_seen"), last=Max("evidence__last_seen"))
    for pk, name, topic, first, last in seen.values_list(
        "pk", "source_name", "target_name", "first", "last"
    ):
        if first is not None and int(name) not in named:
            edges[name][topic] = pk
            known = span.get(name, (first, last))
            span[name] = (min(first, known[0]), max(last, known[1]))
    lives = [Life(name, frozenset(edges[name]), *span[name]) for name in span]
    moves: list[tuple[int, int]] = []
    folded = 0
    for line in lines(lives):
        past = [life.producer_id for life in line if life.last_seen < horizon]
        for name in past[:-1]:
            folded += 1
            moves += [(edges[name][topic], edges[past[-1]][topic]) for topic in edges[name]]
    for chunk in _chunks(moves):
        _move(cluster, chunk)
    return folded


def _move(cluster: Cluster, moves: Sequence[tuple[int, int]]) -> None:
    """Hang evidence on another edge, and drop the edge that has none any more."""
    into = dict(moves)
    with transaction.atomic():
        hold(cluster)
        begun: dict[tuple[int, str], datetime] = {}
        for proof in Proof.objects.filter(edge__in=into):
            key = (into[proof.edge_id], proof.kind)
            begun[key] = min(proof.first_seen, begun.get(key, proof.first_seen))
        prove(begun)
        by_target: dict[int, list[int]] = defaultdict(list)
        for source, target in moves:
            by_target[target].append(source)
        for target, sources in by_target.items():
            Evidence.objects.filter(edge__in=sources).update(edge=target)
        Edge.objects.filter(pk__in=into).delete()
        revision.renew(cluster, rewritten=True, since=_LONG_AGO)
