"""A registry as a log in a real Kafka: written, replayed, appended to, refused."""

import time
import uuid
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from broker.admin import NewTopic, create_topics, describe_topics
from broker.compacted import TopicUnsuitableError, read_compacted
from broker.connection import Connection
from broker.errors import TopicMissingError
from broker.produce import RecordWriter
from registry.models import Schema
from registry.transfer.apply import import_snapshot
from registry.transfer.entries import Snapshot
from registry.transfer.errors import TopicRefusedError
from registry.transfer.folder import read_folder
from registry.transfer.log import records_of
from registry.transfer.store import read_store
from registry.transfer.topic import read_topic, write_topic
from tests.registry.transfer.processes import manage, on_new_database
from tests.registry.transfer.samples import at, avro, empty, entry, essence, fill, ids, snapshot
from tests.registry.transfer.test_log import CONFLUENT, raw

pytestmark = pytest.mark.kafka
Raw = tuple[bytes | None, bytes | None]


@pytest.fixture
def topic() -> str:
    return f"_schemas-{uuid.uuid4().hex[:10]}"


def write(connection: Connection, topic: str, pairs: Iterable[Raw]) -> None:
    writer = RecordWriter(connection)
    for key, value in pairs:
        writer.write(topic, key, value)
    writer.flush()


@pytest.mark.django_db
def test_another_registry_replays_the_same(kafka: Connection, topic: str) -> None:
    fill()
    before = read_store()
    write_topic(kafka, topic, before)
    empty()
    report = import_snapshot(read_topic(kafka, topic))
    assert report.clean
    after = read_store()
    assert (essence(after), after.next_ids) == (essence(before), before.next_ids)
    assert moments(after) == moments(before)


COMPACTED_SOON = {
    "cleanup.policy": "compact",
    "segment.ms": "200",
    "min.cleanable.dirty.ratio": "0.001",
    "max.compaction.lag.ms": "1",
    "delete.retention.ms": "0",
}


def write_until_compacted(connection: Connection, topic: str, moved: Snapshot) -> None:
    """Append the export again and again, each time in a segment of its own, until one is gone."""
    exports = 0
    end = time.monotonic() + 120
    while True:
        size = write_topic(connection, topic, moved, append=True)
        exports += 1
        held = sum(1 for _ in read_compacted(connection, topic))
        if held < exports * size - size // 2:
            return
        assert time.monotonic() < end, f"not compacted: {held} records of {exports} exports"
        time.sleep(2)


def guids() -> dict[tuple[str, int], uuid.UUID]:
    rows = Schema.objects.values_list("context__name", "number", "guid")
    return {(context, number): guid for context, number, guid in rows}


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_compacted_log_gives_the_same_on_both_databases(
    kafka: Connection, topic: str, postgres_url: str, tmp_path: Path
) -> None:
    fill()
    before, guids_before = read_store(), guids()
    create_topics(kafka, [NewTopic(topic, 1, 1, COMPACTED_SOON)])
    # what the log said of these keys before has to be forgotten
    stale = [replace(each, text=avro("Stale"), deleted=True) for each in before.versions]
    old = [(key, value) for key, value, _ in records_of(snapshot(*stale))]
    write(kafka, topic, [pair for key, value in old for pair in ((key, value), (key, None))])
    write_until_compacted(kafka, topic, before)
    empty()
    assert import_snapshot(read_topic(kafka, topic)).clean
    after = read_store()
    assert (essence(after), after.next_ids) == (essence(before), before.next_ids)
    assert (moments(after), guids()) == (moments(before), guids_before)
    environment = on_new_database(postgres_url, tmp_path)
    place = ("--topic", topic, "--bootstrap", kafka.bootstrap_servers)
    done = manage(environment, "registry_import", *place)
    assert done.returncode == 0, done.stdout + done.stderr
    manage(environment, "registry_export", "--folder", str(tmp_path / "out"))
    there = read_folder(tmp_path / "out")
    assert (essence(there), there.next_ids) == (essence(before), before.next_ids)
    assert moments(there) == moments(before)


def test_records_carry_the_time_of_registration(kafka: Connection, topic: str) -> None:
    moved = snapshot(entry("a", 1, 1, registered_at=at(1_600_000_000_123)), entry("b", 1, 2))
    began = time.time() * 1000
    write_topic(kafka, topic, moved)
    stamps = [each.timestamp for each in read_compacted(kafka, topic)]
    assert stamps[0] == 1_600_000_000_123
    assert all(began - 1000 < stamp for stamp in stamps[1:])


