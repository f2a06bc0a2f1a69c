"""Values of a difference, fit to be kept and shown: bounded, and masked columns hidden. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import md5
from typing import Any

import orjson

from lineage.connectors.audits.comparing import Difference
from lineage.connectors.columns import Column, Layout, Row, jsonified
from lineage.connectors.discretion import HIDDEN
from lineage.connectors.engine_parts import Key
from lineage.connectors.sinks.canonical import FOREIGN, cell_of

LONGEST_VALUE = 300
MOST_COLUMNS = 60


@dataclass(frozen=True)
class Shown:
    """A difference as it is kept; values by column, None where there is no row."""

    key: str
    key_hash: str
    kind: str
    columns: list[str]
    expected: dict[str, Any] | None
    found: dict[str, Any] | None


def key_hash(layout: Layout, key: Key) -> str:
    """Return what a key is found again by."""
    try:
        cells = [
            cell_of(column)(value)
            for column, value in zip(layout.columns[: layout.keys], key, strict=True)
        ]
    except FOREIGN:
        cells = [repr(key)]
    return md5(",".join(cells).encode(), usedforsecurity=False).hexdigest()


def show(layout: Layout, difference: Difference, masked: Collection[str]) -> Shown:
    """Return a difference fit to be kept: of a changed row the columns that changed."""
    own = layout.columns[: layout.keys]
    shown = [
        HIDDEN if column.name in masked else _text(column, value)
        for column, value in zip(own, difference.key, strict=True)
    ]
    marked = key_hash(layout, difference.key)
    key = ", ".join(shown) + (f" ({marked[:8]})" if HIDDEN in shown else "")
    wanted = set(difference.columns) or set(layout.names[layout.keys :][:MOST_COLUMNS])
    return Shown(
        key,
        marked,
        difference.kind,
        list(difference.columns)[:MOST_COLUMNS],
        _values(layout, difference.expected, wanted, masked),
        _values(layout, difference.found, wanted, masked),
    )


def _values(
    layout: Layout, row: Row | None, wanted: Collection[str], masked: Collection[str]
) -> dict[str, Any] | None:
    if row is None:
        return None
    values = zip(layout.columns, row, strict=False)
    return {
        column.name: HIDDEN if column.name in masked and value is not None else _fit(column, value)
        for column, value in values
        if column.name in wanted
    }


def _fit(column: Column, value: Any) -> Any:
    """Return a value as JSON: instants as ISO 8601, what is long cut."""
    if value is None or isinstance(value, bool):
        return value
    if column.kind in {"integer", "bigint"} and isinstance(value, int) and abs(value) < 2**53:
        return value
    return _text(column, value)


def _text(column: Column, value: Any) -> str:
    try:
        text = jsonified(value, column.kind)
        plain = orjson.loads(text) if text.startswith('"') and column.kind != "json" else text
    except FOREIGN:
        plain = repr(value)
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):  # noqa: PLR0124
        plain = str(value)
    kept = str(plain).replace("\x00", "\\x00")
    return kept if len(kept) <= LONGEST_VALUE else f"{kept[: LONGEST_VALUE - 1]}…"
