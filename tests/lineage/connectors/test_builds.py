"""Builds that are left and gone on with, on disk, as of an offset, and of topics made anew."""

import time
import uuid
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.consume import PartitionReader
from broker.produce import RecordWriter
from broker.records import Partition
from lineage.connectors.engine import LiveEngine
from lineage.connectors.engine_fold import Preparation
from lineage.connectors.engine_regenerate import BuildInterruptedError, Regeneration
from lineage.connectors.errors import LogIncompleteError
from lineage.connectors.keying import TextKeying
from lineage.connectors.sinks import open_sink
from lineage.connectors.sinks.contract import Sink
from tests.lineage.connectors.test_fold import (
    _POISON,
    _REFUSED,
    TOPIC,
    JsonDecoder,
    Log,
    engine,
    value,
)

P0, P1 = Partition(TOPIC, 0), Partition(TOPIC, 1)


class KnownLog(Log):
    """A log whose topic has an id."""

    topic_id = "first"

    def topic_ids(self, topics: Collection[str]) -> dict[str, str]:
        return dict.fromkeys(topics, self.topic_id)


def build(log: Log, sink: Sink, poison: list[Any] | None = None, **more: Any) -> Regeneration:
    refused = poison if poison is not None else []
    preparation = Preparation(
        JsonDecoder(), TextKeying("record_key"), lambda *what: refused.append(what)
    )
    progress = more.pop("progress", lambda *_: None)
    return Regeneration("c", "copy", [TOPIC], log, preparation, sink, progress, **more)


def rows(sink: Sink, table: str = "copy") -> dict[str, int]:
    live = sink.live("c")
    layout = live.layout if live and live.layout else build_layout(sink)
    return {row[0]: int(row[1]) for row in sink.read(table, layout)}


def build_layout(sink: Sink) -> Any:
    log = Log()
    log.append(b"a", value(1, 1))
    preparation = Preparation(JsonDecoder(), TextKeying("record_key"), lambda *_: None)
    preparation.changes(log.records[P1])
    return preparation.layout


class Killed:
    """Ends a build at a phase, and notes the phases."""

    def __init__(self, at: str = "") -> None:
        self.phases: list[str] = []
        self._at = at

    def __call__(self, phase: str, *_: Any) -> None:
        self.phases.append(phase)
        if phase == self._at:
            raise BuildInterruptedError


def test_a_proven_shadow_is_gone_on_with(sink: Sink) -> None:
    log = KnownLog()
    for number in range(20):
        log.append(b"abcd"[number % 4 : number % 4 + 1], value(1, number))
    with pytest.raises(BuildInterruptedError):
        build(log, sink, identity="one", progress=Killed("swap")).run()
    log.append(b"a", value(1, 99))
    log.append(b"b", None)
    again = Killed()
    built = build(log, sink, identity="one", progress=again).run()
    assert "load" not in again.phases
    assert rows(sink) == {"a": 99, "c": 18, "d": 19}
    assert (built.number, built.digest.rows) == (1, 4)
    after = Killed()
    assert build(log, sink, identity="one", progress=after).run().number == 2
    assert "load" in after.phases


@pytest.mark.parametrize("changed", ["identity", "topic", "head", "dropped"])
def test_a_shadow_of_something_else_is_built_anew(sink: Sink, changed: str) -> None:
    log = KnownLog()
    log.append(b"a", value(1, 1))
    with pytest.raises(BuildInterruptedError):
        build(log, sink, identity="one", progress=Killed("swap")).run()
    if changed == "topic":
        log.topic_id = "second"
    if changed == "head":
        log._begin = 7
    if changed == "dropped":
        sink.drop("copy__new")
    again = Killed()
    identity = "two" if changed == "identity" else "one"
    build(log, sink, identity=identity, progress=again, compacted=lambda _: True).run()
    assert "load" in again.phases
    assert rows(sink) == {"a": 1}


def test_a_topic_made_anew_is_regenerated_though_shorter(sink: Sink) -> None:
    log = KnownLog()
    for number in range(9):
        log.append(b"a", value(1, number))
    build(log, sink).run()
    anew = KnownLog()
    anew.topic_id = "second"
    anew.append(b"c", value(1, 5))
    built = build(anew, sink).run()
    assert rows(sink) == {"c": 5}
    assert built.number == 2
    assert sink.positions("c")[P1].next == 1


