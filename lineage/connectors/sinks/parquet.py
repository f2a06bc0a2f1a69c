"""A folder of Parquet files as a target: every commit is seen whole, and kept for its readers.

Rows are prepared beside the table and put in place under a lock that is held for milliseconds; who
finds that another owner was faster prepares again.
"""

import errno
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import pyarrow as pa

from broker.records import Partition
from lineage.connectors.columns import Column, Layout, Row
from lineage.connectors.errors import (
    SinkError,
    SinkMismatchError,
    SinkRefusedError,
    SinkUnavailableError,
    TargetInvalidError,
)
from lineage.connectors.sinks.arrow import arrow_type, rows_of, table_of
from lineage.connectors.sinks.bisect import find_refused
from lineage.connectors.sinks.contract import Fence, Live, Position
from lineage.connectors.sinks.parquet_books import ParquetBooks
from lineage.connectors.sinks.parquet_files import (
    Merge,
    read,
    read_batches,
    reshaped,
    write,
    write_rows,
)
from lineage.connectors.sinks.parquet_store import DataFile, Store, TableFiles
from lineage.connectors.sinks.ranges import HashedByReading

_ATTEMPTS = 20
_KEEP_SECONDS = 30.0

T = TypeVar("T")

Make = Callable[[TableFiles, Path], tuple[Layout, tuple[DataFile, ...]]]
"""Makes of a table, in a new folder, the columns and files that it shall have."""


class _ConflictError(Exception):
    """Another writer has changed the table since it was read."""


