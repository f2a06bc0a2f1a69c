"""Which schema a record was written with, from our registry, and how it is decoded.

The seam between the engine and the registry: a schema is looked up once per worker, as an id
never changes its meaning. Avro has a decoder of our own, because the format's makes a datetime of
every timestamp; the other formats bring theirs.
"""

from collections.abc import Callable
from typing import Any

from broker.consume import Record
from lineage.connectors.columns import Plan
from lineage.connectors.engine_fold import Writer
from lineage.connectors.errors import PoisonRecordError
from lineage.connectors.mapping import avro, json_schema, protobuf
from registry import formats
from registry.actions import find_schema, parsed
from registry.errors import SchemaNotFoundError
from registry.formats.contract import Parsed, SchemaInvalidError
from registry.wire import FrameInvalidError, unframe

_PREFIX = 5
_AVRO_OR_JSON = frozenset({"AVRO", "JSON"})


def writer_of(schema: Parsed) -> Writer:
    """Return the columns and the decoder of a parsed schema."""
    texts = [dependency.text for dependency in schema.dependencies]
    if schema.format == "AVRO":
        return Writer(avro.plan(schema.text, texts), avro.decoder(schema.text, texts))
    decode = formats.get(schema.format).decoder(schema)
    if schema.format == "JSON":
        return Writer(json_schema.plan(schema.text), decode)
    return Writer(protobuf.plan(formats.get(schema.format).fields(schema)), decode)
