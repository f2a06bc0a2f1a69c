"""Columns in DuckDB: their types, and how Arrow's values are cast on their way in and out."""

from lineage.connectors.columns import Column
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
    """Return the expression that makes of the column what Arrow shall hold."""
    name = quoted(column.name)
    return f"CAST({name} AS VARCHAR)" if column.kind in _TEXT_IN_ARROW else name
