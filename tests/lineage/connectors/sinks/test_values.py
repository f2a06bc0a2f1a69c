"""Values at the edges of their types come back from every kind of target as they were."""

from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.records import Partition
from lineage.connectors.columns import Column, Kind, Layout, Row
from lineage.connectors.digests import digest
from lineage.connectors.sinks.contract import Sink

P0 = Partition("orders", 0)
WORDS = ("select", "from", "order", "group", "user", "index", "key", "t", "b")


def made(sink: Sink, layout: Layout, rows: list[Row]) -> list[Row]:
    """Write rows by merge and by load; return what both tables hold."""
    live, _ = sink.claim("c", "copy", [P0])
    sink.shape("c", live.number, layout)
    sink.merge("copy", layout, rows, [])
    sink.load("loaded", layout, rows)
    found = list(sink.read("copy", layout))
    assert digest(layout, sink.read("loaded", layout)) == digest(layout, found)
    return sorted(found, key=lambda row: repr(row[: layout.keys]))


def same(layout: Layout, found: list[Row], expected: list[Row]) -> bool:
    return digest(layout, found) == digest(layout, expected) and len(found) == len(expected)


EDGES: dict[str, list[Any]] = {
    "integer": [0, 2**31 - 1, -(2**31)],
    "bigint": [0, 2**63 - 1, -(2**63)],
    "real": [0.0, 0.5, -1.5, 16777216.0],
    "double": [0.1, 1.7976931348623157e308, 5e-324, -2.2250738585072014e-308],
    "boolean": [True, False],
    "text": ["", " ", "é", "😀", "a\tb\nc\\d'e\"f`g%s%%", "${x}{y}", "\\N", "NULL", "x" * 70_000],
    "bytes": [b"", b"\x00", bytes(range(256)), b"\\x00"],
    "uuid": ["123e4567-e89b-12d3-a456-426614174000", "00000000-0000-0000-0000-000000000000"],
    "json": ['{"a":[1,2.5,null,{"b":"😀\\n\\u0001"}]}', "[]", '""', "null", "[[[[[[1]]]]]]"],
    # year 1 to year 9999, before 1970 too
    "timestamptz": [0, -1, 1_700_000_000_123_456, -62_135_596_800_000_000, 253_402_300_799_999_999],
    "timestamp": [0, -1, 1_700_000_000_123_456, -11_644_473_600_000_001],
    "date": [0, -1, -719_162, 2_932_896],
    "time": [0, 1, 86_399_999_999],
}


def test_of_each_kind(sink: Sink) -> None:
    columns = [
        Column(f"a_{kind}", cast("Kind", kind), 6 if kind.startswith("time") else 0)
        for kind in EDGES
    ]
    layout = Layout((Column("id", "integer"), *columns), 1)
    most = max(map(len, EDGES.values()))
    rows: list[Row] = [
        [at, *(values[at] if at < len(values) else None for values in EDGES.values())]
        for at in range(most + 1)
    ]
    assert same(layout, made(sink, layout, rows), rows)


DECIMALS = (
    (4, 4, ["0.0001", "-0.9999"]),
    (38, 10, ["1234567890123456789012345678.0123456789", "0"]),
    (60, 2, ["9" * 58 + ".99", "-" + "9" * 58 + ".01"]),
    (0, 0, ["9" * 80 + "." + "1" * 40, "1E-50"]),
)


def test_decimals_of_any_size(sink: Sink) -> None:
    columns = [
        Column(f"d{precision}", "decimal", precision, scale) for precision, scale, _ in DECIMALS
    ]
    layout = Layout((Column("id", "integer"), *columns), 1)
    rows: list[Row] = [[at, *(Decimal(values[at]) for _, _, values in DECIMALS)] for at in (0, 1)]
    found = made(sink, layout, rows)
    assert found == rows
    assert same(layout, found, rows)


def test_arrays(sink: Sink) -> None:
    columns = [
        Column(f"a_{item}", "array", item=item)
        for item in ("integer", "bigint", "double", "boolean", "text")
    ]
    layout = Layout((Column("id", "integer"), *columns), 1)
    rows: list[Row] = [
        [1, [], [], [], [], []],
        [2, [1, -1], [2**63 - 1], [0.1, 1e300], [True, False], ["", "😀", 'q"\\']],
        [3, [None, 1], [None], [None], [None], [None, "x"]],
        [4, None, None, None, None, None],
    ]
    assert same(layout, made(sink, layout, rows), rows)


