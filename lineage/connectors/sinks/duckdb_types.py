"""Columns in DuckDB: their types, how Arrow's values are cast to them, and how they are read."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from lineage.connectors.columns import Column, Layout, Row
from lineage.connectors.sinks.arrow import is_exact

_TYPES = {
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "bytes": "BLOB",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "time": "TIME",
    "uuid": "UUID",
    "json": "JSON",
}
_READ = {
    "timestamptz": "epoch_us({})",
    "timestamp": "epoch_us({})",
    "date": "({} - DATE '1970-01-01')",
    "time": "epoch_us({})",
    "uuid": "CAST({} AS VARCHAR)",
    "json": "CAST({} AS VARCHAR)",
}
_TEXT_IN_ARROW = frozenset({"uuid", "json"})


def quoted(name: str) -> str:
    """Return a name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def filled(template: str, **parts: str) -> str:
    """Fill quoted identifiers and lists of them into a statement; values are always bound."""
    return template.format(**parts)


def type_of(column: Column) -> str:
    """Return DuckDB's type: decimals of more than 38 digits are text, arrays lists."""
    if column.kind == "array":
        return f"{_TYPES.get(column.item, 'VARCHAR')}[]"
    if column.kind == "decimal" and is_exact(column):
        return f"DECIMAL({column.precision},{column.scale})"
    return _TYPES.get(column.kind, "VARCHAR")


def written(column: Column) -> str:
    """Return the expression that makes the column of what Arrow holds."""
    name = quoted(column.name)
    return f"CAST({name} AS {type_of(column)})" if column.kind in _TEXT_IN_ARROW else name


def read_as(column: Column) -> str:
    """Return the expression that reads a column as numbers and text: no time is made a datetime."""
    return _READ.get(column.kind, "{}").format(quoted(column.name))


def decoded(layout: Layout, rows: Iterable[Sequence[Any]]) -> Iterator[Row]:
    """Return rows as read by `read_as` as canonical ones."""
    texts = [
        index
        for index, column in enumerate(layout.columns)
        if column.kind == "decimal" and not is_exact(column)
    ]
    for found in rows:
        row = list(found)
        for index in texts:
            if row[index] is not None:
                row[index] = Decimal(row[index])
        yield row
