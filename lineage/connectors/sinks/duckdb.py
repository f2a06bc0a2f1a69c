"""DuckDB as a target: batches come in through Arrow, the file is held for one transaction only.

DuckDB lets one process have a file, readers included. So it is opened for each transaction and
let go of behind it: in between, analysts and other workers get their turn, and each waits for the
other a while. Within a process writers wait for each other instead of conflicting.
"""

import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

import duckdb

from broker.records import Partition
from lineage.connectors.columns import Column, Layout, Row
from lineage.connectors.errors import (
    FencedError,
    SinkError,
    SinkMismatchError,
    SinkRefusedError,
    SinkUnavailableError,
    TargetInvalidError,
)
from lineage.connectors.sinks.arrow import table_of
from lineage.connectors.sinks.bisect import find_refused
from lineage.connectors.sinks.changes import changed
from lineage.connectors.sinks.contract import Fence, Live, Position, shadow_of
from lineage.connectors.sinks.duckdb_books import (
    DuckdbBooks,
    exists,
    put_aside,
    put_indexes,
    rename,
    run,
    take_indexes,
)
from lineage.connectors.sinks.duckdb_types import (
    decoded,
    filled,
    quoted,
    read_as,
    type_of,
    written,
)
from lineage.connectors.sinks.ranges import HashedByReading

_SETTINGS = frozenset({"memory_limit", "threads", "temp_directory"})
_BATCH = "insideout_batch"
_DELETES = "insideout_deletes"
_LOAD_CHUNK = 100_000
_READ_CHUNK = 10_000
_PAUSE = 0.02

_gates: dict[Path, threading.Lock] = {}
_gates_lock = threading.Lock()
# One thread of a process opens or closes a file at a time. Connections of a process share what is
# opened, and one that comes while another opens it finds it half made: without tables, or without
# the function that reads Arrow. Entered again where a forgotten reader is collected within it.
_door = threading.RLock()


def _gate_of(path: Path) -> threading.Lock:
    """Return the lock by which this process's writers of one file take turns."""
    with _gates_lock:
        return _gates.setdefault(path, threading.Lock())


def _close(db: duckdb.DuckDBPyConnection) -> None:
    """Let go of the file; the last of a process to do so writes its log into it."""
    with _door:
        db.close()


