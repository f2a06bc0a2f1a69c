"""One text per row, that Python makes of canonical values and a database of its own; its hash.

A row's text joins its cells by commas; no two different rows have one text:

kind                        cell (empty for null)
integer, bigint, decimal    digits, no trailing zeros behind the point
boolean, uuid               true or false; 36 characters
text                        length in characters, a colon, the text
bytes                       x, then hexadecimal
real, double                IEEE 754 in hexadecimal, -0 as 0; nan
timestamptz, timestamp      64 bits in hexadecimal, microseconds since 2000-01-01
date, time                  32 bits, days since 2000-01-01; 64 bits, microseconds since midnight
json, array                 as PostgreSQL prints jsonb: keys by length, then by bytes

The hash is the first 64 bits of the text's MD5, signed; a range of keys is chosen by the MD5 of
the key's cells. MD5 is what every database has; nothing here defends against forgers.
"""

import json
import struct
from collections.abc import Callable
from decimal import Decimal
from hashlib import md5
from json.encoder import encode_basestring
from typing import Any, cast

from lineage.connectors.columns import Column, Layout, Row

Cell = Callable[[Any], str]
Hash = Callable[[Row], tuple[int, int]]
"""Maps a row to the range that its key falls into, and to its hash."""

FOREIGN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error)
"""What a value raises that is not of its column's kind."""

_EPOCH_2000 = 946_684_800_000_000
_DAY_2000 = 10_957
_64_BITS = 2**64 - 1
_32_BITS = 2**32 - 1


def _decimal(value: Decimal) -> str:
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def _binary(form: str) -> Cell:
    pack = struct.Struct(form).pack

    def cell(value: Any) -> str:
        if value != value:  # noqa: PLR0124  (so is NaN, and nothing else)
            return "nan"
        return pack(value + 0.0).hex()

    return cell


def json_text(text: str) -> str:
    """Return a JSON text as PostgreSQL's jsonb prints it."""
    return _printed(json.loads(text, parse_float=Decimal), exact=True)


def _number(value: Decimal | float, *, exact: bool) -> str:
    text = format(value if isinstance(value, Decimal) else Decimal(repr(value)), "f")
    if not exact and "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.removeprefix("-") if not text.strip("-0.") else text


