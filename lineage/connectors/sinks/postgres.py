"""PostgreSQL as a target: binary COPY, set-based upserts, a swap by rename."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, ClassVar, LiteralString

import psycopg
from psycopg import sql

from broker.records import Partition
from lineage.connectors.columns import Column, Digest, Layout, Row
from lineage.connectors.errors import (
    FencedError,
    SinkError,
    SinkMismatchError,
)
from lineage.connectors.sinks import postgres_ranges
from lineage.connectors.sinks.bisect import find_refused
from lineage.connectors.sinks.contract import (
    Fence,
    Live,
    Part,
    Position,
    TakesPacked,
    retired_of,
    shadow_of,
)
from lineage.connectors.sinks.postgres_alter import alter_columns, declared_type, make_view
from lineage.connectors.sinks.postgres_books import PostgresBooks
from lineage.connectors.sinks.postgres_connection import connected, index_beside, mapped
from lineage.connectors.sinks.postgres_dependents import Dependents, Moves
from lineage.connectors.sinks.postgres_staging import (
    Staging,
    listed,
    named,
    pages_of,
    read_packed,
    send_frozen,
    send_packed_frozen,
)
from lineage.connectors.sinks.postgres_types import (
    as_numbers,
    decoded,
    read_as,
    type_of,
)

_READ_CHUNK = 10_000
_SHADOW = shadow_of("")


class PostgresSink:
    """One connection to one database, used by one thread."""

    kind: ClassVar[str] = "postgresql"

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        """Connect to `postgresql://…`, a libpq URL."""
        self._url = url
        with mapped():
            self._db = connected(url, timeout)
            self._books = PostgresBooks(self._db)
            self._books.make()
        self._staging = Staging(self._db)
        self._dependents = Dependents(self._db)

    def close(self) -> None:
        """Let go of the connection."""
        self._db.close()

    def column_type(self, column: Column) -> str:
        """Return PostgreSQL's type: instants are timestamptz, exact decimals numeric."""
        return type_of(column)

    # -- whose turn it is -------------------------------------------------------------------------
    def live(self, connector: str) -> Live | None:
        """Return the live generation, if there is any."""
        with mapped():
            return self._books.live(connector)

    def positions(self, connector: str) -> dict[Partition, Position]:
        """Return where every partition stands."""
        with mapped():
            return self._books.positions(connector)

    def claim(
        self, connector: str, table: str, partitions: Sequence[Partition]
    ) -> tuple[Live, dict[Partition, Position]]:
        """Become the one owner of these partitions."""
        with mapped(), self._db.transaction():
            return self._books.claim(connector, table, partitions)

    def note(self, connector: str, name: str, content: str | None) -> None:
        """Keep a note under a name; None removes it."""
        with mapped(), self._db.transaction():
            self._books.note(connector, name, content)

    def noted(self, connector: str, name: str) -> str | None:
        """Return a note."""
        with mapped():
            return self._books.noted(connector, name)

    def restart(self, connector: str, topics: Collection[str]) -> None:
        """Let the partitions of topics begin at their beginning; fences their owners."""
        with mapped(), self._db.transaction():
            self._books.restart(connector, topics)

    # -- tables -----------------------------------------------------------------------------------
    def _exists(self, table: str) -> bool:
        found = self._db.execute("SELECT to_regclass(%s) IS NOT NULL", (f'"{table}"',)).fetchone()
        return bool(found and found[0])

    def _create(self, table: str, layout: Layout) -> None:
        columns = sql.SQL(", ").join(
            sql.SQL("{} {} {}").format(
                sql.Identifier(column.name),
                declared_type(column),
                # an index becomes the primary key at once where its columns are so already
                sql.SQL("NOT NULL" if at < layout.keys else ""),
            )
            for at, column in enumerate(layout.columns)
        )
        self._db.execute(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(table), columns))

    def _add_key(self, table: str, layout: Layout) -> None:
        self._db.execute(
            sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(
                sql.Identifier(table), listed(layout.key)
            )
        )

    def _add(self, table: str, columns: Iterable[Column]) -> None:
        for column in columns:
            self._db.execute(
                sql.SQL("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {} {}").format(
                    sql.Identifier(table),
                    sql.Identifier(column.name),
                    declared_type(column),
                )
            )

    def shape(self, connector: str, generation: int, layout: Layout) -> Layout:
        """Create the live table, or add the columns it lacks."""
        with mapped(), self._db.transaction():
            live = self._books.live(connector, self._books.alone)
            if live is None or live.number != generation:
                raise FencedError(f"{connector}: generation {generation} is no longer live")
            held = live.layout
            if held is None:
                if self._exists(live.table):
                    raise SinkMismatchError(
                        f"a table {live.table} is there already, and not of this connector's "
                        "making: rename it, or regenerate to replace it"
                    )
                self._create(live.table, layout)
                self._add_key(live.table, layout)
                wider = layout
            else:
                wider = held.evolved(layout.columns)
                alter_columns(self._db, live.table, held.altered(wider))
                self._add(live.table, wider.columns[len(held.columns) :])
            self._books.keep_layout(connector, wider)
        return wider

    def alter(self, table: str, columns: Sequence[Column]) -> None:
        """Change the types of columns in place, where that takes no reader long."""
        with mapped(), self._db.transaction():
            alter_columns(self._db, table, columns)
        self._staging.forget()

    def show_history(self, table: str, layout: Layout) -> None:
        """Make the view of a history anew."""
        with mapped():
            make_view(self._db, table, layout)

    def widen(self, table: str, columns: Sequence[Column]) -> None:
        """Add columns to a table."""
        with mapped(), self._db.transaction():
            self._add(table, columns)

    def drop(self, table: str) -> None:
        """Drop a table, if there."""
        with mapped():
            self._drop(table)

    def _drop(self, table: str) -> None:
        """Drop a table; of a shadow also what was built to stand on it."""
        line: LiteralString = "DROP TABLE IF EXISTS {table}"
        if table == shadow_of(table.removesuffix(_SHADOW)):
            line = "DROP TABLE IF EXISTS {table} CASCADE"
        self._db.execute(named(line, table=table))

    def count(self, table: str) -> int:
        """Count rows; 0 where there is no table."""
        with mapped():
            if not self._exists(table):
                return 0
            found = self._db.execute(named("SELECT count(*) FROM {table}", table=table)).fetchone()
            return int(found[0]) if found else 0

    # -- rows -----------------------------------------------------------------------------------
    def merge(
        self,
        table: str,
        layout: Layout,
        upserts: Sequence[Row],
        deletes: Collection[tuple[Any, ...]],
        fence: Fence | None = None,
    ) -> None:
        """Write a batch, and its offsets under the fence.

        The rows are sent before the fence is passed: a process frozen while sending holds no lock.
        """
        with self._merging(table, layout, fence, upserts=bool(upserts), deletes=bool(deletes)):
            self._staging.send(table, layout, upserts, deletes)

    def merge_packed(
        self,
        table: str,
        layout: Layout,
        upserts: Sequence[bytes],
        deletes: Collection[tuple[Any, ...]],
        fence: Fence | None = None,
    ) -> None:
        """As `merge`, of rows that are bytes already."""
        with self._merging(table, layout, fence, upserts=bool(upserts), deletes=bool(deletes)):
            self._staging.send_packed(table, layout, upserts)
            self._staging.send(table, layout, (), deletes)

    @contextmanager
    def _merging(
        self, table: str, layout: Layout, fence: Fence | None, *, upserts: bool, deletes: bool
    ) -> Iterator[None]:
        """Write what is sent within, if the fence holds still."""
        try:
            with mapped(), self._db.transaction():
                yield
                if fence is not None:
                    self._books.pass_fence(fence)
                self._staging.apply(table, layout, upserts=upserts, deletes=deletes)
        except SinkError:
            self._staging.forget()
            raise

    def refusals(self, table: str, layout: Layout, rows: Sequence[Row]) -> dict[int, str]:
        """Find the rows that PostgreSQL refuses."""

        def attempt(some: Sequence[Row]) -> None:
            self._staging.forget()
            try:
                with mapped(), self._db.transaction(force_rollback=True):
                    if not self._exists(table):
                        self._create(table, layout)
                        self._add_key(table, layout)
                    self._staging.send(table, layout, some, ())
                    self._staging.apply(table, layout, upserts=True, deletes=False)
            finally:
                self._staging.forget()

        return find_refused(rows, attempt)

    # -- a generation -----------------------------------------------------------------------------
    def load(self, table: str, layout: Layout, rows: Iterable[Row]) -> None:
        """Create a table, fill it by COPY with frozen rows, then build its key."""
        with self._made(table, layout):
            send_frozen(self._db, table, layout, rows)
            self._add_key(table, layout)
        with mapped():
            self._db.execute(named("ANALYZE {table}", table=table))

    def load_packed(self, table: str, layout: Layout, pieces: Iterable[bytes]) -> None:
        """As `load`, of rows that are bytes already, and without the key."""
        with self._made(table, layout):
            send_packed_frozen(self._db, table, layout, pieces)

    @contextmanager
    def _made(self, table: str, layout: Layout) -> Iterator[None]:
        """Create a table for somebody to fill within the same transaction."""
        with mapped(), self._db.transaction():
            self._db.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            self._drop(table)
            self._create(table, layout)
            yield

    @contextmanager
    def adding_key(self, table: str, layout: Layout) -> Iterator[None]:
        """Build the key's index, and ANALYZE, on a connection beside ours."""
        with mapped(), index_beside(self._url, table, layout.key) as built:
            yield
            index = built()
        with mapped():
            if index:
                line: LiteralString = "ALTER TABLE {table} ADD PRIMARY KEY USING INDEX {index}"
                self._db.execute(named(line, table=table, index=index))
            else:
                self._add_key(table, layout)
                self._db.execute(named("ANALYZE {table}", table=table))

    def read_packed(
        self, table: str, layout: Layout, part: Part | None = None
    ) -> Iterator[list[bytes]]:
        """Read a table back, or its pages from one to another, as COPY sends it."""
        with mapped(), self._db.transaction():
            self._db.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield from read_packed(self._db, table, layout, part)

    def parts(self, table: str) -> list[Part]:
        """Return ranges of pages."""
        with mapped():
            return pages_of(self._db, table)

    def opener(self) -> Callable[[], TakesPacked]:
        """Return what connects anew."""
        return partial(PostgresSink, self._url)

    def read(self, table: str, layout: Layout) -> Iterator[Row]:
        """Read a table back as canonical rows, through a server-side cursor."""
        columns = sql.SQL(", ").join(read_as(column) for column in layout.columns)
        canonical = decoded(layout)
        statement = sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(table))
        with (
            mapped(),
            self._db.transaction(),
            self._db.cursor("insideout_read", binary=True) as cursor,
        ):
            self._db.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            as_numbers(cursor)
            cursor.itersize = _READ_CHUNK
            cursor.execute(statement)
            for row in cursor:
                yield canonical(row)

    def read_keys(self, table: str, layout: Layout, keys: Collection[tuple[Any, ...]]) -> list[Row]:
        """Read the rows of some keys, by the primary key's index."""
        if not keys:
            return []
        canonical = decoded(layout)
        try:
            with mapped(), self._db.transaction():
                self._staging.send(table, layout, (), keys)
                with self._db.cursor("insideout_keys", binary=True) as cursor:
                    as_numbers(cursor)
                    cursor.execute(self._staging.rows_of_keys(table, layout))
                    return [canonical(row) for row in cursor.fetchall()]
        except SinkError:
            self._staging.forget()
            raise

    # -- an audit ---------------------------------------------------------------------------------
    def hash_ranges(self, table: str, layout: Layout, ranges: int) -> dict[int, Digest]:
        """Return the digest of each range of keys, computed by the server."""
        with mapped():
            return postgres_ranges.hash_ranges(self._db, table, layout, ranges)

    def read_ranges(
        self, table: str, layout: Layout, ranges: int, wanted: Collection[int]
    ) -> Iterator[Row]:
        """Read the rows of some ranges of keys."""
        with mapped():
            yield from postgres_ranges.read_ranges(self._db, table, layout, ranges, wanted)

    @contextmanager
    def snapshot(self, table: str) -> Iterator[None]:
        """Read as of one moment, REPEATABLE READ."""
        with mapped(), postgres_ranges.snapshot(self._db, table):
            yield

    def swap(
        self, connector: str, live: Live, layout: Layout, offsets: Mapping[Partition, int]
    ) -> None:
        """Rename, move offsets and epochs, and record the generation, in one transaction."""
        shadow = shadow_of(live.table)
        with mapped(), self._db.transaction():
            self._dependents.build(live.table, shadow)
        with mapped(), self._db.transaction():
            before, places = self._books.check_swap(connector, live, offsets)
            self._books.put_offsets(connector, offsets)
            self._books.put_live(connector, Live(live.number, live.table, layout))
            self._books.retire(connector, before, places)
            behind = self._replace(before or Live(0, live.table, None), live.table, shadow)
        self._staging.forget()
        with mapped():
            kept = retired_of(live.table, live.number - 2)
            self._db.execute(named("DROP TABLE IF EXISTS {table}", table=kept))
        self._finish(behind)

    def _replace(self, before: Live, table: str, replacement: str) -> tuple[str, ...]:
        """Let a table take the place of the live one; return what is left to be said.

        Who waits for the lock lets all others wait behind: better to try again soon.
        """
        moves = Moves((), (), ())
        if self._exists(before.table):
            kept = retired_of(before.table, before.number)
            self._db.execute(named("DROP TABLE IF EXISTS {table}", table=kept))
            moves = self._dependents.moves(before.table, before.number)
            self._db.execute("SET LOCAL lock_timeout = '40ms'")
            self._db.execute(
                named("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE", table=before.table)
            )
            self._dependents.say(moves.before)
            self._rename(before.table, kept)
        self._rename(replacement, table)
        self._dependents.say(moves.after)
        return moves.behind

    def _finish(self, behind: tuple[str, ...]) -> None:
        """Say what may fail: a foreign key that the new rows violate stays unvalidated."""
        for line in behind:
            with suppress(psycopg.Error):
                self._db.execute(line.encode())

    def roll_back(self, connector: str) -> Live:
        """Make the retired generation live again, at its offsets; it gets the next number."""
        with mapped(), self._db.transaction():
            found = self._books.retired(connector)
            now = self._books.live(connector, self._books.alone)
            if found is None or now is None or not self._exists(found[0]):
                raise SinkMismatchError(f"{connector}: no retired generation to go back to")
            table, layout = found
            places = self._books.positions(connector)
            retired = self._books.retired_offsets(connector)
            number = int(table.rpartition("__g")[2])
            self._dependents.reclaim(table, number)
            self._dependents.build(now.table, table)
            live = Live(now.number + 1, now.table, layout)
            begin = dict.fromkeys(places, -1)
            self._books.put_offsets(connector, begin | retired)
            self._books.put_live(connector, live)
            self._books.retire(connector, now, places)
            behind = self._replace(now, now.table, table)
        self._staging.forget()
        self._finish(behind)
        return live

    def _rename(self, table: str, name: str) -> None:
        self._db.execute(named("ALTER TABLE {table} RENAME TO {name}", table=table, name=name))
