"""Record batches as they lie in the log: who wrote them, and what their headers claim. Pure."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kafka.errors import CorruptRecordError, UnsupportedCodecError
from kafka.record.memory_records import MemoryRecords

from broker.observe.found import Partition

STAMP = "ce_source"
"""The record header that names the writer: CloudEvents' `source`, binary mode over Kafka."""

_BROKEN = (CorruptRecordError, UnsupportedCodecError, ValueError, IndexError, struct.error)


@dataclass(frozen=True)
class OffsetCommit:
    """A group's commit for one topic, as it is written in `__consumer_offsets`."""

    group: str
    topic: str


@dataclass(frozen=True)
class Batch:
    """A batch of format 2 (KIP-98); `producer_id` is -1 for a writer that is not idempotent.

    `stamps` are the distinct values of the `ce_source` header, `commits` those of an offsets
    topic. `opaque` says why the records could not be read: an unknown codec, or damage.
    """

    partition: Partition
    base_offset: int
    next_offset: int
    max_timestamp: int
    producer_id: int
    transactional: bool
    stamps: frozenset[str] = frozenset()
    commits: frozenset[OffsetCommit] = frozenset()
    opaque: str = ""


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


def parse_commit(key: bytes | None) -> OffsetCommit | None:
    """Read the key of an offsets record; versions 0 and 1 are commits, others are metadata."""
    if key is None or len(key) < 2 or struct.unpack_from(">h", key)[0] not in {0, 1}:
        return None
    try:
        group, position = _string(key, 2)
        topic, _ = _string(key, position)
    except (struct.error, UnicodeDecodeError):
        return None
    return OffsetCommit(group, topic)


def _string(data: bytes, position: int) -> tuple[str, int]:
    (length,) = struct.unpack_from(">h", data, position)
    end = position + 2 + length
    return bytes(data[position + 2 : end]).decode(), end


def parse_batches(
    partition: Partition, data: bytes, *, from_offset: int = 0, offsets_topic: bool = False
) -> Iterator[Batch]:
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
        stamps, commits, opaque = _contents(raw, offsets_topic=offsets_topic)
        yield Batch(
            partition=partition,
            base_offset=raw.base_offset,
            next_offset=raw.next_offset,
            max_timestamp=raw.max_timestamp,
            producer_id=raw.producer_id,
            transactional=bool(raw.is_transactional),
            stamps=stamps,
            commits=commits,
            opaque=opaque,
        )


def _stamps(headers: Iterable[tuple[str, bytes | None]]) -> set[str]:
    return {value.decode("utf-8", "replace") for name, value in headers if name == STAMP and value}


def _contents(
    raw: Any, *, offsets_topic: bool
) -> tuple[frozenset[str], frozenset[OffsetCommit], str]:
    stamps: set[str] = set()
    commits: set[OffsetCommit] = set()
    try:
        for record in raw:
            if not offsets_topic:
                stamps.update(_stamps(record.headers))
            # a record without a value deletes the commit
            elif record.value is not None and (commit := parse_commit(record.key)):
                commits.add(commit)
    except _BROKEN as error:
        return frozenset(stamps), frozenset(commits), str(error) or type(error).__name__
    return frozenset(stamps), frozenset(commits), ""
