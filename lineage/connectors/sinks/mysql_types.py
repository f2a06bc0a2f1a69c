"""Columns in MySQL and MariaDB: their types, rows as literals of a statement, and back.

Instants are DATETIME in UTC, for TIMESTAMP ends in 2038. JSON and arrays are LONGTEXT: MariaDB has
no other JSON, and MySQL's spells numbers anew. FLOAT would be printed with six digits: it is read
as a double.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any

import orjson

from lineage.connectors.columns import Column, Convert, Layout, Row
from lineage.connectors.errors import SinkRefusedError

_TYPES = {
    "integer": "INT",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "bytes": "LONGBLOB",
    "date": "DATE",
    "uuid": "CHAR(36) CHARACTER SET ascii COLLATE ascii_bin",
}
_MOST_DIGITS = 65
_LARGEST_SCALE = 30
# what InnoDB indexes of one key, in bytes; a character of utf8mb4 takes four
_LONGEST_KEY = 3072
_LOCAL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (DATETIME has no zone)
_FIRST_DAY = date(1970, 1, 1).toordinal()
_READ = {
    "real": "CAST({} AS DOUBLE)",
    "timestamptz": "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', {})",
    "timestamp": "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', {})",
    "date": "DATEDIFF({}, '1970-01-01')",
    "time": "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', TIMESTAMP('1970-01-01', {}))",
}


def quoted(name: str) -> str:
    """Return a name as a quoted identifier."""
    return "`" + name.replace("`", "``") + "`"


def filled(template: str, **parts: str) -> str:
    """Fill quoted identifiers and lists of them into a statement; values are bound or literals."""
    return template.format(**parts)


def _is_exact(column: Column) -> bool:
    return 0 < column.precision <= _MOST_DIGITS and 0 <= column.scale <= min(
        column.precision, _LARGEST_SCALE
    )


def type_of(column: Column, collation: str, keys: int = 0) -> str:
    """Return a column's type; one of `keys` columns of a primary key must be of bounded length."""
    if column.kind in {"timestamptz", "timestamp"}:
        return f"DATETIME({column.precision})"
    if column.kind == "time":
        return f"TIME({column.precision})"
    if column.kind == "decimal" and _is_exact(column):
        return f"DECIMAL({column.precision},{column.scale})"
    if keys and column.kind == "bytes":
        return f"VARBINARY({_LONGEST_KEY // keys})"
    if column.kind in _TYPES:
        return _TYPES[column.kind]
    text = f"VARCHAR({_LONGEST_KEY // 4 // keys})" if keys else "LONGTEXT"
    return f"{text} CHARACTER SET utf8mb4 COLLATE {collation}"


def read_as(column: Column) -> str:
    """Return the expression that reads a column."""
    return _READ.get(column.kind, "{}").format(quoted(column.name))


# -- literals -------------------------------------------------------------------------------------
def text_literal(value: str) -> str:
    """Return text as a literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\x00", "\\0")
    return f"'{escaped}'"


def _number(value: float) -> str:
    if not isfinite(value):
        raise SinkRefusedError(f"{value} is no number to MySQL")
    return repr(value)


def _json(items: list[Any]) -> str:
    for item in items:
        if isinstance(item, float) and not isfinite(item):
            raise SinkRefusedError(f"{item} is no number to JSON")
    return orjson.dumps(items).decode()


def _moment(value: int) -> str:
    return f"'{(_LOCAL_EPOCH + timedelta(microseconds=value)).isoformat(' ', 'microseconds')}'"


_LITERALS: dict[str, Convert] = {
    "integer": str,
    "bigint": str,
    "real": _number,
    "double": _number,
    "boolean": lambda value: "1" if value else "0",
    "bytes": lambda value: f"X'{value.hex()}'",
    "timestamptz": _moment,
    "timestamp": _moment,
    "date": lambda value: f"'{date.fromordinal(_FIRST_DAY + value).isoformat()}'",
    "time": lambda value: f"'{_moment(value)[12:]}",
    "array": lambda value: text_literal(_json(value)),
}


def _literal_of(column: Column) -> Convert:
    if column.kind == "decimal":
        if _is_exact(column):
            return lambda value: format(value, "f")
        return lambda value: f"'{value:f}'"
    return _LITERALS.get(column.kind, text_literal)


def literals(layout: Layout, rows: Iterable[Iterable[Any]]) -> Iterator[bytes]:
    """Return each row as `(1,'a',NULL)`; raises SinkRefusedError where a value has no literal."""
    converts = [(column, _literal_of(column)) for column in layout.columns]
    for row in rows:
        found = []
        for (column, convert), value in zip(converts, row, strict=True):
            try:
                found.append("NULL" if value is None else convert(value))
            except (AttributeError, OverflowError, TypeError, ValueError) as error:
                raise SinkRefusedError(f"{column.name}: {error}") from error
        try:
            yield f"({','.join(found)})".encode()
        except UnicodeEncodeError as error:
            raise SinkRefusedError(str(error)) from error


def decoded(layout: Layout, rows: Iterable[tuple[Any, ...]]) -> Iterator[Row]:
    """Return rows as read by `read_as` as canonical ones."""
    converts: list[tuple[int, Convert]] = []
    for index, column in enumerate(layout.columns):
        if column.kind == "boolean":
            converts.append((index, bool))
        elif column.kind == "array":
            converts.append((index, orjson.loads))
        elif column.kind == "decimal" and not _is_exact(column):
            converts.append((index, Decimal))
    for found in rows:
        row = list(found)
        for index, convert in converts:
            if row[index] is not None:
                row[index] = convert(row[index])
        yield row
