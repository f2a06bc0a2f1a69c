"""Offsets, epochs, generations and notes in SQLite, inside the transaction of who asks."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence

from broker.records import Partition
from lineage.connectors.columns import Layout
from lineage.connectors.errors import FencedError
from lineage.connectors.sinks.contract import Fence, Live, Position, retired_of

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


class SqliteBooks:
    """The tables beside the copies, by one connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def make(self) -> None:
        """Create the tables, where they are not there yet."""
        self._db.executescript(_TABLES)

    def live(self, connector: str) -> Live | None:
        """Return the live generation, if there is any."""
        found = self._db.execute(
            "SELECT number, table_name, layout FROM insideout_generations WHERE connector = ?",
            (connector,),
        ).fetchone()
        if found is None:
            return None
        return Live(found[0], found[1], Layout.load(found[2]) if found[2] else None)

    def positions(self, connector: str) -> dict[Partition, Position]:
        """Return where every partition stands."""
        rows = self._db.execute(
            "SELECT topic, partition, next_offset, epoch FROM insideout_offsets "
            "WHERE connector = ?",
            (connector,),
        ).fetchall()
        return {Partition(row[0], row[1]): Position(row[2], row[3]) for row in rows}

    def claim(
        self, connector: str, table: str, partitions: Sequence[Partition]
    ) -> tuple[Live, dict[Partition, Position]]:
        """Become the one owner of these partitions."""
        self._db.execute(
            "INSERT INTO insideout_generations VALUES (?, 1, ?, NULL, datetime('now')) "
            "ON CONFLICT DO NOTHING",
            (connector, table),
        )
        self._db.executemany(
            "INSERT INTO insideout_offsets VALUES (?, ?, ?, -1, 1) "
            "ON CONFLICT DO UPDATE SET epoch = epoch + 1",
            [(connector, *partition) for partition in partitions],
        )
        live = self.live(connector)
        places = self.positions(connector)
        assert live is not None
        return live, {partition: places[partition] for partition in partitions}

    def keep_layout(self, connector: str, layout: Layout) -> None:
        """Note the layout that the live table has now."""
        self._db.execute(
            "UPDATE insideout_generations SET layout = ? WHERE connector = ?",
            (layout.dump(), connector),
        )

    def pass_fence(self, fence: Fence) -> None:
        """Move the offsets on, or raise FencedError where any is not as claimed."""
        live = self.live(fence.connector)
        moved = self._db.executemany(
            "UPDATE insideout_offsets SET next_offset = ? WHERE connector = ? AND topic = ? "
            "AND partition = ? AND next_offset = ? AND epoch = ?",
            [
                (move.next, fence.connector, *move.partition, move.expected, move.epoch)
                for move in fence.moves
            ],
        ).rowcount
        if live is None or live.number != fence.generation or moved != len(fence.moves):
            raise FencedError(f"{fence.connector}: another owner has written since")

    def record(self, connector: str, live: Live, offsets: Mapping[Partition, int]) -> None:
        """Write offsets and generation; all owners are fenced thereby."""
        self._db.executemany(
            "INSERT INTO insideout_offsets VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE "
            "SET next_offset = excluded.next_offset, epoch = epoch + 1",
            [(connector, *partition, offset) for partition, offset in offsets.items()],
        )
        self._db.execute(
            "INSERT INTO insideout_generations VALUES (?, ?, ?, ?, datetime('now')) "
            "ON CONFLICT DO UPDATE SET number = excluded.number, layout = excluded.layout, "
            "table_name = excluded.table_name, live_at = excluded.live_at",
            (connector, live.number, live.table, live.layout.dump() if live.layout else None),
        )

    def retire(
        self, connector: str, before: Live | None, places: Mapping[Partition, Position]
    ) -> None:
        """Note where the generation that is replaced was left."""
        self._db.execute("DELETE FROM insideout_retired WHERE connector = ?", (connector,))
        self._db.execute("DELETE FROM insideout_retired_tables WHERE connector = ?", (connector,))
        if before is None or before.layout is None:
            return
        self._db.execute(
            "INSERT INTO insideout_retired_tables VALUES (?, ?, ?)",
            (connector, retired_of(before.table, before.number), before.layout.dump()),
        )
        self._db.executemany(
            "INSERT INTO insideout_retired VALUES (?, ?, ?, ?)",
            [(connector, *place, at.next) for place, at in places.items()],
        )

    def retired(self, connector: str) -> tuple[str, Layout] | None:
        """Return the table and the layout of the generation before, if it is kept."""
        found = self._db.execute(
            "SELECT table_name, layout FROM insideout_retired_tables WHERE connector = ?",
            (connector,),
        ).fetchone()
        return (found[0], Layout.load(found[1])) if found else None

    def retired_offsets(self, connector: str) -> dict[Partition, int]:
        """Return where it was left."""
        rows = self._db.execute(
            "SELECT topic, partition, next_offset FROM insideout_retired WHERE connector = ?",
            (connector,),
        ).fetchall()
        return {Partition(row[0], row[1]): row[2] for row in rows}

    def note(self, connector: str, name: str, content: str | None) -> None:
        """Keep a note under a name; None removes it."""
        self._db.execute(
            "DELETE FROM insideout_notes WHERE connector = ? AND name = ?", (connector, name)
        )
        if content is not None:
            self._db.execute(
                "INSERT INTO insideout_notes VALUES (?, ?, ?)", (connector, name, content)
            )

    def noted(self, connector: str, name: str) -> str | None:
        """Return a note."""
        found = self._db.execute(
            "SELECT content FROM insideout_notes WHERE connector = ? AND name = ?",
            (connector, name),
        ).fetchone()
        return found[0] if found else None

    def restart(self, connector: str, topics: Collection[str]) -> None:
        """Let the partitions of topics begin at their beginning; fences their owners."""
        self._db.executemany(
            "UPDATE insideout_offsets SET next_offset = -1, epoch = epoch + 1 "
            "WHERE connector = ? AND topic = ?",
            [(connector, topic) for topic in topics],
        )
