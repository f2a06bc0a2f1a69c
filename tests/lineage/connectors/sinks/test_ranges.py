"""Digests of ranges of keys: Python and each database compute the same, whatever the rows hold."""

import json
import math
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from broker.records import Partition
from lineage.connectors.columns import Column, Layout, Row, to_json
from lineage.connectors.errors import SinkMismatchError
from lineage.connectors.sinks.canonical import differing_columns, hasher, json_text, ranger
from lineage.connectors.sinks.contract import Fence, Live, Move, Sink, shadow_of
from lineage.connectors.sinks.ranges import (
    Snapshotting,
    at_one_moment,
    hash_by_reading,
    nan_is_null,
    read_by_range,
    total,
)
from tests.lineage.connectors.sinks.test_contract import (
    BEFORE_2000,
    EMPTY_ROW,
    EVERY_KIND,
    FULL_ROW,
    SIMPLE,
    ready,
)

WIDE = Layout(
    (
        *EVERY_KIND.columns[:1],
        Column("number", "bigint"),
        *EVERY_KIND.columns[1:],
        Column("any_decimal", "decimal"),
        Column("floats", "array", item="double"),
        Column("flags", "array", item="boolean"),
    ),
    2,
)
TEXTS = ["", ",", "1:a", "é", "\U0001f600", "a\\b\n\t\"'", "x" * 300, "\u2028", "\x7f", "-"]
FLOATS = [
    0.0, -0.0, 1.0, -1.5, 0.1, 1e15, 1e16, 1e22, 1e-5, 5e-324, 1.7976931348623157e308,
    math.inf, -math.inf, math.nan, 123456789012345680.0, 2.0**53 + 2,
]  # fmt: skip
REALS = [0.0, -0.0, 0.5, -0.25, 1e10, 3.4028234663852886e38, math.inf, -math.inf, math.nan]
DECIMALS = [Decimal(text) for text in ("0.00", "-0.50", "1.10", "1234567890.12", "-9999999999.99")]
ANY_DECIMALS = [
    Decimal(text)
    for text in ("0", "-0", "1E+3", "1.000", "123456789012345678901234567890.0120", "1e-30", "NaN")
]
INSTANTS = [
    0, 1, -1, -62_135_596_800_000_000, 253_402_300_799_999_999, 946_684_800_000_000,
    -86_400_000_001, 1_700_000_000_123_456,
]  # fmt: skip
DOCUMENTS: list[Any] = [
    None, True, 0, -0.0, 1.0, 1e22, 1e-7, 2**63 - 1, "", "\x01\x1f\x7f é \U0001f600 \"\\/\b\f",
    [], {}, [[]], {"bb": 1, "a": 2, "é": [1.50, {"z": None}], "": "e"}, {"aa": 1, "b": 2, "ab": 3},
]  # fmt: skip


