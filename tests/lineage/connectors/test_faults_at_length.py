"""Processes, databases and brokers taken away while copies are kept, many times over.

After each fault both copies, in SQLite and in PostgreSQL, equal the fold of the log by hash, or a
state says why not. `KILLS` (environment) sets how often a worker is killed, 50 if unset.
"""

import os
import random
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import psycopg
import pytest
from confluent_kafka.admin import AdminClient

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.errors import BrokerError
from broker.produce import RecordWriter
from config.postgres import EmbeddedPostgres
from lineage.connectors.sinks import open_sink
from tests.lineage.connectors.log_fold import fold, hashed
from tests.lineage.connectors.orders import Orders, copied
from tests.lineage.connectors.outages import Transactions, Wire, WiredKafka
from tests.lineage.connectors.test_survive import Scene, runs
from tests.lineage.connectors.workers import eventually

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.postgres,
    pytest.mark.faults,
    pytest.mark.timeout(3600),
]
KILLS = int(os.environ.get("KILLS", "50"))


@pytest.fixture
def scene(
    kafka: Connection, tmp_path: Path, sqlite_target: str, postgres_target: str
) -> Iterator[Scene]:
    made = Scene(kafka, tmp_path, sqlite_target, postgres_target)
    yield made
    made.space.stop()


def equal(scene: Scene, kafka: Connection) -> bool:
    expected = hashed(fold(kafka, scene.topic))
    return all(hashed(copied(target)) == expected for target in scene.targets)


def settled(scene: Scene, kafka: Connection, seconds: float = 120.0) -> None:
    eventually(lambda: equal(scene, kafka), seconds, scene.space.logs)


def states(scene: Scene) -> list[tuple[str, str, str]]:
    return [
        (row[0], row[1], row[2])
        for row in scene.space.rows(
            "SELECT state, trouble, message FROM connectors_connector ORDER BY name"
        )
    ]


@contextmanager
def being_written(scene: Scene, kafka: Connection) -> Iterator[None]:
    """Write updates, tombstones, and transactions of which most are aborted, meanwhile."""
    finished = Event()
    transactions = Transactions(kafka, scene.topic, scene.orders._id)

    def keep_writing() -> None:
        turn = 0
        while not finished.is_set():
            scene.orders.write(200)
            transactions.write(10_000_000 + turn, commit=turn % 3 == 0)
            turn += 1
            time.sleep(0.05)

    thread = Thread(target=keep_writing)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()


def progress(scene: Scene) -> int:
    """Offsets that both copies have passed."""
    total = 0
    for kind, target in zip(("sqlite", "postgres"), scene.targets, strict=True):
        sink = open_sink(target)
        total += sum(it.next for it in sink.positions(f"{kind}-{scene.topic}").values())
        sink.close()
    return total


def test_killed_at_random_points(scene: Scene, kafka: Connection) -> None:
    chance = random.Random(7)
    worker = scene.space.start("connectors", "run")
    with being_written(scene, kafka):
        eventually(scene.began, said=scene.space.logs)
        for _ in range(KILLS):
            before = progress(scene)
            # kills hit starts, claims, merges and commits alike
            if chance.random() < 0.7:
                eventually(lambda: progress(scene) > before, 60, scene.space.logs)  # noqa: B023
            time.sleep(chance.random())
            worker.kill()
            worker.wait()
            worker = scene.space.start("connectors", "run")
    settled(scene, kafka)
    assert scene.space.rows("SELECT count(*) FROM connectors_quarantine") == [(0,)]


def test_two_owners_of_which_one_was_frozen(scene: Scene, kafka: Connection) -> None:
    first = scene.space.start("connectors", "run")
    with being_written(scene, kafka):
        eventually(scene.began, said=scene.space.logs)
        second = scene.space.start("connectors", "run")
        for frozen in (first, second, first):
            frozen.send_signal(signal.SIGSTOP)
            before = scene.newest()
            # the other one takes over before the frozen one's session would end by default
            eventually(lambda: scene.newer_than(before), 60, scene.space.logs)  # noqa: B023
            time.sleep(15)
            frozen.send_signal(signal.SIGCONT)
            time.sleep(5)
    settled(scene, kafka)
    time.sleep(5)
    assert equal(scene, kafka), "a zombie wrote after all"


