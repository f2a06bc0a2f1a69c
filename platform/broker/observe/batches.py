"""Record batches as they lie in the log: who wrote them, and what their headers claim. Pure."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from kafka.errors import CorruptRecordError, UnsupportedCodecError
from kafka.record.memory_records import MemoryRecords

from broker.observe.contents import (
    OFFSETS_TOPIC,
    TRANSACTIONS_TOPIC,
    LoggedTransaction,
    OffsetCommit,
    parse_commit,
    parse_transaction,
    read_claims,
)
from broker.observe.found import Partition

# up to and with lastOffsetDelta
_BATCH_HEADER = 27
_BROKEN = (CorruptRecordError, UnsupportedCodecError, ValueError, IndexError, struct.error)


@dataclass(frozen=True)
class Batch:
    """A batch of format 2 (KIP-98); `producer_id` is -1 for a writer that is not idempotent.

    `stamps` are the CloudEvents sources and `traces` the W3C trace ids that its records bear,
    `commits` and `transactions` what those of Kafka's own topics say. `opaque` says why the
    records could not be read: an unknown codec, or damage.
    """

    partition: Partition
    base_offset: int
    next_offset: int
    max_timestamp: int
    producer_id: int
    transactional: bool
    stamps: frozenset[str] = frozenset()
    traces: frozenset[str] = frozenset()
    commits: frozenset[OffsetCommit] = frozenset()
    transactions: tuple[LoggedTransaction, ...] = ()
    opaque: str = ""


@dataclass(frozen=True)
class Chunk:
    """Batches read at once, and the offset to go on from: past transaction markers as well."""

    batches: tuple[Batch, ...]
    next_offset: int


def next_offset_of(data: bytes, start: int) -> int:
    """Return the offset past the last whole batch of a fetched chunk, or `start` without any."""
    position, reached = 0, start
    while position + _BATCH_HEADER <= len(data):
        base, length = struct.unpack_from(">qi", data, position)
        end = position + 12 + length
        if length < _BATCH_HEADER - 12 or end > len(data):
            break
        # the last offset of a batch of format 2; that of an older message is its own
        delta = struct.unpack_from(">i", data, position + 23)[0] if data[position + 16] >= 2 else 0
        reached = max(reached, base + delta + 1)
        position = end
    return reached


def java_hash(text: str) -> int:
    """Return Java's `String.hashCode`, a signed 32-bit number over UTF-16 code units."""
    code = 0
    units = text.encode("utf-16-be", "surrogatepass")
    for (unit,) in struct.iter_unpack(">H", units):
        code = (31 * code + unit) & 0xFFFFFFFF
    return code - (1 << 32) if code >= 1 << 31 else code


def offsets_partition_of(group: str, partitions: int) -> int:
    """Return the partition of `__consumer_offsets` that holds a group's commits.

    Kafka's `Utils.abs(hash) % partitions`, in which abs(-2^31) is 0.
    """
    code = java_hash(group)
    return (0 if code == -(1 << 31) else abs(code)) % partitions


def parse_batches(partition: Partition, data: bytes, *, from_offset: int = 0) -> Iterator[Batch]:
    """Read the whole batches of a fetched chunk (its last one may be cut off), oldest first.

    Control batches (transaction markers) are left out: coordinators write them, not producers.
    """
    records = MemoryRecords(data)
    while records.has_next():
        try:
            raw: Any = records.next_batch()
        except _BROKEN:
            return
        if raw is None:
            return
        if raw.magic < 2 or raw.next_offset <= from_offset or raw.is_control_batch:
            continue
        contents = _Contents().read(raw, partition.topic)
        yield Batch(
            partition=partition,
            base_offset=raw.base_offset,
            next_offset=raw.next_offset,
            max_timestamp=raw.max_timestamp,
            producer_id=raw.producer_id,
            transactional=bool(raw.is_transactional),
            stamps=frozenset(contents.stamps),
            traces=frozenset(contents.traces),
            commits=frozenset(contents.commits),
            transactions=tuple(contents.transactions),
            opaque=contents.opaque,
        )


@dataclass
class _Contents:
    """Gathers what the records of a batch say."""

    stamps: set[str] = field(default_factory=set)
    traces: set[str] = field(default_factory=set)
    commits: set[OffsetCommit] = field(default_factory=set)
    transactions: list[LoggedTransaction] = field(default_factory=list)
    opaque: str = ""

    def read(self, raw: Any, topic: str) -> Self:
        """Read every record, up to the first that cannot be."""
        try:
            for record in raw:
                self._take(record, topic)
        except _BROKEN as error:
            self.opaque = str(error) or type(error).__name__
        return self

    def _take(self, record: Any, topic: str) -> None:
        if topic == OFFSETS_TOPIC:
            # a record without a value deletes the commit
            if record.value is not None and (commit := parse_commit(record.key)):
                self.commits.add(commit)
        elif topic == TRANSACTIONS_TOPIC:
            if (logged := parse_transaction(record.key, record.value)) is not None:
                self.transactions.append(logged)
        elif record.headers:
            claims = read_claims(record.headers, record.value)
            self.stamps.update({claims.source} - {""})
            self.traces.update({claims.trace} - {""})
