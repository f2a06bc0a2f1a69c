"""What records say: commits, transactions, who stamped them, what trace they belong to. Pure."""

import json
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

OFFSETS_TOPIC = "__consumer_offsets"
TRANSACTIONS_TOPIC = "__transaction_state"

_SOURCE, _TRACE = "source", "traceparent"
_STRUCTURED = b"application/cloudevents+json"
_LARGEST_EVENT = 64 * 1024
# W3C Trace Context: version, trace id, parent id, flags
_TRACEPARENT = re.compile(r"^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}\b")
_STATES = ("Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort")
_BROKEN = (struct.error, IndexError, UnicodeDecodeError)


@dataclass(frozen=True)
class OffsetCommit:
    """A group's commit for one topic, as it is written in `__consumer_offsets`."""

    group: str
    topic: str


@dataclass(frozen=True)
class LoggedTransaction:
    """The state of a transactional id, as it is written in `__transaction_state`.

    `topics` are those of the transaction; the record that completes it names none any more.
    """

    transactional_id: str
    producer_id: int
    state: str
    topics: frozenset[str]


@dataclass(frozen=True)
class Claims:
    """What a record says of itself: the CloudEvents source that wrote it, the trace it is of."""

    source: str = ""
    trace: str = ""


def parse_commit(key: bytes | None) -> OffsetCommit | None:
    """Read the key of an offsets record; versions 0 and 1 are commits, others are metadata."""
    if key is None or len(key) < 2 or struct.unpack_from(">h", key)[0] not in {0, 1}:
        return None
    reader = _Reader(key, 2)
    try:
        return OffsetCommit(reader.string(), reader.string())
    except _BROKEN:
        return None


def parse_transaction(key: bytes | None, value: bytes | None) -> LoggedTransaction | None:
    """Read a record of the transaction log (values of version 0, and 1 since KIP-890)."""
    if key is None or value is None or len(key) < 2 or key[:2] != b"\0\0" or len(value) < 2:
        return None
    try:
        name = _Reader(key, 2).string()
        version = value[1] if value[0] == 0 else -1
        if version not in {0, 1}:
            return None
        reader = _Reader(value, 2, compact=version == 1)
        producer_id, _, _, state = reader.take(">qhib")
        topics = reader.topics()
    except _BROKEN:
        return None
    known = _STATES[state] if 0 <= state < len(_STATES) else str(state)
    return LoggedTransaction(name, producer_id, known, frozenset(topics))


def read_claims(headers: Sequence[tuple[str, bytes | None]], value: bytes | None) -> Claims:
    """Read CloudEvents' binary mode (`ce_…` headers) and structured mode (JSON), and W3C traces."""
    found = {name.lower(): content for name, content in headers if content}
    event: dict[str, Any] = {}
    if found.get("content-type", b"").startswith(_STRUCTURED):
        event = _structured(value)
    source = _text(found.get(f"ce_{_SOURCE}")) or event.get(_SOURCE)
    trace = _text(found.get(_TRACE) or found.get(f"ce_{_TRACE}")) or event.get(_TRACE)
    matched = _TRACEPARENT.match(trace) if isinstance(trace, str) else None
    return Claims(source if isinstance(source, str) else "", matched.group(1) if matched else "")


def _text(value: bytes | None) -> str:
    return value.decode("utf-8", "replace") if value else ""


def _structured(value: bytes | None) -> dict[str, Any]:
    if not value or len(value) > _LARGEST_EVENT:
        return {}
    try:
        event = json.loads(value)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


class _Reader:
    """Reads Kafka's primitive types, in the old form or the compact one (KIP-482)."""

    def __init__(self, data: bytes, position: int, *, compact: bool = False) -> None:
        self._data, self._position, self._compact = bytes(data), position, compact

    def take(self, layout: str) -> tuple[Any, ...]:
        found = struct.unpack_from(layout, self._data, self._position)
        self._position += struct.calcsize(layout)
        return found

    def _varint(self) -> int:
        found = shift = 0
        while True:
            byte = self._data[self._position]
            self._position += 1
            found |= (byte & 0x7F) << shift
            if byte < 0x80:
                return found
            shift += 7
            if shift > 28:
                raise IndexError

    def _count(self, layout: str) -> int:
        """Return a length; that of null, in either form, counts as none."""
        count = self._varint() - 1 if self._compact else self.take(layout)[0]
        if count > len(self._data):
            raise IndexError
        return max(0, int(count))

    def string(self) -> str:
        length = self._count(">h")
        end = self._position + length
        if end > len(self._data):
            raise IndexError
        text = self._data[self._position : end].decode()
        self._position = end
        return text

    def topics(self) -> Iterable[str]:
        """Read an array of topics with their partitions; answer the topics."""
        found = []
        for _ in range(self._count(">i")):
            found.append(self.string())
            self.take(f">{self._count('>i')}i")
            if self._compact:
                self._skip_tags()
        return found

    def _skip_tags(self) -> None:
        for _ in range(self._varint()):
            self._varint()
            self._position += self._varint()