def test_names_that_are_reserved_or_odd(sink: Sink) -> None:
    odd = ("with space", "quo\"te'd", "tick`", "per%cent", "cur{ly}", "ünï", "a.b", "a;b--")
    layout = Layout(
        (Column("where", "text"), *(Column(name, "integer") for name in (*WORDS, *odd))), 1
    )
    rows: list[Row] = [["k", *range(len(WORDS) + len(odd))]]
    assert made(sink, layout, rows) == rows
    sink.merge("copy", layout, [["k", *[None] * (len(WORDS) + len(odd))]], [("other",)])
    assert list(sink.read("copy", layout)) == [["k", *[None] * (len(WORDS) + len(odd))]]
    sink.merge("copy", layout, [], [("k",)])
    assert sink.count("copy") == 0


def test_keys_that_are_nearly_equal_are_different(sink: Sink) -> None:
    layout = Layout((Column("id", "text"), Column("n", "integer")), 1)
    keys = ["", " ", "a", "a ", "A", "á", "a\u0301", "\u00e1", "ß", "ss", "0", "00", "\\x00"]
    keys = list(dict.fromkeys(keys))
    rows: list[Row] = [[key, at] for at, key in enumerate(keys)]
    assert same(layout, made(sink, layout, rows), rows)
    sink.merge("copy", layout, [["a", 100]], [("a ",), ("",)])
    assert len(list(sink.read("copy", layout))) == len(keys) - 2
    assert ["A", keys.index("A")] in list(sink.read("copy", layout))


KEYS: dict[str, list[Any]] = {
    "integer": [1, -1],
    "bigint": [2**62, -(2**62)],
    "boolean": [True, False],
    "bytes": [b"", b"\x00\xff", b"a"],
    "uuid": ["123e4567-e89b-12d3-a456-426614174000", "00000000-0000-0000-0000-000000000001"],
    "date": [-1, 1],
    "timestamptz": [-1, 1_700_000_000_123_456],
    "double": [0.1, 1e300],
    "decimal": [Decimal("1.10"), Decimal("-2.00")],
    "text": ["x", "long " * 60],
}


SOME = ("bytes", "uuid", "timestamptz")


@pytest.mark.parametrize(
    "kind",
    [kind if kind in SOME else pytest.param(kind, marks=pytest.mark.faults) for kind in KEYS],
)
def test_a_key_of_each_kind_beside_another_column(sink: Sink, kind: Kind) -> None:
    one, two = KEYS[kind][:2]
    precision, scale = {"decimal": (10, 2), "timestamptz": (6, 0)}.get(kind, (0, 0))
    layout = Layout(
        (Column("name", "text"), Column("k", kind, precision, scale), Column("n", "integer")), 2
    )
    sink.load("copy", layout, [["a", one, 1], ["a", two, 2], ["b", one, 3]])
    sink.merge("copy", layout, [["b", one, 30], ["b", two, 4]], [("a", two)])
    expected: list[Row] = [["a", one, 1], ["b", one, 30], ["b", two, 4]]
    assert same(layout, list(sink.read("copy", layout)), expected)


def test_null_then_a_value_then_null_and_deleted_then_inserted(sink: Sink) -> None:
    layout = Layout((Column("id", "text"), Column("note", "text"), Column("n", "integer")), 1)
    live, _ = sink.claim("c", "copy", [P0])
    sink.shape("c", live.number, layout)
    for note in (None, "x", None, ""):
        sink.merge("copy", layout, [["a", note, 1]], [])
        assert list(sink.read("copy", layout)) == [["a", note, 1]]
    sink.merge("copy", layout, [["b", "there", None]], [("a",)])
    sink.merge("copy", layout, [["a", "again", 2]], [("b",)])
    assert list(sink.read("copy", layout)) == [["a", "again", 2]]


BATCHES = st.lists(
    st.dictionaries(st.sampled_from("abcdefgh"), st.none() | st.integers(0, 9), max_size=8),
    max_size=4,
)


def test_batches_leave_what_a_dictionary_would(sink: Sink) -> None:
    layout = Layout((Column("id", "text"), Column("n", "integer")), 1)
    live, _ = sink.claim("c", "copy", [P0])
    sink.shape("c", live.number, layout)

    @settings(
        max_examples=3,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(batches=BATCHES)
    def check(batches: list[dict[str, int | None]]) -> None:
        sink.load("copy", layout, [])
        expected: dict[str, int] = {}
        for batch in batches:
            upserts: list[Row] = [[key, n] for key, n in batch.items() if n is not None]
            sink.merge("copy", layout, upserts, {(key,) for key, n in batch.items() if n is None})
            for key, n in batch.items():
                if n is None:
                    expected.pop(key, None)
                else:
                    expected[key] = n
            assert {row[0]: row[1] for row in sink.read("copy", layout)} == expected

    check()
