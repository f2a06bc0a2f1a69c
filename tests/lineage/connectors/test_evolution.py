"""A schema that changes: widened in place where it can be, rebuilt by itself where it cannot."""

import json
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.utils import timezone

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.produce import RecordWriter
from broker.records import Partition
from catalog.actions import ensure_cluster
from lineage.connectors.actions import declare
from lineage.connectors.columns import Column, Kind, Layout, Row
from lineage.connectors.errors import SchemaChangedError
from lineage.connectors.evolving import REASON, regenerate_into
from lineage.connectors.models import Connector, Run
from lineage.connectors.sinks import open_sink, postgres_alter
from lineage.connectors.sinks.contract import Sink
from tests.lineage.connectors.orders import ORDER, encode, query
from tests.lineage.connectors.workers import Workspace, eventually

P0 = Partition("orders", 0)
KEY = Column("id", "text")


def column(kind: Kind, precision: int = 0, scale: int = 0, symbols: tuple[str, ...] = ()) -> Column:
    return Column("v", kind, precision, scale, symbols=symbols)


WIDER: dict[str, tuple[Column, Any, Column, Any]] = {
    "int to long": (column("integer"), 7, column("bigint"), 2**40),
    "float to double": (column("real"), 0.5, column("double"), 0.1),
    "int to double": (column("integer"), 7, column("double"), 0.5),
    "longer decimal": (column("decimal", 5, 2), "1.50", column("decimal", 9, 4), "12345.6789"),
    "finer time": (column("timestamptz", 3), 1_000, column("timestamptz", 6), 1_001),
    "one symbol more": (
        column("text", symbols=("A",)), "A", column("text", symbols=("A", "B")), "B",
    ),
    "an enum that is text": (column("text", symbols=("A",)), "A", column("text"), "any"),
}  # fmt: skip


def made(sink: Sink, layout: Layout) -> int:
    live, _ = sink.claim("c", "orders", [P0])
    sink.shape("c", live.number, layout)
    return live.number


def content(sink: Sink, layout: Layout) -> list[Row]:
    return sorted(sink.read("orders", layout))


@pytest.mark.parametrize("change", WIDER)
def test_a_wider_type_is_made_in_place(change: str, sink: Sink) -> None:
    before, old, after, new = WIDER[change]
    if before.kind == "decimal":
        old, new = Decimal(old), Decimal(new)
    narrow, wide = Layout((KEY, before), 1), Layout((KEY, after), 1)
    number = made(sink, narrow)
    sink.merge("orders", narrow, [["a", old]], [])
    held = sink.shape("c", number, wide)
    assert held.columns[1] == after
    sink.merge("orders", held, [["b", new]], [])
    read = content(sink, held)
    assert read == [["a", old], ["b", new]]
    assert [type(row[1]) for row in read] == [type(new)] * 2
    live = sink.live("c")
    assert live is not None
    assert live.layout == held
    # who still has the narrower layout writes on
    assert sink.shape("c", number, narrow) == held
    sink.merge("orders", held, [["c", old if after.kind != "double" else float(old)]], [])
    assert sink.count("orders") == 3


@pytest.mark.parametrize(
    ("before", "after"),
    [("text", "bigint"), ("bigint", "double"), ("boolean", "integer"), ("date", "timestamptz")],
)
def test_any_other_type_is_refused_and_nothing_is_changed(
    before: Kind, after: Kind, sink: Sink
) -> None:
    narrow = Layout((KEY, column(before)), 1)
    number = made(sink, narrow)
    with pytest.raises(SchemaChangedError, match="column v is"):
        sink.shape("c", number, Layout((KEY, column(after)), 1))
    live = sink.live("c")
    assert live is not None
    assert live.layout == narrow


def test_a_column_is_altered_alone(sink: Sink) -> None:
    made(sink, Layout((KEY, column("integer")), 1))
    sink.merge("orders", Layout((KEY, column("integer")), 1), [["a", 1]], [])
    sink.alter("orders", [column("bigint")])
    wide = Layout((KEY, column("bigint")), 1)
    sink.merge("orders", wide, [["b", 2**50]], [])
    assert content(sink, wide) == [["a", 1], ["b", 2**50]]


@pytest.fixture
def postgres(postgres_target: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres_target, autocommit=True) as db:
        yield db


