"""The shop's topics. `python -m examples.shop.topics` makes them as they are described here."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from examples.shop.setting import read_setting


@dataclass(frozen=True)
class Topic:
    """One topic as it is made; all have as many partitions, so that equal keys share a number."""

    name: str
    configs: dict[str, str] = field(default_factory=dict)
    partitions: int = 4


# canonical: copies are rebuilt from the log, so it keeps every event
_FOR_EVER = {"retention.ms": "-1"}
ORDERS = Topic("orders", _FOR_EVER)
PAYMENTS = Topic("payments", _FOR_EVER)
SHIPMENTS = Topic("shipments", _FOR_EVER)
STOCK = Topic(
    "stock",
    {"cleanup.policy": "compact", "segment.ms": "600000", "min.cleanable.dirty.ratio": "0.1"},
)
TOPICS = (ORDERS, PAYMENTS, STOCK, SHIPMENTS)
_ALREADY_THERE = KafkaError.TOPIC_ALREADY_EXISTS


def create(bootstrap_servers: str, topics: Sequence[Topic] = TOPICS, timeout: float = 10) -> None:
    """Make the topics that are missing; configure the others as an older run did not.

    Raises KafkaException when the cluster does not answer in `timeout` seconds or refuses.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    existing = admin.list_topics(timeout=timeout).topics
    wanted = [
        NewTopic(topic.name, num_partitions=topic.partitions, config=topic.configs)
        for topic in topics
        if topic.name not in existing
    ]
    if wanted:
        _make(admin, wanted, timeout)
    _configure(admin, [topic for topic in topics if topic.name in existing], timeout)


def _make(admin: AdminClient, wanted: list[NewTopic], timeout: float) -> None:
    for future in admin.create_topics(wanted, request_timeout=timeout).values():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != _ALREADY_THERE:
                raise


def _configure(admin: AdminClient, topics: Sequence[Topic], timeout: float) -> None:
    """Change what is configured otherwise; what is not named here stays as it is."""
    described = {topic.name: topic.configs for topic in topics if topic.configs}
    if not described:
        return
    asked = [ConfigResource(ResourceType.TOPIC, name) for name in described]
    changes = []
    for resource, future in admin.describe_configs(asked, request_timeout=timeout).items():
        found = future.result()
        entries = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
            for key, value in described[resource.name].items()
            if found[key].value != value
        ]
        if entries:
            changes.append(
                ConfigResource(ResourceType.TOPIC, resource.name, incremental_configs=entries)
            )
    if changes:
        altered = admin.incremental_alter_configs(changes, request_timeout=timeout)
        for future in altered.values():
            future.result()


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
