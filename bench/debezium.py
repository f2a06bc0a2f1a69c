"""Our engine against Debezium's JDBC sink on Kafka Connect: one broker, one PostgreSQL, one run.

python -m bench.debezium [EVENTS]

The sink runs as our own rendering deploys it (tuned), and as it is by default, both on a JVM that
a run before has warmed, on Avro; and tuned on bare JSON, which suits it best. A run counts from
its first rows, so that starting is free, until all offsets are committed (seen up to 0.6 s late).
Then all copies are compared. Exits 1 naming each aim that was missed.
"""

import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import orjson
import psutil
import psycopg
import requests
from fastavro import parse_schema, schemaless_reader
from psycopg import sql

from bench.connectors import BUFFERS, EVENTS, PARTITIONS, copy_live
from bench.orders import SCHEMA, make_orders
from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.embedded import EmbeddedKafka
from broker.observe import Observer, Partition
from broker.produce import RecordWriter
from config.postgres import EmbeddedPostgres
from lineage.connectors.definition import check
from lineage.connectors.deployment.jdbc import jdbc_target
from lineage.connectors.deployment.rendering import APICURIO, Shape, Workers, render
from lineage.connectors.mapping import avro
from tests.lineage.connectors.deployment.connect_worker import connect_worker

AVRO, BARE = "orders", "orders_json"
SECRET = "BENCH_PASSWORD"  # noqa: S105  (its name)
ROUNDS = 3
AIMS = {"tuned": 2.0, "defaults": 4.0}
_FRAME = 5
_FLUSH_MS = 500
_LONGEST_SECONDS = 900.0
_CONNECT_TYPES = {"string": "string", "int": "int32", "long": "int64", "boolean": "boolean"}
_CONNECT_TYPES |= {"double": "double"}
# what our rendering sets and a user who copies a documented example does not
_TUNING = (
    "batch.size", "consumer.override.max.poll.records", "use.reduction.buffer",
)  # fmt: skip


@dataclass(frozen=True)
class Rate:
    """Records a second: by the clock, and of computing by the process that copies."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Connect:
    """A worker under measurement."""

    url: str
    process: psutil.Process
    kafka: Connection
    registry: str
    target: str

    def measure(self, topic: str, table: str, count: int, *, tuned: bool = True) -> Rate:
        """Copy a topic into a new table by the sink; records by the clock, and by JVM CPU."""
        config = self._config(topic, table, tuned=tuned)
        name = config["name"]
        requests.put(
            f"{self.url}/connectors/{name}/config", json=config, timeout=60
        ).raise_for_status()
        with psycopg.connect(self.target, autocommit=True) as db:
            self._await(lambda: _has_rows(db, table), name)
        wall, cpu = time.perf_counter(), self._cpu()
        with Observer(self.kafka) as observer:
            places = [Partition(topic, number) for number in range(PARTITIONS)]
            ends = observer.end_offsets(places).items
            group = f"connect-{name}"
            self._await(lambda: observer.committed_offsets([group]).items.get(group) == ends, name)
        rate = Rate(count / (time.perf_counter() - wall), count / (self._cpu() - cpu))
        requests.delete(f"{self.url}/connectors/{name}", timeout=60).raise_for_status()
        return rate

    def _config(self, topic: str, table: str, *, tuned: bool) -> dict[str, str]:
        declared = {"name": table, "topics": [topic], "table": table, "target": self.target}
        shape = Shape("AVRO", avro.plan(json.dumps(SCHEMA)))
        workers = Workers(self.registry, converters=frozenset({APICURIO}))
        hidden = self.target.replace(urlsplit(self.target).password or "?", f"${{{SECRET}}}")
        target = jdbc_target(table, hidden, lambda _: self.target)
        config = render(check(declared), declared, target, shape, workers).config
        if topic == BARE:
            config = {
                key: value for key, value in config.items() if not key.startswith("value.converter")
            } | _bare_json()
        if not tuned:
            config = {key: value for key, value in config.items() if key not in _TUNING}
            config["connection.url"] = config["connection.url"].partition("?")[0]
        return config

    def _states(self, name: str) -> list[str]:
        told = requests.get(f"{self.url}/connectors/{name}/status", timeout=30)
        return [task["state"] for task in told.json().get("tasks", ())] if told.ok else []

    def _await(self, condition: Any, name: str = "") -> None:
        deadline = time.monotonic() + _LONGEST_SECONDS
        while not condition():
            if time.monotonic() > deadline or (name and "FAILED" in self._states(name)):
                told = requests.get(f"{self.url}/connectors/{name}/status", timeout=30).text
                raise SystemExit(f"{name} did not catch up: {told[:2000]}")
            time.sleep(0.1)

    def _cpu(self) -> float:
        used = self.process.cpu_times()
        return float(used.user + used.system)


def _has_rows(db: psycopg.Connection[Any], table: str) -> bool:
    try:
        there = sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(table))
        return db.execute(there).fetchone() is not None
    except psycopg.errors.UndefinedTable:
        return False


def _bare_json() -> dict[str, str]:
    fields = []
    for field in SCHEMA["fields"]:
        kind = field["type"]
        optional = isinstance(kind, list)
        kind = kind[1] if isinstance(kind, list) else kind
        named = isinstance(kind, dict) and kind.get("logicalType") is not None
        base = kind["type"] if isinstance(kind, dict) else kind
        base = "string" if base == "enum" else base
        made = {"field": field["name"], "type": _CONNECT_TYPES[base], "optional": optional}
        if named:
            made["name"] = "org.apache.kafka.connect.data.Timestamp"
        fields.append(made)
    return {
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "true",
        "value.converter.schema.content": json.dumps({"type": "struct", "fields": fields}),
    }


class OneSchema(BaseHTTPRequestHandler):
    """The two answers that Apicurio's converter needs, as our registry gives them."""

    def do_GET(self) -> None:
        """Answer the schema of every id, and that it refers to none."""
        body = b"[]" if self.path.endswith("/references") else json.dumps(SCHEMA).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


