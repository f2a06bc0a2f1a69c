"""The answers that grow with the cluster, read by hand in flexible versions (KIP-482). Pure.

kafka-python makes an object of every partition: of 40,000 that is most of what a sample costs.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from broker.observe.found import Layout, Partition

Code = int
_COUNT = struct.Struct(">i")
_CODE = struct.Struct(">h")
# index, error, timestamp, offset, leader epoch, no tagged fields
_END = struct.Struct(">ihqqiB")
# index, offset, leader epoch, empty metadata, error, no tagged fields
_COMMITTED = struct.Struct(">iqiBhB")
# error, index, leader, leader epoch
_PLACED = struct.Struct(">hiii")
_ASKED_END = struct.Struct(">iiqB")
# partition, leader epoch, offset, last fetched epoch, log start, bytes, no tagged fields
_ASKED_BATCHES = struct.Struct(">iiqiqiB")
# partition, error, high watermark, last stable offset, log start
_FETCHED = struct.Struct(">ihqqq")
_NO_ID = bytes(16)
END_OFFSETS_SINCE, COMMITTED_SINCE, METADATA_SINCE, FETCH_SINCE = 6, 8, 9, 12
"""The first flexible version of each answer."""
_TOPIC_IDS_SINCE = 10


@dataclass
class Ends:
    """Offsets by partition; and those that have an error code instead, of which 0 is none."""

    offsets: dict[Partition, int]
    refused: list[tuple[Partition, Code]]


@dataclass
class Commits:
    """What each group has committed, and the error codes of groups that did not answer."""

    groups: dict[str, dict[Partition, int]]
    refused: list[tuple[str, Code]]


# -- the primitives -------------------------------------------------------------------------------
def _varint(data: bytes, position: int) -> tuple[int, int]:
    found = shift = 0
    while True:
        byte = data[position]
        position += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return found, position
        shift += 7
        if shift > 28:
            raise IndexError("a length of more than four bytes")


def _text(data: bytes, position: int) -> tuple[str | None, int]:
    """Read a compact string, which may be null."""
    length, position = _varint(data, position)
    if not length:
        return None, position
    end = position + length - 1
    if end > len(data):
        raise IndexError("a string goes beyond its message")
    return data[position:end].decode(), end


def _name(data: bytes, position: int) -> tuple[str, int]:
    found, position = _text(data, position)
    if found is None:
        raise IndexError("a name is missing")
    return found, position


def _size(data: bytes, position: int) -> tuple[int, int]:
    """Read the length of a compact array; null counts as empty."""
    count, position = _varint(data, position)
    return max(0, count - 1), position


def _tags(data: bytes, position: int) -> int:
    """Pass over tagged fields: what later versions of Kafka may add."""
    count, position = _varint(data, position)
    for _ in range(count):
        _, position = _varint(data, position)
        length, position = _varint(data, position)
        position += length
    return position


def _put_varint(value: int) -> bytes:
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _put_text(text: str) -> bytes:
    encoded = text.encode()
    return _put_varint(len(encoded) + 1) + encoded


# -- ListOffsets ----------------------------------------------------------------------------------
def write_end_request(wanted: Mapping[str, Sequence[int]], moment: int, _version: int) -> bytes:
    """Write the body of a ListOffsets request of versions 6 to 9, as a consumer would."""
    parts = [struct.pack(">ib", -1, 0), _put_varint(len(wanted) + 1)]
    for topic, numbers in wanted.items():
        parts += (_put_text(topic), _put_varint(len(numbers) + 1))
        # no leader epoch: who leads now is to answer
        parts += [_ASKED_END.pack(number, -1, moment, 0) for number in numbers]
        parts.append(b"\0")
    parts.append(b"\0")
    return b"".join(parts)


def read_ends(data: bytes, position: int, _version: int) -> Ends:
    """Read the topics of a ListOffsets response."""
    ends = Ends({}, [])
    offsets, refused = ends.offsets, ends.refused
    size = _END.size
    count, position = _size(data, position)
    for _ in range(count):
        topic, position = _name(data, position)
        parts, position = _size(data, position)
        end = position + parts * size
        for index, error, _, offset, _, tags in _END.iter_unpack(data[position:end]):
            if tags:
                raise IndexError("unexpected tagged fields")
            if error:
                refused.append((Partition(topic, index), error))
            else:
                offsets[Partition(topic, index)] = offset
        position = _tags(data, end)
    return ends


# -- Fetch ----------------------------------------------------------------------------------------
def write_fetch_request(
    wanted: Mapping[str, Sequence[tuple[int, int]]],
    partition_bytes: int,
    total_bytes: int,
    _version: int,
) -> bytes:
    """Write the body of a Fetch request of version 12: by topic names (before KIP-516's 13).

    `wanted` holds partitions and offsets by topic. Waits for nothing, and is outside any fetch
    session (KIP-227).
    """
    head = struct.pack(">iiiibii", -1, 0, 0, total_bytes, 0, 0, -1)
    parts = [head, _put_varint(len(wanted) + 1)]
    for topic, places in wanted.items():
        parts += (_put_text(topic), _put_varint(len(places) + 1))
        # no leader epoch, no last fetched epoch, no follower's log start
        parts += [
            _ASKED_BATCHES.pack(number, -1, offset, -1, -1, partition_bytes, 0)
            for number, offset in places
        ]
        parts.append(b"\0")
    # no topic is forgotten, no rack
    parts.append(b"\x01\x01\0")
    return b"".join(parts)


@dataclass
class Fetched:
    """Raw batches and high watermarks by partition, and error codes where there are none."""

    batches: dict[Partition, bytes]
    high: dict[Partition, int]
    refused: list[tuple[Partition, Code]]


def read_fetched(data: bytes, position: int, _version: int) -> Fetched:
    """Read a Fetch response of version 12; raises the error that it has as a whole."""
    (error,) = _CODE.unpack_from(data, position)
    if error:
        raise ValueError(f"a fetch without a session has error {error}")
    fetched = Fetched({}, {}, [])
    # the session
    count, position = _size(data, position + _CODE.size + _COUNT.size)
    for _ in range(count):
        topic, position = _name(data, position)
        parts, position = _size(data, position)
        for _ in range(parts):
            position = _read_fetched(fetched, topic, data, position)
        position = _tags(data, position)
    return fetched


def _read_fetched(fetched: Fetched, topic: str, data: bytes, position: int) -> int:
    index, error, high, _, _ = _FETCHED.unpack_from(data, position)
    aborted, position = _size(data, position + _FETCHED.size)
    for _ in range(aborted):
        # a producer id and its first offset
        position = _tags(data, position + 16)
    # the replica that is to be preferred
    length, position = _size(data, position + _COUNT.size)
    end = position + length
    if end > len(data):
        raise IndexError("batches go beyond their message")
    if error:
        fetched.refused.append((Partition(topic, index), error))
    else:
        fetched.batches[Partition(topic, index)] = data[position:end]
        fetched.high[Partition(topic, index)] = high
    return _tags(data, end)


# -- OffsetFetch ----------------------------------------------------------------------------------
class CommitsReader:
    """Reads what groups have committed; a group that says what it said before is not read again.

    A message tells its own end: bytes that begin as the whole of a group did, are that group.
    """

    def __init__(self) -> None:
        self._before: dict[str, tuple[bytes, dict[Partition, int]]] = {}

    def read(self, data: bytes, position: int, _version: int) -> Commits:
        """Read the groups of an OffsetFetch response (version 8 or 9)."""
        found = Commits({}, [])
        count, position = _size(data, position)
        for _ in range(count):
            group, position = _name(data, position)
            before = self._before.get(group)
            if before is not None and data.startswith(before[0], position):
                found.groups[group] = before[1]
                position += len(before[0])
                continue
            begin = position
            offsets, position = _read_commits(data, position)
            (error,) = _CODE.unpack_from(data, position)
            position = _tags(data, position + _CODE.size)
            if error:
                found.refused.append((group, error))
            else:
                found.groups[group] = offsets
                self._before[group] = data[begin:position], offsets
        return found

    def keep(self, groups: Mapping[str, object]) -> None:
        """Forget groups other than these."""
        for group in self._before.keys() - groups.keys():
            del self._before[group]


def _read_commits(data: bytes, position: int) -> tuple[dict[Partition, int], int]:
    """Read the topics of one group, of the partitions without an error that have an offset."""
    offsets: dict[Partition, int] = {}
    count, position = _size(data, position)
    for _ in range(count):
        topic, position = _name(data, position)
        parts, position = _size(data, position)
        for index, offset, error, after in _committed(data, position, parts):
            if not error and offset >= 0:
                offsets[Partition(topic, index)] = offset
            position = after
        position = _tags(data, position)
    return offsets, position


def _committed(data: bytes, position: int, count: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield partition, offset, error code and where the next one begins."""
    for _ in range(count):
        index, offset, _, length, error, tags = _COMMITTED.unpack_from(data, position)
        position += _COMMITTED.size
        if length > 1 or tags:
            # the client's own words come with the offset
            start = position - _COMMITTED.size + 16
            _, start = _text(data, start)
            (error,) = _CODE.unpack_from(data, start)
            position = _tags(data, start + _CODE.size)
        yield index, offset, error, position


# -- Metadata -------------------------------------------------------------------------------------
class LayoutReader:
    """Reads where partitions are; an answer that is what it was before is not read again."""

    def __init__(self) -> None:
        self._before: tuple[bytes, Layout] | None = None

    def read(self, data: bytes, position: int, version: int) -> Layout:
        """Read a Metadata response of version 9 or later."""
        body = data[position:]
        if self._before is None or self._before[0] != body:
            self._before = body, _read_layout(body, version)
        return self._before[1]


def _read_layout(data: bytes, version: int) -> Layout:
    brokers, position = _size(data, 0)
    for _ in range(brokers):
        _, position = _text(data, position + _COUNT.size)
        _, position = _text(data, position + _COUNT.size)
        position = _tags(data, position)
    cluster, position = _text(data, position)
    count, position = _size(data, position + _COUNT.size)
    layout = _Layout()
    for _ in range(count):
        position = layout.read_topic(data, position, version)
    return Layout(
        layout.leaders, frozenset(layout.internal), layout.counts, cluster or "", layout.ids
    )


class _Layout:
    def __init__(self) -> None:
        self.leaders: dict[Partition, int] = {}
        self.internal: set[str] = set()
        self.counts: dict[str, int] = {}
        self.ids: dict[str, str] = {}

    def read_topic(self, data: bytes, position: int, version: int) -> int:
        """Take in a topic, unless it has an error; return where the next begins."""
        (error,) = _CODE.unpack_from(data, position)
        name, position = _text(data, position + _CODE.size)
        made = _NO_ID
        if version >= _TOPIC_IDS_SINCE:
            made = data[position : position + len(_NO_ID)]
            position += len(_NO_ID)
        internal = data[position]
        count, position = _size(data, position + 1)
        known = name is not None and not error
        for _ in range(count):
            _, index, leader, _ = _PLACED.unpack_from(data, position)
            position += _PLACED.size
            # replicas, those in sync, those offline
            for _ in range(3):
                replicas, position = _size(data, position)
                position += replicas * _COUNT.size
            position = _tags(data, position)
            if known and leader >= 0:
                assert name is not None
                self.leaders[Partition(name, index)] = leader
        # what the client may do with the topic
        position = _tags(data, position + _COUNT.size)
        if name is not None and not error:
            if internal or name.startswith("__"):
                self.internal.add(name)
            self.counts[name] = count
            self.ids[name] = str(UUID(bytes=made)) if made != _NO_ID else ""
        return position
