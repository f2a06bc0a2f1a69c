"""Read partitions from their beginning up to where they end. Pure."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from broker.consume import BEGINNING
from broker.records import Partition, Record
from lineage.connectors.engine import Reader
from lineage.connectors.errors import LogIncompleteError

READ_AT_ONCE = 5_000
"""What is only folded need not wait for a batch that is worth a merge."""

_POLL_SECONDS = 0.2
_NEAR_SECONDS = 0.02
_STILL_FOR = 60.0


class LogReader(Reader, Protocol):
    """A reader that can also tell where the log begins and ends."""

    ended: set[Partition]

    def partitions(self, topics: Sequence[str]) -> list[Partition]:
        """Name the partitions of topics."""
        ...

    def watermarks(self, partition: Partition) -> tuple[int, int]:
        """Return the first offset and the one behind the last committed record."""
        ...

    def all_watermarks(
        self, partitions: Iterable[Partition]
    ) -> Mapping[Partition, tuple[int, int]]:
        """Return them of each."""
        ...

    def close(self) -> None:
        """Let go of the log."""
        ...


def read_through(
    reader: LogReader, ends: Mapping[Partition, int], at_once: int
) -> Iterator[Sequence[Record]]:
    """Poll until every partition has been read up to its end; LogIncompleteError if it stands."""
    reader.ended.clear()
    moved = time.monotonic()
    while left := [
        end - max(0, reader.positions.get(place, BEGINNING))
        for place, end in ends.items()
        if reader.positions.get(place, BEGINNING) < end and place not in reader.ended
    ]:
        # where there are fewer than it is asked for, it waits for more
        near = sum(left) < at_once
        records = reader.poll(at_once, _NEAR_SECONDS if near else _POLL_SECONDS)
        if records:
            moved = time.monotonic()
        elif time.monotonic() - moved > _STILL_FOR:
            raise LogIncompleteError(f"the log gave no record for {_STILL_FOR:g} s")
        yield records


def before(records: Sequence[Record], ends: Mapping[Partition, int]) -> list[Record]:
    """Return the records before the ends."""
    return [one for one in records if one.offset < ends.get(Partition(one.topic, one.partition), 0)]
