"""Threads of one process that open a DuckDB file at the same moment find it whole."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from lineage.connectors.columns import Column, Layout
from lineage.connectors.errors import SinkError
from lineage.connectors.sinks.arrow import table_of
from lineage.connectors.sinks.duckdb import DuckdbSink
from lineage.connectors.sinks.duckdb_books import run

SIMPLE = Layout((Column("id", "text"), Column("amount", "bigint")), 1)
_THREADS = 4


@pytest.mark.parametrize("rounds", [40, pytest.param(400, marks=pytest.mark.faults)])
def test_whoever_opens_it_while_another_does_finds_tables_and_can_read_arrow(
    duckdb_target: str, rounds: int
) -> None:
    DuckdbSink(duckdb_target).load("orders", SIMPLE, [["a", 0], ["b", 0]])
    batch = table_of(SIMPLE, [["a", 1]])
    begin = Barrier(_THREADS)

    def look(sink: DuckdbSink) -> Counter[str]:
        found: Counter[str] = Counter()
        for _ in range(rounds):
            begin.wait()
            try:
                with sink._reading() as db:
                    db.register("batch", batch)
                    found[str(run(db, "SELECT id, (SELECT count(*) FROM orders) FROM batch"))] += 1
            except SinkError as error:
                found[str(error)] += 1
        return found

    sinks = [DuckdbSink(duckdb_target) for _ in range(_THREADS)]
    with ThreadPoolExecutor(_THREADS) as pool:
        found = sum(pool.map(look, sinks), Counter[str]())
    assert found == {"[('a', 2)]": _THREADS * rounds}