class ParquetSink(HashedByReading):
    """One folder, used by one thread; others may use the same folder."""

    kind: ClassVar[str] = "parquet"

    def __init__(self, url: str, timeout: float = 20.0) -> None:
        """Open `parquet:///FOLDER?keep=SECONDS`, making the folder; `keep` is for slow readers."""
        parts = urlsplit(url)
        folder = unquote(parts.path[1:])
        given = dict(parse_qsl(parts.query))
        if not folder or parts.netloc:
            raise TargetInvalidError("parquet:///FOLDER needs a folder")
        try:
            keep = float(given.pop("keep", _KEEP_SECONDS))
        except ValueError:
            raise TargetInvalidError("parquet:///FOLDER?keep=SECONDS needs a number") from None
        if given:
            raise TargetInvalidError(
                f"parquet:///FOLDER: unknown {', '.join(sorted(given))} (known: keep)"
            )
        with _mapped():
            self._store = Store(Path(folder).absolute(), timeout, keep)
            self._store.repair()

    def close(self) -> None:
        """Nothing is held between transactions."""

    def column_type(self, column: Column) -> str:
        """Return Arrow's name of the type."""
        return str(arrow_type(column))

    @contextmanager
    def _change(self) -> Iterator[ParquetBooks]:
        """One transaction."""
        with _mapped(), self._store.change() as state:
            yield ParquetBooks(state)

    def _books(self) -> ParquetBooks:
        with _mapped():
            return ParquetBooks(self._store.state())

    # -- whose turn it is -------------------------------------------------------------------------
    def live(self, connector: str) -> Live | None:
        """Return the live generation, if there is any."""
        return self._books().live(connector)

    def positions(self, connector: str) -> dict[Partition, Position]:
        """Return where every partition stands."""
        return self._books().positions(connector)

    def claim(
        self, connector: str, table: str, partitions: Sequence[Partition]
    ) -> tuple[Live, dict[Partition, Position]]:
        """Become the one owner of these partitions."""
        with self._change() as books:
            return books.claim(connector, table, partitions)

    # -- tables -----------------------------------------------------------------------------------
    @contextmanager
    def _prepared(
        self, fill: Callable[[Path], tuple[Layout, tuple[DataFile, ...]]]
    ) -> Iterator[TableFiles]:
        """Write a table's files, to be put in place by the caller; gone where that fails."""
        with _mapped():
            folder = self._store.new_folder()
            try:
                layout, files = fill(folder)
                self._store.seal(folder, files)
                yield TableFiles(folder.name, layout, files)
            except BaseException:
                self._store.discard(folder)
                raise

    def _made(self, layout: Layout, rows: Iterable[Row]) -> AbstractContextManager[TableFiles]:
        return self._prepared(lambda folder: (layout, write_rows(folder, layout, rows)))

    def _replace(
        self, name: str, make: Make, also: Callable[[ParquetBooks], None] | None = None
    ) -> None:
        """Make a table's files anew and put them in place, with what else belongs to it."""
        _patiently(name, lambda: self._replace_once(name, self._table(name), make, also))

    def _replace_once(
        self,
        name: str,
        table: TableFiles,
        make: Make,
        also: Callable[[ParquetBooks], None] | None = None,
    ) -> None:
        """Raises _ConflictError where the table is no longer as given."""
        try:
            with (
                self._prepared(lambda folder: make(table, folder)) as made,
                self._change() as books,
            ):
                if also is not None:
                    also(books)
                _check_unchanged(table, books.state.tables.get(name))
                books.state.tables[name] = made
        except SinkMismatchError:
            # its files may be gone because another writer has replaced them
            _check_unchanged(table, self._books().state.tables.get(name))
            raise

    def shape(self, connector: str, generation: int, layout: Layout) -> Layout:
        """Create the live table, or add the columns it lacks."""
        return _patiently(connector, lambda: self._shape_once(connector, generation, layout))

    def _shape_once(self, connector: str, generation: int, layout: Layout) -> Layout:
        books = self._books()
        live = books.live_as(connector, generation)
        held = live.layout
        if held is None:
            with self._made(layout, ()) as made, self._change() as books:
                _check_unchanged(live, books.live_as(connector, generation))
                self._check_free(live.table, books)
                books.keep_layout(connector, layout)
                books.state.tables[live.table] = made
            return layout
        wider = held.evolved(layout.columns)
        if wider != held:

            def keep(books: ParquetBooks) -> None:
                _check_unchanged(live, books.live_as(connector, generation))
                books.keep_layout(connector, wider)

            make = _reshaping(lambda _: wider, self._store)
            self._replace_once(live.table, self._table(live.table), make, keep)
        return wider

    def _check_free(self, table: str, books: ParquetBooks) -> None:
        if table in books.state.tables or self._store.holds_foreign(table):
            raise SinkMismatchError(
                f"a table {table} is there already, and not of this connector's "
                "making: rename it, or regenerate to replace it"
            )

    def _table(self, name: str) -> TableFiles:
        found = self._books().state.tables.get(name)
        if found is None:
            raise SinkMismatchError(f"there is no table {name}: regenerate")
        return found

    def widen(self, table: str, columns: Sequence[Column]) -> None:
        """Add columns to a table, in all of its files: readers find them the same."""
        self._replace(
            table,
            _reshaping(lambda held: Layout((*held.columns, *columns), held.keys), self._store),
        )

    def alter(self, table: str, columns: Sequence[Column]) -> None:
        """Give columns of a table wider types, keeping their values."""
        wider = {column.name: column for column in columns}

        def altered(held: Layout) -> Layout:
            return Layout(tuple(wider.get(c.name, c) for c in held.columns), held.keys)

        self._replace(table, _reshaping(altered, self._store))

    def drop(self, table: str) -> None:
        """Drop a table, if there."""
        if table in self._books().state.tables:
            with self._change() as books:
                books.state.tables.pop(table, None)

    def count(self, table: str) -> int:
        """Count rows; 0 where there is no table."""
        found = self._books().state.tables.get(table)
        return found.rows if found else 0

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
        if fence is not None:
            self._books().move(fence)  # before the work, and again with the lock
        if not upserts and not deletes:
            if fence is not None:
                with self._change() as books:
                    books.move(fence)
            return

        def make(old: TableFiles, folder: Path) -> tuple[Layout, tuple[DataFile, ...]]:
            rows = _fitted(table, layout, old.layout, upserts)
            merge = Merge(self._store.place(old), folder, old.layout)
            return old.layout, merge.run(old.files, rows, list(deletes))

        self._replace(table, make, (lambda books: books.move(fence)) if fence else None)

    def refusals(self, table: str, layout: Layout, rows: Sequence[Row]) -> dict[int, str]:
        """Find the rows that do not fit their columns' types; a folder refuses no other."""
        del table
        return find_refused(rows, lambda some: table_of(layout, some))

    # -- a generation -----------------------------------------------------------------------------
    def load(self, table: str, layout: Layout, rows: Iterable[Row]) -> None:
        """Write a table, which is there when it is whole."""
        with self._made(layout, _distinct(layout, rows)) as made, self._change() as books:
            books.state.tables[table] = made

    def read(self, table: str, layout: Layout) -> Iterator[Row]:
        """Read a table back as canonical rows; its files are kept until that is done."""
        found = self._table(table)
        names = list(layout.names)
        if not set(names) <= set(found.layout.names):
            raise SinkMismatchError(f"{table} has other columns: regenerate")
        with _mapped(), self._store.held(found) as folder:
            for file in found.files:
                for batch in read_batches(folder / file.name, names):
                    yield from rows_of(layout, batch)

    def read_keys(self, table: str, layout: Layout, keys: Collection[tuple[Any, ...]]) -> list[Row]:
        """Read the rows of some keys: of all files, as those of a batch are written anew anyway."""
        wanted = set(keys)
        return [row for row in self.read(table, layout) if tuple(row[: layout.keys]) in wanted]

    # -- notes ------------------------------------------------------------------------------------
    def note(self, connector: str, name: str, content: str | None) -> None:
        """Keep a note under a name; None removes it."""
        with self._change() as books:
            books.note(connector, name, content)

    def noted(self, connector: str, name: str) -> str | None:
        """Return a note."""
        return self._books().noted(connector, name)

    def restart(self, connector: str, topics: Collection[str]) -> None:
        """Let the partitions of topics begin at their beginning; fences their owners."""
        with self._change() as books:
            books.restart(connector, topics)

    def swap(
        self, connector: str, live: Live, layout: Layout, offsets: Mapping[Partition, int]
    ) -> None:
        """Rename, move offsets and epochs, and record the generation, in one transaction."""
        with self._change() as books:
            books.swap(connector, live, layout, offsets)

    def roll_back(self, connector: str) -> Live:
        """Make the retired generation the live one again, at the offsets where it was left."""
        with self._change() as books:
            return books.roll_back(connector)


