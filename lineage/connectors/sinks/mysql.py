"""MySQL and MariaDB as a target: strict, multi-row upserts, offsets in the same transaction.

Rows are sent as literals of INSERT statements and not by LOAD DATA LOCAL: that would turn values
which do not fit into warnings, and let a server ask the client for any of its files.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, ClassVar

from broker.records import Partition
from lineage.connectors.columns import Column, Layout, Row
from lineage.connectors.errors import FencedError, SinkMismatchError, SinkRefusedError
from lineage.connectors.sinks.bisect import find_refused
from lineage.connectors.sinks.changes import changed
from lineage.connectors.sinks.contract import Fence, Live, Position, retired_of, shadow_of
from lineage.connectors.sinks.mysql_books import MysqlBooks, pending_of
from lineage.connectors.sinks.mysql_connection import MysqlConnection, mapped
from lineage.connectors.sinks.mysql_types import (
    decoded,
    filled,
    literals,
    quoted,
    read_as,
    text_literal,
    type_of,
)
from lineage.connectors.sinks.ranges import HashedByReading

_STATEMENT_BYTES = 1 << 20
_LOAD_CHUNK = 20_000
_READ_CHUNK = 10_000
# longer lists of values MariaDB turns into a table to join with, which deletes cannot use
_DELETE_CHUNK = 500


class MysqlSink(HashedByReading):
    """One connection to one database, used by one thread."""

    kind: ClassVar[str] = "mysql"

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        """Connect to `mysql://user:password@host:port/database`."""
        with mapped():
            self._db = MysqlConnection(url, timeout)
            self._books = MysqlBooks(self._db)
            self._books.make()

    def close(self) -> None:
        """Let go of the connection."""
        self._db.close()

    def column_type(self, column: Column) -> str:
        """Return MySQL's type, as it is outside of a key."""
        return type_of(column, self._db.collation)

    @contextmanager
    def _awake(self) -> Iterator[MysqlBooks]:
        with mapped():
            self._db.wake()
            yield self._books

    @contextmanager
    def _write(self) -> Iterator[MysqlBooks]:
        """One transaction."""
        with self._awake() as books, self._db.transaction():
            yield books

    # -- whose turn it is -------------------------------------------------------------------------
    def live(self, connector: str) -> Live | None:
        """Return the live generation, if there is any."""
        with self._awake() as books:
            books.settle(connector)
            return books.live(connector)

    def positions(self, connector: str) -> dict[Partition, Position]:
        """Return where every partition stands."""
        with self._awake() as books:
            books.settle(connector)
            return books.positions(connector)

    def claim(
        self, connector: str, table: str, partitions: Sequence[Partition]
    ) -> tuple[Live, dict[Partition, Position]]:
        """Become the one owner of these partitions."""
        with self._awake() as books:
            books.settle(connector)
            with self._db.transaction():
                live = books.claim(connector, table, partitions)
                places = books.positions(connector)
        return live, {partition: places[partition] for partition in partitions}

    # -- tables -----------------------------------------------------------------------------------
    def _definition(self, column: Column, keys: int) -> str:
        """Return a column as DDL has it; one of `keys` columns of a primary key, or none of it."""
        null = " NOT NULL" if keys else ""
        return f"{quoted(column.name)} {type_of(column, self._db.collation, keys)}{null}"

    def _create(self, table: str, layout: Layout, comment: str = "") -> None:
        columns = ", ".join(
            self._definition(column, layout.keys if index < layout.keys else 0)
            for index, column in enumerate(layout.columns)
        )
        self._db.run(
            filled(
                "CREATE TABLE {table} ({columns}, PRIMARY KEY ({key})) ENGINE = InnoDB "
                "COMMENT = {comment}",
                table=quoted(table),
                columns=columns,
                key=", ".join(map(quoted, layout.key)),
                comment=text_literal(comment),
            )
        )

    def _add(self, table: str, columns: Iterable[Column]) -> None:
        steps = ", ".join(f"ADD COLUMN {self._definition(column, 0)}" for column in columns)
        if steps:
            self._db.run(filled("ALTER TABLE {table} {steps}", table=quoted(table), steps=steps))

    def shape(self, connector: str, generation: int, layout: Layout) -> Layout:
        """Create the live table, or add the columns it lacks.

        DDL ends a transaction, so the table is changed first: a column that is there already
        after a crash is taken as added.
        """
        with self._awake() as books:
            books.settle(connector)
            with books.turn(connector):
                live = books.live(connector)
                if live is None or live.number != generation:
                    raise FencedError(f"{connector}: generation {generation} is no longer live")
                held = live.layout
                if held is None:
                    self._make(connector, live.table, layout)
                    wider = layout
                else:
                    wider = held.evolved(layout.columns)
                    self._alter(live.table, changed(held, wider))
                    self._add_missing(live.table, wider.columns[len(held.columns) :])
                books.keep_layout(connector, wider)
        return wider

    def _make(self, connector: str, table: str, layout: Layout) -> None:
        """Create the live table; what a crash left of it is empty, and marked."""
        mark = f"insideout: {connector}, first generation"
        if self._books.comment_of(table) == mark:
            self._books.drop(table)
        if self._books.exists(table):
            raise SinkMismatchError(
                f"a table {table} is there already, and not of this connector's "
                "making: rename it, or regenerate to replace it"
            )
        self._create(table, layout, mark)

    def _add_missing(self, table: str, columns: Sequence[Column]) -> None:
        there = {name.casefold() for name in self._books.columns_of(table)}
        self._add(table, [column for column in columns if column.name.casefold() not in there])

    def widen(self, table: str, columns: Sequence[Column]) -> None:
        """Add columns to a table."""
        with self._awake():
            self._add(table, columns)

    def alter(self, table: str, columns: Sequence[Column]) -> None:
        """Give columns of a table wider types, keeping their values."""
        with self._awake():
            self._alter(table, columns)

    def _alter(self, table: str, columns: Sequence[Column]) -> None:
        if not columns:
            return
        key = self._books.key_of(table)
        steps = ", ".join(
            f"MODIFY COLUMN {self._definition(column, len(key) if column.name in key else 0)}"
            for column in columns
        )
        self._db.run(filled("ALTER TABLE {table} {steps}", table=quoted(table), steps=steps))

    def drop(self, table: str) -> None:
        """Drop a table, if there."""
        with self._awake() as books:
            books.drop(table)

    def count(self, table: str) -> int:
        """Count rows; 0 where there is no table."""
        with self._awake() as books:
            if not books.exists(table):
                return 0
            statement = filled("SELECT COUNT(*) FROM {table}", table=quoted(table))
            return int(self._db.rows(statement)[0][0])

    # -- rows -----------------------------------------------------------------------------------
    def _statements(
        self, table: str, layout: Layout, rows: Iterable[Row], *, anew: bool = False
    ) -> Iterator[bytes]:
        """Return upserts of at most a MiB each, or of one row; `anew`: a key twice is refused."""
        names = list(map(quoted, layout.names))
        # a key of its own changes nothing: what is there stays
        values = [f"{name} = VALUES({name})" for name in names[layout.keys :] or names[:1]]
        head = filled(
            "INSERT INTO {table} ({names}) VALUES ", table=quoted(table), names=", ".join(names)
        ).encode()
        tail = b"" if anew else f" ON DUPLICATE KEY UPDATE {', '.join(values)}".encode()
        room = self._db.most_bytes - len(head) - len(tail) - 1
        waiting: list[bytes] = []
        size = 0
        for row in literals(layout, rows):
            if len(row) > room:
                raise SinkRefusedError(
                    f"a row of {len(row)} bytes is more than the server's max_allowed_packet takes"
                )
            if waiting and size + len(row) + 1 > min(room, _STATEMENT_BYTES):
                yield head + b",".join(waiting) + tail
                waiting, size = [], 0
            waiting.append(row)
            size += len(row) + 1
        if waiting:
            yield head + b",".join(waiting) + tail

    @staticmethod
    def _deletions(table: str, layout: Layout, keys: Iterable[Any]) -> Iterator[bytes]:
        columns = layout.columns[: layout.keys]
        names = ", ".join(quoted(column.name) for column in columns)
        waiting = literals(Layout(columns, layout.keys), keys)
        while chunk := list(islice(waiting, _DELETE_CHUNK)):
            yield (
                filled(
                    "DELETE FROM {table} WHERE ({names}) IN (", table=quoted(table), names=names
                ).encode()
                + b",".join(chunk)
                + b")"
            )

    def merge(
        self,
        table: str,
        layout: Layout,
        upserts: Sequence[Row],
        deletes: Collection[tuple[Any, ...]],
        fence: Fence | None = None,
    ) -> None:
        """Write a batch, and its offsets under the fence.

        The statements are made before the transaction begins: its locks are held for little more
        than it takes to send them.
        """
        statements = [
            *self._statements(table, layout, upserts),
            *self._deletions(table, layout, deletes),
        ]
        with self._write() as books:
            if fence is not None:
                books.move(fence)
            for statement in statements:
                self._db.run(statement)

    def refusals(self, table: str, layout: Layout, rows: Sequence[Row]) -> dict[int, str]:
        """Find the rows that the server refuses."""

        def attempt(some: Sequence[Row]) -> None:
            statements = list(self._statements(table, layout, some))
            with self._awake(), self._db.trial():
                for statement in statements:
                    self._db.run(statement)

        return find_refused(rows, attempt)

    # -- a generation -----------------------------------------------------------------------------
    def load(self, table: str, layout: Layout, rows: Iterable[Row]) -> None:
        """Create a table and fill it, a transaction for each few thousand rows."""
        with self._awake() as books:
            books.drop(table)
            self._create(table, layout)
        waiting = iter(rows)
        while chunk := list(islice(waiting, _LOAD_CHUNK)):
            statements = list(self._statements(table, layout, chunk, anew=True))
            with self._write():
                for statement in statements:
                    self._db.run(statement)

    def read(self, table: str, layout: Layout) -> Iterator[Row]:
        """Read a table back as canonical rows, as they come over a connection of their own."""
        statement = filled(
            "SELECT {columns} FROM {table}",
            columns=", ".join(map(read_as, layout.columns)),
            table=quoted(table),
        )
        with mapped():
            yield from decoded(layout, self._db.stream(statement, _READ_CHUNK))

    def read_keys(self, table: str, layout: Layout, keys: Collection[tuple[Any, ...]]) -> list[Row]:
        """Read the rows of some keys."""
        columns = layout.columns[: layout.keys]
        waiting = literals(Layout(columns, layout.keys), map(list, keys))
        found: list[Row] = []
        with self._awake():
            while chunk := list(islice(waiting, _DELETE_CHUNK)):
                statement = filled(
                    "SELECT {columns} FROM {table} WHERE ({key}) IN (",
                    columns=", ".join(map(read_as, layout.columns)),
                    table=quoted(table),
                    key=", ".join(map(quoted, layout.key)),
                )
                rows = self._db.rows(statement.encode() + b",".join(chunk) + b")")
                found += decoded(layout, iter(rows))
        return found

    # -- notes ------------------------------------------------------------------------------------
    def note(self, connector: str, name: str, content: str | None) -> None:
        """Keep a note under a name; None removes it."""
        with self._write() as books:
            books.note(connector, name, content)

    def noted(self, connector: str, name: str) -> str | None:
        """Return a note."""
        with self._awake() as books:
            return books.noted(connector, name)

    def restart(self, connector: str, topics: Collection[str]) -> None:
        """Let the partitions of topics begin at their beginning; fences their owners."""
        with self._write() as books:
            books.restart(connector, topics)

    def swap(
        self, connector: str, live: Live, layout: Layout, offsets: Mapping[Partition, int]
    ) -> None:
        """Exchange the tables, and record the generation: see `mysql_books`."""
        shadow = shadow_of(live.table)
        with self._awake() as books, books.turn(connector):
            books.finish_exchange(connector)
            books.copy_indexes(live.table, shadow)
            mark = books.mark(shadow, connector, live.number)
            with self._db.transaction():
                before = books.check_swap(connector, live, offsets)
                entering = Live(live.number, live.table, layout)
                pending = pending_of(entering, mark, before.layout if before else None, offsets)
                if before and books.exists(before.table):
                    kept = retired_of(before.table, before.number)
                    pending["renames"].append((before.table, kept))
                    pending["clear"].append(kept)
                    pending["drop"].append(retired_of(before.table, live.number - 2))
                elif books.exists(live.table):
                    pending["renames"].append((live.table, retired_of(live.table, 0)))
                pending["renames"].append((shadow, live.table))
                books.begin_exchange(connector, pending)
            books.finish_exchange(connector)

    def roll_back(self, connector: str) -> Live:
        """Make the retired generation the live one again, at the offsets where it was left."""
        with self._awake() as books, books.turn(connector):
            books.finish_exchange(connector)
            live, layout = books.live(connector), books.retired_layout(connector)
            if live is None or layout is None:
                raise SinkMismatchError(f"{connector}: no retired generation is kept")
            retired = retired_of(live.table, live.number - 1)
            if not books.exists(retired):
                raise SinkMismatchError(f"{connector}: the retired table {retired} is gone")
            again = Live(live.number + 1, live.table, Layout.load(layout))
            mark = books.mark(retired, connector, again.number)
            with self._db.transaction():
                if books.live(connector, "FOR UPDATE") != live:
                    raise FencedError(f"{connector}: another generation was swapped in meanwhile")
                offsets = dict.fromkeys(books.positions(connector), -1)
                offsets |= books.retired_offsets(connector)
                pending = pending_of(again, mark, live.layout, offsets)
                if books.exists(live.table):
                    kept = retired_of(live.table, live.number)
                    pending["renames"].append((live.table, kept))
                    pending["clear"].append(kept)
                pending["renames"].append((retired, live.table))
                books.begin_exchange(connector, pending)
            books.finish_exchange(connector)
        return again
