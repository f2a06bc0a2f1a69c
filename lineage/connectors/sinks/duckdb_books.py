"""The books in a DuckDB file, and how its tables are renamed.

Writers take turns, so what is read within a transaction is what it moves on from.
"""

from collections.abc import Iterable, Sequence
from typing import Any, LiteralString

import duckdb

from lineage.connectors.columns import Layout
from lineage.connectors.errors import SinkMismatchError
from lineage.connectors.sinks.books import Books
from lineage.connectors.sinks.contract import Fence, Live, Position, retired_of
from lineage.connectors.sinks.duckdb_types import quoted

_TABLES = (
    """CREATE TABLE IF NOT EXISTS insideout_offsets (
  connector VARCHAR, topic VARCHAR, partition INTEGER, next_offset BIGINT NOT NULL,
  epoch BIGINT NOT NULL, PRIMARY KEY (connector, topic, partition))""",
    """CREATE TABLE IF NOT EXISTS insideout_generations (
  connector VARCHAR PRIMARY KEY, number INTEGER NOT NULL, table_name VARCHAR NOT NULL,
  layout VARCHAR, retired_layout VARCHAR, live_at TIMESTAMPTZ NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS insideout_retired (
  connector VARCHAR, topic VARCHAR, partition INTEGER, next_offset BIGINT NOT NULL,
  PRIMARY KEY (connector, topic, partition))""",
    """CREATE TABLE IF NOT EXISTS insideout_notes (
  connector VARCHAR, name VARCHAR, content VARCHAR NOT NULL,
  PRIMARY KEY (connector, name))""",
)


def run(db: duckdb.DuckDBPyConnection, statement: str, values: Sequence[Any] = ()) -> list[Any]:
    """Execute a statement and fetch all: DuckDB's results are lazy, an unread one blocks."""
    return db.execute(statement, values).fetchall()


def exists(db: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether there is a table of this name, in whatever case."""
    return bool(
        run(db, "SELECT 1 FROM duckdb_tables() WHERE lower(table_name) = lower(?)", [table])
    )


def rename(db: duckdb.DuckDBPyConnection, table: str, name: str) -> None:
    """Rename a table."""
    run(db, f"ALTER TABLE {quoted(table)} RENAME TO {quoted(name)}")


def take_indexes(db: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    """Drop the indexes that somebody made on a table, since they forbid to rename it."""
    found = run(
        db,
        "SELECT index_name, sql FROM duckdb_indexes() WHERE lower(table_name) = lower(?)",
        [table],
    )
    for name, _ in found:
        run(db, f"DROP INDEX {quoted(name)}")
    return found


def put_indexes(db: duckdb.DuckDBPyConnection, indexes: list[tuple[str, str]]) -> None:
    """Make indexes again, on the table that bears the name now."""
    for name, definition in indexes:
        try:
            run(db, definition)
        except duckdb.ProgrammingError as error:
            raise SinkMismatchError(
                f"index {name} does not fit the new table, drop it first: {error}"
            ) from error


def put_aside(db: duckdb.DuckDBPyConnection, before: Live | None, live: Live) -> None:
    """Keep the replaced table under its generation's name; the one before it goes."""
    if before and exists(db, before.table):
        for number in (live.number - 2, before.number):
            kept = retired_of(before.table, number)
            run(db, f"DROP TABLE IF EXISTS {quoted(kept)}")
        rename(db, before.table, retired_of(before.table, before.number))
    elif exists(db, live.table):
        rename(db, live.table, retired_of(live.table, 0))


class DuckdbBooks(Books):
    """The tables that a sink keeps beside the copies, in one transaction."""

    def __init__(self, db: duckdb.DuckDBPyConnection) -> None:
        self._db = db

    def make(self) -> None:
        """Create the tables where they are missing."""
        for statement in _TABLES:
            run(self._db, statement)

    def _rows(self, statement: LiteralString, values: Sequence[object]) -> list[tuple[Any, ...]]:
        return run(self._db, statement, values)

    def _each(self, statement: LiteralString, rows: Iterable[Sequence[object]]) -> None:
        for row in rows:
            run(self._db, statement, row)

    def _moved(self, fence: Fence) -> int:
        places = self.positions(fence.connector)
        moves = [
            move
            for move in fence.moves
            if places.get(move.partition) == Position(move.expected, move.epoch)
        ]
        self._each(
            "UPDATE insideout_offsets SET next_offset = ? "
            "WHERE connector = ? AND topic = ? AND partition = ?",
            [(move.next, fence.connector, *move.partition) for move in moves],
        )
        return len(moves)

    def _keep_retired(self, connector: str, before: Live | None) -> None:
        layout = before.layout if before else None
        self._each(
            "UPDATE insideout_generations SET retired_layout = ? WHERE connector = ?",
            [(layout.dump() if layout else None, connector)],
        )

    def retired(self, connector: str) -> tuple[str, Layout] | None:
        """Return the table and the layout of the generation before, if it is kept."""
        found = self._rows(
            "SELECT table_name, number, retired_layout FROM insideout_generations "
            "WHERE connector = ? AND retired_layout IS NOT NULL",
            (connector,),
        )
        if not found:
            return None
        table, number, layout = found[0]
        return retired_of(table, number - 1), Layout.load(layout)

    def roll_back(self, connector: str) -> Live:
        """Make the retired generation the live one again, at the offsets where it was left."""
        found, now = self.retired(connector), self.live(connector)
        if found is None or now is None:
            raise SinkMismatchError(f"{connector}: no retired generation is kept")
        table, layout = found
        if not exists(self._db, table):
            raise SinkMismatchError(f"{connector}: the retired table {table} is gone")
        indexes = take_indexes(self._db, now.table)
        if exists(self._db, now.table):
            rename(self._db, now.table, retired_of(now.table, now.number))
        rename(self._db, table, now.table)
        put_indexes(self._db, indexes)
        places, retired = self.positions(connector), self.retired_offsets(connector)
        live = Live(now.number + 1, now.table, layout)
        self.put_offsets(connector, dict.fromkeys(places, -1) | retired)
        self.put_live(connector, live)
        self.retire(connector, now, places)
        return live
