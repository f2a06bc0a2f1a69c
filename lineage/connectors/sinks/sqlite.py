"""SQLite as a target: WAL, so that readers never wait; every write transaction IMMEDIATE.

Instants are text in ISO 8601 (UTC, `Z`), decimals and UUIDs text, JSON and arrays JSON text.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from broker.records import Partition
from lineage.connectors.columns import Column, Digest, Layout, Row
from lineage.connectors.errors import (
    FencedError,
    SinkError,
    SinkMismatchError,
    SinkRefusedError,
    SinkUnavailableError,
    TargetInvalidError,
)
from lineage.connectors.sinks import sqlite_ranges
from lineage.connectors.sinks.bisect import find_refused
from lineage.connectors.sinks.contract import (
    Fence,
    Live,
    Position,
    retired_of,
    shadow_of,
)
from lineage.connectors.sinks.history_view import select_history, view_of
from lineage.connectors.sinks.sqlite_alter import alter_columns
from lineage.connectors.sinks.sqlite_books import SqliteBooks
from lineage.connectors.sinks.sqlite_types import decoded, encoded, quoted, type_of

# a statement takes 32,766 values
_KEYS_AT_ONCE = 500
_LOAD_CHUNK = 20_000


def _sql(template: str, **parts: str) -> str:
    """Fill quoted identifiers and lists of them into a statement; values are always bound."""
    return template.format(**parts)


class SqliteSink:
    """One connection to one database file, used by one thread."""

    kind: ClassVar[str] = "sqlite"

    def __init__(self, url: str, timeout: float = 20.0) -> None:
        """Open `sqlite:///PATH`, making the file and its folder."""
        path = Path(unquote(urlsplit(url).path[1:]))
        if not path.name:
            raise TargetInvalidError("sqlite:///PATH needs a path")
        with _mapped():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise SinkUnavailableError(str(error)) from error
            self._db = sqlite3.connect(path, timeout, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            # views go on naming the table, whichever generation bears its name
            self._db.execute("PRAGMA legacy_alter_table=ON")
            self._books = SqliteBooks(self._db)
            self._books.make()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def column_type(self, column: Column) -> str:
        """Return SQLite's type: what it cannot hold exactly is text."""
        return type_of(column)

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """One write transaction, its lock taken at once."""
        with _mapped():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    # -- whose turn it is -------------------------------------------------------------------------
    def live(self, connector: str) -> Live | None:
        """Return the live generation, if there is any."""
        with _mapped():
            return self._books.live(connector)

    def positions(self, connector: str) -> dict[Partition, Position]:
        """Return where every partition stands."""
        with _mapped():
            return self._books.positions(connector)

    def claim(
        self, connector: str, table: str, partitions: Sequence[Partition]
    ) -> tuple[Live, dict[Partition, Position]]:
        """Become the one owner of these partitions."""
        with self._write():
            return self._books.claim(connector, table, partitions)

    # -- tables -----------------------------------------------------------------------------------
    def _exists(self, table: str) -> bool:
        return bool(
            self._db.execute(
                "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)
            ).fetchone()
        )

    def _create(self, table: str, layout: Layout) -> None:
        columns = ", ".join(
            f"{quoted(column.name)} {self.column_type(column)}"
            + (" NOT NULL" if column.name in layout.key else "")
            for column in layout.columns
        )
        key = ", ".join(map(quoted, layout.key))
        self._db.execute(
            f"CREATE TABLE {quoted(table)} ({columns}, PRIMARY KEY ({key})) WITHOUT ROWID"
        )

    def _add(self, table: str, columns: Iterable[Column]) -> None:
        for column in columns:
            self._db.execute(
                f"ALTER TABLE {quoted(table)} ADD COLUMN "
                f"{quoted(column.name)} {self.column_type(column)}"
            )

    def shape(self, connector: str, generation: int, layout: Layout) -> Layout:
        """Create the live table, or add the columns it lacks."""
        with self._write() as db:
            live = self._books.live(connector)
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
                wider = layout
            else:
                wider = held.evolved(layout.columns)
                alter_columns(db, live.table, held.altered(wider), held.key)
                self._add(live.table, wider.columns[len(held.columns) :])
            self._books.keep_layout(connector, wider)
        return wider

    def alter(self, table: str, columns: Sequence[Column]) -> None:
        """Change the types of columns in place; a column of the key cannot be."""
        with self._write() as db:
            alter_columns(db, table, columns)

    def show_history(self, table: str, layout: Layout) -> None:
        """Make the view of a history anew."""
        view = quoted(view_of(table))
        with self._write() as db:
            db.execute(f"DROP VIEW IF EXISTS {view}")
            db.execute(f"CREATE VIEW {view} AS {select_history(table, layout, quoted)}")

    def widen(self, table: str, columns: Sequence[Column]) -> None:
        """Add columns to a table."""
        with self._write():
            self._add(table, columns)

    def drop(self, table: str) -> None:
        """Drop a table, if there."""
        with self._write() as db:
            db.execute(f"DROP TABLE IF EXISTS {quoted(table)}")

    def count(self, table: str) -> int:
        """Count rows; 0 where there is no table."""
        with _mapped():
            if not self._exists(table):
                return 0
            statement = _sql("SELECT count(*) FROM {table}", table=quoted(table))
            return int(self._db.execute(statement).fetchone()[0])

    # -- rows -----------------------------------------------------------------------------------
    def _upsert(self, table: str, layout: Layout) -> str:
        names = [quoted(name) for name in layout.names]
        values = [f"{name} = excluded.{name}" for name in names[layout.keys :]]
        return _sql(
            "INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT ({key}) DO {action}",
            table=quoted(table),
            names=", ".join(names),
            marks=", ".join("?" * len(names)),
            key=", ".join(names[: layout.keys]),
            action=f"UPDATE SET {', '.join(values)}" if values else "NOTHING",
        )

    def _put(self, table: str, layout: Layout, rows: Iterable[Row]) -> None:
        self._run(self._upsert(table, layout), layout, rows)

    def _insert(self, table: str, layout: Layout, rows: Iterable[Row]) -> None:
        marks = ", ".join("?" * len(layout.columns))
        statement = _sql("INSERT INTO {table} VALUES ({marks})", table=quoted(table), marks=marks)
        self._run(statement, layout, rows)

    def _run(self, statement: str, layout: Layout, rows: Iterable[Row]) -> None:
        try:
            self._db.executemany(statement, encoded(layout, rows))
        except (OverflowError, ValueError, sqlite3.IntegrityError, sqlite3.DataError) as error:
            raise SinkRefusedError(str(error)) from error
        except (sqlite3.InterfaceError, sqlite3.ProgrammingError) as error:
            raise SinkRefusedError(str(error)) from error

    def merge(
        self,
        table: str,
        layout: Layout,
        upserts: Sequence[Row],
        deletes: Collection[tuple[Any, ...]],
        fence: Fence | None = None,
    ) -> None:
        """Write a batch, and its offsets under the fence."""
        with self._write() as db:
            if fence is not None:
                self._books.pass_fence(fence)
            if upserts:
                self._put(table, layout, upserts)
            if deletes:
                where = " AND ".join(f"{quoted(name)} = ?" for name in layout.key)
                keys = Layout(layout.columns[: layout.keys], layout.keys)
                db.executemany(
                    _sql("DELETE FROM {table} WHERE {where}", table=quoted(table), where=where),
                    encoded(keys, (list(key) for key in deletes)),
                )

    def refusals(self, table: str, layout: Layout, rows: Sequence[Row]) -> dict[int, str]:
        """Find the rows that SQLite refuses."""

        def attempt(some: Sequence[Row]) -> None:
            with self._write() as db:
                db.execute("SAVEPOINT attempt")
                try:
                    self._put(table, layout, some)
                finally:
                    db.execute("ROLLBACK TO attempt")

        return find_refused(rows, attempt)

    # -- a generation -----------------------------------------------------------------------------
    def load(self, table: str, layout: Layout, rows: Iterable[Row]) -> None:
        """Create a table and fill it, in transactions short enough for the live copy to go on."""
        with self._write() as db:
            db.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
            self._create(table, layout)
        waiting = iter(rows)
        while chunk := list(islice(waiting, _LOAD_CHUNK)):
            with self._write():
                self._insert(table, layout, chunk)

    def read(self, table: str, layout: Layout) -> Iterator[Row]:
        """Read a table back as canonical rows."""
        names = ", ".join(map(quoted, layout.names))
        with _mapped():
            statement = _sql("SELECT {names} FROM {table}", names=names, table=quoted(table))
            for row in self._db.execute(statement):
                yield decoded(layout, row)

    def read_keys(self, table: str, layout: Layout, keys: Collection[tuple[Any, ...]]) -> list[Row]:
        """Read the rows of some keys."""
        key = Layout(layout.columns[: layout.keys], layout.keys)
        one = f"({', '.join('?' * layout.keys)})"
        waiting = encoded(key, map(list, keys))
        found: list[Row] = []
        with _mapped():
            while some := list(islice(waiting, _KEYS_AT_ONCE)):
                statement = _sql(
                    "SELECT {names} FROM {table} WHERE ({key}) IN (VALUES {values})",
                    names=", ".join(map(quoted, layout.names)),
                    table=quoted(table),
                    key=", ".join(map(quoted, layout.key)),
                    values=", ".join([one] * len(some)),
                )
                rows = self._db.execute(statement, list(chain.from_iterable(some)))
                found += [decoded(layout, row) for row in rows]
        return found

    # -- an audit ---------------------------------------------------------------------------------
    def hash_ranges(self, table: str, layout: Layout, ranges: int) -> dict[int, Digest]:
        """Return the digest of each range of keys."""
        with _mapped():
            return sqlite_ranges.hash_ranges(self._db, table, layout, ranges)

    def read_ranges(
        self, table: str, layout: Layout, ranges: int, wanted: Collection[int]
    ) -> Iterator[Row]:
        """Read the rows of some ranges of keys."""
        with _mapped():
            yield from sqlite_ranges.read_ranges(self._db, table, layout, ranges, wanted)

    @contextmanager
    def snapshot(self, table: str) -> Iterator[None]:
        """Read as of one moment, in one read transaction."""
        with _mapped(), sqlite_ranges.snapshot(self._db, table):
            yield

    def swap(
        self, connector: str, live: Live, layout: Layout, offsets: Mapping[Partition, int]
    ) -> None:
        """Rename, move offsets and epochs, and record the generation, in one transaction."""
        with self._write() as db:
            before, places = self._books.check_swap(connector, live, offsets)
            db.execute(f"DROP TABLE IF EXISTS {quoted(retired_of(live.table, live.number - 2))}")
            self._books.put_offsets(connector, offsets)
            self._books.put_live(connector, Live(live.number, live.table, layout))
            self._books.retire(connector, before, places)
            self._replace(before or Live(0, live.table, None), live.table, shadow_of(live.table))

    def _replace(self, before: Live, table: str, replacement: str) -> None:
        """Let a table take the place of the live one, with its indexes and triggers.

        Views read by name and need nothing; readers go on in the state before (WAL).
        """
        standing: list[tuple[str, str, str]] = []
        if self._exists(before.table):
            standing = self._db.execute(
                "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = ? "
                "AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY type, name",
                (before.table,),
            ).fetchall()
            for kind, name, _ in standing:
                self._db.execute(f"DROP {kind} {quoted(name)}")
            kept = retired_of(before.table, before.number)
            self._db.execute(f"DROP TABLE IF EXISTS {quoted(kept)}")
            self._db.execute(f"ALTER TABLE {quoted(before.table)} RENAME TO {quoted(kept)}")
        self._db.execute(f"ALTER TABLE {quoted(replacement)} RENAME TO {quoted(table)}")
        for _, _, statement in standing:
            self._db.execute(statement)

    def roll_back(self, connector: str) -> Live:
        """Make the retired generation live again, at its offsets; it gets the next number."""
        with self._write():
            found, now = self._books.retired(connector), self._books.live(connector)
            if found is None or now is None or not self._exists(found[0]):
                raise SinkMismatchError(f"{connector}: no retired generation to go back to")
            table, layout = found
            places = self._books.positions(connector)
            retired = self._books.retired_offsets(connector)
            live = Live(now.number + 1, now.table, layout)
            self._books.put_offsets(connector, dict.fromkeys(places, -1) | retired)
            self._books.put_live(connector, live)
            self._books.retire(connector, now, places)
            self._replace(now, now.table, table)
        return live

    # -- notes ------------------------------------------------------------------------------------
    def note(self, connector: str, name: str, content: str | None) -> None:
        """Keep a note under a name; None removes it."""
        with self._write():
            self._books.note(connector, name, content)

    def noted(self, connector: str, name: str) -> str | None:
        """Return a note."""
        with _mapped():
            return self._books.noted(connector, name)

    def restart(self, connector: str, topics: Collection[str]) -> None:
        """Let the partitions of topics begin at their beginning; fences their owners."""
        with self._write():
            self._books.restart(connector, topics)


@contextmanager
def _mapped() -> Iterator[None]:
    """Raise SQLite's errors as ours: busy or unreachable, not as left, or merely failed."""
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "no such" in text or "has no column" in text or "already exists" in text:
            raise SinkMismatchError(f"{text}: regenerate") from error
        raise SinkUnavailableError(text) from error
    except sqlite3.DatabaseError as error:
        raise SinkError(str(error)) from error
