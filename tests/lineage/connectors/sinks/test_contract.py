"""What every target must do; run over all of them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from broker.records import Partition
from lineage.connectors.columns import Column, Layout, Row
from lineage.connectors.digests import digest
from lineage.connectors.errors import FencedError, SinkMismatchError, SinkRefusedError
from lineage.connectors.sinks.contract import (
    BehindError,
    Fence,
    Live,
    Move,
    Sink,
    retired_of,
    shadow_of,
)

P0, P1 = Partition("orders", 0), Partition("orders", 1)
SIMPLE = Layout((Column("id", "text"), Column("amount", "bigint")), 1)
EVERY_KIND = Layout(
    (
        Column("id", "text"),
        Column("small", "integer"),
        Column("big", "bigint"),
        Column("ratio", "real"),
        Column("exact", "double"),
        Column("yes", "boolean"),
        Column("raw", "bytes"),
        Column("price", "decimal", 12, 2),
        Column("at", "timestamptz", 6),
        Column("local", "timestamp", 3),
        Column("day", "date"),
        Column("clock", "time", 6),
        Column("who", "uuid"),
        Column("doc", "json"),
        Column("tags", "array", item="text"),
        Column("counts", "array", item="bigint"),
        Column('odd "name"', "text"),
    ),
    1,
)
FULL_ROW: Row = [
    "a",
    -(2**31),
    2**63 - 1,
    0.5,
    0.1,
    True,
    b"\x00\xff",
    Decimal("-1234567890.12"),
    1_700_000_000_123_456,
    -1_000,
    -1,
    86_399_999_999,
    "123e4567-e89b-12d3-a456-426614174000",
    '{"a":[1,2.5,null],"b":{"c":"é"}}',
    ["x", 'with "quotes"', ""],
    [1, -(2**63)],
    "tab\tnewline\n\\",
]
BEFORE_2000: Row = ["b", *[None] * 7, -86_400_000_001, None, -20_000, 0, *[None] * 5]
EMPTY_ROW: Row = ["", *[None] * 16]


def ready(sink: Sink, layout: Layout = SIMPLE, partitions: tuple[Partition, ...] = (P0,)) -> Fence:
    live, places = sink.claim("c", "orders", partitions)
    sink.shape("c", live.number, layout)
    return Fence(
        "c",
        live.number,
        tuple(Move(p, places[p].next, 10, places[p].epoch) for p in partitions),
    )


def content(sink: Sink, layout: Layout = SIMPLE, table: str = "orders") -> list[Row]:
    return sorted(sink.read(table, layout), key=lambda row: str(row[0]))


def test_every_kind_comes_back_as_it_was_by_merge_and_by_load(sink: Sink) -> None:
    rows = [EMPTY_ROW, FULL_ROW, BEFORE_2000]
    ready(sink, EVERY_KIND)
    sink.merge("orders", EVERY_KIND, rows, [])
    sink.load("loaded", EVERY_KIND, rows)
    expected = digest(EVERY_KIND, rows)
    assert expected.rows == 3
    assert digest(EVERY_KIND, sink.read("orders", EVERY_KIND)) == expected
    assert digest(EVERY_KIND, sink.read("loaded", EVERY_KIND)) == expected


def test_a_batch_writes_replaces_and_deletes(sink: Sink) -> None:
    ready(sink)
    sink.merge("orders", SIMPLE, [["a", 1], ["b", 2], ["c", 3]], [])
    sink.merge("orders", SIMPLE, [["b", 20], ["d", None]], [("a",), ("absent",)])
    assert content(sink) == [["b", 20], ["c", 3], ["d", None]]
    assert sink.count("orders") == 3
    assert sink.count("nowhere") == 0


def test_rows_are_found_by_their_keys(sink: Sink) -> None:
    ready(sink)
    assert sink.read_keys("orders", SIMPLE, [("a",)]) == []
    sink.merge("orders", SIMPLE, [[f"k{at}", at] for at in range(1_300)], [])
    assert sink.read_keys("orders", SIMPLE, []) == []
    wanted = [(f"k{at}",) for at in range(0, 1_400, 2)]
    found = sink.read_keys("orders", SIMPLE, wanted)
    assert sorted(found) == sorted([f"k{at}", at] for at in range(0, 1_300, 2))
    sink.merge("orders", SIMPLE, [["k1", None]], [("k0",)])
    assert sink.read_keys("orders", SIMPLE, {("k0",), ("k1",)}) == [["k1", None]]
    layout = Layout(
        (Column("n", "integer"), Column("at", "timestamptz", 6), Column("t", "text")), 2
    )
    rows: list[Row] = [[1, 1_700_000_000_123_456, "a"], [1, 5, "b"], [2, 5, None]]
    sink.load("loaded", layout, rows)
    found = sink.read_keys("loaded", layout, [(1, 5), (2, 5), (2, 6)])
    assert sorted(found, key=str) == rows[1:]
    every = [EMPTY_ROW, FULL_ROW, BEFORE_2000]
    sink.load("every", EVERY_KIND, every)
    keys = [(row[0],) for row in every]
    assert digest(EVERY_KIND, sink.read_keys("every", EVERY_KIND, keys)) == digest(
        EVERY_KIND, every
    )


def test_a_table_of_nothing_but_its_key(sink: Sink) -> None:
    layout = Layout((Column("one", "text"), Column("two", "integer")), 2)
    ready(sink, layout)
    sink.merge("orders", layout, [["a", 1], ["a", 2]], [])
    sink.merge("orders", layout, [["a", 2]], [("a", 1)])
    assert content(sink, layout) == [["a", 2]]


def test_offsets_move_with_the_rows_and_start_at_the_beginning(sink: Sink) -> None:
    fence = ready(sink, partitions=(P0, P1))
    assert [move.expected for move in fence.moves] == [-1, -1]
    sink.merge("orders", SIMPLE, [["a", 1]], [], fence)
    assert {p: place.next for p, place in sink.positions("c").items()} == {P0: 10, P1: 10}
    assert sink.positions("other") == {}


def test_a_second_owner_fences_the_first(sink: Sink, open_target: Callable[[], Sink]) -> None:
    old = ready(sink, partitions=(P0, P1))
    other = open_target()
    live, places = other.claim("c", "orders", [P1])
    with pytest.raises(FencedError):
        sink.merge("orders", SIMPLE, [["zombie", 1]], [("a",)], old)
    mine = Fence("c", live.number, (Move(P1, places[P1].next, 5, places[P1].epoch),))
    other.merge("orders", SIMPLE, [["mine", 1]], [], mine)
    assert content(other) == [["mine", 1]]
    assert {p: place.next for p, place in sink.positions("c").items()} == {P0: -1, P1: 5}


def test_an_offset_other_than_expected_fences(sink: Sink) -> None:
    fence = ready(sink)
    sink.merge("orders", SIMPLE, [["a", 1]], [], fence)
    with pytest.raises(FencedError):
        sink.merge("orders", SIMPLE, [["a", 0]], [], fence)
    assert content(sink) == [["a", 1]]


def test_what_the_database_refuses_is_found_and_nothing_is_written(sink: Sink) -> None:
    ready(sink)
    bad = 2**80
    rows: list[Row] = [[f"k{number}", bad if number in {3, 17} else number] for number in range(40)]
    with pytest.raises(SinkRefusedError):
        sink.merge("orders", SIMPLE, rows, [])
    assert set(sink.refusals("orders", SIMPLE, rows)) == {3, 17}
    assert content(sink) == []
    with pytest.raises(SinkRefusedError):
        sink.load("loaded", SIMPLE, rows)
    sink.merge("orders", SIMPLE, rows[:3], [])
    assert sink.count("orders") == 3


def test_columns_are_added_in_place(sink: Sink) -> None:
    fence = ready(sink)
    sink.merge("orders", SIMPLE, [["a", 1]], [])
    wider = Layout((*SIMPLE.columns, Column("note", "text")), 1)
    assert sink.shape("c", fence.generation, wider) == wider
    assert sink.shape("c", fence.generation, SIMPLE) == wider
    sink.merge("orders", wider, [["b", 2, "n"]], [])
    assert content(sink, wider) == [["a", 1, None], ["b", 2, "n"]]
    live = sink.live("c")
    assert live is not None
    assert live.layout == wider


def test_a_foreign_table_is_never_written(sink: Sink) -> None:
    sink.load("orders", SIMPLE, [["theirs", 1]])
    live, _ = sink.claim("c", "orders", [P0])
    with pytest.raises(SinkMismatchError, match="not of this connector's"):
        sink.shape("c", live.number, SIMPLE)


def test_a_dropped_table_is_noticed(sink: Sink) -> None:
    ready(sink)
    sink.drop("orders")
    with pytest.raises(SinkMismatchError):
        sink.merge("orders", SIMPLE, [["a", 1]], [])


def build(sink: Sink, number: int, rows: list[Row], offsets: dict[Partition, int]) -> None:
    sink.load(shadow_of("orders"), SIMPLE, rows)
    sink.swap("c", Live(number, "orders", SIMPLE), SIMPLE, offsets)


def test_a_swap_changes_rows_offsets_and_owners_at_once(
    sink: Sink, open_target: Callable[[], Sink]
) -> None:
    fence = ready(sink)
    sink.merge("orders", SIMPLE, [["old", 1]], [], fence)
    build(open_target(), 2, [["new", 2]], {P0: 12, P1: 7})
    assert content(sink) == [["new", 2]]
    assert content(sink, table=retired_of("orders", 1)) == [["old", 1]]
    live = sink.live("c")
    assert live == Live(2, "orders", SIMPLE)
    assert {p: place.next for p, place in sink.positions("c").items()} == {P0: 12, P1: 7}
    moved = Fence("c", 1, (Move(P0, 10, 11, fence.moves[0].epoch),))
    with pytest.raises(FencedError):
        sink.merge("orders", SIMPLE, [["zombie", 1]], [], moved)
    build(sink, 3, [["third", 3]], {P0: 12, P1: 7})
    assert sink.count(retired_of("orders", 2)) == 1
    assert sink.count(retired_of("orders", 1)) == 0


def test_a_swap_never_goes_back(sink: Sink) -> None:
    sink.merge("orders", SIMPLE, [["old", 1]], [], ready(sink))
    with pytest.raises(BehindError):
        build(sink, 2, [["new", 2]], {P0: 9})
    with pytest.raises(FencedError):
        build(sink, 3, [["new", 2]], {P0: 10})
    assert content(sink) == [["old", 1]]


def test_the_first_generation_may_be_a_build(sink: Sink) -> None:
    build(sink, 1, [["a", 1]], {P0: 3})
    assert content(sink) == [["a", 1]]
    live, places = sink.claim("c", "orders", [P0])
    assert (live.number, places[P0].next) == (1, 3)


def test_a_null_byte_in_text_is_refused_or_kept_never_cut(sink: Sink) -> None:
    layout = Layout((Column("id", "text"), Column("note", "text")), 1)
    ready(sink, layout)
    row: Row = ["a", "x\x00y"]
    refused: dict[int, Any] = sink.refusals("orders", layout, [row])
    if not refused:
        sink.merge("orders", layout, [row], [])
        assert content(sink, layout) == [row]
