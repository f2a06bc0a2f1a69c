"""What readers of a Parquet folder see, and what a batch writes anew."""

import json
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import duckdb
import pyarrow.parquet as pq
import pytest

from broker.records import Partition
from lineage.connectors.columns import Column, Layout, Row
from lineage.connectors.errors import SinkMismatchError
from lineage.connectors.sinks.contract import Live, shadow_of
from lineage.connectors.sinks.parquet import ParquetSink
from lineage.connectors.sinks.parquet_files import overlap, ranges_of, united

P0 = Partition("orders", 0)
SIMPLE = Layout((Column("id", "text"), Column("amount", "bigint")), 1)
EVENTS = Layout(
    (Column("topic", "text"), Column("partition", "integer"), Column("offset", "bigint")), 3
)


@pytest.fixture
def folder(parquet_target: str) -> Path:
    return Path(urlsplit(parquet_target).path[1:])


@pytest.fixture
def sink(parquet_target: str) -> ParquetSink:
    return ParquetSink(parquet_target)


def files(folder: Path, table: str = "orders") -> set[str]:
    return {path.name for path in (folder / table).glob("*.parquet")}


def test_duckdb_and_arrow_read_it_as_documented(sink: ParquetSink, folder: Path) -> None:
    layout = Layout(
        (
            Column("id", "text"),
            Column("seen", "timestamptz", 6),
            Column("price", "decimal", 10, 2),
            Column("tags", "array", item="text"),
        ),
        1,
    )
    sink.load("orders", layout, [])
    db = duckdb.connect()
    described = db.execute(f"DESCRIBE SELECT * FROM '{folder}/orders/*.parquet'").fetchall()
    assert [(row[0], row[1]) for row in described] == [
        ("id", "VARCHAR"),
        ("seen", "TIMESTAMP WITH TIME ZONE"),
        ("price", "DECIMAL(10,2)"),
        ("tags", "VARCHAR[]"),
    ]
    sink.merge("orders", layout, [["a", -1, None, ["x"]]], [])
    query = f"SELECT id, epoch_us(seen), tags FROM read_parquet('{folder}/orders/*.parquet')"
    assert db.execute(query).fetchall() == [("a", -1, ["x"])]
    db.execute(f"SET VARIABLE now = (SELECT files FROM '{folder}/orders/_files.json')").fetchall()
    assert db.execute("SELECT id FROM read_parquet(getvariable('now'))").fetchall() == [("a",)]
    assert pq.read_table((folder / "orders").resolve()).num_rows == 1
    db.close()


def test_readers_see_one_version_while_it_changes(sink: ParquetSink, folder: Path) -> None:
    """The sum of all amounts is the same in every version."""
    rows: list[Row] = [[f"k{n}", 5] for n in range(100)]
    sink.load("orders", SIMPLE, rows)
    finished, seen = Event(), []

    def keep_reading() -> None:
        while not finished.is_set():
            named = json.loads((folder / "orders" / "_files.json").read_text())["files"]
            sums = [sum(pq.read_table(name).column("amount").to_pylist()) for name in named]
            seen.append(sum(sums))

    reading = Thread(target=keep_reading)
    reading.start()
    for turn in range(30):
        one, other = f"k{turn}", f"k{turn + 50}"
        sink.merge("orders", SIMPLE, [[one, 7], [other, 3]], [])
        if turn % 10 == 9:
            sink.load(shadow_of("orders"), SIMPLE, rows)
            sink.swap("c", Live(turn // 10 + 1, "orders", SIMPLE), SIMPLE, {P0: turn})
    finished.set()
    reading.join()
    assert set(seen) == {500}
    assert len(seen) > 3


def test_appended_events_touch_no_older_file(sink: ParquetSink, folder: Path) -> None:
    sink.load("orders", EVENTS, [["a", p, o] for p in range(3) for o in range(1000)])
    before = files(folder)
    for batch in range(8):
        begin = 1000 + 100 * batch
        rows: list[Row] = [["a", p, o] for p in range(3) for o in range(begin, begin + 100)]
        sink.merge("orders", EVENTS, rows, [])
        assert before < files(folder)
    assert len(files(folder)) <= 5
    assert sink.count("orders") == 3 * 1800
    sink.merge("orders", EVENTS, [], [("a", 1, 5), ("a", 1, 6), ("b", 1, 5)])
    assert sink.count("orders") == 3 * 1800 - 2
    assert not before & files(folder)


def test_what_was_replaced_goes_when_its_time_is_over(parquet_target: str, folder: Path) -> None:
    sink = ParquetSink(f"{parquet_target}?keep=0")
    sink.load("orders", SIMPLE, [["a", 1]])
    for amount in range(5):
        sink.merge("orders", SIMPLE, [["a", amount]], [])
    own = folder / ".insideout"
    assert len(list((own / "tables").iterdir())) == 1
    assert len(list(own.glob("v*"))) == 1
    sink.drop("orders")
    assert not list((own / "tables").iterdir())
    assert not (folder / "orders").is_symlink()


def test_a_folder_of_somebody_else_is_left_alone(sink: ParquetSink, folder: Path) -> None:
    (folder / "orders").mkdir()
    (folder / "orders" / "theirs.parquet").write_text("x")
    sink.claim("c", "orders", [P0])
    with pytest.raises(SinkMismatchError, match="not of this connector's"):
        sink.shape("c", 1, SIMPLE)
    with pytest.raises(SinkMismatchError, match="not of this connector's"):
        sink.load("orders", SIMPLE, [])
    assert files(folder) == {"theirs.parquet"}
    assert sink.count("orders") == 0


def test_lost_files_are_noticed(sink: ParquetSink, folder: Path) -> None:
    sink.load("orders", SIMPLE, [["a", 1]])
    for path in (folder / "orders").glob("*.parquet"):
        path.unlink()
    with pytest.raises(SinkMismatchError, match="regenerate"):
        sink.merge("orders", SIMPLE, [["a", 2]], [])
    with pytest.raises(SinkMismatchError, match="regenerate"):
        list(sink.read("orders", SIMPLE))


def test_ranges_of_keys() -> None:
    one = ranges_of(EVENTS, [("a", 0, 5), ("a", 0, 9), ("a", 1, 0)])
    assert one == [[["a", 0], 5, 9], [["a", 1], 0, 0]]
    assert overlap(one, ranges_of(EVENTS, [("a", 0, 9)]))
    assert not overlap(one, ranges_of(EVENTS, [("a", 0, 10), ("b", 0, 5)]))
    assert united(one, [[["a", 0], 1, 2]]) == [[["a", 0], 1, 9], [["a", 1], 0, 0]]
    many = ranges_of(EVENTS, [("a", p, 0) for p in range(100)])
    assert many is None
    assert overlap(one, many)
    assert united(one, many) is None
    assert ranges_of(Layout((Column("k", "double"),), 1), [(0.5,)]) is None
