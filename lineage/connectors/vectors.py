"""Columns of many rows as arrays, and the bytes of all those rows at once. Pure.

The form is that of `packing`. A row that is made by itself costs a dozen calls of Python for each
of its columns; here each call moves a column of a whole batch. What has no plain form raises one of
`UNFIT`, and its batch is packed row by row.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lineage.connectors.columns import Column, Convert, Layout, instant, within
from lineage.connectors.packing import FIXED, SHIFTS, uuid_bytes

Numbered = NDArray[Any]
Mask = NDArray[np.bool_]
Whole = NDArray[np.int64]

# what values of a code are held as, before they are sent
_HELD = {"i": "i8", "q": "i8", "f": "f8", "d": "f8", "?": "?"}
_LEAST_32, _MOST_32 = -(2**31), 2**31 - 1
_MOST_64 = 2**63 - 1
# texts of so few lengths are copied length by length; of so many bytes on average, one by one
_FEW_LENGTHS = 24
_LONG = 200
_SHORTEST_TABLE = 4_096


@dataclass(frozen=True)
class Numbers:
    """Values of fixed length, canonical ones; `present` is None where none is null."""

    values: Numbered
    present: Mask | None = None


@dataclass(frozen=True)
class Texts:
    """Pieces of a buffer; where `present` is false the length is 0. None: none is null."""

    data: NDArray[np.uint8]
    starts: Whole
    lengths: Whole
    present: Mask | None = None


Vector = Numbers | Texts


def nulls(count: int) -> Texts:
    """Return a column that is null in each row."""
    none = np.zeros(count, np.int64)
    return Texts(np.zeros(1, np.uint8), none, none, np.zeros(count, np.bool_))


def taken(vector: Vector, rows: Whole) -> Vector:
    """Return the rows of these numbers."""
    present = None if vector.present is None else vector.present[rows]
    if isinstance(vector, Numbers):
        return Numbers(vector.values[rows], present)
    return Texts(vector.data, vector.starts[rows], vector.lengths[rows], present)


def texts_of(pieces: Sequence[bytes], present: Mask | None = None) -> Texts:
    """Return the column of these bytes."""
    lengths = np.fromiter(map(len, pieces), np.int64, len(pieces))
    return Texts(buffer_of(b"".join(pieces)), starts_of(lengths), lengths, present)


def buffer_of(data: bytes) -> NDArray[np.uint8]:
    """Return the bytes as an array, never an empty one."""
    return np.frombuffer(data or b"\0", np.uint8)


def starts_of(lengths: Whole) -> Whole:
    """Return where each piece begins in the buffer of all, one behind the other."""
    starts = np.zeros(len(lengths), np.int64)
    np.cumsum(lengths[:-1], out=starts[1:])
    return starts


def utf8_texts(keys: Sequence[bytes]) -> Texts:
    """As `texts_of`, of what must be UTF-8: raises UnicodeDecodeError."""
    # a line's end lies within no character: what is cut off at the end of one piece is no UTF-8
    b"\n".join(keys).decode()
    return texts_of(keys)


# -- from Python's values -------------------------------------------------------------------------
_NONE = type(None)
# what a value has to be, for a conversion to make no difference, and what it is multiplied by
_USUAL: dict[Convert, tuple[frozenset[type], int]] = {
    within(32): (frozenset({int}), 1),
    within(64): (frozenset({int}), 1),
    float: (frozenset({float, int}), 1),
    instant(1000): (frozenset({int}), 1000),
    instant(1): (frozenset({int}), 1),
}


def converted(column: Column, values: Sequence[Any], convert: Convert | None) -> Vector:
    """Return a column of values that become canonical by `convert`; it raises what it pleases."""
    if convert is None:
        return vector_of(column, values)
    types, factor = _USUAL.get(convert, (frozenset(), 1))
    kinds = set(map(type, values))
    if not kinds - types <= {_NONE}:
        return vector_of(column, [None if each is None else convert(each) for each in values])
    found = vector_of(column, values, kinds)
    return found if factor == 1 else scaled(found, factor)


def scaled(vector: Vector, factor: int) -> Vector:
    """Return whole numbers times a factor; raises OverflowError."""
    if isinstance(vector, Texts):  # all of them are null
        return vector
    if len(vector.values) and int(np.abs(vector.values).max()) > _MOST_64 // factor:
        raise OverflowError
    return Numbers(vector.values * factor, vector.present)


def vector_of(column: Column, values: Sequence[Any], kinds: set[type] | None = None) -> Vector:
    """Return a column of canonical values; raises one of `packing.UNFIT` where one is none.

    `kinds`: the types of the values, where they are known already.
    """
    if column.kind == "text":
        # most have no null: then joining is the test whether all are text
        with suppress(TypeError):
            return _joined(values, None)
    kinds = set(map(type, values)) if kinds is None else kinds
    present: Mask | None = None
    if _NONE in kinds:
        kinds.discard(_NONE)
        present = np.fromiter((each is not None for each in values), np.bool_, len(values))
    if column.kind in FIXED:
        return _numbers(column.kind, values, kinds, present)
    kind = bytes if column.kind == "bytes" else str
    if kinds - {kind}:
        raise TypeError(f"{column.name}: {kinds}")
    if present is not None and column.kind != "uuid":
        empty = kind()
        values = [empty if each is None else each for each in values]
    if column.kind == "bytes":
        return texts_of(values, present)
    if column.kind == "uuid":
        return texts_of([b"" if each is None else uuid_bytes(each) for each in values], present)
    return _joined(values, present)


def _joined(values: Sequence[str], present: Mask | None) -> Texts:
    """Return a column of texts; raises TypeError where one is none."""
    joined = "".join(values)
    if not joined.isascii():
        return texts_of([each.encode() for each in values], present)
    lengths = np.fromiter(map(len, values), np.int64, len(values))
    return Texts(buffer_of(joined.encode()), starts_of(lengths), lengths, present)


_TYPES: dict[str, set[type]] = {"boolean": {bool}, "real": {float, int}, "double": {float, int}}


def _numbers(kind: str, values: Sequence[Any], kinds: set[type], present: Mask | None) -> Numbers:
    if kinds - _TYPES.get(kind, {int}):
        raise TypeError(f"{kind}: {kinds}")
    if present is not None:
        values = [0 if each is None else each for each in values]
    return Numbers(np.array(values, _HELD[FIXED[kind][0]]), present)


# -- to bytes -------------------------------------------------------------------------------------
def packed(layout: Layout, vectors: Sequence[Vector]) -> list[bytes]:
    """Return the bytes of each row; raises OverflowError or ValueError where a value has none."""
    count = len(vectors[0].values if isinstance(vectors[0], Numbers) else vectors[0].starts)
    cells = [
        _cell(column.kind, vector) for column, vector in zip(layout.columns, vectors, strict=True)
    ]
    width = np.full(count, 2 + 4 * len(cells), np.int64)
    for cell in cells:
        width += cell.width
    ends = np.cumsum(width)
    writer = _Writer(int(ends[-1]) if count else 0, ends - width)
    writer.fixed(">i2", np.full(count, len(cells), np.int16))
    for cell in cells:
        writer.fixed(">i4", cell.length)
        cell.write(writer)
    data = writer.done()
    places = ends.tolist()
    return [data[begin:end] for begin, end in zip([0, *places], places, strict=False)]


@dataclass(frozen=True)
class _Cell:
    """A column on its way out: its length field, the bytes behind it, and what writes those."""

    length: Whole
    width: Whole | int
    write: Callable[["_Writer"], None]


def _cell(kind: str, vector: Vector) -> _Cell:
    if isinstance(vector, Texts):
        absent = vector.present
        length = vector.lengths if absent is None else np.where(absent, vector.lengths, -1)
        return _Cell(length, vector.lengths, lambda writer: writer.texts(vector))
    code, size = FIXED[kind]
    form = f">{code}"
    values, present = _wire(kind, vector.values, vector.present), vector.present
    if present is None:
        width = np.full(len(values), size, np.int64)
        return _Cell(width, size, lambda writer: writer.fixed(form, values))
    where = present
    return _Cell(
        np.where(where, size, -1),
        np.where(where, size, 0),
        lambda writer: writer.some(form, values, where),
    )


def _wire(kind: str, values: Numbered, present: Mask | None) -> Numbered:
    """Return the values as they are sent; raises where one cannot be."""
    if kind in SHIFTS:
        if len(values) and int(values.min()) < SHIFTS[kind] - _MOST_64:
            raise OverflowError(kind)
        shifted = values - SHIFTS[kind]
        # what is null is not to be judged
        values = shifted if present is None else np.where(present, shifted, 0)
    narrow = FIXED[kind][0] == "i" and len(values) > 0
    if narrow and not _LEAST_32 <= int(values.min()) <= int(values.max()) <= _MOST_32:
        raise OverflowError(kind)
    if kind in {"real", "double"} and np.isnan(values).any():
        raise ValueError("NaN")
    if kind == "real":
        with np.errstate(over="ignore"):
            single = values.astype(np.float32)
        if (np.isinf(single) & ~np.isinf(values)).any():
            raise OverflowError(kind)
    return values


class _Writer:
    """Writes columns from left to right, each row at its own place.

    Neighbours of fixed length are held back, and written by one call.
    """

    def __init__(self, size: int, places: Whole) -> None:
        self._data = np.empty(size, np.uint8)
        self._places = places
        self._held: list[tuple[str, Numbered]] = []

    def fixed(self, form: str, values: Numbered) -> None:
        """Write a value of fixed length into each row."""
        self._held.append((form, values))

    def some(self, form: str, values: Numbered, present: Mask) -> None:
        """Write one into the rows that have it."""
        self._flush()
        rows = np.flatnonzero(present)
        sent = values[rows].astype(form)
        size = sent.dtype.itemsize
        _windows(self._data, size)[self._places[rows]] = sent.view(f"V{size}")
        self._places = self._places + np.where(present, size, 0)

    def _flush(self) -> None:
        if not self._held:
            return
        form = [(f"f{at}", form) for at, (form, _) in enumerate(self._held)]
        rows = np.empty(len(self._places), form)
        for at, (_, values) in enumerate(self._held):
            rows[f"f{at}"] = values
        self._held = []
        size = rows.dtype.itemsize
        _windows(self._data, size)[self._places] = rows.view(f"V{size}")
        self._places = self._places + size

    def texts(self, texts: Texts) -> None:
        """Write a piece of a buffer into each row."""
        self._flush()
        copy_pieces(texts, self._data, self._places)
        self._places = self._places + texts.lengths

    def done(self) -> bytes:
        """Return all rows."""
        self._flush()
        return self._data.tobytes()


def _windows(data: NDArray[np.uint8], size: int) -> NDArray[Any]:
    """Return every `size` bytes that follow each other, as one element each."""
    return np.ndarray((max(0, len(data) - size + 1),), f"V{size}", data, strides=(1,))


def copy_pieces(texts: Texts, into: NDArray[np.uint8], places: Whole) -> None:
    """Copy the pieces of a buffer to these places of another."""
    lengths = texts.lengths
    if not len(lengths):
        return
    most = int(lengths.max())
    if most < _SHORTEST_TABLE:
        found = np.flatnonzero(np.bincount(lengths)).tolist()
        if len(found) <= _FEW_LENGTHS:
            for length in found:
                _copy_alike(texts, into, places, length, alone=len(found) == 1)
            return
    if int(lengths.sum()) > _LONG * len(lengths):
        source, target = texts.data.data, into.data
        each = zip(texts.starts.tolist(), places.tolist(), lengths.tolist(), strict=True)
        for start, place, length in each:
            target[place : place + length] = source[start : start + length]
        return
    behind = np.cumsum(lengths)
    at = np.arange(int(behind[-1]))
    begun = behind - lengths
    into[at + np.repeat(places - begun, lengths)] = texts.data[
        at + np.repeat(texts.starts - begun, lengths)
    ]


def _copy_alike(
    texts: Texts, into: NDArray[np.uint8], places: Whole, length: int, *, alone: bool
) -> None:
    """Copy the pieces of one length."""
    if not length:
        return
    starts = texts.starts
    if not alone:
        rows = np.flatnonzero(texts.lengths == length)
        starts, places = starts[rows], places[rows]
    _windows(into, length)[places] = _windows(texts.data, length)[starts]
