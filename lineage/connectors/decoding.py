"""Which schema a record was written with, from our registry, and how it is decoded.

The seam between the engine and the registry: a schema is looked up once per worker, as an id
never changes its meaning. Avro has a decoder of our own, because the format's makes a datetime of
every timestamp; the other formats bring theirs. Values are framed as Confluent's serializers do:
0x00 and a schema id of four bytes in front, or 0x01 and the schema's GUID in a header.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from broker.records import Record, have_headers, values_of
from lineage.connectors.columns import Plan
from lineage.connectors.engine_parts import Writer
from lineage.connectors.errors import PoisonRecordError
from lineage.connectors.mapping import avro, avro_rows, json_schema, protobuf
from registry import formats
from registry.actions import parsed
from registry.actions.parsing import parse_cached
from registry.actions.reading import find_guid, schema_text
from registry.errors import SchemaNotFoundError
from registry.formats.contract import Parsed, SchemaInvalidError
from registry.wire import VALUE_HEADER

_PREFIX = 5
_GUID_FRAME = 17


def writer_of(schema: Parsed) -> Writer:
    """Return the columns and the decoder of a parsed schema."""
    texts = [dependency.text for dependency in schema.dependencies]
    if schema.format == "AVRO":
        return Writer(
            avro.plan(schema.text, texts),
            avro.decoder(schema.text, texts),
            avro_rows.direct(schema.text, texts),
        )
    decode = formats.get(schema.format).decoder(schema)
    if schema.format == "JSON":
        return Writer(json_schema.plan(schema.text), json_schema.decoder(decode))
    return Writer(protobuf.plan(schema), decode)


def _by_id(frame: bytes) -> Parsed:
    return parsed(int.from_bytes(frame[1:], "big"))


def _by_guid(frame: bytes) -> Parsed:
    schema = schema_text(find_guid(UUID(bytes=frame[1:]))[0])
    return parse_cached(schema.format, schema.text, schema.dependencies)


class RegistryDecoder:
    """Decodes with the schemas of our registry; used by one thread."""

    def __init__(self) -> None:
        self._writers: dict[bytes, Writer] = {}

    def writer(self, record: Record) -> tuple[Writer, bytes]:
        """Return the writer's schema and the payload; raises PoisonRecordError."""
        value = record.value or b""
        known = self._writers.get(value[:_PREFIX])
        if known is not None and not record.headers:
            return known, value[_PREFIX:]
        if record.headers:
            for name, frame in record.headers:
                if name == VALUE_HEADER and frame and frame[0] == 1 and len(frame) >= _GUID_FRAME:
                    # what follows the GUID there is the path to a Protobuf message
                    writer = self._found(frame[:_GUID_FRAME], _by_guid)
                    return writer, frame[_GUID_FRAME:] + value
        if value[:1] != b"\x00" or len(value) < _PREFIX:
            raise PoisonRecordError("the value is not framed with a schema id")
        frame = value[:_PREFIX]
        return self._writers.get(frame) or self._found(frame, _by_id), value[_PREFIX:]

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
        writer = self._found(raw[:_PREFIX], _by_id)
        try:
            return writer.plan, writer.decode(raw[_PREFIX:])
        except Exception as error:
            raise PoisonRecordError(f"the key cannot be decoded: {error!r}") from error

    def _found(self, frame: bytes, find: Callable[[bytes], Parsed]) -> Writer:
        """Look a schema up once; one that is missing is asked for again, it may yet come."""
        known = self._writers.get(frame)
        if known is None:
            try:
                known = writer_of(find(frame))
            except (SchemaNotFoundError, SchemaInvalidError) as error:
                raise PoisonRecordError(str(error)) from error
            self._writers[frame] = known
        return known
