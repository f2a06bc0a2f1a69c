"""Confluent's two wire formats: which schema a record was written with. Pure.

Prefix: byte 0x00 and a 4-byte id before the payload. Header: byte 0x01 and a 16-byte GUID in the
record header `__key_schema_id` or `__value_schema_id`, the payload bare. Protobuf adds the path to
its message: zigzag varints after the identity, a lone 0 for the first message.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

KEY_HEADER = "__key_schema_id"
VALUE_HEADER = "__value_schema_id"
_ID, _GUID = 0x00, 0x01
_MOST_INDEXES = 1000

Headers = Mapping[str, bytes | None] | Iterable[tuple[str, bytes | None]]


class UnframedError(ValueError):
    """The bytes carry no schema identity, or a broken one."""


@dataclass(frozen=True)
class Framed:
    """A record's bytes taken apart: its schema by id or by GUID, and what follows.

    With `in_header`, what follows the GUID there (a Protobuf message's path) is `trailer`;
    otherwise the path, if any, is still in front of `payload`: see `split_message_path`.
    """

    payload: bytes
    schema_id: int | None = None
    guid: UUID | None = None
    in_header: bool = False
    trailer: bytes = b""


def unframe(data: bytes, headers: Headers | None = None, *, key: bool = False) -> Framed:
    """Take a record's key or value apart; UnframedError when it names no schema."""
    wanted = KEY_HEADER if key else VALUE_HEADER
    for name, value in _pairs(headers):
        if name == wanted and value:
            schema_id, guid, trailer = _identity(value)
            return Framed(data, schema_id, guid, in_header=True, trailer=trailer)
    schema_id, guid, payload = _identity(data)
    return Framed(payload, schema_id, guid)


def _pairs(headers: Headers | None) -> Iterable[tuple[str, bytes | None]]:
    if headers is None:
        return ()
    return headers.items() if isinstance(headers, Mapping) else headers


def _identity(data: bytes) -> tuple[int | None, UUID | None, bytes]:
    """Read the magic byte and what it announces; answer the rest too."""
    if len(data) >= 5 and data[0] == _ID:
        return int.from_bytes(data[1:5], "big"), None, data[5:]
    if len(data) >= 17 and data[0] == _GUID:
        return None, UUID(bytes=data[1:17]), data[17:]
    raise UnframedError("no schema identity: neither 0x00 and an id nor 0x01 and a GUID")


def frame(payload: bytes, schema_id: int) -> bytes:
    """Put an id in front of a payload."""
    if not 0 <= schema_id < 2**32:
        raise UnframedError(f"not an id of 4 bytes: {schema_id}")
    return bytes([_ID]) + schema_id.to_bytes(4, "big") + payload


def frame_guid(guid: UUID, message_path: bytes = b"") -> bytes:
    """The record header's value that names a schema by GUID."""
    return bytes([_GUID]) + guid.bytes + message_path


def split_message_path(framed: Framed) -> tuple[tuple[int, ...], bytes]:
    """A Protobuf record's message, as indexes from the outermost in, and its bare payload."""
    path, rest = read_message_path(framed.trailer if framed.in_header else framed.payload)
    return path, framed.payload if framed.in_header else rest


def read_message_path(data: bytes) -> tuple[tuple[int, ...], bytes]:
    """Read a count and as many indexes (zigzag varints); a count of 0 means the first message."""
    count, at = _read_varint(data, 0)
    if not 0 <= count <= _MOST_INDEXES:
        raise UnframedError(f"a message path of {count} indexes")
    if count == 0:
        return (0,), data[at:]
    path = []
    for _ in range(count):
        index, at = _read_varint(data, at)
        if index < 0:
            raise UnframedError(f"a negative message index: {index}")
        path.append(index)
    return tuple(path), data[at:]


def write_message_path(path: tuple[int, ...]) -> bytes:
    """The inverse of `read_message_path`."""
    if path == (0,):
        return b"\x00"
    return b"".join(_write_varint(each) for each in (len(path), *path))


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise UnframedError("a message path that ends too early")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at
        shift += 7


def _write_varint(number: int) -> bytes:
    value = (number << 1) ^ (number >> 63)
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
