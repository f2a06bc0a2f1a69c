"""Rates of live copying and of regeneration: Kafka, database and engine on one machine.

make bench                      all of it
python -m bench.connectors 200000

Every measurement is a process of its own, so that its memory and its computing time are the
engine's alone. Ends with 1 and names what was missed; the aims are for a quiet machine of two
cores, so each rate by the clock stands beside the rate per second of the engine's computing time.
"""

import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import psycopg
from psycopg import sql

from bench.memory import peak
from bench.orders import SCHEMA, make_orders, writer_of_orders
from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.consume import PartitionReader
from broker.embedded import EmbeddedKafka
from broker.produce import RecordWriter
from broker.records import Record
from config.postgres import EmbeddedPostgres
from lineage.connectors.beside.pool import Pool, spare_processors
from lineage.connectors.columns import Layout
from lineage.connectors.digests import digest
from lineage.connectors.engine import LiveEngine, spare_collector
from lineage.connectors.engine_fold import Preparation
from lineage.connectors.engine_regenerate import Regeneration
from lineage.connectors.engine_share import Share
from lineage.connectors.engine_shares import Sharing
from lineage.connectors.engine_survivors import MEMORY
from lineage.connectors.framing import FramedDecoder
from lineage.connectors.keying import plain_parts
from lineage.connectors.mapping import avro
from lineage.connectors.sinks import open_sink

EVENTS = 600_000
ROUNDS = 3
PARTITIONS = 4
FORMATS = ("avro", "json")
# records a second at least; MiB (of a live copy) and ms at most
AIMS: Mapping[str, float] = {
    "PostgreSQL avro live": 100_000,
    "PostgreSQL json live": 120_000,
    "PostgreSQL avro regenerate": 150_000,
    "PostgreSQL json regenerate": 200_000,
}
BUFFERS = "512MB"
"""Memory for PostgreSQL's pages, as the peers' figures were measured with."""
MOST_MEMORY = 420
LONGEST_WAIT = 50.0
PARTS = partial(plain_parts, "table", "text", ())
_FRAME = 5
_PAUSE = 0.002


@dataclass
class Found:
    """What one measurement gave: seconds by the clock and of computing, MiB, and the content."""

    wall: float = 0.0
    cpu: float = 0.0
    memory: int = 0
    digest: str = ""
    phases: dict[str, float] = field(default_factory=dict)


@dataclass
class Watch:
    """A reader that polls a table throughout: how long it waited, what failed, what it saw.

    `idle` is how long a statement that needs no lock took at most: what the machine itself does.
    """

    longest: float = 0.0
    idle: float = 0.0
    polls: int = 0
    failures: list[str] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)


def _refuse(*complaint: object) -> None:
    raise SystemExit(f"a record was refused: {complaint}")


def _decoder(form: str) -> FramedDecoder:
    return FramedDecoder(lambda _frame: writer_of_orders(form))


def _preparation(form: str) -> Preparation:
    return Preparation(*PARTS(_decoder(form)), _refuse)


def copy_live(
    servers: str, form: str, target: str, table: str, count: int, topic: str = ""
) -> Found:
    """Copy a whole topic (called as its form, or otherwise) into an empty table."""
    spare_collector()
    sink, reader = open_sink(target), _reader(servers)
    engine = LiveEngine(
        table, table, reader, _preparation(form), sink, overlap=sink.kind == "postgresql"
    )
    reader.assign(engine.claim(reader.partitions([topic or form])))
    wall, cpu, seen = time.perf_counter(), time.process_time(), 0
    while seen < count:
        seen += engine.step(0.2).records
    found = Found(time.perf_counter() - wall, time.process_time() - cpu, peak())
    assert engine.live.layout is not None
    found.digest = str(digest(engine.live.layout, sink.read(table, engine.live.layout)))
    return found


