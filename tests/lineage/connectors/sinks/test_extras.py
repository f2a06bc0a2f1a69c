"""What the kinds that are extras can do beyond the contract that all share."""

import sys
from decimal import Decimal
from typing import Any

import pytest

from broker.records import Partition
from lineage.connectors.columns import Column, Layout
from lineage.connectors.errors import (
    FencedError,
    SinkMismatchError,
    TargetInvalidError,
    TargetUnsetError,
)
from lineage.connectors.sinks import open_sink
from lineage.connectors.sinks.contract import Fence, Live, Move, retired_of, shadow_of

P0, P1 = Partition("orders", 0), Partition("orders", 1)
SIMPLE = Layout((Column("id", "text"), Column("amount", "integer")), 1)
WIDER = Layout((*SIMPLE.columns, Column("note", "text")), 1)


def offsets(sink: Any) -> dict[Partition, int]:
    return {partition: place.next for partition, place in sink.positions("c").items()}


def swapped(sink: Any) -> Fence:
    """Generation 1 left at offset 10 of one partition, 2 at 20 of two; return 1's fence."""
    live, places = sink.claim("c", "orders", [P0])
    sink.shape("c", live.number, SIMPLE)
    fence = Fence("c", 1, (Move(P0, places[P0].next, 10, places[P0].epoch),))
    sink.merge("orders", SIMPLE, [["first", 1]], [], fence)
    sink.load(shadow_of("orders"), WIDER, [["second", 2, "n"]])
    sink.swap("c", Live(2, "orders", WIDER), WIDER, {P0: 20, P1: 5})
    return fence


def test_a_swap_can_be_rolled_back_and_that_too(extra_sink: Any) -> None:
    sink = extra_sink
    swapped(sink)
    _, places = sink.claim("c", "orders", [P0, P1])
    assert sink.roll_back("c") == Live(3, "orders", SIMPLE) == sink.live("c")
    assert list(sink.read("orders", SIMPLE)) == [["first", 1]]
    assert list(sink.read(retired_of("orders", 2), WIDER)) == [["second", 2, "n"]]
    assert sink.count(retired_of("orders", 1)) == 0
    # partition 1 was not known to the first generation: it begins at its beginning
    assert offsets(sink) == {P0: 10, P1: -1}
    stale = Fence("c", 2, (Move(P0, 20, 21, places[P0].epoch),))
    with pytest.raises(FencedError):
        sink.merge("orders", SIMPLE, [["zombie", 1]], [], stale)
    live, places = sink.claim("c", "orders", [P0, P1])
    sink.merge(
        "orders",
        SIMPLE,
        [["first", 11]],
        [],
        Fence("c", live.number, (Move(P0, 10, 12, places[P0].epoch),)),
    )
    assert sink.roll_back("c") == Live(4, "orders", WIDER)
    assert offsets(sink) == {P0: 20, P1: 5}
    assert list(sink.read("orders", WIDER)) == [["second", 2, "n"]]
    assert list(sink.read(retired_of("orders", 3), SIMPLE)) == [["first", 11]]
    sink.load(shadow_of("orders"), SIMPLE, [["fifth", 5]])
    sink.swap("c", Live(5, "orders", SIMPLE), SIMPLE, {P0: 30, P1: 6})
    assert sink.count(retired_of("orders", 3)) == 0
    assert sink.count(retired_of("orders", 4)) == 1


def test_without_a_retired_generation_there_is_no_way_back(extra_sink: Any) -> None:
    with pytest.raises(SinkMismatchError, match="no retired generation"):
        extra_sink.roll_back("c")
    live, _ = extra_sink.claim("c", "orders", [P0])
    extra_sink.shape("c", live.number, SIMPLE)
    with pytest.raises(SinkMismatchError, match="no retired generation"):
        extra_sink.roll_back("c")
    swapped_once = shadow_of("orders")
    extra_sink.load(swapped_once, SIMPLE, [])
    extra_sink.swap("c", Live(2, "orders", SIMPLE), SIMPLE, {P0: 1})
    extra_sink.drop(retired_of("orders", 1))
    with pytest.raises(SinkMismatchError, match="orders__g1 is gone"):
        extra_sink.roll_back("c")
    assert extra_sink.live("c") == Live(2, "orders", SIMPLE)


def test_types_are_widened_in_place(extra_sink: Any) -> None:
    layout = Layout(
        (
            Column("id", "text"),
            Column("n", "integer"),
            Column("f", "real"),
            Column("d", "decimal", 6, 2),
        ),
        1,
    )
    wider = Layout(
        (
            layout.columns[0],
            Column("n", "bigint"),
            Column("f", "double"),
            Column("d", "decimal", 20, 4),
        ),
        1,
    )
    extra_sink.load("orders", layout, [["a", 1, 0.5, Decimal("1.25")], ["b", None, None, None]])
    extra_sink.alter("orders", wider.columns[1:])
    extra_sink.merge("orders", wider, [["c", 2**40, 0.1, Decimal("1.0001")]], [])
    assert sorted(extra_sink.read("orders", wider)) == [
        ["a", 1, 0.5, Decimal("1.25")],
        ["b", None, None, None],
        ["c", 2**40, 0.1, Decimal("1.0001")],
    ]


def test_two_owners_shape_and_write_one_table(extra_target: str) -> None:
    one, two = open_sink(extra_target), open_sink(extra_target)
    _, mine = one.claim("c", "orders", [P0])
    _, yours = two.claim("c", "orders", [P1])
    assert one.shape("c", 1, SIMPLE) == two.shape("c", 1, SIMPLE) == SIMPLE
    assert two.shape("c", 1, WIDER) == WIDER
    # the first has not heard of the new column yet
    fence = Fence("c", 1, (Move(P0, -1, 1, mine[P0].epoch),))
    one.merge("orders", SIMPLE, [["a", 1]], [], fence)
    fence = Fence("c", 1, (Move(P1, -1, 1, yours[P1].epoch),))
    two.merge("orders", WIDER, [["b", 2, "n"]], [], fence)
    assert sorted(one.read("orders", WIDER), key=str) == [["a", 1, None], ["b", 2, "n"]]
    one.close()
    two.close()


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("duckdb:///", "needs a path"),
        ("duckdb:///x?access_mode=y", "unknown access_mode"),
        ("parquet:///", "needs a folder"),
        ("parquet:///x?keep=long", "needs a number"),
        ("parquet:///x?compression=y", "unknown compression"),
        ("mysql://u:hush@h", "needs a database"),
        ("mysql://u:hush@h/d?local_infile=1", "unknown local_infile"),
        ("mysql://u:hush@h:port/d", "port"),
    ],
)
def test_a_url_that_cannot_be_used(url: str, wanted: str) -> None:
    with pytest.raises(TargetInvalidError, match=wanted) as refused:
        open_sink(url)
    assert "hush" not in str(refused.value)


def test_a_kind_whose_packages_are_missing_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # as if not installed; what has imported it already keeps it
    monkeypatch.setitem(sys.modules, "pymysql", None)
    with pytest.raises(TargetUnsetError, match=r"needs pymysql.*pip install 'insideout\[mysql\]'"):
        open_sink("mysql://u:hush@h/d")