def some_row(chance: random.Random, number: int) -> Row:
    def one(values: list[Any], share: float = 0.15) -> Any:
        return None if chance.random() < share else chance.choice(values)

    document = one(DOCUMENTS)
    return [
        chance.choice(TEXTS),
        number,
        one([0, -(2**31), 2**31 - 1]),
        one([0, -(2**63), 2**63 - 1]),
        one(REALS),
        one(FLOATS),
        one([True, False]),
        one([b"", b"\x00", b"\xff\x00"]),
        one(DECIMALS),
        one(INSTANTS),
        one([value // 1000 * 1000 for value in INSTANTS]),
        one([0, -1, -719_162, 2_932_896]),
        one([0, 1, 86_399_999_999]),
        one([str(UUID(int=chance.getrandbits(128)))]),
        None if document is None else to_json(document),
        one([[], ["", "a,b", 'q"\\', "é\n"], ["x"]]),
        one([[], [0, -(2**63), 2**63 - 1]]),
        one(TEXTS),
        one(ANY_DECIMALS),
        one([[], FLOATS, [1.0, 0.1]]),
        one([[], [True, False]]),
    ]


def many_rows(count: int, seed: int) -> list[Row]:
    chance = random.Random(seed)
    return [some_row(chance, number) for number in range(count)]


def kept_by(sink: Sink, rows: list[Row]) -> list[Row]:
    """Rows without what the kind refuses: MySQL knows neither NaN nor infinities."""
    if sink.kind != "mysql":
        return rows

    def finite(value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in value if finite(item) is not None]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return [[finite(value) for value in row] for row in rows]


@pytest.mark.parametrize("seed", range(3))
def test_the_database_hashes_as_python_does(sink: Sink, seed: int) -> None:
    rows = kept_by(sink, many_rows(400, seed))
    sink.load("wide", WIDE, rows)
    expected = hash_by_reading(rows, WIDE, 64, nan_is_null=nan_is_null(sink))
    assert sink.hash_ranges("wide", WIDE, 64) == expected
    assert hash_by_reading(sink.read("wide", WIDE), WIDE, 64) == expected
    assert total(expected.values()).rows == 400


def test_each_kind_by_itself(sink: Sink) -> None:
    """One column at a time, so that a failure names the kind."""
    rows = kept_by(sink, many_rows(300, 9))
    for index, column in enumerate(WIDE.columns[2:], 2):
        layout = Layout((WIDE.columns[1], column), 1)
        narrow = [[row[1], row[index]] for row in rows]
        sink.load("narrow", layout, narrow)
        expected = hash_by_reading(narrow, layout, 1, nan_is_null=nan_is_null(sink))
        assert sink.hash_ranges("narrow", layout, 1) == expected, column


def test_rows_of_the_contract_and_wanted_ranges(sink: Sink) -> None:
    rows = [EMPTY_ROW, FULL_ROW, BEFORE_2000]
    sink.load("rows", EVERY_KIND, rows)
    digests = sink.hash_ranges("rows", EVERY_KIND, 7)
    assert digests == hash_by_reading(rows, EVERY_KIND, 7)
    for place in range(7):
        found = list(sink.read_ranges("rows", EVERY_KIND, 7, {place}))
        wanted = list(read_by_range(rows, EVERY_KIND, 7, {place}))
        assert sorted(row[0] for row in found) == sorted(row[0] for row in wanted)
        for row in found:
            twin = next(other for other in wanted if other[0] == row[0])
            assert differing_columns(EVERY_KIND, row, twin) == []
            assert ranger(EVERY_KIND, 7)((row[0],)) == place
    assert list(sink.read_ranges("rows", EVERY_KIND, 7, ())) == []


def test_any_change_of_a_cell_changes_the_hash() -> None:
    hashed = hasher(WIDE, 1)
    chance = random.Random(3)
    for row in many_rows(200, 4):
        other = some_row(chance, row[1])
        for index in range(2, len(row)):
            mixed = [*row[:index], other[index], *row[index + 1 :]]
            if differing_columns(WIDE, row, mixed):
                assert hashed(row) != hashed(mixed), WIDE.columns[index]
            elif WIDE.columns[index].kind != "json":  # 1.0 is 1, and yet another text
                assert hashed(row) == hashed(mixed), WIDE.columns[index]


@pytest.mark.parametrize(
    ("one", "other"),
    [([None, ""], ["", None]), (["a,", "b"], ["a", ",b"]), (["1:a", None], ["a", None])],
)
def test_neighbours_never_blur(one: Row, other: Row) -> None:
    layout = Layout((Column("k", "text"), Column("a", "text"), Column("b", "text")), 1)
    hashed = hasher(layout, 1)
    assert hashed(["k", *one]) != hashed(["k", *other])


def test_json_is_printed_as_jsonb_prints_it() -> None:
    text = json.dumps({"bb": 1.5e2, "a": [True, None, "\x01é"], "c": {}}, ensure_ascii=False)
    assert json_text(text) == '{"a": [true, null, "\\u0001é"], "c": {}, "bb": 150.0}'
    layout = Layout((Column("k", "text"), Column("doc", "json")), 1)
    assert differing_columns(layout, ["k", '{"a":1.0}'], ["k", '{"a": 1}']) == []
    assert differing_columns(layout, ["k", '{"a":1.0}'], ["k", '{"a": 2}']) == ["doc"]
    assert differing_columns(layout, ["k", "1"], ["k", "true"]) == ["doc"]


# -- at one moment ------------------------------------------------------------------------------
def test_rows_and_positions_are_of_one_moment(sink: Sink, open_target: Callable[[], Sink]) -> None:
    fence = ready(sink)
    sink.merge("orders", SIMPLE, [["a", 1]], [], fence)
    other = open_target()
    if not isinstance(other, Snapshotting):
        pytest.skip(f"{other.kind} has no snapshot: it reads until nothing moved, see below")
    (move,) = fence.moves

    def read(live: Live) -> list[Row]:
        first = list(other.read(live.table, SIMPLE))
        on = Fence("c", live.number, (Move(move.partition, 10, 20, move.epoch),))
        sink.merge("orders", SIMPLE, [["b", 2]], [], on)
        assert total(other.hash_ranges(live.table, SIMPLE, 8).values()).rows == 1
        assert list(other.read_ranges(live.table, SIMPLE, 8, range(8))) == first
        return first

    moment, found = at_one_moment(other, "c", read)
    assert found == [["a", 1]]
    assert moment.positions == {Partition("orders", 0): 10}
    assert sink.count("orders") == 2
    moment, _ = at_one_moment(other, "c", lambda _live: None)
    assert moment.positions == {Partition("orders", 0): 20}


def test_a_kind_without_snapshots_reads_until_nothing_moved(sink: Sink) -> None:
    fence = ready(sink)
    sink.merge("orders", SIMPLE, [["a", 1]], [], fence)
    (move,) = fence.moves

    class Plain:
        """Offers what the contract asks of every kind, and no snapshot."""

        kind = sink.kind
        live = staticmethod(sink.live)
        positions = staticmethod(sink.positions)

    reads: list[int] = []

    def read(live: Live) -> int:
        if not reads:
            on = Fence("c", live.number, (Move(move.partition, 10, 20, move.epoch),))
            sink.merge("orders", SIMPLE, [["b", 2]], [], on)
        reads.append(sink.count(live.table))
        return reads[-1]

    moment, found = at_one_moment(Plain(), "c", read)  # type: ignore[arg-type]
    assert (found, len(reads)) == (2, 2)
    assert moment.positions == {Partition("orders", 0): 20}


def test_no_table_yet_and_a_table_dropped_by_hand(sink: Sink) -> None:
    assert at_one_moment(sink, "c", lambda _live: 1)[1] is None
    fence = ready(sink)
    sink.merge("orders", SIMPLE, [["a", 1]], [], fence)
    sink.drop("orders")
    with pytest.raises(SinkMismatchError):
        at_one_moment(sink, "c", lambda live: sink.hash_ranges(live.table, SIMPLE, 8))


def test_a_swap_shows_as_another_generation(sink: Sink) -> None:
    sink.merge("orders", SIMPLE, [["a", 1]], [], ready(sink))
    sink.load(shadow_of("orders"), SIMPLE, [["b", 2]])
    sink.swap("c", Live(2, "orders", SIMPLE), SIMPLE, {Partition("orders", 0): 10})
    moment, found = at_one_moment(sink, "c", lambda live: list(sink.read(live.table, SIMPLE)))
    assert moment.live is not None
    assert (moment.live.number, found) == (2, [["b", 2]])
