"""Files of a Parquet table: written once, and merged by writing anew those that a batch changes.

A batch takes rows out of the files in which its keys lie, and adds a file of its own. To find them
only the key columns are read, and not even these where the ranges of keys tell that there can be
none: appended events touch no older file. A small file is joined with the new rows where they are
no fewer: a row is written again some 17 times at most before its file is large, and files are few.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lineage.connectors.columns import Layout, Row
from lineage.connectors.errors import SinkRefusedError
from lineage.connectors.sinks.arrow import arrow_schema, arrow_type, table_of
from lineage.connectors.sinks.parquet_store import DataFile, flush

FILE_ROWS = 100_000
"""Rows of a full file: what one changed row may cost."""

_READ_CHUNK = 10_000
_SMALL = FILE_ROWS // 2
_MOST_PREFIXES = 16
_ORDERED = frozenset({"integer", "bigint", "timestamptz", "timestamp", "date"})
_PREFIXES = frozenset({"text", "uuid", "integer", "bigint"})
_LONGEST_TEXT = 64

Ranges = list[list[Any]]


# -- ranges of keys -------------------------------------------------------------------------------
def ranges_of(layout: Layout, keys: Iterable[Sequence[Any]]) -> Ranges | None:
    """Return `[prefix, lowest, highest]` for each value of the key's columns but the last."""
    *heads, last = layout.columns[: layout.keys]
    if last.kind not in _ORDERED | {"text"} or any(head.kind not in _PREFIXES for head in heads):
        return None
    found: dict[tuple[Any, ...], list[Any]] = {}
    width = layout.keys - 1
    for key in keys:
        value = key[width]
        limits = found.setdefault(tuple(key[:width]), [value, value])
        if value < limits[0]:
            limits[0] = value
        elif value > limits[1]:
            limits[1] = value
    return _bounded([[list(prefix), *limits] for prefix, limits in found.items()])


def _bounded(ranges: Ranges) -> Ranges | None:
    """Give up where they would swell the manifest."""
    if len(ranges) > _MOST_PREFIXES:
        return None
    texts = [part for prefix, *limits in ranges for part in (*prefix, *limits)]
    if any(isinstance(part, str) and len(part) > _LONGEST_TEXT for part in texts):
        return None
    return ranges


def united(some: Ranges | None, others: Ranges | None) -> Ranges | None:
    """Return ranges that hold all keys of both."""
    if some is None or others is None:
        return None
    found = {tuple(prefix): [low, high] for prefix, low, high in some}
    for prefix, low, high in others:
        known = found.setdefault(tuple(prefix), [low, high])
        known[:] = min(known[0], low), max(known[1], high)
    return _bounded([[list(prefix), *limits] for prefix, limits in found.items()])


def overlap(some: Ranges | None, others: Ranges | None) -> bool:
    """Whether keys of the one may be keys of the other."""
    if some is None or others is None:
        return True
    found = {tuple(prefix): (low, high) for prefix, low, high in some}
    for prefix, low, high in others:
        known = found.get(tuple(prefix))
        if known and known[0] <= high and low <= known[1]:
            return True
    return False


# -- files ----------------------------------------------------------------------------------------
def write(folder: Path, table: Any, ranges: Ranges | None) -> DataFile:
    """Write a table as one file, on disk when this returns."""
    name = f"part-{uuid4().hex}.parquet"
    pq.write_table(table, folder / name, compression="zstd", compression_level=1)
    flush(folder / name)
    return DataFile(name, table.num_rows, ranges)


def write_rows(folder: Path, layout: Layout, rows: Iterable[Row]) -> tuple[DataFile, ...]:
    """Write rows, `FILE_ROWS` a file; without any, one empty file that tells the columns."""
    waiting, files = iter(rows), []
    while chunk := list(islice(waiting, FILE_ROWS)):
        files.append(write(folder, table_of(layout, chunk), ranges_of(layout, chunk)))
    return tuple(files) or (write(folder, table_of(layout, []), []),)


def read(path: Path) -> Any:
    """Return a file as an Arrow table."""
    return pq.read_table(path, partitioning=None)


def read_batches(path: Path, names: Sequence[str]) -> Iterator[Any]:
    """Return some columns of a file in batches that fit into memory."""
    with pq.ParquetFile(path) as opened:
        for batch in opened.iter_batches(_READ_CHUNK, columns=names):
            yield batch.select(names)


