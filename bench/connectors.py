"""Rates of live copying and of regeneration: Kafka, database and engine on one machine.

make bench                      all of it
python -m bench.connectors 200000
"""

import json
import resource
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.orders import SCHEMA, make_orders
from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.consume import PartitionReader, Record
from broker.embedded import EmbeddedKafka
from broker.produce import RecordWriter
from config.postgres import EmbeddedPostgres
from lineage.connectors.columns import Plan
from lineage.connectors.engine import LiveEngine
from lineage.connectors.engine_fold import Preparation, Writer
from lineage.connectors.engine_regenerate import Regeneration
from lineage.connectors.errors import PoisonRecordError
from lineage.connectors.keying import TextKeying
from lineage.connectors.mapping import avro, avro_rows
from lineage.connectors.sinks import open_sink

EVENTS = 600_000
ROUNDS = 3
PARTITIONS = 4
TOPIC = "orders"
_FRAME = 5


class OneSchema:
    """Every value was written with the bench's schema."""

    def __init__(self) -> None:
        text = json.dumps(SCHEMA)
        self._writer = Writer(avro.plan(text), avro.decoder(text), avro_rows.direct(text))

    def writer(self, record: Record) -> tuple[Writer, bytes]:
        """Return how the record was written, and its payload."""
        assert record.value is not None
        return self._writer, record.value[_FRAME:]

    def key(self, raw: bytes) -> tuple[Plan, Any]:
        """Refuse: the keys of the bench are text."""
        raise PoisonRecordError(f"a key with a schema: {raw!r}")


@dataclass(frozen=True)
class Rate:
    """Records a second by the clock, and by the engine's own computing time."""

    wall: float
    cpu: float


def _refuse(*complaint: object) -> None:
    raise SystemExit(f"a record was refused: {complaint}")


def _preparation() -> Preparation:
    return Preparation(OneSchema(), TextKeying("record_key"), _refuse)


def _reader(connection: Connection) -> PartitionReader:
    return PartitionReader(connection, f"bench-{uuid.uuid4().hex}")


def measure_live(connection: Connection, topic: str, target: str, table: str, count: int) -> Rate:
    """Copy the whole topic into an empty table, offsets in each transaction."""
    sink, reader = open_sink(target), _reader(connection)
    engine = LiveEngine(table, table, reader, _preparation(), sink)
    reader.assign(engine.claim(reader.partitions([topic])))
    wall, cpu, seen = time.perf_counter(), time.process_time(), 0
    while seen < count:
        seen += engine.step(0.2).records
    rate = Rate(count / (time.perf_counter() - wall), count / (time.process_time() - cpu))
    reader.close()
    sink.close()
    return rate


def measure_regeneration(
    connection: Connection, topic: str, target: str, table: str, count: int
) -> tuple[Rate, str]:
    """Rebuild the copy: load, index, verify, swap. The digest names what it then holds."""
    sink, reader = open_sink(target), _reader(connection)
    wall, cpu = time.perf_counter(), time.process_time()
    built = Regeneration(
        table, table, [topic], reader, _preparation(), sink, lambda *_progress: None
    ).run()
    rate = Rate(count / (time.perf_counter() - wall), count / (time.process_time() - cpu))
    reader.close()
    sink.close()
    return rate, str(built.digest)


def _fill(connection: Connection, topic: str, count: int) -> None:
    create_topics(connection, [NewTopic(topic, PARTITIONS, 1, {})])
    writer = RecordWriter(connection)
    for key, value in make_orders(count):
        writer.write(topic, key, value)
    writer.flush(120)


def _say(what: str, rates: list[Rate]) -> None:
    wall = [rate.wall for rate in rates]
    cpu = statistics.median(rate.cpu for rate in rates)
    print(
        f"{what:<24}{statistics.median(wall):>10,.0f} rec/s"
        f"   (min {min(wall):,.0f}, max {max(wall):,.0f}; {cpu:,.0f} a second of engine CPU)"
    )


def _measure(connection: Connection, kind: str, target: str, count: int) -> set[str]:
    """Print both rates of one target; return the digests of what it then held."""
    live, rebuilt, digests = [], [], set()
    for turn in range(ROUNDS):
        table = f"orders_{turn}"
        live.append(measure_live(connection, TOPIC, target, table, count))
        rate, digest = measure_regeneration(connection, TOPIC, target, table, count)
        rebuilt.append(rate)
        digests.add(digest)
    _say(f"{kind} live", live)
    _say(f"{kind} regenerate", rebuilt)
    return digests


@contextmanager
def _servers() -> Iterator[tuple[Path, Connection, EmbeddedPostgres]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kafka, postgres = EmbeddedKafka(folder / "kafka"), EmbeddedPostgres(folder / "postgres")
        kafka.start()
        postgres.start()
        try:
            yield folder, kafka.connection, postgres
        finally:
            postgres.stop()
            kafka.stop()


def main(count: int) -> None:
    """Print a line a figure: median, minimum and maximum of three rounds."""
    with _servers() as (folder, connection, postgres):
        _fill(connection, TOPIC, count)
        print(f"{count:,} events, {PARTITIONS} partitions, {len(SCHEMA['fields'])} fields")
        digests = _measure(connection, "PostgreSQL", postgres.ensure_database("bench"), count)
        digests |= _measure(connection, "SQLite", f"sqlite:///{folder / 'copies.sqlite3'}", count)
    print("all copies are equal" if len(digests) == 1 else f"copies differ: {digests}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"peak memory of the engine's process: {peak} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS)
