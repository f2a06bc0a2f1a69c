"""Columns of a Protobuf message, from its descriptor; well-known types are what they stand for."""

from collections.abc import Iterator
from decimal import Decimal

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from lineage.connectors.columns import (
    Column,
    Convert,
    Kind,
    Plan,
    SourceColumn,
    duration,
    instant,
    items_of,
    to_json,
    within,
)
from lineage.connectors.mapping import plan_of, source
from registry.formats.contract import Parsed
from registry.formats.protobuf.model import ROOT, Model

_SIMPLE: dict[int, tuple[Kind, Convert | None]] = {
    FieldDescriptor.TYPE_INT32: ("integer", within(32)),
    FieldDescriptor.TYPE_SINT32: ("integer", within(32)),
    FieldDescriptor.TYPE_SFIXED32: ("integer", within(32)),
    FieldDescriptor.TYPE_UINT32: ("bigint", within(64)),
    FieldDescriptor.TYPE_FIXED32: ("bigint", within(64)),
    FieldDescriptor.TYPE_INT64: ("bigint", within(64)),
    FieldDescriptor.TYPE_SINT64: ("bigint", within(64)),
    FieldDescriptor.TYPE_SFIXED64: ("bigint", within(64)),
    FieldDescriptor.TYPE_FLOAT: ("real", float),
    FieldDescriptor.TYPE_DOUBLE: ("double", float),
    FieldDescriptor.TYPE_BOOL: ("boolean", None),
    FieldDescriptor.TYPE_STRING: ("text", None),
    FieldDescriptor.TYPE_BYTES: ("bytes", None),
    # a number without a name is one that the writer's schema does not know: enums are open
    FieldDescriptor.TYPE_ENUM: ("text", str),
}
_UNSIGNED = frozenset({FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_FIXED64})
_WRAPPERS: dict[str, tuple[Kind, Convert | None]] = {
    "Double": ("double", float),
    "Float": ("real", float),
    "Int64": ("bigint", within(64)),
    "Int32": ("integer", within(32)),
    "UInt32": ("bigint", within(64)),
    "Bool": ("boolean", None),
    "String": ("text", None),
    "Bytes": ("bytes", None),
}
_WELL_KNOWN: dict[str, tuple[Column, Convert | None]] = {
    "google.protobuf.Timestamp": (Column("", "timestamptz", 6), instant(1)),
    # in seconds, exact to the microsecond
    "google.protobuf.Duration": (Column("", "decimal", 18, 6), duration),
    "google.protobuf.UInt64Value": (Column("", "decimal", 20, 0), Decimal),
    "confluent.type.Decimal": (Column("", "decimal"), None),
    **{
        f"google.protobuf.{name}Value": (Column("", kind), convert)
        for name, (kind, convert) in _WRAPPERS.items()
    },
    **{
        f"google.protobuf.{name}": (Column("", "json"), to_json)
        for name in ("Struct", "Value", "ListValue", "FieldMask", "Any")
    },
}
_ITEMS: dict[Kind, str] = {
    "integer": "integer",
    "bigint": "bigint",
    "real": "double",
    "double": "double",
    "boolean": "boolean",
    "text": "text",
}
_DEEPEST = 8


def plan(schema: Parsed) -> Plan:
    """Return the columns of the file's first message; messages within it are flattened."""
    model = schema.model
    if not isinstance(model, Model):
        raise TypeError(f"not a Protobuf schema: {schema.format}")
    messages = list(model.pool.FindFileByName(ROOT).message_types_by_name.values())
    return plan_of(_columns(messages[0], (), ()) if messages else ())


def _columns(
    message: Descriptor, path: tuple[str, ...], inside: tuple[str, ...]
) -> Iterator[SourceColumn]:
    inside = (*inside, message.full_name)
    for field in message.fields:
        yield from _field(field, (*path, field.name), inside)


def _field(
    field: FieldDescriptor, path: tuple[str, ...], inside: tuple[str, ...]
) -> Iterator[SourceColumn]:
    message = field.message_type
    if field.is_repeated:
        yield _repeated(field, path)
    elif field.type in _UNSIGNED:
        yield SourceColumn(Column("", "decimal", 20, 0), path, Decimal)
    elif message is None:
        yield source(path, *_SIMPLE[field.type])
    elif message.full_name in _WELL_KNOWN:
        yield SourceColumn(
            _WELL_KNOWN[message.full_name][0], path, _WELL_KNOWN[message.full_name][1]
        )
    elif message.full_name in inside or len(path) > _DEEPEST:
        yield source(path, "json", to_json)
    else:
        yield from _columns(message, path, inside)


def _repeated(field: FieldDescriptor, path: tuple[str, ...]) -> SourceColumn:
    """Return an array where its items are simple; a map is repeated too, and JSON."""
    kind, convert = _SIMPLE.get(field.type, ("json", None))
    item = _ITEMS.get(kind)
    if item is None:
        return source(path, "json", to_json)
    return SourceColumn(Column("", "array", item=item), path, items_of(convert))
