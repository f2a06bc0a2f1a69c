"""A registry as a log in a real Kafka: written, replayed, appended to, refused."""

import uuid
from collections.abc import Iterable

import pytest

from broker.admin import NewTopic, create_topics, describe_topics
from broker.compacted import TopicUnsuitableError, read_compacted
from broker.connection import Connection
from broker.errors import TopicMissingError
from broker.produce import RecordWriter
from registry.transfer.apply import import_snapshot
from registry.transfer.entries import Snapshot
from registry.transfer.errors import TopicRefusedError
from registry.transfer.store import read_store
from registry.transfer.topic import read_topic, write_topic
from tests.registry.transfer.samples import avro, empty, entry, essence, fill, ids, snapshot
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
