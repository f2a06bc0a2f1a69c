"""Digests of ranges of keys, by which an audit finds what differs without reading it all.

A kind of target that has no faster way is `HashedByReading`. Rows and positions are read at one
moment: in one read transaction where the kind offers a `snapshot`, else again and again until
nothing moved meanwhile.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

from broker.records import Partition
from lineage.connectors.columns import Digest, Layout, Row
from lineage.connectors.errors import SinkUnavailableError
from lineage.connectors.sinks.canonical import tolerant
from lineage.connectors.sinks.contract import Live, Sink

RANGES = 4096
"""Into how many ranges the keys of a copy are divided: a range that differs is read by key."""

_ATTEMPTS = 20
_PAUSE = 0.1
_NAN_IS_NULL = frozenset({"sqlite"})

T = TypeVar("T")


@dataclass(frozen=True)
class Moment:
    """A copy between two of its transactions: its generation, and the next offset of each."""

    live: Live | None
    positions: dict[Partition, int]


@runtime_checkable
class Snapshotting(Protocol):
    """A sink that can read several things of one table as of one moment."""

    def snapshot(self, table: str) -> AbstractContextManager[None]:
        """Open a read transaction, in which the table keeps its name."""
        ...


def nan_is_null(sink: Sink) -> bool:
    """Whether the kind keeps NaN as null, for it has no other way."""
    return sink.kind in _NAN_IS_NULL


def total(digests: Iterable[Digest]) -> Digest:
    """Return the digest of all ranges together."""
    found = list(digests)
    return Digest(sum(one.rows for one in found), sum(one.sum for one in found) % 2**64)


# -- by reading -----------------------------------------------------------------------------------
def hash_by_reading(
    rows: Iterable[Row], layout: Layout, ranges: int, *, nan_is_null: bool = False
) -> dict[int, Digest]:
    """Return the digest of each range that holds rows."""
    counts: dict[int, int] = {}
    sums: dict[int, int] = {}
    hashed = tolerant(layout, ranges, nan_is_null=nan_is_null)
    for row in rows:
        place, value = hashed(row)
        counts[place] = counts.get(place, 0) + 1
        sums[place] = sums.get(place, 0) + value
    return {place: Digest(count, sums[place] % 2**64) for place, count in counts.items()}


def read_by_range(
    rows: Iterable[Row], layout: Layout, ranges: int, wanted: Collection[int]
) -> Iterator[Row]:
    """Return the rows whose keys fall into the wanted ranges."""
    hashed, chosen = tolerant(layout, ranges), frozenset(wanted)
    return (row for row in rows if hashed(row)[0] in chosen)


class HashedByReading(ABC):
    """A kind of target whose ranges are hashed here, from rows read back."""

    @abstractmethod
    def read(self, table: str, layout: Layout) -> Iterator[Row]:
        """Read a table back as canonical rows."""

    def hash_ranges(self, table: str, layout: Layout, ranges: int) -> dict[int, Digest]:
        """Return the digest of each range of keys, by reading."""
        return hash_by_reading(self.read(table, layout), layout, ranges)

    def read_ranges(
        self, table: str, layout: Layout, ranges: int, wanted: Collection[int]
    ) -> Iterator[Row]:
        """Read the rows of some ranges of keys."""
        return read_by_range(self.read(table, layout), layout, ranges, wanted)


# -- at one moment --------------------------------------------------------------------------------
def at_one_moment(sink: Sink, connector: str, read: Callable[[Live], T]) -> tuple[Moment, T | None]:
    """Return what `read` found, and where the copy stood then; None where it has no table yet."""
    for _ in range(_ATTEMPTS):
        found = _attempt(sink, connector, read)
        if found is not None:
            return found
        time.sleep(_PAUSE)
    raise SinkUnavailableError(
        "the copy never stood still while it was read: pause the connector, then audit again"
    )


def _attempt(
    sink: Sink, connector: str, read: Callable[[Live], T]
) -> tuple[Moment, T | None] | None:
    """Read once; None where the copy moved, or was swapped, meanwhile."""
    live = sink.live(connector)
    if live is None or live.layout is None:
        moment = _moment(sink, connector)
        return (moment, None) if moment.live == live else None
    if isinstance(sink, Snapshotting):
        with sink.snapshot(live.table):
            moment = _moment(sink, connector)
            now = moment.live
            return (moment, read(now)) if now and now.table == live.table else None
    moment = _moment(sink, connector)
    found = read(live)
    return (moment, found) if moment == _moment(sink, connector) and moment.live == live else None


def _moment(sink: Sink, connector: str) -> Moment:
    places = sink.positions(connector)
    return Moment(sink.live(connector), {place: at.next for place, at in places.items()})
