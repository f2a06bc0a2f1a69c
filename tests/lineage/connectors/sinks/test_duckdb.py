"""A DuckDB file is shared in turns, and keeps what others made on its tables."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import pytest

from broker.records import Partition
from lineage.connectors.columns import Column, Layout
from lineage.connectors.errors import SinkMismatchError, SinkUnavailableError
from lineage.connectors.sinks.contract import Live, shadow_of
from lineage.connectors.sinks.duckdb import DuckdbSink

P0 = Partition("orders", 0)
SIMPLE = Layout((Column("id", "text"), Column("amount", "bigint")), 1)
_HOLD = """
import duckdb, sys
db = duckdb.connect(sys.argv[1], read_only=True)
print(db.execute("SELECT count(*) FROM orders").fetchone()[0], flush=True)
sys.stdin.readline()
"""


def path_of(target: str) -> Path:
    return Path(urlsplit(target).path[1:])


def test_a_reader_gets_its_turn_and_then_keeps_us_out(duckdb_target: str) -> None:
    sink = DuckdbSink(duckdb_target, timeout=0.3)
    sink.load("orders", SIMPLE, [["a", 1]])
    command = [sys.executable, "-c", _HOLD, str(path_of(duckdb_target))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=dict(os.environ)) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == b"1\n"
        with pytest.raises(SinkUnavailableError, match=rf"another process.*PID {reader.pid}"):
            sink.merge("orders", SIMPLE, [["a", 2]], [])
        reader.communicate(b"\n")
    sink.merge("orders", SIMPLE, [["a", 2]], [])
    assert list(sink.read("orders", SIMPLE)) == [["a", 2]]


def test_indexes_and_views_survive_a_swap(duckdb_target: str) -> None:
    sink = DuckdbSink(duckdb_target)
    live, _ = sink.claim("c", "orders", [P0])
    sink.shape("c", live.number, SIMPLE)
    with duckdb.connect(path_of(duckdb_target)) as db:
        db.execute('CREATE INDEX "by amount" ON orders(amount)').fetchall()
        db.execute("CREATE VIEW big AS SELECT * FROM orders WHERE amount > 1").fetchall()
    sink.load(shadow_of("orders"), SIMPLE, [["a", 1], ["b", 2]])
    sink.swap("c", Live(2, "orders", SIMPLE), SIMPLE, {P0: 1})
    sink.merge("orders", SIMPLE, [["b", 3]], [])
    with duckdb.connect(path_of(duckdb_target)) as db:
        found = db.execute("SELECT index_name, table_name FROM duckdb_indexes()").fetchall()
        assert found == [("by amount", "orders")]
        assert db.execute("SELECT * FROM big").fetchall() == [("b", 3)]
    other = Layout((Column("id", "text"), Column("other", "bigint")), 1)
    sink.load(shadow_of("orders"), other, [])
    with pytest.raises(SinkMismatchError, match="index by amount does not fit"):
        sink.swap("c", Live(3, "orders", other), other, {P0: 2})
    assert sink.live("c") == Live(2, "orders", SIMPLE)
    assert sink.count("orders") == 2


def test_what_is_no_database_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "x.duckdb"
    file.write_text("no database " * 1000)
    with pytest.raises(SinkUnavailableError, match="not a valid DuckDB"):
        DuckdbSink(f"duckdb:///{file}")