def test_two_workers_share_partitions_and_one_takes_over(scene: Scene, kafka: Connection) -> None:
    first = scene.space.start("connectors", "run")
    scene.orders.write(2000)
    settled(scene, kafka)
    epochs_before = epochs(scene)
    scene.space.start("connectors", "run")
    eventually(lambda: epochs(scene) != epochs_before, 60, scene.space.logs)
    eventually(lambda: shares(scene, kafka) == [1, 2], 60, scene.space.logs)
    scene.orders.write(2000)
    settled(scene, kafka)
    first.kill()
    first.wait()
    killed = time.monotonic()
    scene.orders.write(2000)
    settled(scene, kafka, 60)
    print(f"taken over after {time.monotonic() - killed:.1f} s")


def shares(scene: Scene, kafka: Connection) -> list[int]:
    """How many partitions each member of a copy's group owns."""
    group = f"insideout.connector.sqlite-{scene.topic}"
    client = AdminClient(kafka.confluent())
    described = client.describe_consumer_groups([group])[group].result(20)
    return sorted(len(member.assignment.topic_partitions) for member in described.members)


def epochs(scene: Scene) -> list[int]:
    sink = open_sink(scene.targets[0])
    found = [it.epoch for it in sink.positions(f"sqlite-{scene.topic}").values()]
    sink.close()
    return found


def test_a_rebuild_is_killed_again_and_again(scene: Scene, kafka: Connection) -> None:
    chance = random.Random(3)
    worker = scene.space.start("connectors", "run")
    scene.orders.write(20_000)
    settled(scene, kafka)
    with being_written(scene, kafka):
        for kind in ("sqlite", "postgres"):
            asked = scene.space.start("regenerate", f"{kind}-{scene.topic}")
            for _ in range(4):
                time.sleep(2 + 3 * chance.random())
                worker.kill()
                worker.wait()
                worker = scene.space.start("connectors", "run")
            asked.wait(180)
            eventually(lambda: "running" not in runs(scene), 180, scene.space.logs)
    settled(scene, kafka)
    for target in scene.targets:
        sink = open_sink(target)
        assert sink.count("orders__new") == 0
        sink.close()


class Outpost:
    """A broker and a PostgreSQL of its own behind wires, and copies kept from there."""

    def __init__(self, folder: Path, sqlite: str) -> None:
        self.kafka = WiredKafka(folder / "kafka", Wire())
        self.kafka.start()
        self.postgres = EmbeddedPostgres(folder / "postgres")
        self.postgres.start()
        self.target = self.postgres.ensure_database("copies")
        self.near = self.kafka.wired
        self.scene = Scene(self.near, folder, sqlite, self.target)
        self.scene.space.start("connectors", "run")
        self.scene.orders.write(2000)
        settled(self.scene, self.near)

    def close(self) -> None:
        self.scene.space.stop()
        self.postgres.stop()
        self.kafka.stop()
        self.kafka.wire.close()


@pytest.fixture(scope="module")
def outpost() -> Iterator[Outpost]:
    # not pytest's folder: PostgreSQL is another user where root runs the tests
    with TemporaryDirectory(prefix="insideout-outpost-") as name:
        folder = Path(name)
        made = Outpost(folder, f"sqlite:///{folder / 'copy.sqlite3'}")
        yield made
        made.close()


def test_the_database_is_restarted_at_once(outpost: Outpost) -> None:
    scene = outpost.scene
    with being_written(scene, outpost.near):
        for _ in range(3):
            time.sleep(2)
            pid = outpost.postgres.pid
            assert pid is not None
            # immediate shutdown: the postmaster and every backend of it
            os.kill(pid, signal.SIGQUIT)
            time.sleep(1)
            outpost.postgres.stop()
            eventually(
                lambda: any(trouble == "sink-unavailable" for _, trouble, _ in states(scene)),
                60,
                scene.space.logs,
            )
            outpost.postgres.start()
    settled(scene, outpost.near)
    assert [state for state, _, _ in states(scene)] == ["live", "live"]
    eventually(lambda: {trouble for _, trouble, _ in states(scene)} == {""}, 60)


def test_the_broker_is_killed_and_restarted(outpost: Outpost) -> None:
    scene = outpost.scene
    for how in (signal.SIGTERM, signal.SIGKILL):
        scene.orders.write(1000)
        pid = outpost.kafka.pid
        assert pid is not None
        os.kill(pid, how)
        eventually(
            lambda: all("Kafka" in message or trouble for _, trouble, message in states(scene)),
            60,
            scene.space.logs,
        )
        outpost.kafka.stop()
        outpost.kafka.start()
        write_when_it_is_back(scene.orders)
        settled(scene, outpost.near)
    assert [state for state, _, _ in states(scene)] == ["live", "live"]


