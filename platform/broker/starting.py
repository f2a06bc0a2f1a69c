"""Read a log from an instant on, as if it began there."""

from collections.abc import Iterable
from datetime import datetime

from confluent_kafka import TopicPartition

from broker.connection import Connection
from broker.consume import Offsets, PartitionReader
from broker.errors import translated
from broker.records import Partition


class StartingReader(PartitionReader):
    """A reader to which a partition begins with its first record at or after `start`.

    Record times need not rise: what comes after that record is read, whatever its time.
    """

    def __init__(
        self,
        connection: Connection,
        group: str,
        *,
        start: datetime | None,
        instance: str | None = None,
    ) -> None:
        """Join nothing yet; without `start` the log is read from its beginning."""
        super().__init__(connection, group, instance=instance)
        self._start = start
        self._begins: dict[Partition, int] = {}

    def assign(self, offsets: Offsets) -> None:
        """Read these partitions from these offsets; what was not begun from the instant on."""
        super().assign({
            partition: self._begin(partition) if offset < 0 and self._start else offset
            for partition, offset in offsets.items()
        })

    def watermarks(self, partition: Partition, timeout: float = 10.0) -> tuple[int, int]:
        """Return the first offset at or after the instant, and the one behind the last record."""
        low, high = super().watermarks(partition, timeout)
        return (max(low, self._begin(partition)), high) if self._start else (low, high)

    def all_watermarks(
        self, partitions: Iterable[Partition], timeout: float = 10.0
    ) -> dict[Partition, tuple[int, int]]:
        """As `watermarks`, of many at once."""
        found = super().all_watermarks(partitions, timeout)
        if not self._start:
            return found
        return {place: (max(low, self._begin(place)), high) for place, (low, high) in found.items()}

    def _begin(self, partition: Partition) -> int:
        """Look up where the instant lies, once; behind the last record where all are older."""
        assert self._start is not None
        if partition not in self._begins:
            at = int(self._start.timestamp() * 1000)
            asked = TopicPartition(partition.topic, partition.partition, at)
            with translated():
                (found,) = self._consumer.offsets_for_times([asked], timeout=10.0)
            if found.offset < 0:
                return super().watermarks(partition)[1]
            self._begins[partition] = found.offset
        return self._begins[partition]
