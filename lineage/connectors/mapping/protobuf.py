"""Columns of a Protobuf message, from the fields that the registry's format tells."""

from lineage.connectors.columns import (
    Column,
    Convert,
    Kind,
    Plan,
    SourceColumn,
    instant,
    to_json,
    within,
)
from lineage.connectors.mapping import plan_of, source
from registry import formats
from registry.formats.contract import Parsed

_SIMPLE: dict[str, tuple[Kind, Convert | None]] = {
    "int32": ("integer", within(32)),
    "sint32": ("integer", within(32)),
    "sfixed32": ("integer", within(32)),
    "uint32": ("bigint", within(64)),
    "fixed32": ("bigint", within(64)),
    "int64": ("bigint", within(64)),
    "sint64": ("bigint", within(64)),
    "sfixed64": ("bigint", within(64)),
    "float": ("real", float),
    "double": ("double", float),
    "bool": ("boolean", None),
    "string": ("text", None),
    "bytes": ("bytes", None),
}


def plan(schema: Parsed) -> Plan:
    """Return the columns of the message."""
    fields = formats.get(schema.format).fields(schema)
    return plan_of(_column(field.path, field.type) for field in fields if "." not in field.path)


def _column(path: str, declared: str) -> SourceColumn:
    kind = declared.partition(" (oneof ")[0]
    if kind in {"uint64", "fixed64"}:
        return SourceColumn(Column("", "decimal", 20, 0), (path,))
    if kind.endswith("google.protobuf.Timestamp"):
        return SourceColumn(Column("", "timestamptz", 6), (path,), instant(1))
    return source((path,), *_SIMPLE.get(kind, ("json", to_json)))
