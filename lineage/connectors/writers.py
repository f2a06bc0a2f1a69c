"""What a schema brings to a copy: its columns, and how payloads written with it are read. Pure.

Avro has a decoder of our own, because the format's makes a datetime of every timestamp; the other
formats bring theirs.
"""

from collections.abc import Sequence
from functools import partial

from lineage.connectors.engine_parts import Writer
from lineage.connectors.mapping import avro, avro_rows, json_schema, protobuf
from registry import formats
from registry.formats.contract import Dependency, FormatName, Parsed


def writer_of(schema: Parsed) -> Writer:
    """Return the columns and the decoder of a parsed schema."""
    texts = [dependency.text for dependency in schema.dependencies]
    origin = partial(writer_from, schema.format, schema.text, schema.dependencies)
    if schema.format == "AVRO":
        return Writer(
            avro.plan(schema.text, texts),
            avro.decoder(schema.text, texts),
            avro_rows.direct(schema.text, texts),
            origin,
        )
    decode = formats.get(schema.format).decoder(schema)
    if schema.format == "JSON":
        read = json_schema.decoder(decode)
        return Writer(json_schema.plan(schema.text), read, origin=origin)
    return Writer(protobuf.plan(schema), decode, origin=origin)


def writer_from(kind: FormatName, text: str, dependencies: Sequence[Dependency]) -> Writer:
    """Return the same of a schema's text, which was parsed elsewhere before."""
    return writer_of(formats.get(kind).parse(text, dependencies))
