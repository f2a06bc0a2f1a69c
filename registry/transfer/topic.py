"""A registry's log in Kafka: read to a snapshot, and written for another registry to replay."""

from collections.abc import Callable

from broker.compacted import Entry, is_empty, read_compacted, write_compacted
from broker.connection import Connection
from registry.transfer.entries import Snapshot, VersionEntry
from registry.transfer.errors import TopicRefusedError
from registry.transfer.log import LogRecord, fold, records_of

_SHOWN = 5


def read_topic(
    connection: Connection,
    topic: str,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Snapshot:
    """What a registry holds whose log is the topic, as of now; BrokerError when it is not read."""
    records = read_compacted(connection, topic, progress)
    return fold(LogRecord(each.offset, each.timestamp, each.key, each.value) for each in records)


def write_topic(
    connection: Connection, topic: str, snapshot: Snapshot, *, append: bool = False
) -> int:
    """Write the snapshot as a log; answers the number of records.

    TopicRefusedError when the topic holds records, unless `append`, and then when an id there
    stands for another schema. What is there and not in the snapshot stays.
    """
    if not is_empty(connection, topic):
        if not append:
            raise TopicRefusedError(f"{topic} is not empty; --append writes behind what it holds")
        _check_ids(topic, read_topic(connection, topic), snapshot)
    return write_compacted(connection, topic, (Entry(*each) for each in records_of(snapshot)))


def _check_ids(topic: str, there: Snapshot, snapshot: Snapshot) -> None:
    """Refuse to make one id stand for two schemas."""
    held = {(entry.subject.context, entry.id): entry for entry in there.versions}
    clashes = []
    for entry in snapshot.versions:
        holder = held.get((entry.subject.context, entry.id))
        if holder is not None and _schema(holder) != _schema(entry):
            clashes.append(f"id {entry.id} is {entry} here and {holder} there")
    if clashes:
        more = f", and {len(clashes) - _SHOWN} more" * (len(clashes) > _SHOWN)
        raise TopicRefusedError(
            f"{topic} holds other schemas under the same ids: {', '.join(clashes[:_SHOWN])}{more}"
        )


def _schema(entry: VersionEntry) -> tuple[object, ...]:
    return entry.format, entry.text, entry.references, entry.metadata, entry.ruleset
