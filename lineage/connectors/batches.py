"""From many payloads of one schema to the bytes of their rows, column by column. Pure.

`row_making.compiled_packer` says the same for one row. Tests hold the two equal.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, Protocol, runtime_checkable

import numpy as np

from lineage.connectors.columns import Column, Convert, Kind, Layout, Plan, adapted, walk
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
# so many batches that are not as declared, more than those that are, and it is tried no more
_PATIENCE = 50


@runtime_checkable
class DecodesMany(Protocol):
    """A decoder with a way of its own for many payloads."""

    def many(self, payloads: Sequence[bytes], /) -> Iterable[Any]:
        """Decode them one after the other."""
        ...


Columns = Callable[[Sequence[bytes]], Sequence[Sequence[Any]]]


@runtime_checkable
class ReadsColumns(Protocol):
    """A decoder that can read some fields of payloads alone."""

    def columns_of(self, fields: Mapping[tuple[str, ...], Kind], /) -> Columns | None:
        """Return what reads the values at these paths, of the types of these kinds.

        It raises ValueError where a payload is not so; None where it cannot be.
        """
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


Path = tuple[str, ...]
Fields = Callable[[Sequence[bytes]], Mapping[Path, Sequence[Any]]]


def reads(layout: Layout, plan: Plan, lead: int, decode: Callable[[bytes], Any]) -> Read | None:
    """Return what reads payloads by decoding each; None where a column is made of a whole value."""
    columns: list[tuple[Column, Path | None, Convert | None]] = []
    kinds: dict[Path, Kind] = {}
    for column in layout.columns[lead:]:
        source = plan.find(column.name)
        if source is None:
            columns.append((column, None, None))
        elif not source.path or "" in source.path:
            return None
        else:
            columns.append((column, source.path, adapted(source, column)))
            kinds[source.path] = source.column.kind
    if not kinds:
        return None
    fields = _decoded(list(kinds), decode)
    if isinstance(decode, ReadsColumns):
        quick = decode.columns_of(kinds)
        fields = fields if quick is None else _Quick(list(kinds), quick, fields)

    def read(payloads: Sequence[bytes]) -> tuple[list[Vector], None]:
        found = fields(payloads)
        return [
            nulls(len(payloads)) if path is None else converted(column, found[path], convert)
            for column, path, convert in columns
        ], None

    return read


class _Quick:
    """Reads columns alone as long as values are mostly as declared, and else decodes all."""

    def __init__(self, paths: Sequence[Path], quick: Columns, otherwise: Fields) -> None:
        self._paths = paths
        self._quick = quick
        self._otherwise = otherwise
        self._patience = _PATIENCE

    def __call__(self, payloads: Sequence[bytes]) -> Mapping[Path, Sequence[Any]]:
        """Return the values at each path."""
        if self._patience:
            try:
                found = dict(zip(self._paths, _by_parts(self._quick, payloads), strict=True))
            except ValueError:
                self._patience -= 1
            else:
                self._patience = min(self._patience + 1, _PATIENCE)
                return found
        return self._otherwise(payloads)


def _decoded(paths: Sequence[Path], decode: Callable[[bytes], Any]) -> Fields:
    """Return what decodes whole payloads for the values at these paths."""
    names = list(dict.fromkeys(path[0] for path in paths))
    many = decode.many if isinstance(decode, DecodesMany) else partial(map, decode)
    # of a single name it gives no tuple
    take = itemgetter(*names, names[0])

    def part(payloads: Sequence[bytes]) -> list[tuple[Any, ...]]:
        try:
            return list(zip(*map(take, many(payloads)), strict=True))[: len(names)]
        except (LookupError, TypeError):  # a field is absent, or it is no record
            return _walked(many(payloads), names)

    def fields(payloads: Sequence[bytes]) -> dict[Path, Sequence[Any]]:
        found = dict(zip(names, _by_parts(part, payloads), strict=True))
        return {path: _within(found[path[0]], path[1:]) for path in paths}

    return fields


def _by_parts(columns: Columns, payloads: Sequence[bytes]) -> list[list[Any]]:
    """Read columns of few payloads at once, and put them together."""
    whole: list[list[Any]] = []
    for begin in range(0, len(payloads), _AT_ONCE):
        parts = columns(payloads[begin : begin + _AT_ONCE])
        whole = whole or [[] for _ in parts]
        for column, part in zip(whole, parts, strict=True):
            column.extend(part)
    return whole


def _walked(values: Iterable[Any], names: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return the fields of values that may lack them; one that is no record has none."""
    records = [value if isinstance(value, dict) else {} for value in values]
    return [tuple(record.get(name) for record in records) for name in names]


def _within(values: Sequence[Any], path: Path) -> Sequence[Any]:
    """Return what lies at a path in each value."""
    if not path:
        return values
    try:
        return _within([value[path[0]] for value in values], path[1:])
    except (LookupError, TypeError):  # absent, or no record
        return [walk(value, path) for value in values]