class DuckdbSink(HashedByReading):
    """One database file; a connection is opened for each transaction."""

    kind: ClassVar[str] = "duckdb"

    def __init__(self, url: str, timeout: float = 20.0) -> None:
        """Open `duckdb:///PATH`, making the file and its folder; waits `timeout` s for its turn."""
        parts = urlsplit(url)
        path = Path(unquote(parts.path[1:]))
        if not path.name or parts.netloc:
            raise TargetInvalidError("duckdb:///PATH needs a path")
        self._settings: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": False,
            **dict(parse_qsl(parts.query)),
        }
        unknown = {name for name, _ in parse_qsl(parts.query)} - _SETTINGS
        if unknown:
            raise TargetInvalidError(
                f"duckdb:///PATH: unknown {', '.join(sorted(unknown))} "
                f"(known: {', '.join(sorted(_SETTINGS))})"
            )
        # by one name: under two, a process would have the file open twice, and lock itself not out
        self._path = path.resolve()
        self._timeout = timeout
        self._gate = _gate_of(self._path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkUnavailableError(str(error)) from error
        self._made = False
        with self._write() as db:
            DuckdbBooks(db).make()
        self._made = True

    def close(self) -> None:
        """Nothing is held between transactions."""

    def column_type(self, column: Column) -> str:
        """Return DuckDB's type."""
        return type_of(column)

    # -- connections ------------------------------------------------------------------------------
    def _connect(self) -> duckdb.DuckDBPyConnection:
        """Open the file, waiting for another process to let go of it."""
        end = time.monotonic() + self._timeout
        while True:
            try:
                with _door:
                    db = duckdb.connect(self._path, config=self._settings)
            except duckdb.IOException as error:
                if "lock" not in str(error):
                    raise
                if time.monotonic() > end:
                    raise SinkUnavailableError(
                        f"another process has had {self._path} open for {self._timeout:g} s; "
                        f"DuckDB lets one at a time: {_first_line(error)}"
                    ) from error
            else:
                if not self._made or exists(db, "insideout_generations"):
                    return db
                _close(db)
                if time.monotonic() > end:
                    raise SinkMismatchError(f"{self._path} has lost its tables: regenerate")
            time.sleep(_PAUSE)

    @contextmanager
    def _reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with _mapped():
            db = self._connect()
            try:
                yield db
            finally:
                _close(db)

    @contextmanager
    def _write(self, batch: Any = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """One write transaction, which can read `batch`, an Arrow table, as a table of its own."""
        if not self._gate.acquire(timeout=self._timeout):
            raise SinkUnavailableError(f"{self._path} is being written by another connector")
        try:
            with self._reading() as db:
                if batch is not None:
                    db.register(_BATCH, batch)
                db.begin()
                try:
                    yield db
                except BaseException:
                    _roll_back(db)
                    raise
                db.commit()
        finally:
            self._gate.release()

    # -- whose turn it is -------------------------------------------------------------------------
    def live(self, connector: str) -> Live | None:
        """Return the live generation, if there is any."""
        with self._reading() as db:
            return DuckdbBooks(db).live(connector)

    def positions(self, connector: str) -> dict[Partition, Position]:
        """Return where every partition stands."""
        with self._reading() as db:
            return DuckdbBooks(db).positions(connector)

    def claim(
        self, connector: str, table: str, partitions: Sequence[Partition]
    ) -> tuple[Live, dict[Partition, Position]]:
        """Become the one owner of these partitions."""
        with self._write() as db:
            return DuckdbBooks(db).claim(connector, table, partitions)

    # -- tables -----------------------------------------------------------------------------------
    @staticmethod
    def _create(
        db: duckdb.DuckDBPyConnection, table: str, layout: Layout, what: str = "TABLE"
    ) -> None:
        columns = ", ".join(
            f"{quoted(column.name)} {type_of(column)}"
            + (" NOT NULL" if column.name in layout.key else "")
            for column in layout.columns
        )
        run(db, f"CREATE {what} {quoted(table)} ({columns})")

    @staticmethod
    def _add_key(db: duckdb.DuckDBPyConnection, table: str, layout: Layout) -> None:
        key = ", ".join(map(quoted, layout.key))
        run(db, f"ALTER TABLE {quoted(table)} ADD PRIMARY KEY ({key})")

    @staticmethod
    def _add(db: duckdb.DuckDBPyConnection, table: str, columns: Iterable[Column]) -> None:
        for column in columns:
            run(
                db,
                f"ALTER TABLE {quoted(table)} ADD COLUMN {quoted(column.name)} {type_of(column)}",
            )

    @staticmethod
    def _alter(db: duckdb.DuckDBPyConnection, table: str, columns: Iterable[Column]) -> None:
        for column in columns:
            name = quoted(column.name)
            run(db, f"ALTER TABLE {quoted(table)} ALTER {name} TYPE {type_of(column)}")

    def shape(self, connector: str, generation: int, layout: Layout) -> Layout:
        """Create the live table, or add the columns it lacks."""
        with self._write() as db:
            books = DuckdbBooks(db)
            live = books.live(connector)
            if live is None or live.number != generation:
                raise FencedError(f"{connector}: generation {generation} is no longer live")
            held = live.layout
            if held is None:
                if exists(db, live.table):
                    raise SinkMismatchError(
                        f"a table {live.table} is there already, and not of this connector's "
                        "making: rename it, or regenerate to replace it"
                    )
                self._create(db, live.table, layout)
                self._add_key(db, live.table, layout)
                wider = layout
            else:
                wider = held.evolved(layout.columns)
                self._alter(db, live.table, changed(held, wider))
                self._add(db, live.table, wider.columns[len(held.columns) :])
            books.keep_layout(connector, wider)
        return wider

    def widen(self, table: str, columns: Sequence[Column]) -> None:
        """Add columns to a table."""
        with self._write() as db:
            self._add(db, table, columns)

    def alter(self, table: str, columns: Sequence[Column]) -> None:
        """Give columns of a table wider types, keeping their values."""
        with self._write() as db:
            self._alter(db, table, columns)

    def drop(self, table: str) -> None:
        """Drop a table, if there."""
        with self._write() as db:
            run(db, f"DROP TABLE IF EXISTS {quoted(table)}")

    def count(self, table: str) -> int:
        """Count rows; 0 where there is no table."""
        with self._reading() as db:
            if not exists(db, table):
                return 0
            return int(run(db, filled("SELECT count(*) FROM {table}", table=quoted(table)))[0][0])

    # -- rows -----------------------------------------------------------------------------------
    def merge(
        self,
        table: str,
        layout: Layout,
        upserts: Sequence[Row],
        deletes: Collection[tuple[Any, ...]],
        fence: Fence | None = None,
    ) -> None:
        """Write a batch, and its offsets under the fence."""
        keys = Layout(layout.columns[: layout.keys], layout.keys)
        batch = table_of(layout, upserts) if upserts else None
        gone = table_of(keys, [list(key) for key in deletes]) if deletes else None
        with self._write(batch) as db:
            if fence is not None:
                DuckdbBooks(db).pass_fence(fence)
            if batch is not None:
                self._upsert(db, table, layout)
            if gone is not None:
                db.register(_DELETES, gone)
                match = " AND ".join(
                    f"t.{quoted(column.name)} = b.{quoted(column.name)}" for column in keys.columns
                )
                chosen = ", ".join(f"{written(c)} AS {quoted(c.name)}" for c in keys.columns)
                run(
                    db,
                    filled(
                        "DELETE FROM {table} t USING (SELECT {chosen} FROM {batch}) b "
                        "WHERE {match}",
                        table=quoted(table),
                        chosen=chosen,
                        batch=_DELETES,
                        match=match,
                    ),
                )

    @staticmethod
    def _insert(db: duckdb.DuckDBPyConnection, table: str, layout: Layout, action: str) -> None:
        names = ", ".join(map(quoted, layout.names))
        values = ", ".join(map(written, layout.columns))
        statement = filled(
            "INSERT INTO {table} ({names}) SELECT {values} FROM {batch} {action}",
            table=quoted(table),
            names=names,
            values=values,
            batch=_BATCH,
            action=action,
        )
        run(db, statement)

    def _upsert(self, db: duckdb.DuckDBPyConnection, table: str, layout: Layout) -> None:
        names = list(map(quoted, layout.names))
        values = ", ".join(f"{name} = excluded.{name}" for name in names[layout.keys :])
        action = f"UPDATE SET {values}" if values else "NOTHING"
        key = ", ".join(names[: layout.keys])
        self._insert(db, table, layout, f"ON CONFLICT ({key}) DO {action}")

    def refusals(self, table: str, layout: Layout, rows: Sequence[Row]) -> dict[int, str]:
        """Find the rows that do not fit their columns' types, in a table that goes with them."""
        trial = f"{table}__trial"

        def attempt(some: Sequence[Row]) -> None:
            with self._write(table_of(layout, some)) as db:
                self._create(db, trial, layout, "TEMP TABLE")
                self._insert(db, trial, layout, "")

        return find_refused(rows, attempt)

    # -- a generation -----------------------------------------------------------------------------
    def load(self, table: str, layout: Layout, rows: Iterable[Row]) -> None:
        """Create a table, fill it by transactions that let the live copy go on, build its key."""
        with self._write() as db:
            run(db, f"DROP TABLE IF EXISTS {quoted(table)}")
            self._create(db, table, layout)
        waiting = iter(rows)
        while chunk := list(islice(waiting, _LOAD_CHUNK)):
            with self._write(table_of(layout, chunk)) as db:
                self._insert(db, table, layout, "")
        with self._write() as db:
            self._add_key(db, table, layout)

    def read(self, table: str, layout: Layout) -> Iterator[Row]:
        """Read a table back as canonical rows."""
        statement = filled(
            "SELECT {columns} FROM {table}",
            columns=", ".join(map(read_as, layout.columns)),
            table=quoted(table),
        )
        with self._reading() as db:
            # not by db.sql(), which takes a missing table for a variable of Python
            db.execute(statement)
            while rows := db.fetchmany(_READ_CHUNK):
                yield from decoded(layout, rows)

    def read_keys(self, table: str, layout: Layout, keys: Collection[tuple[Any, ...]]) -> list[Row]:
        """Read the rows of some keys."""
        if not keys:
            return []
        key = Layout(layout.columns[: layout.keys], layout.keys)
        statement = filled(
            "SELECT {columns} FROM {table} WHERE ({names}) IN (SELECT {chosen} FROM {batch})",
            columns=", ".join(map(read_as, layout.columns)),
            table=quoted(table),
            names=", ".join(map(quoted, layout.key)),
            chosen=", ".join(map(written, key.columns)),
            batch=_DELETES,
        )
        with self._reading() as db:
            db.register(_DELETES, table_of(key, [list(each) for each in keys]))
            return list(decoded(layout, db.execute(statement).fetchall()))

    # -- notes ------------------------------------------------------------------------------------
    def note(self, connector: str, name: str, content: str | None) -> None:
        """Keep a note under a name; None removes it."""
        with self._write() as db:
            DuckdbBooks(db).note(connector, name, content)

    def noted(self, connector: str, name: str) -> str | None:
        """Return a note."""
        with self._reading() as db:
            return DuckdbBooks(db).noted(connector, name)

    def restart(self, connector: str, topics: Collection[str]) -> None:
        """Let the partitions of topics begin at their beginning; fences their owners."""
        with self._write() as db:
            DuckdbBooks(db).restart(connector, topics)

    def swap(
        self, connector: str, live: Live, layout: Layout, offsets: Mapping[Partition, int]
    ) -> None:
        """Rename, move offsets and epochs, and record the generation, in one transaction."""
        with self._write() as db:
            books = DuckdbBooks(db)
            before, places = books.check_swap(connector, live, offsets)
            indexes = take_indexes(db, live.table)
            put_aside(db, before, live)
            rename(db, shadow_of(live.table), live.table)
            put_indexes(db, indexes)
            books.put_offsets(connector, offsets)
            books.put_live(connector, Live(live.number, live.table, layout))
            books.retire(connector, before, places)

    def roll_back(self, connector: str) -> Live:
        """Make the retired generation the live one again, at the offsets where it was left."""
        with self._write() as db:
            return DuckdbBooks(db).roll_back(connector)


def _roll_back(db: duckdb.DuckDBPyConnection) -> None:
    try:
        db.rollback()
    except duckdb.Error:
        return  # a fatal error has ended the transaction already


@contextmanager
def _mapped() -> Iterator[None]:
    """Raise DuckDB's errors as ours: refused, not as left, unreachable, or merely failed."""
    try:
        yield
    except (duckdb.DataError, duckdb.IntegrityError) as error:
        raise SinkRefusedError(_first_line(error)) from error
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise SinkMismatchError(f"{_first_line(error)}: regenerate") from error
    except (duckdb.OperationalError, duckdb.FatalException, duckdb.InternalException) as error:
        raise SinkUnavailableError(_first_line(error)) from error
    except duckdb.Error as error:
        raise SinkError(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