def _fill(connection: Connection, count: int) -> None:
    create_topics(connection, [NewTopic(topic, PARTITIONS, 1, {}) for topic in (AVRO, BARE)])
    plain = json.loads(json.dumps(SCHEMA))
    for field in plain["fields"]:
        if isinstance(field["type"], dict) and "logicalType" in field["type"]:
            field["type"] = field["type"]["type"]
    parsed = parse_schema(plain)
    writer = RecordWriter(connection)
    for key, value in make_orders(count):
        writer.write(AVRO, key, value)
        decoded = schemaless_reader(BytesIO(value[_FRAME:]), parsed, None) if value else None
        writer.write(BARE, key, orjson.dumps(decoded) if value else None)
    writer.flush(300)


@contextmanager
def _scene() -> Iterator[tuple[Connect, str]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kafka = EmbeddedKafka(folder / "kafka")
        postgres = EmbeddedPostgres(folder / "postgres", BUFFERS)
        kafka.start()
        postgres.start()
        registry = ThreadingHTTPServer(("127.0.0.1", 0), OneSchema)
        Thread(target=registry.serve_forever, daemon=True).start()
        target = postgres.ensure_database("bench")
        secrets = {SECRET: urlsplit(target).password or ""}
        try:
            with connect_worker(
                kafka.connection.bootstrap_servers, folder, secrets, ("-Xmx2g",), _FLUSH_MS
            ) as (url, pid):
                address = f"http://127.0.0.1:{registry.server_port}"
                yield Connect(url, psutil.Process(pid), kafka.connection, address, target), target
        finally:
            registry.shutdown()
            postgres.stop()
            kafka.stop()


def _content(target: str, table: str) -> tuple[Any, ...]:
    """Count and hash a copy's rows; instants by their seconds, as the two type them otherwise."""
    values = [
        f"extract(epoch FROM {name})" if name in {"created", "updated"} else name
        for name in ("record_key", *(field["name"] for field in SCHEMA["fields"]))
    ]
    statement = (
        f"SELECT count(*), md5(string_agg(md5(concat_ws('|', {', '.join(values)}, "  # noqa: S608
        "note IS NULL)), '' ORDER BY record_key)) FROM {table}"
    )
    with psycopg.connect(target) as db:
        db.execute("SET work_mem = '256MB'")
        found = db.execute(sql.SQL(statement).format(table=sql.Identifier(table))).fetchone()
    return found or ()


def _copy(kafka: Connection, target: str, table: str, count: int) -> Rate:
    """Copy the Avro topic by our own engine, in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        arguments = (kafka.bootstrap_servers, "avro", target, table, count, AVRO)
        found = pool.apply(copy_live, arguments)
    return Rate(count / found.wall, count / found.cpu)


def _say(what: str, rate: Rate) -> None:
    print(f"{what:<34}{rate.wall:>10,.0f} rec/s   ({rate.cpu:,.0f} a second of its CPU)")


def main(count: int) -> None:
    """Print a line a figure, the ratios, and whether all copies are equal."""
    with _scene() as (connect, target):
        _fill(connect.kafka, count)
        print(f"{count:,} events, {PARTITIONS} partitions, {len(SCHEMA['fields'])} fields")
        _say("Debezium, Avro, tuned, cold", connect.measure(AVRO, "cold", count))
        found = {
            "tuned": connect.measure(AVRO, "tuned", count),
            "tuned, bare JSON": connect.measure(BARE, "bare", count),
            "defaults": connect.measure(AVRO, "defaults", count, tuned=False),
        }
        for what, rate in found.items():
            _say(f"Debezium, Avro, {what}, warm".replace("Avro, tuned, bare", "tuned, bare"), rate)
        rounds = [_copy(connect.kafka, target, f"own_{turn}", count) for turn in range(ROUNDS)]
        own = Rate(
            statistics.median(rate.wall for rate in rounds),
            statistics.median(rate.cpu for rate in rounds),
        )
        _say("ours, Avro, live", own)
        tables = ("cold", "tuned", "bare", "defaults", *(f"own_{turn}" for turn in range(ROUNDS)))
        contents = {table: _content(target, table) for table in tables}
    missed = [] if len(set(contents.values())) == 1 else [f"the copies differ: {contents}"]
    for what, rate in found.items():
        ratio, aim = own.wall / rate.wall, AIMS.get(what)
        print(f"ours / Debezium {what:<20}{ratio:>6.1f} x" + (f"  (aim {aim:g} x)" if aim else ""))
        if aim and ratio < aim:
            missed.append(f"{ratio:.1f} x against {what}, aim {aim:g} x")
    print("all copies are equal" if len(set(contents.values())) == 1 else "copies differ")
    if missed:
        raise SystemExit("missed: " + "; ".join(missed))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS)