def _printed(value: Any, *, exact: bool) -> str:
    """Print as jsonb; `exact` keeps the zeros with which a number was written."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal | float):
        if isinstance(value, float) and not _finite(value):
            return f'"{_WORDS[repr(value)]}"'
        return _number(value, exact=exact)
    if isinstance(value, dict):
        pairs = sorted((key.encode(), key, item) for key, item in value.items())
        pairs.sort(key=lambda pair: len(pair[0]))
        inside = (
            f"{encode_basestring(key)}: {_printed(item, exact=exact)}" for _, key, item in pairs
        )
        return "{" + ", ".join(inside) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_printed(item, exact=exact) for item in value) + "]"
    return encode_basestring(str(value))


_WORDS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}

_CELLS: dict[str, Cell] = {
    "integer": str,
    "bigint": str,
    "boolean": lambda value: "true" if value else "false",
    "text": lambda value: f"{len(value)}:{value}",
    "bytes": lambda value: f"x{value.hex()}",
    "decimal": _decimal,
    "uuid": str,
    "real": _binary(">f"),
    "double": _binary(">d"),
    "timestamptz": lambda value: f"{(value - _EPOCH_2000) & _64_BITS:016x}",
    "timestamp": lambda value: f"{(value - _EPOCH_2000) & _64_BITS:016x}",
    "date": lambda value: f"{(value - _DAY_2000) & _32_BITS:08x}",
    "time": lambda value: f"{value & _64_BITS:016x}",
    "json": json_text,
    "array": lambda value: _printed(value, exact=False),
}


# cells that are worth no call
_INLINE = {
    "integer": "v{0}",
    "bigint": "v{0}",
    "text": "f'{{len(v{0})}}:{{v{0}}}'",
    "boolean": "'true' if v{0} else 'false'",
    "timestamptz": f"'%016x' % (v{{0}} - {_EPOCH_2000} & {_64_BITS})",
    "timestamp": f"'%016x' % (v{{0}} - {_EPOCH_2000} & {_64_BITS})",
}


def cell_of(column: Column, *, nan_is_null: bool = False) -> Cell:
    """Return what makes the cell of a value that is not null."""
    cell = _CELLS.get(column.kind, str)
    if nan_is_null and column.kind in {"real", "double"}:
        return lambda value: "" if value != value else cell(value)  # noqa: PLR0124
    if nan_is_null and column.item == "double":
        # kept as JSON, which has no word for infinity either
        return lambda values: cell([one if _finite(one) else None for one in values])
    return cell


def _finite(value: float | None) -> bool:
    return value is None or abs(value) < float("inf")


def hasher(layout: Layout, ranges: int, *, nan_is_null: bool = False) -> Hash:
    """Return what hashes rows; `nan_is_null`: as a database that cannot hold NaN keeps them.

    The function is written out for the layout, one line a column: an audit hashes every row.
    """
    known: dict[str, Any] = {"md5": _hash, "whole_number": int.from_bytes, "ranges": ranges}
    lines = [f"{', '.join(f'v{i}' for i in range(len(layout.columns)))}, = row"]
    for index, column in enumerate(layout.columns):
        known[f"cell{index}"] = cell_of(column, nan_is_null=nan_is_null)
        cell = _INLINE.get(column.kind, "cell{0}(v{0})").format(index)
        lines.append(f"c{index} = '' if v{index} is None else {cell}")
    names = [f"{{c{index}}}" for index in range(len(layout.columns))]
    lines += [
        f"key = f'{','.join(names[: layout.keys])}'",
        f"whole = f'{','.join(['{key}', *names[layout.keys :]])}'",
        "place = whole_number(md5(key)[:4], 'big') % ranges",
        "return place, whole_number(md5(whole)[:8], 'big', signed=True)",
    ]
    exec("def hashed(row):\n    " + "\n    ".join(lines), known)  # noqa: S102  (no text from outside)
    return cast("Hash", known["hashed"])


def tolerant(layout: Layout, ranges: int, *, nan_is_null: bool = False) -> Hash:
    """Hash what no writer of ours left too, such as a word in a column of numbers.

    Its range follows from its key where that is whole, so that it is met beside the log's row.
    """
    hashed = hasher(layout, ranges, nan_is_null=nan_is_null)
    place_of, keys = ranger(layout, ranges), layout.keys

    def attempt(row: Row) -> tuple[int, int]:
        try:
            return hashed(row)
        except FOREIGN:
            own = int.from_bytes(_hash(repr(row))[:8], "big", signed=True)
        try:
            return place_of(tuple(row[:keys])), own
        except FOREIGN:
            return 0, own

    return attempt


def ranger(layout: Layout, ranges: int) -> Callable[[tuple[Any, ...]], int]:
    """Return what tells the range that a primary key falls into."""
    cells = [cell_of(column) for column in layout.columns[: layout.keys]]

    def place(key: tuple[Any, ...]) -> int:
        text = ",".join(cell(value) for cell, value in zip(cells, key, strict=True))
        return int.from_bytes(_hash(text)[:4], "big") % ranges

    return place


def _hash(text: str) -> bytes:
    return md5(text.encode()).digest()  # noqa: S324  (see above)


def differing_columns(
    layout: Layout, one: Row, other: Row, *, nan_is_null: bool = False
) -> list[str]:
    """Name the columns in which two rows differ, however their databases spell the values."""
    return [
        column.name
        for column, a, b in zip(layout.columns, one, other, strict=True)
        if a != b and not _same(column, a, b, nan_is_null=nan_is_null)
    ]


def _same(column: Column, a: Any, b: Any, *, nan_is_null: bool) -> bool:
    cell = cell_of(column, nan_is_null=nan_is_null)
    try:
        left, right = ("" if value is None else cell(value) for value in (a, b))
    except FOREIGN:
        return False
    if left == right:
        return True
    if column.kind != "json" or a is None or b is None:
        return False
    # a database may write 1.0 as 1, or 1e22 as a whole number
    first, second = (
        _printed(json.loads(text, parse_float=Decimal), exact=False) for text in (a, b)
    )
    return first == second