def _regenerate(servers: str, form: str, target: str, table: str, _count: int) -> Found:
    """Rebuild the copy: load, index, verify, swap."""
    spare_collector()
    sink, reader = open_sink(target), _reader(servers)
    wall, cpu = time.perf_counter(), _computed()
    begun: dict[str, float] = {}
    beside = 0

    def note(phase: str, *_told: object, **_more: object) -> None:
        nonlocal beside
        if phase not in begun:
            begun[phase] = time.perf_counter()
            beside = sum(map(peak, pool.pids)) or beside

    decoder = _decoder(form)
    preparation = Preparation(*PARTS(decoder), _refuse)
    pool = Pool(spare_processors())
    opened = partial(PartitionReader, Connection(servers), f"bench-{uuid.uuid4().hex}")
    share = Share(opened, PARTS, MEMORY // (1 + pool.most))
    sharing = Sharing(pool, share, decoder)
    built = Regeneration(
        table, table, [form], reader, preparation, sink, note, sharing=sharing
    ).run()
    end = time.perf_counter()
    pool.close()
    found = Found(end - wall, _computed() - cpu, peak() + beside, str(built.digest))
    ends = [*list(begun.values())[1:], end]
    found.phases = {phase: at - begun[phase] for phase, at in zip(begun, ends, strict=True)}
    return found


def _reader(servers: str) -> PartitionReader:
    return PartitionReader(Connection(servers), f"bench-{uuid.uuid4().hex}")


def _computed() -> float:
    """Return the seconds that this process has computed, and those it started that have ended."""
    return sum(os.times()[:4])


def _look(db: psycopg.Connection[Any], table: str, watch: Watch) -> None:
    """Ask for a row, which needs the table's lock and little else; now and then for the count."""
    names = {"table": sql.Identifier(table)}
    try:
        began = time.perf_counter()
        db.execute("SELECT 1")
        between = time.perf_counter()
        db.execute(sql.SQL("SELECT FROM {table} LIMIT 1").format(**names))
        watch.idle = max(watch.idle, (between - began) * 1000)
        watch.longest = max(watch.longest, (time.perf_counter() - between) * 1000)
        if watch.polls % 50 == 0:
            row = db.execute(sql.SQL("SELECT count(*) FROM {table}").format(**names)).fetchone()
            watch.seen.add(row[0] if row else -1)
    except psycopg.Error as error:
        watch.failures.append(str(error))
    watch.polls += 1


@contextmanager
def _watched(target: str, table: str) -> Iterator[Watch]:
    """Poll a table of PostgreSQL while something happens to it."""
    watch, over = Watch(), threading.Event()

    def poll() -> None:
        with psycopg.connect(target, autocommit=True) as db:
            while not over.is_set():
                _look(db, table, watch)
                time.sleep(_PAUSE)

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()


def _fill(connection: Connection, count: int) -> str:
    """Write both topics; return the digest of their fold, which every copy must have."""
    create_topics(connection, [NewTopic(form, PARTITIONS, 1, {}) for form in FORMATS])
    writer = RecordWriter(connection)
    decode = avro.decoder(json.dumps(SCHEMA))
    last: dict[bytes, bytes | None] = {}
    for key, value in make_orders(count):
        last[key] = value
        writer.write("avro", key, value)
        if value is not None:
            value = value[:_FRAME] + orjson.dumps(decode(value[_FRAME:]))  # noqa: PLW2901
        writer.write("json", key, value)
    writer.flush(120)
    return _fold(last)


def _fold(last: Mapping[bytes, bytes | None]) -> str:
    """Make the rows by the plain way: no engine, no compiled code."""
    preparation = _preparation("avro")
    records = [
        Record("avro", 0, at, 0, key, value, None)
        for at, (key, value) in enumerate(last.items())
        if value is not None
    ]
    preparation.fit_all(records[:1])
    assert isinstance(preparation.layout, Layout)
    plan = avro.plan(json.dumps(SCHEMA))
    decode = avro.decoder(json.dumps(SCHEMA))
    times = {"created", "updated"}
    rows = (
        [
            (record.key or b"").decode(),
            *[
                value * 1000 if name in times else value
                for name, value in decode((record.value or b"")[_FRAME:]).items()
            ],
        ]
        for record in records
    )
    assert len(plan.columns) == len(preparation.layout.columns) - 1
    return str(digest(preparation.layout, rows))


class Bench:
    """Runs the measurements, prints a line each, and keeps what was missed."""

    def __init__(self, servers: str, count: int, fold: str) -> None:
        self.missed: list[str] = []
        self._servers = servers
        self._count = count
        self._fold = fold
        self._apart = multiprocessing.get_context("spawn")

    def _run(self, what: Any, form: str, target: str, table: str) -> Found:
        with self._apart.Pool(1) as pool:
            found: Found = pool.apply(what, (self._servers, form, target, table, self._count))
        if found.digest != self._fold:
            self.missed.append(f"{table}: content {found.digest} is not the fold {self._fold}")
        return found

    def measure(self, kind: str, form: str, target: str) -> None:
        """Measure both ways of one target and one format."""
        live, rebuilt, watched = [], [], []
        for turn in range(ROUNDS):
            table = f"{form}_{turn}"
            live.append(self._run(copy_live, form, target, table))
            rebuilt.append(self._run(_regenerate, form, target, table))
            if kind == "PostgreSQL":
                with _watched(target, table) as watch:
                    watched.append(self._run(_regenerate, form, target, table))
                self._judge(f"{kind} {form} swap {turn}", watch)
        self._say(f"{kind} {form} live", live)
        self._say(f"{kind} {form} regenerate", rebuilt)
        if watched:
            self._say(f"{kind} {form} while read", watched)

    def _judge(self, what: str, watch: Watch) -> None:
        print(
            f"{what:<28} {watch.polls:>7,} polls, longest {watch.longest:.1f} ms "
            f"(without a lock {watch.idle:.1f}), "
            f"{len(watch.failures)} failed, row counts seen {sorted(watch.seen)}"
        )
        if watch.longest > max(LONGEST_WAIT, watch.idle):
            self.missed.append(f"{what}: a reader waited {watch.longest:.1f} ms")
        if watch.failures:
            self.missed.append(f"{what}: {len(watch.failures)} polls failed: {watch.failures[0]}")
        if len(watch.seen) > 1:
            self.missed.append(f"{what}: a partial table was seen")

    def _say(self, what: str, found: list[Found]) -> None:
        rate = statistics.median(self._count / one.wall for one in found)
        computed = statistics.median(self._count / one.cpu for one in found)
        memory = max(one.memory for one in found)
        aim, live = AIMS.get(what), what.endswith(" live")
        print(
            f"{what:<28} {rate:>9,.0f} rec/s, {computed:>9,.0f} per second of engine CPU, "
            f"{memory} MiB{'' if live else ' of all processes'}"
            + (f" (aim {aim:,.0f})" if aim else "")
        )
        if found[0].phases:
            middle = {
                phase: statistics.median(one.phases[phase] for one in found)
                for phase in found[0].phases
            }
            print(" " * 29 + ", ".join(f"{name} {took:.2f} s" for name, took in middle.items()))
        if aim and rate < aim:
            self.missed.append(f"{what}: {rate:,.0f} rec/s of {aim:,.0f}")
        if aim and live and memory > MOST_MEMORY:
            self.missed.append(f"{what}: {memory} MiB of {MOST_MEMORY}")


@contextmanager
def servers() -> Iterator[tuple[Path, Connection, EmbeddedPostgres]]:
    """Start Kafka and PostgreSQL in a folder; other benches of copies start from here too."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kafka = EmbeddedKafka(folder / "kafka")
        postgres = EmbeddedPostgres(folder / "postgres", BUFFERS)
        kafka.start()
        postgres.start()
        try:
            yield folder, kafka.connection, postgres
        finally:
            postgres.stop()
            kafka.stop()


def main(count: int) -> int:
    """Print a line a figure, the best of three rounds; return 1 where an aim was missed."""
    with servers() as (folder, connection, postgres):
        fold = _fill(connection, count)
        print(f"{count:,} events, {PARTITIONS} partitions, {len(SCHEMA['fields'])} fields")
        bench = Bench(connection.bootstrap_servers, count, fold)
        for form in FORMATS:
            bench.measure("PostgreSQL", form, postgres.ensure_database("bench"))
        bench.measure("SQLite", "avro", f"sqlite:///{folder / 'copies.sqlite3'}")
    print("\n".join(["missed:", *bench.missed]) if bench.missed else "every aim was met")
    return 1 if bench.missed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS))