def test_as_of_an_offset_the_table_holds_the_fold_up_to_it(sink: Sink) -> None:
    log = Log()
    for number in range(10):
        log.append(b"ac"[number % 2 : number % 2 + 1], value(1, number))
    log.append(b"b", value(1, 10))
    log.append(b"a", _POISON)
    build(log, sink).run()
    built = build(log, sink).run_as_of({P0: 0, P1: 5}, "copy__asof_then")
    assert rows(sink, "copy__asof_then") == {"a": 4, "c": 3}
    assert (built.number, built.digest.rows, built.ends) == (0, 2, {P0: 0, P1: 5})
    assert rows(sink) == {"a": 8, "c": 9, "b": 10}
    live = sink.live("c")
    assert live is not None
    assert live.number == 1
    with pytest.raises(LogIncompleteError, match="compacted"):
        build(log, sink, compacted=lambda _: True).run_as_of({P1: 5}, "copy__asof_then")
    headless = Log(begin=3)
    headless.append(b"a", value(1, 1))
    with pytest.raises(LogIncompleteError, match="offsets 0 to 2"):
        build(headless, sink).run_as_of({P1: 5}, "copy__asof_other")
    assert sink.count("copy__asof_other") == 0


def test_a_fold_on_disk_builds_the_same(sink: Sink) -> None:
    log, poison = Log(), list[Any]()
    for number in range(200):
        log.append(f"k{number % 37}".encode(), value(1 + number % 2, number))
    log.append(b"k1", None)
    log.append(b"k2", _POISON)
    log.append(b"k3", value(1, _REFUSED))
    in_memory = build(log, sink, poison).run()
    wanted = rows(sink)
    on_disk = build(log, sink, poison, memory=0).run()
    assert on_disk.digest == in_memory.digest
    assert rows(sink) == wanted
    assert len(wanted) == 36
    assert wanted["k3"] == 188


def test_two_raw_keys_of_one_primary_key_make_one_row(sink: Sink) -> None:
    log = Log()
    log.append(b"01", value(1, 1))
    log.append(b"1", value(1, 2))
    log.append(b"2", value(1, 3))
    preparation = Preparation(JsonDecoder(), TextKeying("m"), lambda *_: None)
    Regeneration("c", "copy", [TOPIC], log, preparation, sink, lambda *_: None).run()
    live = sink.live("c")
    assert live is not None
    assert live.layout is not None
    found = {(row[0], row[1]) for row in sink.read("copy", live.layout)}
    assert found == {(1, "2"), (2, "3")}


@pytest.mark.postgres
def test_what_the_database_refuses_while_the_next_batch_is_read_is_put_aside(
    postgres_target: str,
) -> None:
    sink, log, poison = open_sink(postgres_target), Log(), list[Any]()
    for number in range(3000):
        log.append(f"k{number}".encode(), value(1, _REFUSED if number in {7, 2050} else number))
    preparation = Preparation(
        JsonDecoder(), TextKeying("record_key"), lambda *what: poison.append(what)
    )
    live = LiveEngine("c", "copy", log, preparation, sink, batch=1000, overlap=True)
    log.assign(live.claim(list(log.records)))
    while live.step(0).records:
        pass
    assert len(rows(sink)) == 2998
    assert {what[0].key for what in poison} == {b"k7", b"k2050"}
    other = engine(Log(), open_sink(postgres_target), poison)  # type: ignore[arg-type]
    other._sink.close()
    sink.close()


@pytest.mark.kafka
def test_kafka_tells_offsets_by_time_and_ids_of_topics(kafka: Connection, tmp_path: Path) -> None:
    topic = f"times-{uuid.uuid4().hex[:8]}"
    create_topics(kafka, [NewTopic(topic, 1, 1, {})])
    writer = RecordWriter(kafka)
    writer.write(topic, b"a", b"1")
    writer.flush()
    time.sleep(0.01)
    between = int(time.time() * 1000)
    time.sleep(0.01)
    writer.write(topic, b"a", b"2")
    writer.flush()
    reader = PartitionReader(kafka, "times")
    place = Partition(topic, 0)
    assert reader.offsets_at([place], between) == {place: 1}
    assert reader.offsets_at([place], 0) == {place: 0}
    assert reader.offsets_at([place], between + 3_600_000) == {place: 2}
    (found,) = reader.topic_ids([topic]).values()
    assert len(found) > 10
    reader.close()
