"""The books in SQLite, whose writers take turns."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, LiteralString

from lineage.connectors.sinks.books import Books
from lineage.connectors.sinks.contract import Fence

_TABLES = """
CREATE TABLE IF NOT EXISTS insideout_offsets (
  connector TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL,
  next_offset INTEGER NOT NULL, epoch INTEGER NOT NULL,
  PRIMARY KEY (connector, topic, partition)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS insideout_generations (
  connector TEXT PRIMARY KEY, number INTEGER NOT NULL, table_name TEXT NOT NULL,
  layout TEXT, live_at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS insideout_retired (
  connector TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL,
  next_offset INTEGER NOT NULL, PRIMARY KEY (connector, topic, partition)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS insideout_retired_tables (
  connector TEXT PRIMARY KEY, table_name TEXT NOT NULL, layout TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS insideout_notes (
  connector TEXT NOT NULL, name TEXT NOT NULL, content TEXT NOT NULL,
  PRIMARY KEY (connector, name)) WITHOUT ROWID;
"""


class SqliteBooks(Books):
    """The tables beside the copies, by one connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def make(self) -> None:
        """Create the tables, where they are not there yet."""
        self._db.executescript(_TABLES)

    def _rows(self, statement: LiteralString, values: Sequence[object]) -> list[tuple[Any, ...]]:
        return self._db.execute(statement, values).fetchall()

    def _each(self, statement: LiteralString, rows: Iterable[Sequence[object]]) -> None:
        self._db.executemany(statement, rows)

    def _moved(self, fence: Fence) -> int:
        return self._db.executemany(
            "UPDATE insideout_offsets SET next_offset = ? WHERE connector = ? AND topic = ? "
            "AND partition = ? AND next_offset = ? AND epoch = ?",
            [
                (move.next, fence.connector, *move.partition, move.expected, move.epoch)
                for move in fence.moves
            ],
        ).rowcount
