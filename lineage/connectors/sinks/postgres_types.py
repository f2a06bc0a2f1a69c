"""Columns in PostgreSQL: their types, and rows in the binary format of COPY.

Times need no datetime on the way: in that format a timestamp is a 64-bit count of microseconds, as
a bigint is one, so the numbers that Avro holds are sent as bigints into timestamp columns, only
counted from 2000 on.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, LiteralString
from uuid import UUID

from psycopg import ServerCursor, sql
from psycopg.types.numeric import Int4BinaryLoader, Int8BinaryLoader

from lineage.connectors.columns import Column, Convert, Layout, Row
from lineage.connectors.errors import SinkError
from lineage.connectors.packing import SHIFTS

_TYPES = {
    "real": "real",
    "double": "double precision",
    "bytes": "bytea",
    "json": "jsonb",
}
# what a value is sent as: same bytes, simpler type
_SENT = {
    "integer": "int4",
    "bigint": "int8",
    "real": "float4",
    "double": "float8",
    "boolean": "bool",
    "text": "text",
    "bytes": "bytea",
    "decimal": "numeric",
    "timestamptz": "int8",
    "timestamp": "int8",
    "date": "int4",
    "time": "int8",
    "uuid": "bytea",
    "json": "bytea",
}
_ARRAYS = {
    "integer": "int4[]",
    "bigint": "int8[]",
    "double": "float8[]",
    "boolean": "bool[]",
    "text": "text[]",
}
_ENCODE: dict[str, Convert] = {
    "uuid": lambda value: UUID(value).bytes,
    # jsonb's binary form is its text behind a version byte
    "json": lambda value: b"\x01" + value.encode(),
}
# how a column is read back as a canonical value
_READ: dict[str, LiteralString] = {
    "uuid": "{}::text",
    "json": "{}::text",
}


def type_of(column: Column) -> str:
    """Return PostgreSQL's type: instants are timestamptz, exact decimals numeric."""
    if column.kind == "array":
        return _ARRAYS[column.item].replace("float8", "double precision")
    if column.kind == "decimal":
        known = 0 < column.precision <= 1000
        return f"numeric({column.precision},{column.scale})" if known else "numeric"
    if column.kind in {"timestamptz", "timestamp", "time"}:
        name, _, zone = column.kind.partition("tz")
        zone = " with time zone" if column.kind == "timestamptz" else ""
        return f"{name}({column.precision}){zone}"
    return _TYPES.get(column.kind, column.kind)


def type_name(column: Column) -> sql.SQL:
    """Return a column's type as part of a statement."""
    name: LiteralString = type_of(column)
    if not all(letter.isalnum() or letter in " (),[]" for letter in name):
        raise SinkError(f"no type is named {name!r}")
    return sql.SQL(name)


def read_as(column: Column) -> sql.Composed:
    """Return the expression that reads a column back as its canonical value."""
    return sql.SQL(_READ.get(column.kind, "{}")).format(sql.Identifier(column.name))


def sent_types(layout: Layout) -> list[str]:
    """Return the types that the values of a row are sent as."""
    return [_SENT.get(column.kind) or _ARRAYS[column.item] for column in layout.columns]


def encoded(layout: Layout, rows: Iterable[Row]) -> Iterator[Row]:
    """Return rows as they are sent."""
    return map(_each(layout, SHIFTS, _ENCODE), rows)


def decoded(layout: Layout) -> Callable[[Sequence[Any]], Row]:
    """Return what makes a row that was read, times as numbers, canonical."""
    return _each(layout, {kind: -shift for kind, shift in SHIFTS.items()}, {})


def as_numbers(cursor: ServerCursor[Any]) -> None:
    """Let a cursor read times as the numbers that the binary format holds."""
    for name in ("timestamptz", "timestamp", "time"):
        cursor.adapters.register_loader(name, Int8BinaryLoader)
    cursor.adapters.register_loader("date", Int4BinaryLoader)


def _each(
    layout: Layout, shifts: Mapping[str, int], converts: Mapping[str, Convert]
) -> Callable[[Sequence[Any]], Row]:
    """Return a function of rows, compiled: it copies, subtracts `shifts` and converts."""
    parts, known = [], {}
    for index, column in enumerate(layout.columns):
        part = f"row[{index}]"
        if column.kind in shifts:
            part = f"(None if (v := {part}) is None else v - {shifts[column.kind]})"
        elif column.kind in converts:
            known[f"c{index}"] = converts[column.kind]
            part = f"(None if (v := {part}) is None else c{index}(v))"
        parts.append(part)
    # the text holds nothing but numbers and our own conversions
    made: Callable[[Sequence[Any]], Row] = eval(f"lambda row: [{', '.join(parts)}]", known)  # noqa: S307
    return made
