"""When edges were seen: marks along a span of time, and the intervals behind one edge."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min, Q
from django.utils import timezone

from lineage.edges import FRESH_MOVEMENT
from lineage.models import Evidence, Proof
from lineage.reading import Row, read_edges
from lineage.topology import Raw, read_topology

SLOTS = 120
_TOPICS = 300
_INTERVALS = 400
LEAST_WIDTH = 0.4
"""Percent of the span: an instant is to be seen too."""


@dataclass(frozen=True)
class Mark:
    """What changed within one slot of the span; `at` is the last instant of it.

    `x` is its place in percent; it is drawn from 10 up to `top`, and down to `bottom`.
    """

    x: float
    at: datetime
    appeared: int
    fell_silent: int
    top: float = 10.0
    bottom: float = 10.0

    @property
    def words(self) -> str:
        """The change in words."""
        said = [f"{self.appeared} appeared"] if self.appeared else []
        said += [f"{self.fell_silent} not seen since"] if self.fell_silent else []
        return ", ".join(said)


@dataclass(frozen=True)
class Span:
    """The ledger's time from its first evidence to now, and where drawn edges changed."""

    start: datetime
    end: datetime
    marks: tuple[Mark, ...]
    previous: datetime | None
    following: datetime | None
    x: float

    @property
    def thousandths(self) -> int:
        """Where the instant asked for lies in the span."""
        return round(self.x * 10)


def span_of(topics: Iterable[str], as_of: datetime | None, now: datetime | None = None) -> Span:
    """Return the span with marks of the edges at those topics, and the changes next to `as_of`.

    An edge appears when it is first seen; it falls silent where it was last seen, unless that is
    fresh. Gaps between are shown on the edge's own page.
    """
    end = now or timezone.now()
    # of proofs there are few beside their intervals
    first: datetime | None = Proof.objects.aggregate(at=Min("first_seen"))["at"]
    start = min(first or end, end - timedelta(hours=1))
    changes = _changes(sorted(topics)[:_TOPICS], end)
    at = min(as_of or end, end)
    length = (end - start) / timedelta(seconds=1)
    slots: dict[int, list[tuple[datetime, bool]]] = defaultdict(list)
    for instant, appeared in changes:
        share = (instant - start) / timedelta(seconds=1) / length
        slots[min(int(share * SLOTS), SLOTS - 1)].append((instant, appeared))
    parted = [_parted(inside) for inside in slots.values()] or [(1, 1)]
    most = max(came for came, _ in parted), max(went for _, went in parted)
    marks = tuple(_mark(slot, inside, most) for slot, inside in sorted(slots.items()))
    return Span(
        start,
        end,
        marks,
        max((mark.at for mark in marks if mark.at < at), default=None),
        min((mark.at for mark in marks if as_of and mark.at > at), default=None),
        max(0.0, 100 * ((at - start) / timedelta(seconds=1)) / length),
    )


def _parted(changes: Sequence[tuple[datetime, bool]]) -> tuple[int, int]:
    """Return how many edges appeared, and how many fell silent."""
    appeared = sum(1 for _, new in changes if new)
    return appeared, len(changes) - appeared


def _mark(slot: int, changes: Sequence[tuple[datetime, bool]], most: tuple[int, int]) -> Mark:
    appeared, gone = _parted(changes)
    # whole seconds, rounded up: what changed then has to be seen then
    last = max(at for at, _ in changes)
    at = last.replace(microsecond=0) + timedelta(seconds=1)
    x = 100 * (slot + 0.5) / SLOTS
    # one is to be seen beside many
    up, down = (
        3 + 7 * number / largest if number else 0.0
        for number, largest in zip((appeared, gone), most, strict=True)
    )
    return Mark(x, at, appeared, gone, 10 - up, 10 + down)


def _changes(topics: Sequence[str], now: datetime) -> list[tuple[datetime, bool]]:
    edges = read_topology().touching([("topic", name) for name in topics], now)
    first: dict[tuple[int, Raw, Raw], datetime] = {}
    last: dict[tuple[int, Raw, Raw], datetime] = {}
    for row in read_edges(now, edges):
        edge = row[:3]
        first[edge] = min(row.first_seen, first.get(edge, row.first_seen))
        last[edge] = max(row.last_seen, last.get(edge, row.last_seen))
    found = [(at, True) for at in first.values()]
    found += ((at, False) for at in last.values() if now - at > FRESH_MOVEMENT)
    return sorted(found)


@dataclass(frozen=True)
class Seen:
    """One interval in which one kind of evidence was seen, as a share of the span drawn."""

    kind: str
    raw: str
    first: datetime
    last: datetime
    observations: int
    x: float
    width: float


def intervals_of(rows: Sequence[Row], at: datetime) -> tuple[list[Seen], datetime | None, bool]:
    """Return the intervals behind the rows of one edge up to `at`, newest first.

    Also where the span begins, and whether older ones were left out.
    """
    match = Q(pk__in=())
    raws = {(row.cluster, row.source, row.target) for row in rows}
    for cluster, source, target in raws:
        match |= Q(
            edge__cluster=cluster,
            edge__source_kind=source[0],
            edge__source_name=source[1],
            edge__target_kind=target[0],
            edge__target_name=target[1],
        )
    found = list(
        Evidence.objects
        .filter(match, first_seen__lte=at)
        .select_related("edge")
        .order_by("-first_seen")[: _INTERVALS + 1]
    )
    shown = found[:_INTERVALS]
    if not shown:
        return [], None, False
    start = min(row.first_seen for row in shown)
    length = max((at - start) / timedelta(seconds=1), 1.0)

    def share(instant: datetime) -> float:
        return 100 * ((instant - start) / timedelta(seconds=1)) / length

    seen = [
        Seen(
            row.kind,
            _raw(row),
            row.first_seen,
            min(row.last_seen, at),
            row.observations,
            min(share(row.first_seen), 100 - LEAST_WIDTH),
            max(share(min(row.last_seen, at)) - share(row.first_seen), LEAST_WIDTH),
        )
        for row in shown
    ]
    return seen, start, len(found) > len(shown)


def _raw(row: Evidence) -> str:
    """Name the end that is no topic, as Kafka names it."""
    if row.edge.source_kind == "topic":
        return f"{row.edge.target_kind.replace('_', ' ')} {row.edge.target_name}"
    return f"{row.edge.source_kind.replace('_', ' ')} {row.edge.source_name}"
