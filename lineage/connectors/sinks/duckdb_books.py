"""Offsets, epochs and generations in a DuckDB file, inside the transaction of whoever asks.

Writers take turns, so what is read within a transaction is what it moves on from.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from broker.records import Partition
from lineage.connectors.columns import Layout
from lineage.connectors.errors import FencedError, SinkMismatchError
from lineage.connectors.sinks.contract import BehindError, Fence, Live, Position, retired_of
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


class Books:
    """The tables that a sink keeps beside the copies, in one transaction."""

    def __init__(self, db: duckdb.DuckDBPyConnection) -> None:
        self._db = db

    def make(self) -> None:
        """Create the tables where they are missing."""
        for statement in _TABLES:
            run(self._db, statement)

    def live(self, connector: str) -> Live | None:
        """Return the live generation, if there is any."""
        found = run(
            self._db,
            "SELECT number, table_name, layout FROM insideout_generations WHERE connector = ?",
            [connector],
        )
        if not found:
            return None
        number, table, layout = found[0]
        return Live(number, table, Layout.load(layout) if layout else None)

    def positions(self, connector: str) -> dict[Partition, Position]:
        """Return where every partition stands."""
        rows = run(
            self._db,
            "SELECT topic, partition, next_offset, epoch FROM insideout_offsets "
            "WHERE connector = ?",
            [connector],
        )
        return {Partition(row[0], row[1]): Position(row[2], row[3]) for row in rows}

    def claim(
        self, connector: str, table: str, partitions: Sequence[Partition]
    ) -> tuple[Live, dict[Partition, Position]]:
        """Raise the epochs of these partitions; the connector's first claim makes generation 1."""
        run(
            self._db,
            "INSERT INTO insideout_generations VALUES (?, 1, ?, NULL, NULL, now()) "
            "ON CONFLICT DO NOTHING",
            [connector, table],
        )
        for partition in partitions:
            run(
                self._db,
                "INSERT INTO insideout_offsets VALUES (?, ?, ?, -1, 1) "
                "ON CONFLICT DO UPDATE SET epoch = epoch + 1",
                [connector, *partition],
            )
        live, places = self.live(connector), self.positions(connector)
        assert live is not None
        return live, {partition: places[partition] for partition in partitions}

    def move(self, fence: Fence) -> None:
        """Move the offsets on, or raise FencedError where any is not as claimed."""
        live, places = self.live(fence.connector), self.positions(fence.connector)
        for move in fence.moves:
            if (
                live is None
                or live.number != fence.generation
                or places.get(move.partition) != Position(move.expected, move.epoch)
            ):
                raise FencedError(f"{fence.connector}: another owner has written since")
            run(
                self._db,
                "UPDATE insideout_offsets SET next_offset = ? "
                "WHERE connector = ? AND topic = ? AND partition = ?",
                [move.next, fence.connector, *move.partition],
            )

    def keep_layout(self, connector: str, layout: Layout) -> None:
        """Record which columns the live table has."""
        run(
            self._db,
            "UPDATE insideout_generations SET layout = ? WHERE connector = ?",
            [layout.dump(), connector],
        )

    # -- notes ------------------------------------------------------------------------------------
    def note(self, connector: str, name: str, content: str | None) -> None:
        """Keep a note under a name; None removes it."""
        run(
            self._db,
            "DELETE FROM insideout_notes WHERE connector = ? AND name = ?",
            [connector, name],
        )
        if content is not None:
            run(
                self._db, "INSERT INTO insideout_notes VALUES (?, ?, ?)", [connector, name, content]
            )

    def noted(self, connector: str, name: str) -> str | None:
        """Return a note."""
        found = run(
            self._db,
            "SELECT content FROM insideout_notes WHERE connector = ? AND name = ?",
            [connector, name],
        )
        return found[0][0] if found else None

    # -- a swap -----------------------------------------------------------------------------------
    def check_swap(
        self, connector: str, live: Live, offsets: Mapping[Partition, int]
    ) -> Live | None:
        """Return the generation in place; raises FencedError, BehindError."""
        before = self.live(connector)
        if (before.number if before else 0) != live.number - 1:
            raise FencedError(f"{connector}: another generation was swapped in meanwhile")
        for partition, position in self.positions(connector).items():
            if position.next > offsets.get(partition, -1):
                raise BehindError(f"{partition.topic}/{partition.partition}")
        return before

    def retire(self, before: Live | None, live: Live) -> None:
        """Keep the replaced table under its generation's name; the one before it goes."""
        if before and exists(self._db, before.table):
            for number in (live.number - 2, before.number):
                kept = retired_of(before.table, number)
                run(self._db, f"DROP TABLE IF EXISTS {quoted(kept)}")
            rename(self._db, before.table, retired_of(before.table, before.number))
        elif exists(self._db, live.table):
            rename(self._db, live.table, retired_of(live.table, 0))

    def keep_offsets(self, connector: str) -> None:
        """Remember the live generation's offsets as those of the retired one."""
        run(self._db, "DELETE FROM insideout_retired WHERE connector = ?", [connector])
        run(
            self._db,
            "INSERT INTO insideout_retired SELECT connector, topic, partition, next_offset "
            "FROM insideout_offsets WHERE connector = ?",
            [connector],
        )

    def put_offsets(self, connector: str, offsets: Mapping[Partition, int]) -> None:
        """Set offsets, and raise the epochs: all owners begin anew."""
        for partition, offset in offsets.items():
            run(
                self._db,
                "INSERT INTO insideout_offsets VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE "
                "SET next_offset = excluded.next_offset, epoch = epoch + 1",
                [connector, *partition, offset],
            )

    def put_live(
        self, connector: str, live: Live, layout: Layout | None, retired: Layout | None
    ) -> None:
        """Record the generation, and the columns of the one that it replaced."""
        run(
            self._db,
            "INSERT INTO insideout_generations VALUES (?, ?, ?, ?, ?, now()) "
            "ON CONFLICT DO UPDATE SET number = excluded.number, layout = excluded.layout, "
            "table_name = excluded.table_name, retired_layout = excluded.retired_layout, "
            "live_at = excluded.live_at",
            [
                connector,
                live.number,
                live.table,
                layout.dump() if layout else None,
                retired.dump() if retired else None,
            ],
        )

    def roll_back(self, connector: str) -> Live:
        """Exchange the live and the retired generation, their tables, layouts and offsets."""
        live = self.live(connector)
        kept = run(
            self._db,
            "SELECT retired_layout FROM insideout_generations WHERE connector = ?",
            [connector],
        )
        layout = kept[0][0] if kept else None
        if live is None or layout is None:
            raise SinkMismatchError(f"{connector}: no retired generation is kept")
        retired = retired_of(live.table, live.number - 1)
        if not exists(self._db, retired):
            raise SinkMismatchError(f"{connector}: the retired table {retired} is gone")
        indexes = take_indexes(self._db, live.table)
        if exists(self._db, live.table):
            rename(self._db, live.table, retired_of(live.table, live.number))
        rename(self._db, retired, live.table)
        put_indexes(self._db, indexes)
        left = run(
            self._db,
            "SELECT topic, partition, next_offset FROM insideout_retired WHERE connector = ?",
            [connector],
        )
        offsets = dict.fromkeys(self.positions(connector), -1)
        offsets |= {Partition(topic, number): offset for topic, number, offset in left}
        self.keep_offsets(connector)
        self.put_offsets(connector, offsets)
        again = Live(live.number + 1, live.table, Layout.load(layout))
        self.put_live(connector, again, again.layout, live.layout)
        return again
