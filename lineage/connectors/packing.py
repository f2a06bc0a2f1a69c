"""Rows as bytes, in the binary form of PostgreSQL's COPY, by functions compiled for a layout. Pure.

A row is the number of its columns (16 bits), then of each its length (32 bits, -1 for null) and
its bytes: numbers big-endian, times counted from 2000 on, text in UTF-8. PostgreSQL takes and gives
them as they are; and as equal rows have equal bytes, the digest of a table is made of them. Kinds
that can be written in more than one way (decimals, JSON, arrays) have no such form.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from struct import Struct
from struct import error as StructError  # noqa: N812  (an exception named as one)
from typing import Any, Literal

from lineage.connectors.columns import Column, Layout, Row

UNFIT = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, StructError)
"""What a value raises that has no form in its column."""

EPOCH_2000 = 946_684_800_000_000
DAY_2000 = 10_957
SHIFTS = {"timestamptz": EPOCH_2000, "timestamp": EPOCH_2000, "date": DAY_2000}
"""Kinds that are counted from 2000 on there, and from 1970 here."""

FIXED = {
    "integer": ("i", 4),
    "bigint": ("q", 8),
    "real": ("f", 4),
    "double": ("d", 8),
    "boolean": ("?", 1),
    "timestamptz": ("q", 8),
    "timestamp": ("q", 8),
    "date": ("i", 4),
    "time": ("q", 8),
}
"""Kinds of fixed length: a code for `struct`, which numpy shares, and so many bytes."""
# how a value becomes bytes
_VARIABLE = {"text": "{}.encode()", "bytes": "{}", "uuid": "uuid({})"}
_FRACTIONAL = frozenset({"real", "double"})
_UUID = 16

Nan = Literal["kept", "null", "refused"]
"""What becomes of NaN, which not every target can hold: `null` is for what is told of them all."""


@dataclass(frozen=True)
class Cell:
    """Where a compiled function finds a column's value: an expression of Python.

    `raw`: it gives the bytes already, not the text.
    """

    column: Column
    text: str
    nullable: bool = True
    raw: bool = False


def has_form(layout: Layout) -> bool:
    """Whether rows of a layout have one form in bytes."""
    return all(column.kind in FIXED or column.kind in _VARIABLE for column in layout.columns)


def row_packer(layout: Layout, nan: Nan = "kept") -> Callable[[Row], bytes]:
    """Return what makes bytes of canonical rows; it raises one of `UNFIT` where a value is none."""
    known: dict[str, Any] = {}
    cells = [Cell(column, f"row[{at}]") for at, column in enumerate(layout.columns)]
    text = joined(cells, known, nan)
    # the text holds numbers and our own names
    made: Callable[[Row], bytes] = eval(f"lambda row: {text}", known)  # noqa: S307
    return made


def lead_cells(layout: Layout, lead: int) -> list[Cell]:
    """Return the leading columns, found in a tuple named `lead`; those of the key are not null."""
    return [
        Cell(column, f"lead[{at}]", nullable=at >= layout.keys)
        for at, column in enumerate(layout.columns[:lead])
    ]


def joined(cells: Sequence[Cell], known: dict[str, Any], nan: Nan) -> str:
    """Return the expression of a whole row; what it names is put into `known`.

    Neighbours of fixed length are packed by one call, which is most of the speed.
    """
    parts = _Parts(known)
    parts.fixed("h", str(len(cells)))
    for at, cell in enumerate(cells):
        if cell.text == "None":
            parts.part("NULL")
        elif cell.column.kind in FIXED:
            _fixed(parts, cell, at, nan)
        else:
            _variable(parts, cell, at)
    return parts.expression()


def _fixed(parts: "_Parts", cell: Cell, at: int, nan: Nan) -> None:
    kind = cell.column.kind
    code, size = FIXED[kind]
    form = f"{{}} - {SHIFTS[kind]}" if kind in SHIFTS else "{}"
    if kind in _FRACTIONAL and nan == "refused":
        form = "number({})"
    may_be_nan = kind in _FRACTIONAL and nan == "null"
    if not (cell.nullable or may_be_nan):
        parts.fixed(f"i{code}", str(size), form.format(cell.text))
        return
    name = f"v{at}_"
    empty = f"({name} := {cell.text}) is None"
    if may_be_nan:
        empty += f" or {name} != {name}"
    one = f"{parts.pack(f'i{code}')}({size}, {form.format(name)})"
    if kind == "boolean":  # `struct` takes any object as one
        one = f"TRUTH[{name}]"
    parts.part(f"NULL if {empty} else {one}")


def _variable(parts: "_Parts", cell: Cell, at: int) -> None:
    form = "{}" if cell.raw else _VARIABLE[cell.column.kind]
    if cell.nullable:
        made = f"{parts.pack('i')}(len(t{at}_ := {form.format(f't{at}_')})) + t{at}_"
        parts.part(f"NULL if (t{at}_ := {cell.text}) is None else {made}")
    else:
        parts.fixed("i", f"len({cell.text if cell.raw else f't{at}_ := {form.format(cell.text)}'})")
        parts.part(cell.text if cell.raw else f"t{at}_")


def uuid_bytes(value: str) -> bytes:
    """Return the 16 bytes of a UUID in text; raises ValueError."""
    found = bytes.fromhex(value.replace("-", ""))
    if len(found) != _UUID:
        raise ValueError(f"{value!r} is no UUID")
    return found


def _number(value: float) -> float:
    if value != value:  # noqa: PLR0124  (so is NaN, and nothing else)
        raise ValueError("NaN")
    return value


class _Parts:
    """The expressions whose bytes make a row, one behind the other."""

    def __init__(self, known: dict[str, Any]) -> None:
        known |= {
            "NULL": b"\xff\xff\xff\xff",
            "TRUTH": {False: b"\0\0\0\1\0", True: b"\0\0\0\1\1"},
            "join": b"".join,
            "uuid": uuid_bytes,
            "number": _number,
        }
        self._known = known
        self._parts: list[str] = []
        self._codes = ""
        self._values: list[str] = []

    def pack(self, codes: str) -> str:
        """Name the function that packs these codes."""
        name = f"pack_{codes.replace('?', 'b')}"
        self._known[name] = Struct(f">{codes}").pack
        return name

    def fixed(self, codes: str, *values: str) -> None:
        """Add values of fixed length."""
        self._codes += codes
        self._values += values

    def part(self, text: str) -> None:
        """Add an expression that gives bytes."""
        self._flush()
        self._parts.append(text)

    def _flush(self) -> None:
        if self._codes:
            self._parts.append(f"{self.pack(self._codes)}({', '.join(self._values)})")
        self._codes, self._values = "", []

    def expression(self) -> str:
        """Return the whole row."""
        self._flush()
        return f"join(({', '.join(self._parts)},))"