def moments(found: Snapshot) -> list[tuple[str, int]]:
    """When each version was registered, in ms, which is what a record can say."""
    moments = [(str(each), each.registered_at) for each in found.versions]
    return sorted((name, round(at.timestamp() * 1000)) for name, at in moments if at is not None)


def test_the_topic_is_made_as_registries_need_it(kafka: Connection, topic: str) -> None:
    write_topic(kafka, topic, snapshot(entry("a", 1, 1)))
    made = next(each for each in describe_topics(kafka) if each.name == topic)
    assert (made.partitions, made.configs["cleanup.policy"]) == (1, "compact")


@pytest.mark.django_db
def test_a_peers_log_is_imported(kafka: Connection, topic: str) -> None:
    create_topics(kafka, [NewTopic(topic, 1, 1, {"cleanup.policy": "compact"})])
    poison = [(b"", b"x"), (b"\x00", b"\xff")]
    write(kafka, topic, [*poison, *((raw(key), raw(value)) for key, value in CONFLUENT)])
    seen: list[tuple[int, int]] = []
    found = read_topic(kafka, topic, lambda done, total: seen.append((done, total)))
    assert sorted(ids(found.versions)) == [1, 1, 2]
    assert len(found.problems) == 2
    assert seen[-1] == (12, 12)
    report = import_snapshot(found)
    # the Protobuf file refers to one that the log does not hold
    assert (report.counts["created"], report.counts["refused"]) == (6, 3)
    assert {(str(each.subject), each.id) for each in read_store().versions} == {
        ("a", 1),
        (":.eu:a", 1),
    }


def test_a_schema_larger_than_kafkas_usual_record_is_moved(kafka: Connection, topic: str) -> None:
    large = '{"type":"string","doc":"' + uuid.uuid4().hex * 60_000 + '"}'
    write_topic(kafka, topic, snapshot(entry("large", 1, 1, large)))
    assert read_topic(kafka, topic).versions[0].text == large


def test_a_topic_that_holds_records_is_refused_unless_appended_to(
    kafka: Connection, topic: str
) -> None:
    write_topic(kafka, topic, snapshot(entry("a", 1, 1)))
    more = snapshot(entry("a", 1, 1, deleted=True), entry("b", 1, 2))
    with pytest.raises(TopicRefusedError, match="is not empty"):
        write_topic(kafka, topic, more)
    write_topic(kafka, topic, more, append=True)
    assert essence(read_topic(kafka, topic)) == essence(more)


def test_an_id_is_never_written_for_a_second_schema(kafka: Connection, topic: str) -> None:
    write_topic(kafka, topic, snapshot(entry("a", 1, 1)))
    with pytest.raises(TopicRefusedError, match="id 1 is b version 1 here and a version 1 there"):
        write_topic(kafka, topic, snapshot(entry("b", 1, 1, avro("Other"))), append=True)
    assert len(read_topic(kafka, topic).versions) == 1


def test_topics_that_cannot_keep_a_log_are_refused(kafka: Connection, topic: str) -> None:
    create_topics(kafka, [NewTopic(topic, 3, 1, {"cleanup.policy": "compact"})])
    create_topics(kafka, [NewTopic(f"{topic}-short", 1, 1, {"cleanup.policy": "delete"})])
    with pytest.raises(TopicUnsuitableError, match="has 3 partitions"):
        read_topic(kafka, topic)
    with pytest.raises(TopicUnsuitableError, match="has 3 partitions"):
        write_topic(kafka, topic, Snapshot())
    with pytest.raises(TopicUnsuitableError, match=r"cleanup\.policy=delete"):
        write_topic(kafka, f"{topic}-short", Snapshot())
    with pytest.raises(TopicMissingError):
        read_topic(kafka, f"{topic}-missing")


def test_what_is_written_while_it_is_read_is_left_for_later(kafka: Connection, topic: str) -> None:
    create_topics(kafka, [NewTopic(topic, 1, 1)])
    assert list(read_compacted(kafka, topic)) == []
    write(kafka, topic, [(b"a", b"1"), (b"b", None)])
    reading = read_compacted(kafka, topic)
    first = next(reading)
    write(kafka, topic, [(b"c", b"1")])
    assert [each.key for each in (first, *reading)] == [b"a", b"b"]
