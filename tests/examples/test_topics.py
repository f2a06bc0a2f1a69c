"""The shop's topics are as its catalog promises, those of an older run too."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from broker.admin import NewTopic, create_topics, describe_topics
from broker.connection import Connection
from catalog.policies.contract import Snapshot, TopicState
from catalog.policies.retention import check
from examples.shop.topics import ORDERS, TOPICS, create

CATALOG = Path(__file__).parents[2] / "examples" / "shop" / "catalog.yaml"


def test_what_the_shop_declares_its_log_keeps() -> None:
    declared = yaml.safe_load(CATALOG.read_text())["topics"]
    made = {topic.name: topic.configs for topic in TOPICS}
    states = tuple(
        TopicState(
            cluster="local",
            name=each["name"],
            kind=each["kind"],
            canonical=each["canonical"],
            declared=True,
            cleanup_policy=made[each["name"]].get("cleanup.policy", "delete"),
            retention_ms=int(made[each["name"]].get("retention.ms", 604_800_000)),
        )
        for each in declared
    )
    assert list(check(Snapshot(now=datetime.now(UTC), topics=states))) == []


@pytest.mark.kafka
def test_a_topic_of_an_older_run_is_configured_anew(kafka: Connection) -> None:
    name = f"orders-{uuid.uuid4().hex[:8]}"
    older = {"retention.ms": "604800000", "max.message.bytes": "900000"}
    create_topics(kafka, [NewTopic(name, 1, -1, older)])
    for _ in range(2):
        create(kafka.bootstrap_servers, [replace(ORDERS, name=name)])
    (found,) = [topic for topic in describe_topics(kafka) if topic.name == name]
    assert found.configs["retention.ms"] == "-1"
    assert found.configs["max.message.bytes"] == "900000"
