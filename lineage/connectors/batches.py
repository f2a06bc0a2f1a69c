"""From many payloads of one schema to the bytes of their rows, column by column. Pure.

`row_making.compiled_packer` says the same for one row. Tests hold the two equal.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, Protocol, runtime_checkable

import numpy as np

from lineage.connectors.columns import Column, Convert, Layout, Plan, adapted, walk
from lineage.connectors.vectors import (
    Mask,
    Vector,
    converted,
    nulls,
    packed,
    taken,
)

Read = Callable[[Sequence[bytes]], tuple[list[Vector], Mask | None]]
"""Reads the columns behind the leading ones; tells which payloads it could read (None: all)."""
Pack = Callable[[Sequence[Vector], Sequence[bytes]], list[bytes | None]]
"""Makes the bytes of rows of leading columns and payloads; None: only a single row can tell.

It raises what it pleases where a batch has something that is no plain case.
"""


# decoded values are big: so few stay in the processor's cache until they are taken apart
_AT_ONCE = 250


@runtime_checkable
class DecodesMany(Protocol):
    """A decoder with a way of its own for many payloads."""

    def many(self, payloads: Sequence[bytes], /) -> Iterable[Any]:
        """Decode them one after the other."""
        ...


def packs(layout: Layout, read: Read) -> Pack:
    """Return what packs rows of a layout."""

    def pack(leads: Sequence[Vector], payloads: Sequence[bytes]) -> list[bytes | None]:
        if not payloads:
            return []
        found, good = read(payloads)
        if good is None or good.all():
            return list(packed(layout, [*leads, *found]))
        rows: list[bytes | None] = [None] * len(payloads)
        places = np.flatnonzero(good)
        if not len(places):
            return rows
        some = [payloads[at] for at in places.tolist()]
        made = packed(layout, [*(taken(lead, places) for lead in leads), *read(some)[0]])
        for at, row in zip(places.tolist(), made, strict=True):
            rows[at] = row
        return rows

    return pack


def reads(layout: Layout, plan: Plan, lead: int, decode: Callable[[bytes], Any]) -> Read | None:
    """Return what reads payloads by decoding each; None where a column is made of a whole value."""
    columns: list[tuple[Column, tuple[str, ...] | None, Convert | None]] = []
    for column in layout.columns[lead:]:
        source = plan.find(column.name)
        if source is None:
            columns.append((column, None, None))
        elif not source.path or "" in source.path:
            return None
        else:
            columns.append((column, source.path, adapted(source, column)))

    names = list(dict.fromkeys(path[0] for _, path, _ in columns if path))
    if not names:
        return None
    many = decode.many if isinstance(decode, DecodesMany) else partial(map, decode)
    # of a single name it gives no tuple
    take = itemgetter(*names, names[0])

    def read(payloads: Sequence[bytes]) -> tuple[list[Vector], None]:
        fields: dict[str, list[Any]] = {name: [] for name in names}
        for begin in range(0, len(payloads), _AT_ONCE):
            some = payloads[begin : begin + _AT_ONCE]
            try:
                found = list(zip(*map(take, many(some)), strict=True))
            except (LookupError, TypeError):  # a field is absent, or it is no record
                found = _walked(many(some), names)
            for name, values in zip(names, found, strict=False):
                fields[name] += values
        return [
            nulls(len(payloads))
            if path is None
            else converted(column, _within(fields[path[0]], path[1:]), convert)
            for column, path, convert in columns
        ], None

    return read


def _walked(values: Iterable[Any], names: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return the fields of values that may lack them; one that is no record has none."""
    records = [value if isinstance(value, dict) else {} for value in values]
    return [tuple(record.get(name) for record in records) for name in names]


def _within(values: Sequence[Any], path: tuple[str, ...]) -> Sequence[Any]:
    """Return what lies at a path in each value."""
    if not path:
        return values
    try:
        return _within([value[path[0]] for value in values], path[1:])
    except (LookupError, TypeError):  # absent, or no record
        return [walk(value, path) for value in values]