def write_when_it_is_back(orders: Orders) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with suppress(BrokerError):
            orders.write(1000)
            return
    raise AssertionError("the broker takes no records")


def test_a_wire_that_is_cut_for_a_minute(outpost: Outpost) -> None:
    scene = outpost.scene
    outpost.kafka.wire.cut()
    time.sleep(60)
    shown = states(scene)
    outpost.kafka.wire.mend()
    assert all(message for _, _, message in shown), "a minute's silence was not told"
    mended = time.monotonic()
    write_when_it_is_back(scene.orders)
    settled(scene, outpost.near)
    print(f"resumed after {time.monotonic() - mended:.1f} s")
    eventually(lambda: {message for _, _, message in states(scene)} == {""}, 60)


def test_a_disk_that_is_full_and_is_given_room(kafka: Connection, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    topic = f"full-{uuid.uuid4().hex[:8]}"
    try:
        target = f"sqlite:///{disk / 'copy.sqlite3'}"
        with _copied_to(kafka, tmp_path, topic, target) as scene:
            scene.orders.write(40_000, keys=100_000)
            eventually(
                lambda: any(trouble == "sink-unavailable" for _, trouble, _ in states(scene)),
                60,
                scene.space.logs,
            )
            assert any("full" in message for _, _, message in states(scene))
            subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
            expected = hashed(fold(kafka, scene.topic))
            eventually(lambda: hashed(copied(target)) == expected, 60, scene.space.logs)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


@contextmanager
def _copied_to(kafka: Connection, folder: Path, name: str, target: str) -> Iterator[Scene]:
    """A scene whose SQLite copy is elsewhere, and whose other copy is one more SQLite file."""
    other = f"sqlite:///{folder / 'other.sqlite3'}"
    scene = Scene(kafka, folder, target, other)
    scene.space.start("connectors", "run")
    try:
        yield scene
    finally:
        scene.space.stop()


def test_compaction_during_a_rebuild(kafka: Connection, tmp_path: Path, sqlite_target: str) -> None:
    other = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    scene = Scene(kafka, tmp_path, sqlite_target, other)
    compacted = f"compacted-{uuid.uuid4().hex[:8]}"
    create_topics(
        kafka,
        [
            NewTopic(
                compacted,
                2,
                1,
                {
                    "cleanup.policy": "compact",
                    "segment.ms": "500",
                    "min.cleanable.dirty.ratio": "0.01",
                    "delete.retention.ms": "100",
                    "min.compaction.lag.ms": "0",
                },
            )
        ],
    )
    target = f"sqlite:///{tmp_path / 'compacted.sqlite3'}"
    scene.space.call(
        "from lineage.connectors.actions import declare\n"
        f"declare({{'name': {compacted!r}, 'topics': [{compacted!r}], 'target': {target!r}, "
        "'table': 'orders'})"
    )
    orders = Orders(RecordWriter(kafka), compacted, scene.orders._id)
    scene.space.start("connectors", "run")
    try:
        end = time.monotonic() + 45
        while time.monotonic() < end:
            orders.write(2000, keys=300)
            asked = scene.space.start("regenerate", compacted)
            while asked.poll() is None:
                orders.write(200, keys=300)
                time.sleep(0.1)
            assert asked.returncode == 0, scene.space.logs()
        expected = hashed(orders.fold)
        eventually(lambda: hashed(copied(target)) == expected, 60, scene.space.logs)
        assert hashed(fold(kafka, compacted)) == expected
    finally:
        scene.space.stop()


def test_a_database_that_refuses_says_so(outpost: Outpost) -> None:
    scene = outpost.scene
    with psycopg.connect(outpost.target, autocommit=True) as db:
        db.execute("ALTER TABLE orders RENAME COLUMN note TO remark")
    scene.orders.write(100)
    eventually(
        lambda: any(state == "stopped" for state, _, _ in states(scene)), 60, scene.space.logs
    )
    (stopped,) = [row for row in states(scene) if row[0] == "stopped"]
    assert stopped[1] == "sink-mismatch"
    assert "regenerate" in stopped[2]
    asked = scene.space.start("regenerate", f"postgres-{scene.topic}")
    assert asked.wait(120) == 0, scene.space.logs()
    settled(scene, outpost.near)
