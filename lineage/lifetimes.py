"""When unnamed producers were seen, in memory: of every instant it takes all of them.

Who followed whom among them depends on when each was seen last (see `lineage.succession`), and so
does the shape of the whole graph. They are the one sort of evidence that is needed of everything,
whatever little is shown. Each process keeps their intervals, and reads again what may have moved.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from threading import Lock
from typing import Any

from django.db import connection
from django.utils import timezone

from lineage.reading import as_text, instant_of
from lineage.revision import SETTLED, Mark
from lineage.topology import Topology, fetch

_LONG_AGO = datetime.fromtimestamp(0, UTC)
# what was given an id by then is committed by now, or taken back
_COMMITTED = timedelta(minutes=10)
# how many ids others may have been given who had not committed when it was read at first
_UNCOMMITTED = 20_000
_ROWS_A_QUERY = 5000
_SPANS = """
SELECT v.id, v.edge_id, v.first_seen{as_text}, v.last_seen{as_text} FROM lineage_evidence v
"""
_OF_UNNAMED = """
JOIN lineage_edge e ON e.id = v.edge_id AND e.source_kind = 'producer_id' WHERE v.id > %s
"""
_NEWEST = "SELECT COALESCE(MAX(id), 0) FROM lineage_evidence"


@dataclass(frozen=True)
class Span:
    """An interval of evidence for one edge, of whatever kind."""

    edge: int
    first: datetime
    last: datetime


@dataclass
class Lifetimes:
    """The intervals by edge; readers may go on while it is brought up to date."""

    mark: Mark
    read_at: datetime = _LONG_AGO
    spans: dict[int, Span] = field(default_factory=dict)
    # by edge: when intervals began, and up to when it had been seen by the end of each
    seen: dict[int, tuple[list[datetime], list[datetime]]] = field(default_factory=dict)
    # up to which id there was nothing left to come when it was read
    whole_to: int = 0
    # the newest ids that were met later, and when
    met: list[tuple[datetime, int]] = field(default_factory=list)

    def last_seen(self, edge: int, at: datetime) -> datetime:
        """Return when an edge was last seen by `at`; `at` itself where nothing is known of it."""
        begun, ended = self.seen.get(edge, ((), ()))
        known = bisect_right(begun, at)
        return min(ended[known - 1], at) if known else at

    def renew(self, now: datetime) -> None:
        """Read what came, and what may have moved, since the last time."""
        (newest,) = next(fetch(_NEWEST))
        moving = self.read_at - SETTLED
        open_rows = [row for row, it in self.spans.items() if it.last >= moving]
        when: dict[str, datetime] = {}
        found = dict(_spans(fetch(as_text(_SPANS + _OF_UNNAMED), self.whole_to), when))
        for chunk in _chunks(row for row in open_rows if row not in found):
            holes = ", ".join(["%s"] * len(chunk))
            statement = as_text(f"{_SPANS} WHERE v.id IN ({holes})")
            found |= _spans(fetch(statement, *chunk), when)
        gone = [row for row in open_rows if row not in found]
        moved = {row: it for row, it in found.items() if self.spans.get(row) != it}
        edges = {it.edge for it in moved.values()}
        edges |= {self.spans[row].edge for row in (*gone, *moved) if row in self.spans}
        self.spans |= moved
        for row in gone:
            del self.spans[row]
        self._arrange(edges)
        self._note(newest, now)

    def _note(self, newest: int, now: datetime) -> None:
        """Keep from which id on to read the next time."""
        if self.read_at == _LONG_AGO:
            self.whole_to = max(0, newest - _UNCOMMITTED)
        self.met.append((now, newest))
        while self.met[0][0] <= now - _COMMITTED:
            self.whole_to = self.met.pop(0)[1]
        self.read_at = now

    def _arrange(self, edges: Collection[int]) -> None:
        """Put the intervals of edges in order."""
        by_edge: dict[int, list[Span]] = defaultdict(list)
        if edges:
            for it in self.spans.values():
                if it.edge in edges:
                    by_edge[it.edge].append(it)
        for edge in edges:
            begun: list[datetime] = []
            ended: list[datetime] = []
            for it in sorted(by_edge[edge], key=lambda it: it.first):
                begun.append(it.first)
                ended.append(max(it.last, ended[-1]) if ended else it.last)
            self.seen[edge] = begun, ended


def _spans(
    rows: Iterable[tuple[Any, ...]], when: dict[str, datetime]
) -> Iterator[tuple[int, Span]]:
    for row, edge, first, last in rows:
        yield row, Span(edge, instant_of(first, when), instant_of(last, when))


def _chunks(rows: Iterable[int]) -> Iterator[list[int]]:
    ids = iter(sorted(rows))
    return iter(lambda: list(islice(ids, _ROWS_A_QUERY)), [])


_lock = Lock()
_kept: list[Lifetimes] = []


def read_lifetimes(topology: Topology, at: datetime) -> Lifetimes:
    """Return the lifetimes as they are now; for an instant that has settled, as they were read.

    What is read within a transaction may be taken back: it is not kept.
    """
    now = timezone.now()
    if not topology.lasting or connection.in_atomic_block:
        found = Lifetimes(topology.mark)
        found.renew(now)
        return found
    with _lock:
        known = _kept[0] if _kept else None
        if known is None or not _goes_on(known.mark, topology.mark):
            known = Lifetimes(topology.mark)
            _kept[:] = [known]
        if at > known.read_at - SETTLED:
            known.renew(now)
        return known


def _goes_on(one: Mark, other: Mark) -> bool:
    return (one.rewritten, one.past) == (other.rewritten, other.past)
