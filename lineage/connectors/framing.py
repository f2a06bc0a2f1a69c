"""Which schema a record was written with, by its frame. Pure.

Values are framed as Confluent's serializers do: 0x00 and a schema id of four bytes in front, or
0x01 and the schema's GUID in a header.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from broker.records import Record, have_headers, keys_of, values_of
from lineage.connectors.columns import Plan
from lineage.connectors.engine_parts import Writer
from lineage.connectors.errors import PoisonRecordError
from registry.wire import VALUE_HEADER

_PREFIX = 5
_GUID_FRAME = 17

Origin = Callable[[], Writer]


def _split(record: Record) -> tuple[bytes, bytes]:
    """Return a record's frame, which may be none, and the payload behind it."""
    value = record.value or b""
    for name, frame in record.headers or ():
        if name == VALUE_HEADER and frame and frame[0] == 1 and len(frame) >= _GUID_FRAME:
            # what follows the GUID there is the path to a Protobuf message
            return frame[:_GUID_FRAME], frame[_GUID_FRAME:] + value
    return value[:_PREFIX], value[_PREFIX:]


def unknown(frame: bytes) -> Writer:
    """Tell that a schema is not known; raises PoisonRecordError."""
    raise PoisonRecordError(f"no schema is known of the frame {frame.hex()}")


class FramedDecoder:
    """Decodes with the schemas that `find` gives for frames; used by one thread.

    A schema is looked up once, as an id never changes its meaning; one that is missing is asked for
    again, it may yet come. `find` raises PoisonRecordError.
    """

    def __init__(self, find: Callable[[bytes], Writer] = unknown) -> None:
        self._find = find
        self._writers: dict[bytes, Writer] = {}

    # -- in other processes -----------------------------------------------------------------------
    def origins(self) -> dict[bytes, Origin]:
        """Return what makes the writers that are known so far elsewhere, by frame."""
        return {frame: one.origin for frame, one in self._writers.items() if one.origin is not None}

    def learn(self, origins: Mapping[bytes, Origin]) -> None:
        """Know the writers of these frames."""
        for frame, origin in origins.items():
            if frame not in self._writers:
                self._writers[frame] = origin()

    @staticmethod
    def add_frames(known: dict[bytes, Record], records: Sequence[Record], *, keys: bool) -> None:
        """Know a record of each frame that values have; `keys`: and of each that keys have."""
        if have_headers(records):
            found = [_split(one)[0] for one in records]
        else:
            found = [value[:_PREFIX] if value else b"" for value in values_of(records)]
        if keys:
            found = [
                frame + (key or b"")[:_PREFIX]
                for frame, key in zip(found, keys_of(records), strict=True)
            ]
        for frame in set(found) - known.keys():
            known[frame] = records[found.index(frame)]

    # -- decoding ---------------------------------------------------------------------------------
    def writer(self, record: Record) -> tuple[Writer, bytes]:
        """Return the writer's schema and the payload; raises PoisonRecordError."""
        value = record.value or b""
        known = self._writers.get(value[:_PREFIX])
        if known is not None and not record.headers:
            return known, value[_PREFIX:]
        frame, payload = _split(record)
        if len(frame) < _PREFIX or (len(frame) == _PREFIX and frame[0] != 0):
            raise PoisonRecordError("the value is not framed with a schema id")
        return self._found(frame), payload

    def alike(self, records: Sequence[Record]) -> tuple[Writer, list[bytes]] | None:
        """Return the one schema that all values are framed with, and the payloads."""
        if have_headers(records):
            return None
        values = [value or b"" for value in values_of(records)]
        frames = {value[:_PREFIX] for value in values}
        known = self._writers.get(frames.pop()) if len(frames) == 1 else None
        return None if known is None else (known, [value[_PREFIX:] for value in values])

    def key(self, raw: bytes) -> tuple[Plan, Any]:
        """Decode a key that was written with a schema; raises PoisonRecordError."""
        if raw[:1] != b"\x00" or len(raw) < _PREFIX:
            raise PoisonRecordError("the key is not framed with a schema id")
        writer = self._found(raw[:_PREFIX])
        try:
            return writer.plan, writer.decode(raw[_PREFIX:])
        except Exception as error:
            raise PoisonRecordError(f"the key cannot be decoded: {error!r}") from error

    def _found(self, frame: bytes) -> Writer:
        known = self._writers.get(frame)
        if known is None:
            known = self._writers[frame] = self._find(frame)
        return known
