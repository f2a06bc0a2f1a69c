"""A batch is read in pieces: none of it is lost, whatever befalls a later piece."""

import uuid

import pytest

from broker import consume
from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.consume import BEGINNING, Partition, PartitionReader, Record
from broker.errors import BrokerError
from broker.produce import RecordWriter

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
        some = reader.poll(15, 1.0)
        assert len(some) <= 15
        found += [record.offset for record in some]
        if some:
            assert reader.positions[place] == some[-1].offset + 1
    assert found == list(range(COUNT))
    reader.close()


def test_what_a_later_piece_raises_comes_after_what_was_read(
    reader: PartitionReader, place: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = reader._records
    calls = []

    def fail(messages):  # type: ignore[no-untyped-def]
        calls.append(len(messages))
        if len(calls) == 3:
            raise BrokerError("the third piece")
        return made(messages)

    monkeypatch.setattr(reader, "_records", fail)
    found: list[Record] = []
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
