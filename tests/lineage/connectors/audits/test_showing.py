"""What is kept of a difference: both values, readable, bounded, nothing that is masked."""

import math
from decimal import Decimal

from lineage.connectors.audits.comparing import Difference
from lineage.connectors.audits.showing import key_hash, show
from lineage.connectors.columns import Column, Layout, Row
from lineage.connectors.discretion import HIDDEN

LAYOUT = Layout(
    (
        Column("id", "bigint"),
        Column("email", "text"),
        Column("at", "timestamptz", 3),
        Column("price", "decimal", 12, 2),
        Column("raw", "bytes"),
        Column("ratio", "double"),
        Column("doc", "json"),
    ),
    1,
)
ROW: Row = [
    7, "a@b", 1_700_000_000_123_000, Decimal("1.50"), b"\x00\xff", math.nan, '{"a":1}',
]  # fmt: skip


def test_a_missing_row_is_shown_whole_and_a_changed_one_where_it_changed() -> None:
    shown = show(LAYOUT, Difference((7,), "missing", ROW, None), {"email"})
    assert (shown.key, shown.found) == ("7", None)
    assert shown.expected == {
        "email": HIDDEN,
        "at": "2023-11-14T22:13:20.123000+00:00",
        "price": "1.5",
        "raw": "00ff",
        "ratio": "nan",
        "doc": '{"a":1}',
    }
    other: Row = [7, None, 0, None, b"", 1.0, None]
    shown = show(LAYOUT, Difference((7,), "changed", ROW, other, ("email", "at")), {"email"})
    assert shown.expected == {"email": HIDDEN, "at": "2023-11-14T22:13:20.123000+00:00"}
    assert shown.found == {"email": None, "at": "1970-01-01T00:00:00+00:00"}


def test_long_values_null_bytes_and_what_is_no_value_of_ours() -> None:
    layout = Layout((Column("id", "text"), Column("note", "text"), Column("at", "timestamptz")), 1)
    row: Row = ["k", "x" * 5000, "not a time"]
    shown = show(layout, Difference(("k\x00",), "extra", None, row), set())
    assert shown.key == "k\\x00"
    assert shown.found is not None
    assert len(shown.found["note"]) == 300
    assert shown.found["at"] == "'not a time'"


def test_a_masked_key_is_told_apart_by_its_hash() -> None:
    shown = show(LAYOUT, Difference((7,), "extra", None, ROW), {"id"})
    assert shown.key == f"{HIDDEN} ({key_hash(LAYOUT, (7,))[:8]})"
