"""A compacted topic that is somebody's whole state: read to its end, written as one log.

One partition only: across several, the order of the records would be lost.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from broker.admin import NewTopic, create_topics, describe_topics
from broker.connection import Connection
from broker.consume import BEGINNING, PartitionReader
from broker.errors import BrokerError, BrokerTimeoutError, translated
from broker.produce import RecordWriter
from broker.records import Partition, Record

_BATCH = 5_000
_GROUP = "insideout.compacted"
_HEADROOM = 1024
_USUAL_LARGEST = 1_000_000


class Entry(NamedTuple):
    """A record to be written; a value of None takes back, a timestamp of 0 (ms) is now."""

    key: bytes
    value: bytes | None
    timestamp: int = 0


class TopicUnsuitableError(BrokerError):
    """The topic has several partitions, or is not compacted: it cannot keep a state."""

    code = "topic-unsuitable"
    http_status = 409


def read_compacted(
    connection: Connection,
    topic: str,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    patience: float = 30.0,
) -> Iterator[Record]:
    """Yield what is committed in the topic now, in its order; `progress` gets offset and end.

    TopicMissingError, TopicUnsuitableError; BrokerTimeoutError when nothing comes for `patience`
    seconds.
    """
    reader = PartitionReader(connection, _GROUP)
    try:
        yield from _read(reader, topic, progress, patience)
    finally:
        reader.close()


def _read(
    reader: PartitionReader, topic: str, progress: Callable[[int, int], None], patience: float
) -> Iterator[Record]:
    partition = _only(reader.partitions([topic]), topic)
    low, end = reader.watermarks(partition)
    reader.assign({partition: BEGINNING})
    position, silence = low, 0.0
    while position < end and partition not in reader.ended:
        records = reader.poll(_BATCH, 1.0)
        yield from (record for record in records if record.offset < end)
        # compacted records and transactions' markers are passed without a record being seen
        moved = max(reader.positions[partition], position)
        silence = 0.0 if moved > position else silence + 1.0
        position = moved
        progress(min(position, end), end)
        if silence > patience:
            raise BrokerTimeoutError(f"{topic}: nothing came for {patience:g} s {reader.trouble}")


def _only(partitions: Sequence[Partition], topic: str) -> Partition:
    if len(partitions) != 1:
        raise TopicUnsuitableError(f"{topic} has {len(partitions)} partitions instead of one")
    return partitions[0]


def is_empty(connection: Connection, topic: str) -> bool:
    """Whether the topic is missing or holds no record; TopicUnsuitableError by its settings."""
    found = next((each for each in describe_topics(connection) if each.name == topic), None)
    if found is None:
        return True
    if found.partitions != 1:
        raise TopicUnsuitableError(f"{topic} has {found.partitions} partitions instead of one")
    policy = found.configs.get("cleanup.policy", "compact")
    if "compact" not in policy or "delete" in policy:
        raise TopicUnsuitableError(f"{topic} has cleanup.policy={policy} instead of compact")
    return not found.records


def write_compacted(connection: Connection, topic: str, records: Iterable[Entry]) -> int:
    """Append records in order through an idempotent producer; answers how many.

    A missing topic is made: one partition, compacted, and able to take the largest record.
    """
    wanted = list(records)
    largest = (
        max((len(each.key) + len(each.value or b"") for each in wanted), default=0) + _HEADROOM
    )
    configs = {"cleanup.policy": "compact"}
    if largest > _USUAL_LARGEST:
        configs["max.message.bytes"] = str(largest)
    create_topics(connection, [NewTopic(topic, 1, -1, configs)])
    writer = RecordWriter(connection, max_record_bytes=max(largest, _USUAL_LARGEST))
    with translated():
        for key, value, timestamp in wanted:
            writer.write(topic, key, value, partition=0, timestamp=timestamp)
    writer.flush(120.0)
    return len(wanted)
