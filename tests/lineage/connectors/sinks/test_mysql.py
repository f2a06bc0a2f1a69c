"""MySQL and MariaDB: lost sessions, readers in the way of a swap, indexes, limits."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import pymysql
import pytest

from broker.records import Partition
from lineage.connectors.columns import Column, Layout, Row
from lineage.connectors.errors import SinkRefusedError, SinkUnavailableError
from lineage.connectors.sinks import mysql_books
from lineage.connectors.sinks.contract import Fence, Live, Move, shadow_of
from lineage.connectors.sinks.mysql import MysqlSink
from tests.ports import free_port

pytestmark = pytest.mark.mysql
P0 = Partition("orders", 0)
SIMPLE = Layout((Column("id", "text"), Column("amount", "bigint"), Column("note", "text")), 1)


@pytest.fixture
def sink(mysql_target: str) -> Iterator[MysqlSink]:
    made = MysqlSink(mysql_target)
    live, _ = made.claim("c", "orders", [P0])
    made.shape("c", live.number, SIMPLE)
    yield made
    made.close()


@pytest.fixture
def reader(mysql_target: str) -> Iterator["pymysql.Connection[Any]"]:
    """A client of its own."""
    parts = urlsplit(mysql_target)
    with pymysql.connect(
        host=parts.hostname,
        port=parts.port or 0,
        user=parts.username,
        password=unquote(parts.password or ""),
        database=parts.path[1:],
        autocommit=True,
    ) as db:
        yield db


def ask(db: "pymysql.Connection[Any]", statement: str) -> list[tuple[Any, ...]]:
    with db.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def test_a_session_that_the_server_ended_is_opened_anew(
    sink: MysqlSink, reader: "pymysql.Connection[Any]"
) -> None:
    others = ask(
        reader,
        "SELECT id FROM information_schema.processlist "
        "WHERE db = DATABASE() AND id <> CONNECTION_ID()",
    )
    for (session,) in others:
        ask(reader, f"KILL {session}")
    assert others
    sink.merge("orders", SIMPLE, [["a", 1, None]], [])
    assert ask(reader, "SELECT * FROM orders") == [("a", 1, None)]


def test_a_reader_in_the_way_of_a_swap_lets_the_old_generation_go_on(
    sink: MysqlSink, reader: "pymysql.Connection[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mysql_books, "_RENAME_SECONDS", 1)
    sink.merge("orders", SIMPLE, [["old", 1, None]], [])
    reader.begin()
    assert ask(reader, "SELECT id FROM orders") == [("old",)]
    sink.load(shadow_of("orders"), SIMPLE, [["new", 2, None]])
    with pytest.raises(SinkUnavailableError, match="timeout"):
        sink.swap("c", Live(2, "orders", SIMPLE), SIMPLE, {P0: 5})
    live, places = sink.claim("c", "orders", [P0])
    assert live == Live(1, "orders", SIMPLE)
    fence = Fence("c", 1, (Move(P0, -1, 4, places[P0].epoch),))
    sink.merge("orders", SIMPLE, [["older", 3, None]], [], fence)
    reader.rollback()
    sink.swap("c", Live(2, "orders", SIMPLE), SIMPLE, {P0: 5})
    assert ask(reader, "SELECT id FROM orders") == [("new",)]
    assert sink.positions("c")[P0].next == 5


def test_indexes_and_views_survive_a_swap(
    sink: MysqlSink, reader: "pymysql.Connection[Any]"
) -> None:
    ask(reader, "CREATE INDEX `by amount` ON orders (amount, note(10))")
    ask(reader, "CREATE FULLTEXT INDEX words ON orders (note)")
    ask(reader, "CREATE VIEW big AS SELECT id FROM orders WHERE amount > 1")
    sink.load(shadow_of("orders"), SIMPLE, [["a", 1, "x"], ["b", 2, "y"]])
    sink.swap("c", Live(2, "orders", SIMPLE), SIMPLE, {P0: 5})
    made = ask(reader, "SHOW CREATE TABLE orders")[0][1]
    assert "KEY `by amount` (`amount`,`note`(10))" in made
    assert "FULLTEXT KEY `words` (`note`)" in made
    assert ask(reader, "SELECT * FROM big") == [("b",)]


def test_what_does_not_fit_is_refused_and_never_cut(sink: MysqlSink) -> None:
    rows: list[Row] = [
        ["x" * 769, 1, None],
        ["good", 2, None],
        ["big", 3, "x" * 17_000_000],
        ["odd", 4, "\ud800"],
    ]
    assert set(sink.refusals("orders", SIMPLE, rows)) == {0, 2, 3}
    with pytest.raises(SinkRefusedError, match="max_allowed_packet"):
        sink.merge("orders", SIMPLE, [rows[2]], [])
    layout = Layout((Column("id", "text"), Column("v", "double")), 1)
    sink.load("numbers", layout, [["a", 1e308]])
    endless: list[Row] = [["n", float("nan")], ["i", float("inf")]]
    assert set(sink.refusals("numbers", layout, endless)) == {0, 1}
    layout = Layout((Column("id", "text"), Column("v", "array", item="double")), 1)
    sink.load("lists", layout, [["a", [0.1, None]]])
    assert set(sink.refusals("lists", layout, [["n", [0.5, float("nan")]]])) == {0}


def test_more_than_one_statement_takes(sink: MysqlSink) -> None:
    rows: list[Row] = [[f"k{n}", n, "x" * 500] for n in range(5000)]
    sink.merge("orders", SIMPLE, rows, [])
    sink.merge("orders", SIMPLE, [], [(row[0],) for row in rows[:1700]])
    assert sink.count("orders") == 3300


def test_a_server_that_does_not_answer_is_unavailable() -> None:
    with pytest.raises(SinkUnavailableError) as refused:
        MysqlSink(f"mysql://u:hush@127.0.0.1:{free_port()}/d")
    assert "hush" not in str(refused.value)