def _reshaping(change: Callable[[Layout], Layout], store: Store) -> Make:
    """Return what writes all files of a table anew, with wider types and more columns."""

    def make(old: TableFiles, folder: Path) -> tuple[Layout, tuple[DataFile, ...]]:
        layout = change(old.layout)
        files = [
            write(folder, reshaped(read(store.place(old) / file.name), layout), file.ranges)
            for file in old.files
        ]
        return layout, tuple(files)

    return make


def _fitted(table: str, layout: Layout, held: Layout, rows: Sequence[Row]) -> Sequence[Row]:
    """Return rows with the columns that another worker has added meanwhile, empty."""
    if layout == held:
        return rows
    places = {name: index for index, name in enumerate(layout.names)}
    if not set(places) <= set(held.names) or layout.key != held.key:
        raise SinkMismatchError(f"{table} has other columns: regenerate")
    order = [places.get(name) for name in held.names]
    return [[None if place is None else row[place] for place in order] for row in rows]


def _check_unchanged(before: object, now: object) -> None:
    """Raise _ConflictError where another writer was faster."""
    if before != now:
        raise _ConflictError


def _patiently(name: str, step: Callable[[], T]) -> T:
    """Repeat a step until no other writer is faster."""
    for _ in range(_ATTEMPTS):
        try:
            return step()
        except _ConflictError:
            continue
    raise SinkUnavailableError(f"{name}: other writers were faster, {_ATTEMPTS} times")


@contextmanager
def _mapped() -> Iterator[None]:
    """Raise the system's and Arrow's errors as ours."""
    try:
        yield
    except FileNotFoundError as error:
        raise SinkMismatchError(f"{error.filename or error} is missing: regenerate") from error
    except OSError as error:
        if error.errno in {errno.ENOTDIR, errno.EISDIR, errno.ELOOP}:
            raise SinkMismatchError(f"{error}: regenerate") from error
        raise SinkUnavailableError(str(error)) from error
    except pa.ArrowException as error:
        raise SinkError(str(error)) from error


def _distinct(layout: Layout, rows: Iterable[Row]) -> Iterator[Row]:
    """Refuse a primary key that comes twice: no file would."""
    seen: set[tuple[Any, ...]] = set()
    for row in rows:
        key = tuple(row[: layout.keys])
        if key in seen:
            raise SinkRefusedError(f"two rows have the primary key {key}")
        seen.add(key)
        yield row
