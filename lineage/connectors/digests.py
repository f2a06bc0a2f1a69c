"""What a table holds, as one number that is the same whatever target it lies in. Pure.

A row's fingerprint is the hash (XXH3, 64 bits) of its form in bytes: that of `packing` where its
columns have one, with NaN as null; else of its canonical text. A digest is their sum, in any order.
"""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import orjson
from xxhash import xxh3_64_intdigest

from lineage.connectors.columns import Digest, Layout, Row, plain
from lineage.connectors.packing import UNFIT, has_form, row_packer

_EXACT = 2**53
_CHUNK = 5_000


def _settled(value: Any) -> Any:
    """Return parsed JSON with one spelling for each number: 1.0 is 1, what is inexact a float."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _EXACT:
        return float(value)
    if isinstance(value, list):
        return [_settled(item) for item in value]
    if isinstance(value, dict):
        return {name: _settled(item) for name, item in value.items()}
    return value


def canonical_text(layout: Layout) -> Callable[[Row], bytes]:
    """Return what gives equal rows equal bytes, whatever target they were read from."""
    parsed = [index for index, column in enumerate(layout.columns) if column.kind == "json"]

    def settled(row: Row) -> bytes:
        row = list(row)
        for index in parsed:
            if row[index] is not None:
                row[index] = _settled(orjson.loads(row[index]))
        return orjson.dumps(row, plain, orjson.OPT_SORT_KEYS)

    return settled if parsed else lambda row: orjson.dumps(row, plain, orjson.OPT_SORT_KEYS)


def canonical_form(layout: Layout) -> Callable[[Row], bytes]:
    """Return what gives rows the bytes that their fingerprints are made of."""
    form = row_packer(layout, "null") if has_form(layout) else canonical_text(layout)

    def formed(row: Row) -> bytes:
        try:
            return form(row)
        except UNFIT:  # of another kind than its column: told apart from all that is not
            return repr(row).encode(errors="backslashreplace")

    return formed


def summed(forms: Iterable[bytes]) -> int:
    """Return the sum of the fingerprints of rows, given the bytes of each."""
    return sum(map(xxh3_64_intdigest, forms))


def digest(layout: Layout, rows: Iterable[Row]) -> Digest:
    """Return the digest of rows in any order."""
    form, waiting = canonical_form(layout), iter(rows)
    count = total = 0
    while forms := [form(row) for row in islice(waiting, _CHUNK)]:
        count += len(forms)
        total += summed(forms)
    return Digest(count, total % 2**64)