@pytest.mark.postgres
@pytest.mark.parametrize("target", ["postgres"], indirect=True)
class TestPostgres:
    """What only a server with types does."""

    def test_an_enum_refuses_other_words_until_it_is_relaxed(
        self, postgres: psycopg.Connection[Any], sink: Sink
    ) -> None:
        narrow = Layout((KEY, column("text", symbols=("A", "it's"))), 1)
        number = made(sink, narrow)
        with pytest.raises(psycopg.errors.CheckViolation):
            postgres.execute("INSERT INTO orders VALUES ('a', 'B')")
        postgres.execute("INSERT INTO orders VALUES ('a', 'it''s')")
        sink.shape("c", number, Layout((KEY, column("text", symbols=("A", "it's", "B"))), 1))
        postgres.execute("INSERT INTO orders VALUES ('b', 'B')")
        with pytest.raises(psycopg.errors.CheckViolation):
            postgres.execute("INSERT INTO orders VALUES ('c', 'C')")

    def test_a_view_or_a_great_table_asks_for_a_rebuild(
        self, postgres: psycopg.Connection[Any], sink: Sink, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        narrow, wide = Layout((KEY, column("integer")), 1), Layout((KEY, column("bigint")), 1)
        number = made(sink, narrow)
        sink.merge("orders", narrow, [["a", 1]], [])
        postgres.execute("CREATE VIEW seen AS SELECT v FROM orders")
        with pytest.raises(SchemaChangedError, match="view"):
            sink.shape("c", number, wide)
        postgres.execute("DROP VIEW seen")
        monkeypatch.setattr(postgres_alter, "MOST_REWRITTEN", 10)
        with pytest.raises(SchemaChangedError, match="readers would have to wait"):
            sink.shape("c", number, wide)
        live = sink.live("c")
        assert live is not None
        assert live.layout == narrow


def test_sqlite_says_where_an_index_stands_in_the_way(tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/c.sqlite3"
    sink = open_sink(target)
    number = made(sink, Layout((KEY, column("integer")), 1))
    query(target, "CREATE INDEX seen ON orders (v)")
    with pytest.raises(SchemaChangedError, match="in place"):
        sink.shape("c", number, Layout((KEY, column("double")), 1))
    sink.close()


# -- rebuilt by itself ----------------------------------------------------------------------------
@pytest.fixture
def connector(db: None, tmp_path: Path) -> Connector:
    ensure_cluster("local", "127.0.0.1:1")
    declare({"name": "c", "topics": ["t"], "target": f"sqlite:///{tmp_path}/x", "table": "t"})
    return Connector.objects.get(name="c")


CHANGED = SchemaChangedError("column n is integer and would have to become text: regenerate")


def test_a_run_is_asked_for_once_and_says_why(connector: Connector) -> None:
    assert regenerate_into(connector, CHANGED)
    assert regenerate_into(connector, CHANGED)
    (run,) = Run.objects.all()
    assert run.kind == "regenerate"
    assert run.message == f"{REASON}column n is integer and would have to become text"
    assert run.log[0]["message"] == run.message


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_what_failed_for_this_reason_is_not_tried_again(connector: Connector, state: str) -> None:
    regenerate_into(connector, CHANGED)
    Run.objects.update(state=state)
    assert not regenerate_into(connector, CHANGED)
    assert regenerate_into(connector, SchemaChangedError("something else"))
    assert Run.objects.count() == 2


def test_two_writers_of_different_schemas_do_not_have_it_rebuilt_for_ever(
    connector: Connector,
) -> None:
    for number in range(3):
        assert regenerate_into(connector, SchemaChangedError(f"change {number}"))
        Run.objects.update(state="succeeded")
    assert not regenerate_into(connector, CHANGED)
    Run.objects.update(started_at=timezone.now() - timedelta(hours=2))
    assert regenerate_into(connector, CHANGED)


TEXT_ORDER = ORDER | {
    "fields": [{"name": "amount", "type": "string"}, *ORDER["fields"][1:]],
}
_PREPARE = """
import json
from django.core.management import call_command
call_command("migrate", verbosity=0)
from catalog.actions import ensure_cluster
from lineage.connectors.actions import declare
from registry.actions import Submission, register
ensure_cluster("local", {kafka!r})
for name, target in (("sqlite", {sqlite!r}), ("postgres", "${{COPIES}}")):
    declare({{"name": name, "topics": [{topic!r}], "target": target, "table": "orders"}})
ids = [register({topic!r} + str(number), Submission(json.dumps(schema))).schema.id
       for number, schema in enumerate({schemas!r})]
print(*ids)
"""


@pytest.mark.kafka
@pytest.mark.postgres
def test_a_changed_type_rebuilds_both_copies_while_the_old_ones_are_read(
    kafka: Connection, tmp_path: Path, sqlite_target: str, postgres_target: str
) -> None:
    topic = f"orders-{uuid.uuid4().hex[:8]}"
    create_topics(kafka, [NewTopic(topic, 1, 1, {})])
    space = Workspace(tmp_path, kafka.bootstrap_servers, {"COPIES": postgres_target})
    targets = (sqlite_target, postgres_target)
    try:
        prepare = _PREPARE.format(
            kafka=kafka.bootstrap_servers,
            sqlite=sqlite_target,
            topic=topic,
            schemas=[ORDER, TEXT_ORDER],
        )
        first, second = map(int, space.call(prepare).split())
        writer = RecordWriter(kafka)

        def write(key: str, schema: dict[str, Any], schema_id: int, amount: Any) -> None:
            value = {"amount": amount, "note": None, "at": 1_700_000_000_000}
            writer.write(topic, key.encode(), encode(schema, schema_id, value))
            writer.flush()

        def held(expected: set[tuple[str, str]]) -> Callable[[], bool]:
            return lambda: all(copied_amounts(target) == expected for target in targets)

        write("a", ORDER, first, 1)
        space.start("connectors", "run")
        eventually(held({("a", "1")}), said=space.logs)
        write("b", TEXT_ORDER, second, "many")
        eventually(held({("a", "1"), ("b", '"many"')}), said=space.logs)
        runs = space.rows("SELECT state, log FROM connectors_run")
        eventually(
            lambda: (
                [row[0] for row in space.rows("SELECT state FROM connectors_run")]
                == ["succeeded"] * 2
            ),
            said=space.logs,
        )
        assert all(
            json.loads(log)[0]["message"].startswith(f"{REASON}column amount is bigint")
            for _, log in runs
        )
        write("c", TEXT_ORDER, second, "more")
        expected = {("a", "1"), ("b", '"many"'), ("c", '"more"')}
        eventually(held(expected), said=space.logs)
        assert space.rows("SELECT DISTINCT state FROM connectors_connector") == [("live",)]
    finally:
        space.stop()


def copied_amounts(target: str) -> set[tuple[str, str]]:
    try:
        rows = query(target, "SELECT record_key, CAST(amount AS text) FROM orders")
    except (sqlite3.OperationalError, psycopg.errors.UndefinedTable):
        return set()  # not made yet
    return {(row[0], row[1]) for row in rows}
