"""What the log says of keys against what the copy holds. Pure: rows in, differences out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from lineage.connectors.columns import Digest, Layout, Row
from lineage.connectors.engine_parts import Key
from lineage.connectors.sinks.canonical import differing_columns

Kind = Literal["changed", "missing", "extra"]
KINDS: tuple[Kind, ...] = ("changed", "missing", "extra")
"""Another value than the log's; a row that the log has; a row that the log has not."""


@dataclass
class Expected:
    """The row that the log gives a key, or None.

    `others` are as good: what a record in quarantine would have written, had it been readable when
    it was copied. `unknown`: compaction has removed what the copy rightly kept, or the schema that
    a record was read with is no more.
    """

    row: Row | None
    others: list[Row | None] = field(default_factory=list)
    unknown: bool = False


@dataclass(frozen=True)
class Difference:
    """One key in which copy and log differ; `columns` names where."""

    key: Key
    kind: Kind
    expected: Row | None
    found: Row | None
    columns: tuple[str, ...] = ()


def differing_ranges(log: Mapping[int, Digest], copy: Mapping[int, Digest]) -> list[int]:
    """Return the ranges whose digests differ, in order."""
    return sorted(place for place in {*log, *copy} if log.get(place) != copy.get(place))


def compare(
    layout: Layout,
    expected: Mapping[Key, Expected],
    rows: Iterable[Row],
    *,
    nan_is_null: bool = False,
) -> tuple[list[Difference], int]:
    """Return what differs among some keys, and how many of them cannot be judged."""
    differences: list[Difference] = []
    unjudged = 0
    met: set[Key] = set()
    for row in rows:
        key = tuple(row[: layout.keys])
        met.add(key)
        known = expected.get(key)
        if known is None:
            differences.append(Difference(key, "extra", None, row))
        elif known.unknown:
            unjudged += 1
        else:
            differences += _judged(layout, key, known, row, nan_is_null=nan_is_null)
    for key, known in expected.items():
        if key in met or known.row is None or known.unknown:
            continue
        if None not in known.others:
            differences.append(Difference(key, "missing", known.row, None))
    return differences, unjudged


def _judged(
    layout: Layout, key: Key, known: Expected, row: Row, *, nan_is_null: bool
) -> list[Difference]:
    candidates = [one for one in (known.row, *known.others) if one is not None]
    apart = [
        differing_columns(layout, _whole(layout, one), row, nan_is_null=nan_is_null)
        for one in candidates
    ]
    if not all(apart):
        return []
    if known.row is None:
        return [Difference(key, "extra", None, row)]
    return [Difference(key, "changed", known.row, row, tuple(apart[0]))]


def _whole(layout: Layout, row: Row) -> Row:
    """Return a row as wide as the table: columns may have been added behind it."""
    lacking = len(layout.columns) - len(row)
    return row + [None] * lacking if lacking > 0 else row
