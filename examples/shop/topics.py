"""The shop's topics. `python -m examples.shop.topics` makes those that are missing."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from examples.shop.setting import read_setting


@dataclass(frozen=True)
class Topic:
    """One topic as it is made; all have as many partitions, so that equal keys share a number."""

    name: str
    configs: dict[str, str] = field(default_factory=dict)
    partitions: int = 4


ORDERS = Topic("orders", {"retention.ms": "604800000"})
PAYMENTS = Topic("payments", {"retention.ms": "604800000"})
SHIPMENTS = Topic("shipments", {"retention.ms": "604800000"})
STOCK = Topic(
    "stock",
    {"cleanup.policy": "compact", "segment.ms": "600000", "min.cleanable.dirty.ratio": "0.1"},
)
TOPICS = (ORDERS, PAYMENTS, STOCK, SHIPMENTS)
_ALREADY_THERE = KafkaError.TOPIC_ALREADY_EXISTS


def create(bootstrap_servers: str, topics: Sequence[Topic] = TOPICS, timeout: float = 10) -> None:
    """Make the topics that are missing; an existing one stays as it is.

    Raises KafkaException when the cluster does not answer in `timeout` seconds or refuses.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    existing = admin.list_topics(timeout=timeout).topics
    wanted = [
        NewTopic(topic.name, num_partitions=topic.partitions, config=topic.configs)
        for topic in topics
        if topic.name not in existing
    ]
    if not wanted:
        return
    for future in admin.create_topics(wanted, request_timeout=timeout).values():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != _ALREADY_THERE:
                raise


def main() -> int:
    """Create the topics at KAFKA_BOOTSTRAP_SERVERS and say so."""
    where = read_setting().bootstrap_servers
    try:
        create(where)
    except KafkaException as error:
        print(f"shop: no topics at {where}: {error.args[0].str()}", file=sys.stderr)
        return 1
    print(f"shop: topics {', '.join(topic.name for topic in TOPICS)} at {where}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