class Keys:
    """The primary keys of a batch, to be looked for in files."""

    def __init__(self, layout: Layout, keys: Sequence[Sequence[Any]]) -> None:
        self._layout = Layout(layout.columns[: layout.keys], layout.keys)
        self._values = table_of(self._layout, [list(key) for key in keys])
        self.ranges = ranges_of(layout, keys)

    def found_in(self, path: Path) -> Any:
        """Return which rows of a file have such a key, as a mask; None where none has."""
        names = list(self._layout.names)
        held = pq.read_table(path, columns=names, partitioning=None)
        mask = pa.chunked_array([pa.repeat(True, held.num_rows)])
        for name in names:
            wanted = self._values.column(name).combine_chunks()
            mask = pc.and_(mask, pc.is_in(held.column(name), value_set=wanted))
        if len(names) > 1:
            mask = self._exactly(held, mask)
        return mask if pc.any(mask).as_py() else None

    def _exactly(self, held: Any, mask: Any) -> Any:
        """Of rows whose columns each belong to some key, keep those where they belong to one."""
        wanted = set(_tuples(self._values))
        places = pc.indices_nonzero(mask)
        exact = [
            place
            for place, key in zip(places.to_pylist(), _tuples(held.take(places)), strict=True)
            if key in wanted
        ]
        flags = bytearray(held.num_rows)
        for place in exact:
            flags[place] = 1
        return pa.chunked_array([pa.array(flags, pa.uint8()).cast(pa.bool_())])


def _tuples(table: Any) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.to_pylist() for column in table.columns), strict=True)


class Merge:
    """Makes the files of a table anew in a folder, with a batch written into it."""

    def __init__(self, old: Path, new: Path, layout: Layout) -> None:
        self._old = old
        self._new = new
        self._layout = layout
        self._written: list[DataFile] = []
        self._waiting: list[Any] = []
        self._ranges: Ranges | None = []

    def run(
        self, files: Sequence[DataFile], upserts: Sequence[Row], deletes: Sequence[Sequence[Any]]
    ) -> tuple[DataFile, ...]:
        """Return the files after the batch."""
        width = self._layout.keys
        keys = Keys(self._layout, [row[:width] for row in upserts] + [list(k) for k in deletes])
        self._wait(table_of(self._layout, upserts), ranges_of(self._layout, upserts))
        kept = []
        for file in files:
            mask = None
            if overlap(file.ranges, keys.ranges):
                mask = keys.found_in(self._old / file.name)
            if mask is None:
                kept.append(file)
            else:
                self._take(read(self._old / file.name).filter(pc.invert(mask)), file.ranges)
        kept = self._join_small(kept)
        self._write_waiting()
        for file in kept:
            os.link(self._old / file.name, self._new / file.name)
        return (*kept, *self._written) or (write(self._new, table_of(self._layout, []), []),)

    def _rows_waiting(self) -> int:
        return sum(table.num_rows for table in self._waiting)

    def _wait(self, table: Any, ranges: Ranges | None) -> None:
        """Keep rows to be written with others."""
        if table.num_rows:
            self._waiting.append(table)
            self._ranges = united(self._ranges, ranges)
        if self._rows_waiting() >= FILE_ROWS:
            self._write_waiting()

    def _take(self, table: Any, ranges: Ranges | None) -> None:
        """Take what is left of a file."""
        if table.num_rows < _SMALL:
            self._wait(table, ranges)
        else:
            self._written.append(write(self._new, table, ranges))

    def _join_small(self, files: Sequence[DataFile]) -> list[DataFile]:
        """Write files again that are no larger than what waits; return the others."""
        kept = []
        for file in sorted(files, key=lambda file: file.rows):
            if file.rows <= self._rows_waiting() and file.rows < _SMALL:
                self._wait(read(self._old / file.name), file.ranges)
            else:
                kept.append(file)
        return kept

    def _write_waiting(self) -> None:
        if self._waiting:
            table = pa.concat_tables(self._waiting)
            self._written.append(write(self._new, table, self._ranges))
        self._waiting, self._ranges = [], []


# -- columns --------------------------------------------------------------------------------------
def reshaped(table: Any, layout: Layout) -> Any:
    """Return a table with the types of a wider layout, and its new columns empty behind.

    Raises SinkRefusedError where a value would be lost.
    """
    for column in layout.columns[table.num_columns :]:
        kind = arrow_type(column)
        table = table.append_column(pa.field(column.name, kind), pa.nulls(table.num_rows, kind))
    try:
        return table.cast(arrow_schema(layout))
    except pa.ArrowException as error:
        raise SinkRefusedError(str(error)) from error
