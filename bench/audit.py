"""What an audit costs: in the database, and over the log; damage found by key, and repaired.

make bench                      with the others
python -m bench.audit 600000    events; some three quarters of them are rows
"""

import json
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from bench.memory import peak
from bench.orders import SCHEMA, make_orders
from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.consume import PartitionReader
from broker.embedded import EmbeddedKafka
from broker.produce import RecordWriter
from broker.records import Record
from config.postgres import EmbeddedPostgres
from lineage.connectors.audits.engine import Auditor, Outcome
from lineage.connectors.audits.folding import LogFold
from lineage.connectors.audits.reading import LogReading
from lineage.connectors.audits.repairing import Repair
from lineage.connectors.columns import Layout, Plan, Row
from lineage.connectors.engine import LiveEngine
from lineage.connectors.engine_fold import Preparation
from lineage.connectors.engine_parts import Writer
from lineage.connectors.errors import PoisonRecordError
from lineage.connectors.keying import TextKeying
from lineage.connectors.mapping import avro
from lineage.connectors.sinks import open_sink
from lineage.connectors.sinks.contract import Sink

EVENTS = 600_000
ROUNDS = 3
PLANTED = 102
PARTITIONS = 4
TOPIC = "orders"
MOST_SECONDS = 2.0
"""What an audit of 456 k rows may take in PostgreSQL."""

_FRAME = 5


class OneSchema:
    """Every value was written with the bench's schema."""

    def __init__(self) -> None:
        text = json.dumps(SCHEMA)
        self._writer = Writer(avro.plan(text), avro.decoder(text))

    def writer(self, record: Record) -> tuple[Writer, bytes]:
        """Return how the record was written, and its payload."""
        return self._writer, (record.value or b"")[_FRAME:]

    def key(self, raw: bytes) -> tuple[Plan, Any]:
        """Refuse: the keys of the bench are text."""
        raise PoisonRecordError(f"a key with a schema: {raw!r}")


def _refuse(*complaint: object) -> None:
    raise SystemExit(f"a record was refused: {complaint}")


@dataclass
class Copy:
    """One copy of the topic, and what works on it."""

    sink: Sink
    reader: PartitionReader

    @classmethod
    def of(cls, connection: Connection, target: str) -> "Copy":
        """Open target and log."""
        group = f"bench-{uuid.uuid4().hex}"
        return cls(open_sink(target), PartitionReader(connection, group))

    def fill(self, count: int) -> Layout:
        """Copy the whole topic live."""
        engine = LiveEngine("orders", "orders", self.reader, _preparation(), self.sink)
        self.reader.assign(engine.claim(self.reader.partitions([TOPIC])))
        seen = 0
        while seen < count:
            seen += engine.step(0.2).records
        assert engine.live.layout is not None
        return engine.live.layout

    def audit(self, *, repair: bool = False) -> tuple[Outcome, int, float]:
        """Audit; return what was found, how much was repaired, and processor seconds of ours."""
        preparation, reading = _preparation(), LogReading(self.reader)
        fold = LogFold(reading, preparation, lambda *_: None)
        auditor = Auditor("orders", self.sink, reading, fold, preparation, lambda *_: None)
        cpu = time.process_time()
        found = auditor.run()
        assert found.moment.live is not None
        repaired = 0
        if repair:
            work = Repair("orders", self.sink, auditor, fold, lambda *_: None)
            repaired = work.run(found.moment.live, found.differences)
        return found, repaired, time.process_time() - cpu

    def damage(self, layout: Layout) -> None:
        """Change, delete and add a third each."""
        each = PLANTED // 3
        rows: list[Row] = []
        for row in self.sink.read("orders", layout):
            rows.append(row)
            if len(rows) == 20 * each:
                break
        chosen = Random(1).sample(rows, 2 * each)
        changed = [[*row[:-1], -1.0] for row in chosen[:each]]
        added = [[f"stray-{number}", *row[1:]] for number, row in enumerate(chosen[:each])]
        self.sink.merge("orders", layout, [*changed, *added], {(row[0],) for row in chosen[each:]})


def _preparation() -> Preparation:
    return Preparation(OneSchema(), TextKeying("record_key"), _refuse)


def _measure(connection: Connection, kind: str, target: str, count: int) -> tuple[float, bool]:
    """Print one target's figures; return seconds in the database, and if all was right."""
    copy = Copy.of(connection, target)
    layout = copy.fill(count)
    audits = [copy.audit() for _ in range(ROUNDS)]
    in_database = min(found.hash_seconds for found, _, _ in audits)
    over_log = min(found.log_seconds for found, _, _ in audits)
    rows = audits[0][0].copy.rows
    print(
        f"{kind:<11}{rows:>9,} rows: {in_database:6.2f} s in the database, {over_log:6.2f} s over "
        f"the log ({count / over_log:,.0f} rec/s; {min(cpu for _, _, cpu in audits):.2f} s of CPU)"
    )
    right = all(found.differing == 0 and found.copy == found.log for found, _, _ in audits)
    copy.damage(layout)
    began = time.perf_counter()
    found, repaired, _ = copy.audit(repair=True)
    took = time.perf_counter() - began
    after, _, _ = copy.audit()
    print(
        f"{'':<11}{found.differing} of {PLANTED} planted divergences found "
        f"({', '.join(f'{n} {kind}' for kind, n in found.counts.items())}), {repaired} repaired, "
        f"{after.differing} left; {took:.2f} s for audit and repair"
    )
    copy.reader.close()
    copy.sink.close()
    return in_database, right and (found.differing, repaired, after.differing) == (
        PLANTED,
        PLANTED,
        0,
    )


def main(count: int) -> int:
    """Print the figures; exit code 1 where an aim is missed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        kafka, postgres = EmbeddedKafka(folder / "kafka"), EmbeddedPostgres(folder / "postgres")
        kafka.start()
        postgres.start()
        try:
            create_topics(kafka.connection, [NewTopic(TOPIC, PARTITIONS, 1, {})])
            writer = RecordWriter(kafka.connection)
            for key, value in make_orders(count):
                writer.write(TOPIC, key, value)
            writer.flush(120)
            target = postgres.ensure_database("bench")
            seconds, right = _measure(kafka.connection, "PostgreSQL", target, count)
            sqlite = f"sqlite:///{folder / 'copy.sqlite3'}"
            _, also = _measure(kafka.connection, "SQLite", sqlite, count)
        finally:
            postgres.stop()
            kafka.stop()
    print(f"peak memory: {peak()} MiB")
    missed = []
    if seconds > MOST_SECONDS * max(1.0, count / EVENTS):
        missed.append(f"{MOST_SECONDS:g} s in PostgreSQL: {seconds:.2f} s")
    if not (right and also):
        missed.append("every planted divergence found and repaired, no other")
    for aim in missed:
        print(f"missed: {aim}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS))
