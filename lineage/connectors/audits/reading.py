"""Read a log from and up to given offsets, and know whether it reaches back to its beginning."""

import time
from collections.abc import Callable, Iterator, Mapping

from broker.consume import BEGINNING
from broker.records import Partition, Record
from lineage.connectors.engine import BATCH
from lineage.connectors.engine_reading import LogReader
from lineage.connectors.errors import LogIncompleteError

_POLL_SECONDS = 0.2
_STILL_FOR = 60.0


class LogReading:
    """Reads through a reader that belongs to no group."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader

    def reach(
        self, ends: Mapping[Partition, int], compacted: Callable[[str], bool]
    ) -> dict[Partition, int]:
        """Return the first offset of each partition; raise LogIncompleteError where records of
        the copy are no longer in the log, or the log is another one than was copied.
        """
        begins = {}
        missing = []
        marks = self._reader.all_watermarks(ends)
        for partition, end in ends.items():
            low, high = marks[partition]
            begins[partition] = low
            place = f"{partition.topic}/{partition.partition}"
            if end > high:
                raise LogIncompleteError(
                    f"{place}: the copy stands at offset {end}, the log ends at {high}: "
                    "the topic was made anew, or lost records; regenerate"
                )
            if low > 0 and end > 0 and not compacted(partition.topic):
                missing.append(f"{place}: offsets 0 to {low - 1}")
        if missing:
            raise LogIncompleteError(
                f"the log no longer holds what the copy was made of; deleted are "
                f"{'; '.join(missing)}. What is gone cannot be compared: set retention.ms=-1 and "
                "retention.bytes=-1, or compact the topic, and regenerate"
            )
        return begins

    def ends(self, places: Mapping[Partition, int]) -> dict[Partition, int]:
        """Return where the log ends now."""
        marks = self._reader.all_watermarks(places)
        return {partition: high for partition, (_, high) in marks.items()}

    def through(
        self, start: Mapping[Partition, int], ends: Mapping[Partition, int]
    ) -> Iterator[list[Record]]:
        """Read what lies from `start` (without one: the beginning) to before `ends`."""
        wanted = {p: end for p, end in ends.items() if end > max(start.get(p, 0), 0)}
        if not wanted:
            return
        reader = self._reader
        reader.assign({p: start.get(p, BEGINNING) for p in wanted})
        reader.ended.clear()
        moved = time.monotonic()
        while any(
            reader.positions.get(p, BEGINNING) < end and p not in reader.ended
            for p, end in wanted.items()
        ):
            records = reader.poll(BATCH, _POLL_SECONDS)
            if records:
                moved = time.monotonic()
            elif time.monotonic() - moved > _STILL_FOR:
                raise LogIncompleteError(f"the log gave no record for {_STILL_FOR:g} s")
            yield [it for it in records if it.offset < wanted[Partition(it.topic, it.partition)]]
