"""Offsets, epochs and generations in MySQL, and how tables are exchanged with them.

RENAME TABLE exchanges several tables at once, but it ends the transaction that it is called in. So
offsets and tables cannot change in one transaction, and an exchange goes in three steps:

1. In one transaction: check that it may be, raise every epoch, and write down as `pending` what
   shall be. From here on whoever owned partitions is fenced, and whoever claims some, or asks
   where the copy stands, first finishes what is pending.
2. One RENAME TABLE, which readers see as one change. The table that comes in was marked in its
   comment before step 1: the mark under the table's name tells whether this step was taken.
3. In one transaction: offsets, layout and number of the new generation; nothing is pending.

After a crash between two steps the next to ask takes the missing ones. Nobody wrote meanwhile, so
readers see tables and offsets that belong together: those before step 2, or those after it. A named
lock lets one at a time do this; whoever is frozen holding it loses it with its session.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any
from uuid import uuid4

import pymysql

from broker.records import Partition
from lineage.connectors.columns import Layout
from lineage.connectors.errors import FencedError, SinkUnavailableError
from lineage.connectors.sinks.books import check_follows
from lineage.connectors.sinks.contract import Fence, Live, Position
from lineage.connectors.sinks.mysql_connection import MysqlConnection
from lineage.connectors.sinks.mysql_types import filled, quoted, text_literal

_TURN_SECONDS = 20
_RENAME_SECONDS = 5
_ASCII = "CHARACTER SET ascii COLLATE ascii_bin"
_TABLES = (
    f"""CREATE TABLE IF NOT EXISTS insideout_offsets (
  connector VARCHAR(100) {_ASCII}, topic VARCHAR(249) {_ASCII}, `partition` INT,
  next_offset BIGINT NOT NULL, epoch BIGINT NOT NULL,
  PRIMARY KEY (connector, topic, `partition`)) ENGINE = InnoDB""",
    f"""CREATE TABLE IF NOT EXISTS insideout_generations (
  connector VARCHAR(100) {_ASCII} PRIMARY KEY, number INT NOT NULL,
  table_name VARCHAR(64) CHARACTER SET utf8mb4 NOT NULL, layout LONGTEXT CHARACTER SET utf8mb4,
  retired_layout LONGTEXT CHARACTER SET utf8mb4, pending LONGTEXT CHARACTER SET utf8mb4,
  live_at DATETIME(6) NOT NULL) ENGINE = InnoDB""",
    f"""CREATE TABLE IF NOT EXISTS insideout_retired (
  connector VARCHAR(100) {_ASCII}, topic VARCHAR(249) {_ASCII}, `partition` INT,
  next_offset BIGINT NOT NULL, PRIMARY KEY (connector, topic, `partition`)) ENGINE = InnoDB""",
    f"""CREATE TABLE IF NOT EXISTS insideout_notes (
  connector VARCHAR(100) {_ASCII}, name VARCHAR(100) {_ASCII},
  content LONGTEXT CHARACTER SET utf8mb4 NOT NULL,
  PRIMARY KEY (connector, name)) ENGINE = InnoDB""",
)


class MysqlBooks:
    """The tables that a sink keeps beside the copies."""

    def __init__(self, db: MysqlConnection) -> None:
        self._db = db

    def make(self) -> None:
        """Create the tables where they are missing."""
        for statement in _TABLES:
            self._db.run(statement)

    # -- reading --------------------------------------------------------------------------------
    def live(self, connector: str, lock: str = "") -> Live | None:
        """Return the generation in place; within a transaction `lock` keeps it so."""
        found = self._db.rows(
            filled(
                "SELECT number, table_name, layout FROM insideout_generations "
                "WHERE connector = %s {lock}",
                lock=lock,
            ),
            [connector],
        )
        if not found or found[0][0] == 0:
            return None
        number, table, layout = found[0]
        return Live(number, table, Layout.load(layout) if layout else None)

    def positions(self, connector: str) -> dict[Partition, Position]:
        """Return where every partition stands."""
        rows = self._db.rows(
            "SELECT topic, `partition`, next_offset, epoch FROM insideout_offsets "
            "WHERE connector = %s",
            [connector],
        )
        return {Partition(row[0], row[1]): Position(row[2], row[3]) for row in rows}

    def retired_layout(self, connector: str) -> str | None:
        """Return the columns of the retired generation, where there is one."""
        found = self._db.rows(
            "SELECT retired_layout FROM insideout_generations WHERE connector = %s", [connector]
        )
        return found[0][0] if found else None

    def retired_offsets(self, connector: str) -> dict[Partition, int]:
        """Return where the retired generation was left."""
        rows = self._db.rows(
            "SELECT topic, `partition`, next_offset FROM insideout_retired WHERE connector = %s",
            [connector],
        )
        return {Partition(row[0], row[1]): row[2] for row in rows}

    # -- tables -----------------------------------------------------------------------------------
    def comment_of(self, table: str) -> str | None:
        """Return a table's comment; None where there is no such table."""
        found = self._db.rows(
            "SELECT table_comment FROM information_schema.tables "
            "WHERE table_schema = DATABASE() AND table_name = %s",
            [table],
        )
        return str(found[0][0]) if found else None

    def exists(self, table: str) -> bool:
        """Whether there is a table of this name."""
        return self.comment_of(table) is not None

    def columns_of(self, table: str) -> list[str]:
        """Return the names of a table's columns."""
        found = self._db.rows(
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_schema = DATABASE() AND table_name = %s",
            [table],
        )
        return [row[0] for row in found]

    def key_of(self, table: str) -> list[str]:
        """Return the names of the columns of a table's primary key."""
        return self._indexes(table).get("PRIMARY", (True, "", []))[2]

    def _indexes(self, table: str) -> dict[str, tuple[bool, str, list[str]]]:
        """Return name → whether unique, type, columns, of the indexes that are made of columns."""
        found: dict[str, tuple[bool, str, list[str]]] = {}
        for name, repeats, kind, column, part in self._db.rows(
            "SELECT index_name, non_unique, index_type, column_name, sub_part "
            "FROM information_schema.statistics WHERE table_schema = DATABASE() "
            "AND table_name = %s AND column_name IS NOT NULL ORDER BY index_name, seq_in_index",
            [table],
        ):
            index = found.setdefault(name, (not repeats, kind, []))
            index[2].append(column if name == "PRIMARY" else _part(column, part))
        return found

    def copy_indexes(self, table: str, other: str) -> None:
        """Make on another table the indexes that somebody made on this one."""
        wanted, there = self._indexes(table), self._indexes(other)
        steps = [
            filled(
                "ADD {kind} INDEX {name} ({columns})",
                kind="UNIQUE" if unique else kind if kind in {"FULLTEXT", "SPATIAL"} else "",
                name=quoted(name),
                columns=", ".join(columns),
            )
            for name, (unique, kind, columns) in wanted.items()
            if name not in there
        ]
        if steps:
            self._db.run(
                filled("ALTER TABLE {table} {steps}", table=quoted(other), steps=", ".join(steps))
            )

    def drop(self, table: str) -> None:
        """Drop a table, if there."""
        self._db.run(filled("DROP TABLE IF EXISTS {table}", table=quoted(table)))

    # -- within a transaction ---------------------------------------------------------------------
    def claim(self, connector: str, table: str, partitions: Sequence[Partition]) -> Live:
        """Raise the epochs of these partitions; the connector's first claim makes generation 1."""
        self._db.run(
            "INSERT INTO insideout_generations VALUES (%s, 1, %s, NULL, NULL, NULL, NOW(6)) "
            "ON DUPLICATE KEY UPDATE number = GREATEST(number, 1)",
            [connector, table],
        )
        self._check_settled(connector)
        for partition in sorted(partitions):
            self._db.run(
                "INSERT INTO insideout_offsets VALUES (%s, %s, %s, -1, 1) "
                "ON DUPLICATE KEY UPDATE epoch = epoch + 1",
                [connector, *partition],
            )
        live = self.live(connector)
        assert live is not None
        return live

    def _check_settled(self, connector: str) -> None:
        if self._pending(connector) is not None:
            raise SinkUnavailableError(f"{connector}: its tables are being exchanged just now")

    def move(self, fence: Fence) -> None:
        """Move the offsets on, or raise FencedError where any is not as claimed."""
        live = self.live(fence.connector, "LOCK IN SHARE MODE")
        moved = sum(
            self._db.run(
                "UPDATE insideout_offsets SET next_offset = %s WHERE connector = %s "
                "AND topic = %s AND `partition` = %s AND next_offset = %s AND epoch = %s",
                [move.next, fence.connector, *move.partition, move.expected, move.epoch],
            )
            for move in sorted(fence.moves, key=lambda move: move.partition)
        )
        if live is None or live.number != fence.generation or moved != len(fence.moves):
            raise FencedError(f"{fence.connector}: another owner has written since")

    def keep_layout(self, connector: str, layout: Layout) -> None:
        """Record which columns the live table has."""
        self._db.run(
            "UPDATE insideout_generations SET layout = %s WHERE connector = %s",
            [layout.dump(), connector],
        )

    def check_swap(
        self, connector: str, live: Live, offsets: Mapping[Partition, int]
    ) -> Live | None:
        """Return the generation in place, locked; raises FencedError, BehindError."""
        before = self.live(connector, "FOR UPDATE")
        check_follows(connector, live, before, self.positions(connector), offsets)
        return before

    # -- notes ------------------------------------------------------------------------------------
    def note(self, connector: str, name: str, content: str | None) -> None:
        """Keep a note under a name; None removes it."""
        self._db.run(
            "DELETE FROM insideout_notes WHERE connector = %s AND name = %s", [connector, name]
        )
        if content is not None:
            self._db.run(
                "INSERT INTO insideout_notes VALUES (%s, %s, %s)", [connector, name, content]
            )

    def noted(self, connector: str, name: str) -> str | None:
        """Return a note."""
        found = self._db.rows(
            "SELECT content FROM insideout_notes WHERE connector = %s AND name = %s",
            [connector, name],
        )
        return found[0][0] if found else None

    def restart(self, connector: str, topics: Collection[str]) -> None:
        """Let the partitions of topics begin at their beginning; fences their owners."""
        for topic in topics:
            self._db.run(
                "UPDATE insideout_offsets SET next_offset = -1, epoch = epoch + 1 "
                "WHERE connector = %s AND topic = %s",
                [connector, topic],
            )

    # -- an exchange ------------------------------------------------------------------------------
    @contextmanager
    def turn(self, connector: str) -> Iterator[None]:
        """Hold the lock under which tables are exchanged."""
        place = f"{self._db.rows('SELECT DATABASE()')[0][0]}/{connector}"
        name = f"insideout {blake2b(place.encode(), digest_size=16).hexdigest()}"
        if self._db.rows("SELECT GET_LOCK(%s, %s)", [name, _TURN_SECONDS])[0][0] != 1:
            raise SinkUnavailableError(f"{connector}: its tables are being exchanged just now")
        try:
            yield
        finally:
            try:
                self._db.rows("SELECT RELEASE_LOCK(%s)", [name])
            except pymysql.Error:
                self._db.close()  # the lock goes with the session

    def _pending(self, connector: str) -> dict[str, Any] | None:
        found = self._db.rows(
            "SELECT pending FROM insideout_generations WHERE connector = %s", [connector]
        )
        return json.loads(found[0][0]) if found and found[0][0] else None

    def mark(self, table: str, connector: str, number: int) -> str:
        """Mark the table that shall come in, by a comment that no other table bears."""
        mark = f"insideout: {connector}, generation {number}, {uuid4().hex}"
        self._db.run(
            filled(
                "ALTER TABLE {table} COMMENT = {mark}",
                table=quoted(table),
                mark=text_literal(mark),
            )
        )
        return mark

    def begin_exchange(self, connector: str, pending: dict[str, Any]) -> None:
        """Fence all owners, and write down what shall be; within a transaction."""
        self._db.run(
            "INSERT INTO insideout_generations VALUES (%s, 0, %s, NULL, NULL, %s, NOW(6)) "
            "ON DUPLICATE KEY UPDATE pending = VALUES(pending)",
            [connector, pending["table"], json.dumps(pending)],
        )
        self._db.run(
            "UPDATE insideout_offsets SET epoch = epoch + 1 WHERE connector = %s", [connector]
        )

    def settle(self, connector: str) -> None:
        """Finish an exchange that somebody left pending."""
        if self._pending(connector) is not None:
            with self.turn(connector):
                self.finish_exchange(connector)

    def finish_exchange(self, connector: str) -> None:
        """Rename unless that is done, and record the generation; in one's turn.

        Where the tables cannot be renamed nothing is pending any more, and the error is raised.
        """
        pending = self._pending(connector)
        if pending is None:
            return
        if not self._is_in_place(pending):
            try:
                self._rename(pending)
            except pymysql.Error:
                if not self._is_in_place(pending):
                    self._withdraw(connector)
                    raise
        with self._db.transaction():
            self._record(connector, pending)
        for table in pending["drop"]:
            self.drop(table)

    def _is_in_place(self, pending: dict[str, Any]) -> bool:
        return self.comment_of(str(pending["table"])) == str(pending["mark"])

    def _rename(self, pending: dict[str, Any]) -> None:
        for table in pending["clear"]:
            self.drop(table)
        steps = ", ".join(
            f"{quoted(table)} TO {quoted(name)}" for table, name in pending["renames"]
        )
        # a reader's open transaction may keep the table; others wait behind us, so not for long
        self._db.run("SET SESSION lock_wait_timeout = %s", [_RENAME_SECONDS])
        try:
            self._db.run(filled("RENAME TABLE {steps}", steps=steps))
        finally:
            self._db.run("SET SESSION lock_wait_timeout = 30")

    def _withdraw(self, connector: str) -> None:
        with self._db.transaction():
            self._db.run(
                "UPDATE insideout_generations SET pending = NULL WHERE connector = %s", [connector]
            )
            self._db.run(
                "DELETE FROM insideout_generations WHERE connector = %s AND number = 0",
                [connector],
            )

    def _record(self, connector: str, pending: dict[str, Any]) -> None:
        self._db.run("DELETE FROM insideout_retired WHERE connector = %s", [connector])
        self._db.run(
            "INSERT INTO insideout_retired SELECT connector, topic, `partition`, next_offset "
            "FROM insideout_offsets WHERE connector = %s",
            [connector],
        )
        for topic, partition, offset in pending["offsets"]:
            self._db.run(
                "INSERT INTO insideout_offsets VALUES (%s, %s, %s, %s, 1) ON DUPLICATE KEY UPDATE "
                "next_offset = VALUES(next_offset), epoch = epoch + 1",
                [connector, topic, partition, offset],
            )
        self._db.run(
            "UPDATE insideout_generations SET number = %s, table_name = %s, layout = %s, "
            "retired_layout = %s, pending = NULL, live_at = NOW(6) WHERE connector = %s",
            [
                pending["number"],
                pending["table"],
                pending["layout"],
                pending["retired_layout"],
                connector,
            ],
        )


def _part(column: str, length: int | None) -> str:
    return f"{quoted(column)}({length})" if length else quoted(column)


def pending_of(
    live: Live, mark: str, retired: Layout | None, offsets: Mapping[Partition, int]
) -> dict[str, Any]:
    """Return an exchange as it is written down: `live` is what shall be.

    `renames` are its steps, `clear` the tables that must not stand in their way, `drop` those that
    go when all is done.
    """
    renames: list[tuple[str, str]] = []
    return {
        "number": live.number,
        "table": live.table,
        "mark": mark,
        "layout": live.layout.dump() if live.layout else None,
        "retired_layout": retired.dump() if retired else None,
        "offsets": [[*place, offset] for place, offset in sorted(offsets.items())],
        "renames": renames,
        "clear": [],
        "drop": [],
    }
