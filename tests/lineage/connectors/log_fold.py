"""What a copy must hold, read from the log itself by another client and another decoder."""

import hashlib
import json
import uuid
from io import BytesIO

from confluent_kafka import Consumer, TopicPartition
from fastavro import parse_schema, schemaless_reader

from broker.connection import Connection
from tests.lineage.connectors.orders import ORDER, Fold

_FRAME = 5


def fold(kafka: Connection, topic: str) -> Fold:
    """Fold the committed records of a topic of orders to the last of each key."""
    parsed = parse_schema(json.loads(json.dumps(ORDER)))
    consumer = Consumer(
        kafka.confluent(
            group_id=f"fold-{uuid.uuid4().hex}",
            isolation_level="read_committed",
            enable_partition_eof=True,
            enable_auto_commit=False,
        )
    )
    partitions = consumer.list_topics(topic, 10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    left = set(partitions)
    folded: Fold = {}
    while left:
        message = consumer.poll(10)
        assert message is not None, "the log gave nothing for 10 s"
        if message.error() is not None:
            left.discard(message.partition() or 0)
            continue
        key, value = (message.key() or b"").decode(), message.value()
        if value is None:
            folded.pop(key, None)
        else:
            row = schemaless_reader(BytesIO(value[_FRAME:]), parsed, None)
            assert isinstance(row, dict)
            folded[key] = (row["amount"], row["note"])
    consumer.close()
    return folded


def hashed(rows: Fold) -> str:
    """Hash rows, whatever their order."""
    text = "\n".join(repr((key, *rows[key])) for key in sorted(rows))
    return hashlib.sha256(text.encode()).hexdigest()
