"""Flat Avro records read column by column: each step reads one field of a whole batch.

The payloads lie one behind the other in a buffer, with the place of each record in an array (Avro
1.12, "Binary Encoding"). A record that cannot be read this way (it ends too soon, its union has no
such branch, its number is too great) is told, and left to a reader of single records.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lineage.connectors.columns import Column, Convert
from lineage.connectors.vectors import (
    Mask,
    Numbers,
    Texts,
    Vector,
    Whole,
    converted,
    nulls,
    scaled,
    starts_of,
)

# no field but a text reaches further than this beyond where it begins
_MARGIN = 16
_SEVEN_BITS = 0x7F
_MOST_SHIFT = 63


@dataclass(frozen=True)
class Field:
    """How one field is read: `kind` as Avro names it, and where null stands if it may be null."""

    kind: str
    null: int | None
    symbols: tuple[str, ...] = ()
    size: int = 0


class Cursor:
    """Reads field after field of all records; `good` tells which could be read so far."""

    def __init__(self, payloads: Sequence[bytes]) -> None:
        lengths = np.fromiter(map(len, payloads), np.int64, len(payloads))
        self._data = np.frombuffer(b"".join(payloads) + bytes(_MARGIN), np.uint8)
        self._at = starts_of(lengths)
        self._ends = self._at + lengths
        # one place behind them all: what has come there has gone too far
        self._limit = int(lengths.sum()) + 1
        self.good: Mask = np.ones(len(payloads), np.bool_)

    def finish(self) -> Mask:
        """Return which records were read, each within its own bytes."""
        return self.good & (self._at <= self._ends)

    def read(self, field: Field) -> Vector:
        """Read a field of every record."""
        np.minimum(self._at, self._limit, out=self._at)
        if field.null is None:
            return self._value(field, None)
        branch = self._data[self._at]
        self._at += 1
        present = branch == 2 - 2 * field.null
        self.good &= present | (branch == 2 * field.null)
        if present.all():
            return self._value(field, None)
        if not present.any():
            return nulls(len(present))
        return _spread(self._value(field, np.flatnonzero(present)), present)

    def _value(self, field: Field, rows: Whole | None) -> Vector:
        """Read a value: of the records whose numbers are given, or of all."""
        if field.kind in {"string", "bytes"}:
            return self._texts(rows)
        if field.kind == "fixed":
            size = np.full(len(self._at if rows is None else rows), field.size, np.int64)
            return self._pieces(rows, size)
        if field.kind == "enum":
            return self._symbols(field, rows)
        if field.kind in {"int", "long"}:
            return Numbers(self._whole(rows))
        width, form = {"boolean": (1, "u1"), "float": (4, "<f4"), "double": (8, "<f8")}[field.kind]
        values = self._windows(form)[self._take(rows, width)]
        return Numbers(values != 0) if field.kind == "boolean" else Numbers(values.astype("f8"))

    def _windows(self, form: str) -> NDArray[Any]:
        count = len(self._data) - np.dtype(form).itemsize + 1
        return np.ndarray((count,), form, self._data, strides=(1,))

    def _take(self, rows: Whole | None, size: int) -> Whole:
        """Pass values of one length; return where they begin."""
        if rows is None:
            begin = self._at.copy()
            self._at += size
            return begin
        begin = self._at[rows]
        self._at[rows] += size
        return begin

    def _spoil(self, rows: Whole | None, which: Mask) -> None:
        if which.any():
            self.good[which if rows is None else rows[which]] = False

    def _varints(self, rows: Whole | None) -> NDArray[np.uint64]:
        """Read unsigned numbers of any length."""
        at = self._at.copy() if rows is None else self._at[rows]
        byte = self._data[at]
        at += 1
        values = (byte & _SEVEN_BITS).astype(np.uint64)
        more = np.flatnonzero(byte > _SEVEN_BITS)
        shift = 0
        while more.size:
            shift += 7
            byte = self._data[at[more]]
            at[more] += 1
            values[more] |= (byte & _SEVEN_BITS).astype(np.uint64) << np.uint64(shift)
            going = byte > (_SEVEN_BITS if shift < _MOST_SHIFT else 1)
            more = more[going]
            if shift == _MOST_SHIFT:  # more than 64 bits
                self._spoil(None, _marked(more if rows is None else rows[more], len(self._at)))
                break
        if rows is None:
            self._at = at
        else:
            self._at[rows] = at
        return values

    def _whole(self, rows: Whole | None) -> Whole:
        found = self._varints(rows)
        one = np.uint64(1)
        signed: Whole = (found >> one).view(np.int64) ^ -(found & one).view(np.int64)
        return signed

    def _texts(self, rows: Whole | None) -> Texts:
        lengths = self._whole(rows)
        self._spoil(rows, lengths < 0)
        return self._pieces(rows, np.maximum(lengths, 0))

    def _pieces(self, rows: Whole | None, lengths: Whole) -> Texts:
        """Pass pieces of these lengths; one that goes beyond its record is empty."""
        at = self._at if rows is None else self._at[rows]
        ends = self._ends if rows is None else self._ends[rows]
        beyond = lengths > ends - at
        if beyond.any():
            self._spoil(rows, beyond)
            lengths = np.where(beyond, 0, lengths)
            at = np.where(beyond, 0, at)
        if rows is None:
            self._at = at + lengths
        else:
            self._at[rows] = at + lengths
        return Texts(self._data, at, lengths)

    def _symbols(self, field: Field, rows: Whole | None) -> Texts:
        numbers = self._whole(rows)
        wrong = (numbers < 0) | (numbers >= len(field.symbols))
        self._spoil(rows, wrong)
        numbers = np.where(wrong, 0, numbers)
        symbols = [symbol.encode() for symbol in field.symbols]
        lengths = np.array([len(symbol) for symbol in symbols], np.int64)
        data = np.frombuffer(b"".join(symbols), np.uint8)
        return Texts(data, starts_of(lengths)[numbers], lengths[numbers])


def _marked(rows: Whole, count: int) -> Mask:
    marks = np.zeros(count, np.bool_)
    marks[rows] = True
    return marks


def _spread(vector: Vector, present: Mask) -> Vector:
    """Put the values of some records in their places among all."""
    count = len(present)
    if isinstance(vector, Numbers):
        values = np.zeros(count, vector.values.dtype)
        values[present] = vector.values
        return Numbers(values, present)
    starts, lengths = np.zeros(count, np.int64), np.zeros(count, np.int64)
    starts[present], lengths[present] = vector.starts, vector.lengths
    return Texts(vector.data, starts, lengths, present)


# -- to canonical values --------------------------------------------------------------------------
Shape = Callable[[Vector], Vector]

_TEXTS = {"string": "text", "enum": "text", "bytes": "bytes", "fixed": "bytes"}
_PLAIN = {
    "int": frozenset({"integer", "bigint"}),
    "long": frozenset({"bigint"}),
    "boolean": frozenset({"boolean"}),
    "float": frozenset({"real"}),
    "double": frozenset({"double"}),
}
_FRACTIONS = frozenset({"int", "long", "float", "double"})


def shape_of(field: Field, column: Column, convert: Convert | None, factor: int) -> Shape | None:
    """Return what makes a field's values those of a column; None where only single ones can be.

    A `factor` that is not 0 is all that `convert` does.
    """
    if field.kind in _TEXTS:
        return _same if convert is None and column.kind == _TEXTS[field.kind] else None
    if factor:
        return _same if factor == 1 else (lambda vector: scaled(vector, factor))
    if convert is None:
        return _same if column.kind in _PLAIN[field.kind] else None
    if convert is float and field.kind in _FRACTIONS:
        return _fractions
    return lambda vector: _each(vector, column, convert)


def _same(vector: Vector) -> Vector:
    return vector


def _fractions(vector: Vector) -> Vector:
    if isinstance(vector, Texts):
        return vector
    return Numbers(vector.values.astype("f8"), vector.present)


def _each(vector: Vector, column: Column, convert: Convert) -> Vector:
    """Convert value by value."""
    if isinstance(vector, Texts):  # all of them are null
        return vector
    values = vector.values.tolist()
    if vector.present is not None:
        there = vector.present.tolist()
        values = [value if known else None for value, known in zip(values, there, strict=True)]
    return converted(column, values, convert)


def reads(
    fields: Sequence[tuple[str, Field]], shapes: Sequence[tuple[str, Shape] | None]
) -> Callable[[Sequence[bytes]], tuple[list[Vector], Mask]]:
    """Return what reads columns, each from a field in its shape; None stands for one of nulls."""

    def read(payloads: Sequence[bytes]) -> tuple[list[Vector], Mask]:
        cursor = Cursor(payloads)
        found = {name: cursor.read(field) for name, field in fields}
        good = cursor.finish()
        if not good.all():  # what could not be read has no values to be judged
            return [], good
        return [
            nulls(len(payloads)) if each is None else each[1](found[each[0]]) for each in shapes
        ], good

    return read
