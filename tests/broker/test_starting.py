"""A log read from an instant on, as if it began there."""

import uuid
from datetime import UTC, datetime

import pytest

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.consume import BEGINNING
from broker.produce import RecordWriter
from broker.records import Partition
from broker.starting import StartingReader

pytestmark = pytest.mark.kafka
T0 = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def place(kafka: Connection) -> Partition:
    topic = f"t-{uuid.uuid4().hex[:8]}"
    create_topics(kafka, [NewTopic(topic, 1, 1, {"retention.ms": "-1"})])
    writer = RecordWriter(kafka)
    # the third claims an earlier time than the second
    for at in (0, 10, 5, 20):
        writer.write(topic, b"k", str(at).encode(), timestamp=T0 + at * 1000)
    writer.flush()
    return Partition(topic, 0)


def read(kafka: Connection, place: Partition, second: int | None, offset: int) -> list[int]:
    start = None if second is None else datetime.fromtimestamp(T0 / 1000 + second, UTC)
    reader = StartingReader(kafka, f"g-{uuid.uuid4().hex[:8]}", start=start)
    try:
        reader.assign({place: offset})
        found: list[int] = []
        while place not in reader.ended:
            found += [record.offset for record in reader.poll(100, 0.2)]
        low, high = reader.watermarks(place)
        assert reader.all_watermarks([place]) == {place: (low, high)}
        if offset == BEGINNING:
            assert found == list(range(low, high))
        return found
    finally:
        reader.close()


def test_it_begins_with_the_first_record_at_or_after_the_instant(
    kafka: Connection, place: Partition
) -> None:
    for second, found in {None: 4, -5: 4, 1: 3, 11: 1, 21: 0}.items():
        assert len(read(kafka, place, second, BEGINNING)) == found
    # what was begun goes on from where it was
    assert read(kafka, place, 11, 2) == [2, 3]
