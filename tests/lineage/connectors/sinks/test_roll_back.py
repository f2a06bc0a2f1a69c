"""Back to the generation before, and what stands on a table moves with each swap."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from lineage.connectors.columns import Layout
from lineage.connectors.errors import FencedError, SinkMismatchError, SinkUnavailableError
from lineage.connectors.sinks import open_sink
from lineage.connectors.sinks.contract import Fence, Live, Move, Sink, retired_of
from tests.lineage.connectors.orders import query
from tests.lineage.connectors.sinks.test_contract import P0, P1, SIMPLE, build, content, ready


def test_a_swap_is_taken_back_and_forth(sink: Sink, open_target: Callable[[], Sink]) -> None:
    with pytest.raises(SinkMismatchError, match="no retired generation"):
        sink.roll_back("c")
    fence = ready(sink)
    sink.merge("orders", SIMPLE, [["old", 1]], [], fence)
    other = open_target()
    build(other, 2, [["new", 2]], {P0: 12, P1: 7})
    _, places = sink.claim("c", "orders", [P0])
    owner = Fence("c", 2, (Move(P0, 12, 13, places[P0].epoch),))
    assert other.roll_back("c") == Live(3, "orders", SIMPLE)
    assert content(sink) == [["old", 1]]
    assert {p: at.next for p, at in sink.positions("c").items()} == {P0: 10, P1: -1}
    assert sink.live("c") == Live(3, "orders", SIMPLE)
    with pytest.raises(FencedError):
        sink.merge("orders", SIMPLE, [["zombie", 1]], [], owner)
    assert content(sink, table=retired_of("orders", 2)) == [["new", 2]]
    assert sink.roll_back("c").number == 4
    assert content(sink) == [["new", 2]]
    assert {p: at.next for p, at in sink.positions("c").items()} == {P0: 12, P1: 7}
    build(sink, 5, [["fifth", 5]], {P0: 12, P1: 7})
    assert content(sink) == [["fifth", 5]]
    assert sink.count(retired_of("orders", 4)) == 1
    assert sink.count(retired_of("orders", 3)) == 0


def test_indexes_and_views_move_with_each_swap(sink: Sink, target: str) -> None:
    sink.merge("orders", SIMPLE, [["old", 1]], [], ready(sink))
    run(target, "CREATE INDEX by_amount ON orders (amount)")
    run(target, "CREATE VIEW dear AS SELECT id FROM orders WHERE amount > 0")
    for number in (2, 3):
        build(sink, number, [[f"g{number}", number]], {P0: 12})
        assert query(target, "SELECT id FROM dear") == [(f"g{number}",)]
        assert indexed(target) == ["orders"]
    sink.roll_back("c")
    assert query(target, "SELECT id FROM dear") == [("g2",)]
    assert indexed(target) == ["orders"]


def run(target: str, statement: str) -> None:
    sink: Any = open_sink(target)
    sink._db.execute(statement)
    if sink._db.__class__.__module__ == "sqlite3":
        sink._db.commit()
    sink.close()


def indexed(target: str) -> list[str]:
    """Name the tables on which an index of that name stands."""
    catalog = (
        "SELECT tbl_name FROM sqlite_master WHERE name = 'by_amount'"
        if target.startswith("sqlite")
        else "SELECT tablename::text FROM pg_indexes WHERE indexname = 'by_amount'"
    )
    return [row[0] for row in query(target, catalog)]


_STANDING = """
CREATE ROLE {role};
CREATE UNIQUE INDEX "by amount" ON orders (amount) WHERE amount > 0;
ALTER TABLE orders ADD CONSTRAINT "positive 100%" CHECK (amount >= 0),
  ADD CONSTRAINT one_amount UNIQUE (amount);
CREATE VIEW dear WITH (security_barrier = true) AS SELECT id, amount FROM orders WHERE amount > 0;
CREATE VIEW dearer AS SELECT id FROM dear WHERE amount > 1;
CREATE MATERIALIZED VIEW totals AS SELECT sum(amount) AS total FROM orders;
CREATE UNIQUE INDEX one_total ON totals (total);
GRANT SELECT ON totals TO {role};
GRANT SELECT ON dear TO PUBLIC;
GRANT SELECT ON orders TO {role} WITH GRANT OPTION;
GRANT UPDATE (amount) ON orders TO {role};
COMMENT ON TABLE orders IS 'it''s 100% a copy';
COMMENT ON COLUMN orders.amount IS 'in cents';
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON orders FOR SELECT TO {role} USING (amount < 100);
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER watch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION nothing();
ALTER TABLE orders DISABLE TRIGGER watch;
ALTER TABLE orders REPLICA IDENTITY FULL;
CREATE TABLE items (order_id text REFERENCES orders (id));
CREATE PUBLICATION told FOR TABLE orders;
"""
_SEEN = """
SELECT 'index', string_agg(indexname, ', ' ORDER BY indexname) FROM pg_indexes
  WHERE tablename IN ('orders', 'totals') AND indexname NOT LIKE '%pkey%'
