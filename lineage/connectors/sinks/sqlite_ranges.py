"""Digests of ranges of keys of a SQLite table: hashed as its rows are read, none is kept."""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from lineage.connectors.columns import Column, Digest, Layout, Row
from lineage.connectors.sinks.canonical import FOREIGN
from lineage.connectors.sinks.ranges import hash_by_reading, read_by_range
from lineage.connectors.sinks.sqlite_types import decoded

_AS_IT_IS = frozenset({
    "integer", "bigint", "real", "double", "text", "bytes", "uuid", "json",
})  # fmt: skip


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _rows(db: sqlite3.Connection, table: str, layout: Layout) -> Iterator[Row]:
    """Read canonical rows; what SQLite keeps as it is needs no decoding."""
    names = ", ".join(map(_quoted, layout.names))
    statement = f"SELECT {names} FROM {_quoted(table)}"  # noqa: S608  (quoted identifiers)
    coded = [i for i, column in enumerate(layout.columns) if column.kind not in _AS_IT_IS]
    narrow = Layout(tuple(layout.columns[i] for i in coded), 0)
    for values in db.execute(statement):
        row = list(values)
        try:
            known = decoded(narrow, [row[i] for i in coded])
        except FOREIGN:
            known = [_known(narrow.columns[at], row[i]) for at, i in enumerate(coded)]
        for index, value in zip(coded, known, strict=True):
            row[index] = value
        yield row


def _known(column: Column, value: object) -> object:
    """Decode one value; one that is not of its column's kind stays as it is."""
    try:
        return decoded(Layout((column,), 0), [value])[0]
    except FOREIGN:
        return value


def hash_ranges(
    db: sqlite3.Connection, table: str, layout: Layout, ranges: int
) -> dict[int, Digest]:
    """Return the digest of each range that holds rows."""
    return hash_by_reading(_rows(db, table, layout), layout, ranges, nan_is_null=True)


def read_ranges(
    db: sqlite3.Connection, table: str, layout: Layout, ranges: int, wanted: Collection[int]
) -> Iterator[Row]:
    """Read the rows whose keys fall into the wanted ranges."""
    return read_by_range(_rows(db, table, layout), layout, ranges, wanted)


@contextmanager
def snapshot(db: sqlite3.Connection, table: str) -> Iterator[None]:
    """Read as of one moment: in WAL mode a read transaction sees what its first read saw."""
    db.execute("BEGIN")
    try:
        db.execute(f"SELECT 1 FROM {_quoted(table)} LIMIT 1").fetchone()  # noqa: S608
        yield
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
