"""Rows a second that each kind of target takes: loaded, and merged into what is there.

python -m bench.sinks                     all kinds, 200,000 rows
python -m bench.sinks duckdb,parquet 500000

Merges are batches of 50,000 rows: half of them new, half changed. All kinds must then hold the
same. A figure counts rows by the clock, and by this process's own computing time: MySQL and
PostgreSQL compute in another.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from broker.records import Partition
from config.postgres import EmbeddedPostgres
from lineage.connectors.columns import Column, Digest, Layout, Row
from lineage.connectors.digests import digest
from lineage.connectors.sinks import open_sink
from lineage.connectors.sinks.contract import Sink
from tests.lineage.connectors.mariadb import Mariadb, absent

ROWS = 200_000
BATCH = 50_000
BATCHES = 4
LAYOUT = Layout(
    (
        Column("id", "text"),
        Column("customer", "text"),
        Column("product", "text"),
        Column("quantity", "integer"),
        Column("amount", "bigint"),
        Column("currency", "text"),
        Column("note", "text"),
        Column("created", "timestamptz", 3),
        Column("updated", "timestamptz", 3),
        Column("version", "integer"),
        Column("paid", "boolean"),
        Column("discount", "double"),
    ),
    1,
)
_BEGIN = 1_760_000_000_000_000
_STRIDE = 7919  # prime: keys come in no order


def make_row(number: int, version: int) -> Row:
    """Return a row as the engine makes them."""
    return [
        f"order-{number:08d}",
        f"customer-{number % 9973}",
        f"product-{number % 97}",
        1 + number % 9,
        100 + number * 31 % 99_900,
        "EUR" if number % 3 else "USD",
        None if number % 3 else f"note {number}",
        _BEGIN + number * 1000,
        _BEGIN + (number + version) * 1000,
        version,
        number % 2 == 0,
        number / 7,
    ]


def batches(count: int) -> Iterator[list[Row]]:
    """Return batches: of each, half changes rows that are there and half adds some."""
    half = BATCH // 2
    for turn in range(BATCHES):
        changed = [(turn * half + at) * _STRIDE % count for at in range(half)]
        added = range(count + turn * half, count + (turn + 1) * half)
        yield [make_row(number, turn + 2) for number in dict.fromkeys(changed)] + [
            make_row(number, 1) for number in added
        ]


@dataclass(frozen=True)
class Rate:
    """Rows a second: by the clock, and by this process's computing time."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:>9,.0f} rows/s ({self.cpu:>9,.0f} a second of CPU)"


def _measured(rows: int, work: Callable[[], None]) -> Rate:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Rate(rows / (time.perf_counter() - wall), rows / (time.process_time() - cpu))


def measure(sink: Sink, count: int) -> tuple[Rate, Rate, Digest]:
    """Load and merge; return both rates, and what the table then holds."""
    rows = [make_row(number * _STRIDE % count, 1) for number in range(count)]
    waiting = list(batches(count))
    load = _measured(count, lambda: sink.load("orders", LAYOUT, rows))

    def merge() -> None:
        for batch in waiting:
            sink.merge("orders", LAYOUT, batch, [])

    sink.claim("bench", "orders", [Partition("orders", 0)])
    merged = _measured(sum(map(len, waiting)), merge)
    return load, merged, digest(LAYOUT, sink.read("orders", LAYOUT))


def _targets(folder: Path, kinds: list[str], stack: ExitStack) -> Iterator[tuple[str, str]]:
    """Name each kind and an empty target of it; servers run until the stack ends."""
    for kind in kinds:
        if kind == "postgresql":
            postgres = EmbeddedPostgres(folder / "postgres")
            postgres.start()
            stack.callback(postgres.stop)
            yield kind, postgres.ensure_database("bench")
        elif kind == "mysql":
            if absent():
                print(f"{kind:<12} left out: {absent()}")
                continue
            place = folder / "mariadb"
            place.mkdir()
            folder.chmod(0o755)
            mariadb = Mariadb(place)
            mariadb.make()
            mariadb.start()
            stack.callback(mariadb.stop)
            mariadb.query("CREATE DATABASE bench", "mysql")
            yield kind, mariadb.url("bench")
        else:
            yield kind, f"{kind}:///{folder / f'copies.{kind}'}"


def main(kinds: list[str], count: int) -> None:
    """Print a line a kind; exit with 1 where they hold different rows."""
    digests: dict[str, Digest] = {}
    print(f"{count:,} rows of {len(LAYOUT.columns)} columns, {BATCHES} merges of {BATCH:,}")
    with tempfile.TemporaryDirectory(prefix="insideout-bench-") as name, ExitStack() as stack:
        for kind, url in _targets(Path(name), kinds, stack):
            sink = open_sink(url)
            load, merged, digests[kind] = measure(sink, count)
            sink.close()
            print(f"{kind:<12} load {load}   merge {merged}")
    if len(set(digests.values())) > 1:
        sys.exit(f"they hold different rows: {digests}")
    print(f"all hold the same {next(iter(digests.values())).rows:,} rows")


if __name__ == "__main__":
    chosen = sys.argv[1] if len(sys.argv) > 1 else "sqlite,postgresql,mysql,duckdb,parquet"
    main(chosen.split(","), int(sys.argv[2]) if len(sys.argv) > 2 else ROWS)
