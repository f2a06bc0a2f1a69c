"""A batch is read in pieces: none of it is lost, whatever befalls a later piece."""

import uuid
from collections.abc import Sequence

import pytest
from confluent_kafka import KafkaError, KafkaException, Message

from broker import consume
from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.consume import BEGINNING, PartitionReader
from broker.errors import BrokerError
from broker.produce import RecordWriter
from broker.records import (
    Partition,
    Record,
    Records,
    ends_of,
    have_headers,
    held,
    keys_of,
    picked,
    taken_up,
    values_of,
)

pytestmark = pytest.mark.kafka
COUNT = 40


@pytest.fixture
def place(kafka: Connection) -> Partition:
    topic = f"t-{uuid.uuid4().hex[:8]}"
    create_topics(kafka, [NewTopic(topic, 1, 1, {"retention.ms": "-1"})])
    writer = RecordWriter(kafka)
    for at in range(COUNT):
        writer.write(topic, b"k", str(at).encode())
    writer.flush()
    return Partition(topic, 0)


@pytest.fixture
def reader(kafka: Connection, place: Partition, monkeypatch: pytest.MonkeyPatch) -> PartitionReader:
    monkeypatch.setattr(consume, "_AT_ONCE", 7)
    made = PartitionReader(kafka, f"g-{uuid.uuid4().hex[:8]}")
    made.assign({place: BEGINNING})
    return made


def test_a_batch_is_whole_and_no_greater_than_asked(
    reader: PartitionReader, place: Partition
) -> None:
    found = []
    while place not in reader.ended:
        some = reader.poll(15, 0.2)
        assert len(some) <= 15
        found += [record.offset for record in some]
        if some:
            assert reader.positions[place] == some[-1].offset + 1
    assert found == list(range(COUNT))
    reader.close()


def test_what_a_later_piece_raises_comes_after_what_was_read(
    reader: PartitionReader, place: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = reader._judged
    calls = []

    def fail(messages):  # type: ignore[no-untyped-def]
        calls.append(len(messages))
        if len(calls) == 3:
            raise BrokerError("the third piece")
        return made(messages)

    monkeypatch.setattr(reader, "_judged", fail)
    found: Sequence[Record] = []
    while not found:
        calls.clear()
        found = reader.poll(100, 5.0)
    assert [record.offset for record in found] == list(range(14))
    assert reader.positions[place] == 14
    with pytest.raises(BrokerError, match="the third piece"):
        reader.poll(100, 0.2)
    # the caller begins anew where it is
    reader.assign({place: 14})
    assert reader.poll(1, 5.0)[0].offset == 14
    reader.close()


def test_a_later_piece_that_cannot_be_asked_for_loses_none_before_it(
    reader: PartitionReader, place: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = reader._consumer, []

    class Failing:
        def consume(self, count: int, timeout: float) -> list[Message]:
            asked.append(count)
            if len(asked) > 1:
                raise KafkaException(KafkaError(KafkaError._FATAL))
            return real.consume(count, timeout)

    monkeypatch.setattr(reader, "_consumer", Failing())
    found: Sequence[Record] = []
    while not found:
        asked.clear()
        found = reader.poll(100, 5.0)
    assert [record.offset for record in found] == list(range(7))
    assert reader.positions[place] == 7
    with pytest.raises(BrokerError):
        reader.poll(100, 0.2)
    monkeypatch.undo()
    reader.close()


def test_a_batch_is_made_into_records_when_one_is_looked_at(kafka: Connection) -> None:
    topics = [f"t-{uuid.uuid4().hex[:8]}" for _ in range(2)]
    create_topics(kafka, [NewTopic(topic, 1, 1, {"retention.ms": "-1"}) for topic in topics])
    writer = RecordWriter(kafka)
    given: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]] = [
        (b"a", b"1", []),
        (None, None, [("h", b"x"), ("h", b"")]),
        (b"b", b"", []),
    ]
    for topic in topics:
        for at, (key, value, headers) in enumerate(given):
            writer.write(topic, key, value, headers=headers, timestamp=1_000 + at)
    writer.flush()
    reader = PartitionReader(kafka, f"g-{uuid.uuid4().hex[:8]}")
    for chosen in (topics, topics[:1]):
        places = [Partition(topic, 0) for topic in chosen]
        reader.assign(dict.fromkeys(places, BEGINNING))
        batches = []
        while set(places) - reader.ended:
            batches.append(reader.poll(100, 0.2))
        records = next(batch for batch in batches if batch)
        plain = sorted(record for batch in batches for record in batch)
        assert plain == [
            Record(topic, 0, at, 1_000 + at, key, value, tuple(headers) if headers else None)
            for topic in sorted(chosen)
            for at, (key, value, headers) in enumerate(given)
        ]
        assert {place: end for batch in batches for place, end in batch.ends.items()} == (
            dict.fromkeys(places, 3)
        )
        # all of them the same of messages and of records made of them
        again = Records(records.messages, records.ends)
        made = list(records)
        assert [again[at] for at in range(len(again))] == made
        assert list(again[1:]) == made[1:]
        for look in (keys_of, values_of, have_headers):
            assert look(again) == look(made)
        assert list(picked(again, [2, 0])) == list(picked(made, [2, 0])) == [made[2], made[0]]
        assert list(taken_up(held(again))) == list(taken_up(held(made))) == made
        assert ends_of(again) == records.ends
    assert ends_of(plain) == {Partition(topics[0], 0): 3}
    assert list(taken_up([])) == []
    reader.close()