UNION ALL SELECT 'constraint', string_agg(conname || convalidated, ', ' ORDER BY conname)
  FROM pg_constraint WHERE conrelid = 'orders'::regclass AND contype IN ('c', 'u')
UNION ALL SELECT 'reference', string_agg(conname || convalidated || confrelid::regclass, ', ')
  FROM pg_constraint WHERE conrelid = 'items'::regclass AND contype = 'f'
UNION ALL SELECT 'acl', string_agg(relname || relacl::text, ', ' ORDER BY relname)
  FROM pg_class WHERE relname IN ('orders', 'totals', 'dear')
UNION ALL SELECT 'column acl', string_agg(attacl::text, ', ') FROM pg_attribute
  WHERE attrelid = 'orders'::regclass
UNION ALL SELECT 'comment', obj_description('orders'::regclass)
  || col_description('orders'::regclass, 2)
UNION ALL SELECT 'policy', string_agg(policyname || cmd || qual || roles::text, ', ')
  FROM pg_policies WHERE tablename = 'orders'
UNION ALL SELECT 'security', relrowsecurity::text || relreplident::text FROM pg_class
  WHERE oid = 'orders'::regclass
UNION ALL SELECT 'trigger', string_agg(tgname || tgenabled::text, ', ') FROM pg_trigger
  WHERE tgrelid = 'orders'::regclass AND NOT tgisinternal
UNION ALL SELECT 'publication', string_agg(tablename, ', ') FROM pg_publication_tables
UNION ALL SELECT 'barrier', array_to_string(reloptions, ', ') FROM pg_class WHERE relname = 'dear'
"""


@pytest.mark.postgres
def test_all_that_stands_on_a_table_of_postgres_moves(postgres_target: str) -> None:
    sink = open_sink(postgres_target)
    sink.merge("orders", SIMPLE, [["a", 1], ["b", 2]], [], ready(sink))
    role = f"reader_{postgres_target.rpartition('_')[2]}"
    with psycopg.connect(postgres_target, autocommit=True) as db:
        db.execute(_STANDING.format(role=role).encode())
        db.execute("INSERT INTO items VALUES ('a')")
        wanted = query(postgres_target, _SEEN)
        for number in (2, 3):
            build(sink, number, [["a", 1], ["b", 2], ["c", number + 1]], {P0: 12})
            assert query(postgres_target, _SEEN) == wanted
            assert query(postgres_target, "SELECT id FROM dearer ORDER BY id")[-1] == ("c",)
            assert query(postgres_target, "SELECT total FROM totals") == [(number + 4,)]
        sink.roll_back("c")
        assert query(postgres_target, _SEEN) == wanted
        assert query(postgres_target, "SELECT total FROM totals") == [(6,)]
        build(sink, 5, [["a", 5]], {P0: 12})
        assert query(postgres_target, _SEEN) == wanted
        sink.close()
        db.execute(f"DROP OWNED BY {role}".encode())
        db.execute(f"DROP ROLE {role}".encode())


@pytest.mark.postgres
def test_a_view_that_cannot_move_refuses_the_swap(postgres_target: str) -> None:
    sink = open_sink(postgres_target)
    sink.merge("orders", SIMPLE, [["a", 1]], [], ready(sink))
    run(postgres_target, "CREATE VIEW dear AS SELECT amount FROM orders")
    narrow = Layout(SIMPLE.columns[:1], 1)
    sink.load("orders__new", narrow, [["a"]])
    with pytest.raises(SinkMismatchError, match=r"cannot move to the new one.*amount"):
        sink.swap("c", Live(2, "orders", narrow), narrow, {P0: 12})
    assert content(sink) == [["a", 1]]
    assert query(postgres_target, "SELECT amount FROM dear") == [(1,)]
    sink.close()


@pytest.mark.postgres
def test_a_swap_gives_way_to_a_reader_that_holds_the_table(postgres_target: str) -> None:
    sink = open_sink(postgres_target)
    sink.merge("orders", SIMPLE, [["a", 1]], [], ready(sink))
    with psycopg.connect(postgres_target) as reader:
        reader.execute("SELECT * FROM orders").fetchall()
        with pytest.raises(SinkUnavailableError):
            build(sink, 2, [["b", 2]], {P0: 12})
        assert query(postgres_target, "SELECT id FROM orders") == [("a",)]
    build(sink, 2, [["b", 2]], {P0: 12})
    assert content(sink) == [["b", 2]]
    sink.close()
