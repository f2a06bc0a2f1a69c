"""Columns in PostgreSQL: their types, and rows in the binary format of COPY.

Times need no datetime on the way: in that format a timestamp is a 64-bit count of microseconds, as
a bigint is one, so the numbers that Avro holds are sent as bigints into timestamp columns, only
counted from 2000 on.
"""

from collections.abc import Iterable, Iterator
from typing import LiteralString
from uuid import UUID

from psycopg import sql

from lineage.connectors.columns import Column, Convert, Layout, Row
from lineage.connectors.errors import SinkError

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
_EPOCH_2000 = 946_684_800_000_000
_DAY_2000 = 10_957
_ENCODE: dict[str, Convert] = {
    "timestamptz": lambda value: value - _EPOCH_2000,
    "timestamp": lambda value: value - _EPOCH_2000,
    "date": lambda value: value - _DAY_2000,
    "uuid": lambda value: UUID(value).bytes,
    # jsonb's binary form is its text behind a version byte
    "json": lambda value: b"\x01" + value.encode(),
}
# how a column is read back as a canonical value
_READ: dict[str, LiteralString] = {
    "timestamptz": "(extract(epoch from {}) * 1000000)::bigint",
    "timestamp": "(extract(epoch from {}) * 1000000)::bigint",
    "date": "({} - date '1970-01-01')",
    "time": "(extract(epoch from {}) * 1000000)::bigint",
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
    encodes = [
        (index, _ENCODE[column.kind])
        for index, column in enumerate(layout.columns)
        if column.kind in _ENCODE
    ]
    for row in rows:
        sent = list(row)
        for index, encode in encodes:
            if sent[index] is not None:
                sent[index] = encode(sent[index])
        yield sent
