"""A Kafka cluster as large as lineage is measured on: three real brokers, kept in one folder.

One process opens a file a partition, and processes are limited (20,000 files is common): so three
brokers share 40,000 partitions, replication factor 1. What is made once is found again at the
next start. Most groups only commit (2,000 live consumers are another machine's work): their
offsets move, and they have no members.
"""

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.embedded import EmbeddedKafka, _fetch_jars, _free_ports, _java
from broker.lifeline import tied

TOPICS, PARTITIONS, GROUPS, WRITERS, MEMBERS = 10_000, 4, 2_000, 3_000, 60
TOPICS_A_GROUP, TOPICS_A_WRITER = 5, 4
# each waits half a second for its producer id
_WRITERS_AT_ONCE = 24
_STOP_SECONDS = 120.0
# thousands of logs are opened first
_MORE_SECONDS = 240.0
_HEAP = ("-Xms256m", "-Xmx1500m")
_JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.awt.headless=true")
_MORE = """
num.partitions=1
log.index.size.max.bytes=16384
broker.session.timeout.ms=60000
broker.heartbeat.interval.ms=2000
offsets.topic.num.partitions=50
group.initial.rebalance.delay.ms=3000
"""


class LargeKafka(EmbeddedKafka):
    """The broker that is controller too, with the settings of the estate."""

    def _write_configuration(self) -> None:
        super()._write_configuration()
        properties = self.folder / "server.properties"
        kept = [
            line
            for line in properties.read_text().splitlines()
            if line.partition("=")[0] not in {it.partition("=")[0] for it in _MORE.split()}
        ]
        properties.write_text("\n".join(kept) + _MORE)

    def _await_answer(self, deadline: float) -> None:
        super()._await_answer(deadline + _MORE_SECONDS)

    def stop(self) -> None:
        """Stop it in order, however long it takes to close its logs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_STOP_SECONDS)
            self._process = None

    def join(self, number: int) -> "subprocess.Popen[bytes]":
        """Start another broker of this cluster, in a folder beside."""
        folder = self.folder.with_name(f"{self.folder.name}-{number}")
        folder.mkdir(parents=True, exist_ok=True)
        ports = folder / "ports.json"
        port = json.loads(ports.read_text())[0] if ports.exists() else _free_ports(1)[0]
        ports.write_text(json.dumps([port]))
        assert self._ports
        own = {
            "process.roles": "broker",
            "node.id": str(number),
            "listeners": f"PLAINTEXT://127.0.0.1:{port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
            "log.dirs": str(folder / "data"),
        }
        lines = (self.folder / "server.properties").read_text().splitlines()
        kept = [line for line in lines if line.partition("=")[0] not in own]
        properties = folder / "server.properties"
        properties.write_text("\n".join([*kept, *(f"{k}={v}" for k, v in own.items())]) + "\n")
        classpath = ":".join(str(jar) for jar in _fetch_jars(lambda _: None))
        java = [_java(), *_JVM, f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}"]
        java += ["-cp", classpath]
        meta = (self.folder / "data" / "meta.properties").read_text()
        cluster = next(
            line.partition("=")[2] for line in meta.splitlines() if line.startswith("cluster.id")
        )
        tool = [*java, "kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", cluster]
        subprocess.run(tied([*tool, "-c", str(properties)]), check=True, stdout=subprocess.DEVNULL)
        for _ in range(5):
            with (folder / "console.log").open("wb") as console:
                process = subprocess.Popen(
                    tied([*java, *_HEAP, "kafka.Kafka", str(properties)]),
                    stdin=subprocess.DEVNULL,
                    stdout=console,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                return process
        raise SystemExit(f"a broker does not start; see {folder / 'console.log'}")


@contextmanager
def large_cluster(folder: Path) -> Iterator[tuple[Connection, list[int]]]:
    """Start three brokers; yield how to reach them, and their processes. Fills a new folder."""
    first = LargeKafka(folder / "kafka")
    first.start()
    others = [first.join(number) for number in (2, 3)]
    try:
        _await_brokers(first.connection, 3)
        if not (folder / "filled").exists():
            fill(first.connection)
            (folder / "filled").touch()
        assert first.pid
        yield first.connection, [first.pid, *(it.pid for it in others)]
    finally:
        for process in others:
            process.terminate()
        for process in others:
            process.wait(_STOP_SECONDS)
        first.stop()


def _await_brokers(connection: Connection, count: int) -> None:
    admin = AdminClient(connection.confluent())
    for _ in range(60):
        try:
            if len(admin.list_topics(timeout=10).brokers) >= count:
                return
        except KafkaException as error:
            print(f"  {error}", flush=True)
        time.sleep(0.5)
    raise SystemExit("the brokers did not find each other")


def topic_of(number: int) -> str:
    """Name a topic."""
    return f"bench.topic-{number % TOPICS:05d}"


def fill(connection: Connection) -> None:
    """Make topics, writers and groups; minutes."""
    begun = time.monotonic()
    existing = set(AdminClient(connection.confluent()).list_topics(timeout=60).topics)
    for start in range(0, TOPICS, 500):
        names = [topic_of(n) for n in range(start, start + 500) if topic_of(n) not in existing]
        if names:
            create_topics(connection, [NewTopic(it, PARTITIONS, 1, {}) for it in names], 120)
        print(f"  {start + 500:>6} topics, {time.monotonic() - begun:.0f} s", flush=True)
    with ThreadPoolExecutor(_WRITERS_AT_ONCE) as pool:
        list(pool.map(lambda writer: write(connection, writer), range(WRITERS)))
    print(f"  {WRITERS:>6} writers, {time.monotonic() - begun:.0f} s", flush=True)
    commit(connection, range(GROUPS), 1)
    print(f"  {GROUPS:>6} groups, {time.monotonic() - begun:.0f} s", flush=True)


def write(connection: Connection, writer: int) -> None:
    """Write a record to each partition of the writer's topics, as a producer that just started."""
    topics = range(writer * TOPICS_A_WRITER, (writer + 1) * TOPICS_A_WRITER)
    producer = Producer(connection.confluent(enable_idempotence=True))
    for topic in topics:
        for partition in range(PARTITIONS):
            producer.produce(
                topic_of(topic),
                b"x" * 200,
                partition=partition,
                headers=[("ce_source", f"/writer-{writer}".encode())] if writer % 3 else None,
            )
    producer.flush(30)


def commit(connection: Connection, groups: Sequence[int], offset: int) -> None:
    """Move the offsets of groups that have no members."""
    admin = AdminClient(connection.confluent())
    futures: list[Any] = []
    for group in groups:
        places = [
            TopicPartition(topic_of(group * TOPICS_A_GROUP + n), partition, offset)
            for n in range(TOPICS_A_GROUP)
            for partition in range(PARTITIONS)
        ]
        asked = ConsumerGroupTopicPartitions(f"bench.group-{group:04d}", places)
        futures += admin.alter_consumer_group_offsets([asked]).values()
    for future in futures:
        future.result(60)


@contextmanager
def live_members(connection: Connection) -> Iterator[None]:
    """Run consumers that are members of groups of their own, as long as it lasts."""
    consumers = [
        Consumer(connection.confluent(group_id=f"bench.live-{n:03d}", client_id=f"live-{n}"))
        for n in range(MEMBERS)
    ]
    try:
        for number, consumer in enumerate(consumers):
            consumer.subscribe([topic_of(number * 5 + n) for n in range(TOPICS_A_GROUP)])
        for _ in range(20):
            for consumer in consumers:
                consumer.poll(0.02)
        yield
    finally:
        for consumer in consumers:
            consumer.close()
