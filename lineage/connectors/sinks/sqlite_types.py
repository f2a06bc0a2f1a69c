"""Columns in SQLite: their types, and canonical values as SQLite keeps them, and back."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from lineage.connectors.columns import Column, Convert, Layout, Row, day, instant, local_instant

_TYPES = {
    "integer": "INTEGER",
    "bigint": "INTEGER",
    "boolean": "INTEGER",
    "real": "REAL",
    "double": "REAL",
    "bytes": "BLOB",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOCAL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (a local timestamp has no zone)
_FIRST_DAY = date(1970, 1, 1).toordinal()


def _time_text(value: int) -> str:
    return (_LOCAL_EPOCH + timedelta(microseconds=value)).time().isoformat("microseconds")


def _time_value(text: str) -> int:
    found = datetime.fromisoformat(f"1970-01-01T{text}")
    return (found - _LOCAL_EPOCH) // timedelta(microseconds=1)


def _instant_text(value: int) -> str:
    moment = _EPOCH + timedelta(microseconds=value)
    return moment.replace(tzinfo=None).isoformat("T", "microseconds") + "Z"


_WRITE: dict[str, Convert] = {
    "boolean": int,
    "decimal": lambda value: format(value, "f"),
    "timestamptz": _instant_text,
    "timestamp": lambda value: (_LOCAL_EPOCH + timedelta(microseconds=value)).isoformat(
        "T", "microseconds"
    ),
    "date": lambda value: date.fromordinal(_FIRST_DAY + value).isoformat(),
    "time": _time_text,
    "array": lambda value: orjson.dumps(value).decode(),
}
_READ: dict[str, Convert] = {
    "boolean": bool,
    "decimal": Decimal,
    "timestamptz": instant(1),
    "timestamp": lambda text: local_instant(1)(datetime.fromisoformat(text)),
    "date": day,
    "time": _time_value,
    "array": orjson.loads,
}


def quoted(name: str) -> str:
    """Return a name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def type_of(column: Column) -> str:
    """Return SQLite's type: what it cannot hold exactly is text."""
    return _TYPES.get(column.kind, "TEXT")


def encoded(layout: Layout, rows: Iterable[Row]) -> Iterator[Row]:
    """Return rows as SQLite keeps them."""
    writes = [
        (index, _WRITE[column.kind])
        for index, column in enumerate(layout.columns)
        if column.kind in _WRITE
    ]
    for row in rows:
        kept = list(row)
        for index, write in writes:
            if kept[index] is not None:
                kept[index] = write(kept[index])
        yield kept


def decoded(layout: Layout, row: Sequence[Any]) -> Row:
    """Return a row that SQLite kept as canonical values."""
    return [
        value if value is None or column.kind not in _READ else _READ[column.kind](value)
        for column, value in zip(layout.columns, row, strict=True)
    ]
