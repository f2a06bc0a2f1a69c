"""Copies by worker processes that are killed, frozen and outlived: they equal the fold."""

import json
import signal
import time
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event, Thread

import pytest

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.produce import RecordWriter
from lineage.connectors.sinks import open_sink
from tests.lineage.connectors.orders import ORDER, Orders, copied, query
from tests.lineage.connectors.workers import Workspace, eventually

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]
PARTITIONS = 3

_PREPARE = """
import sys
from django.core.management import call_command
call_command("migrate", verbosity=0)
from catalog.actions import ensure_cluster
from lineage.connectors.actions import declare
from registry.actions import Submission, register
ensure_cluster("local", {kafka!r})
for name, target in (("sqlite", {sqlite!r}), ("postgres", "${{COPIES}}")):
    declare({{"name": name + "-" + {topic!r}, "topics": [{topic!r}], "target": target,
             "table": "orders"}})
print(register({topic!r} + "-value", Submission({schema!r})).schema.id)
"""


class Scene:
    """A topic, two copies of it, and workers."""

    def __init__(self, kafka: Connection, folder: Path, sqlite: str, postgres: str) -> None:
        self.topic = f"orders-{uuid.uuid4().hex[:8]}"
        self.targets = (sqlite, postgres)
        create_topics(kafka, [NewTopic(self.topic, PARTITIONS, 1, {})])
        self.space = Workspace(folder, kafka.bootstrap_servers, {"COPIES": postgres})
        prepare = _PREPARE.format(
            kafka=kafka.bootstrap_servers,
            sqlite=sqlite,
            topic=self.topic,
            schema=json.dumps(ORDER),
        )
        self.writer = RecordWriter(kafka)
        self.orders = Orders(self.writer, self.topic, int(self.space.call(prepare)))

    def equal(self) -> bool:
        return all(copied(target) == self.orders.fold for target in self.targets)

    def settle(self, seconds: float = 60.0) -> None:
        eventually(self.equal, seconds, self.space.logs)

    def newest(self) -> list[int]:
        return [max(amount for amount, _ in copied(target).values()) for target in self.targets]

    def newer_than(self, before: list[int]) -> bool:
        return all(now > was for now, was in zip(self.newest(), before, strict=True))

    def began(self) -> bool:
        return all(copied(target) for target in self.targets)


@pytest.fixture
def scene(
    kafka: Connection, tmp_path: Path, sqlite_target: str, postgres_target: str
) -> Iterator[Scene]:
    made = Scene(kafka, tmp_path, sqlite_target, postgres_target)
    yield made
    made.space.stop()


def test_killed_in_midstream_again_and_again(scene: Scene) -> None:
    finished = Event()

    def keep_writing() -> None:
        while not finished.is_set():
            scene.orders.write(200)
            time.sleep(0.05)

    worker = scene.space.start("connectors", "run")
    writing = Thread(target=keep_writing)
    writing.start()
    try:
        eventually(scene.began, said=scene.space.logs)
        for delay in (0.05, 0.4, 0.9):
            time.sleep(delay)
            worker.kill()
            worker.wait()
            before = scene.newest()
            worker = scene.space.start("connectors", "run")
            eventually(partial(scene.newer_than, before), said=scene.space.logs)
    finally:
        finished.set()
        writing.join()
    scene.settle()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(15) == 0
    assert scene.space.rows("SELECT count(*) FROM connectors_quarantine") == [(0,)]


def test_a_frozen_owner_is_fenced_when_it_wakes(scene: Scene) -> None:
    first = scene.space.start("connectors", "run")
    scene.orders.write(2000)
    scene.settle()
    first.send_signal(signal.SIGSTOP)
    scene.space.start("connectors", "run")
    scene.orders.write(2000)
    scene.settle()
    first.send_signal(signal.SIGCONT)
    scene.orders.write(2000)
    scene.settle()
    time.sleep(1.0)
    assert scene.equal()


def test_regenerated_while_written_read_and_killed(scene: Scene) -> None:
    worker = scene.space.start("connectors", "run")
    scene.orders.write(5000)
    scene.settle()
    finished = Event()
    seen: dict[str, list[int]] = {target: [] for target in scene.targets}

    def keep_reading(target: str) -> None:
        while not finished.is_set():
            (row,) = query(target, "SELECT count(*), max(amount) FROM orders")
            assert row[0] > 1500, "a partial table was seen"
            seen[target].append(row[1])
            time.sleep(0.002)

    def keep_writing() -> None:
        while not finished.is_set():
            scene.orders.write(100)
            time.sleep(0.05)

    threads = [Thread(target=keep_reading, args=(target,)) for target in scene.targets]
    threads.append(Thread(target=keep_writing))
    for thread in threads:
        thread.start()
    try:
        for kind in ("sqlite", "postgres"):
            asked = scene.space.start("regenerate", f"{kind}-{scene.topic}")
            if kind == "postgres":
                eventually(lambda: len(runs(scene)) == 2, said=scene.space.logs)
                worker.kill()
                worker.wait()
                worker = scene.space.start("connectors", "run")
            assert asked.wait(120) == 0, scene.space.logs()
    finally:
        finished.set()
        for thread in threads:
            thread.join()
    scene.settle()
    assert runs(scene) == ["succeeded", "succeeded"]
    for target in scene.targets:
        assert seen[target] == sorted(seen[target]), "a reader went back in time"
        sink = open_sink(target)
        live = [sink.live(f"{kind}-{scene.topic}") for kind in ("sqlite", "postgres")]
        assert {each.number for each in live if each} == {2}
        assert sink.count("orders__g1") > 1500
        assert sink.count("orders__new") == 0
        sink.close()


def runs(scene: Scene) -> list[str]:
    return [row[0] for row in scene.space.rows("SELECT state FROM connectors_run")]
