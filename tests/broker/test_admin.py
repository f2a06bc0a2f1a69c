"""What the cluster says about itself, asked of a real broker."""

import pytest
from confluent_kafka import Producer

from broker import admin
from broker.connection import Connection
from broker.errors import BrokerUnavailableError, TopicMissingError
from tests.ports import free_port

pytestmark = pytest.mark.kafka


def test_the_cluster_tells_its_id_and_brokers(kafka: Connection) -> None:
    described = admin.describe_cluster(kafka)
    assert len(described.cluster_id) == 22
    assert described.brokers == {1: kafka.bootstrap_servers}
    assert described.controller_id == 1


def test_a_cluster_that_is_not_there_is_said_to_be_unavailable() -> None:
    nowhere = Connection(f"127.0.0.1:{free_port()}")
    with pytest.raises(BrokerUnavailableError, match=r"no broker of 127\.0\.0\.1"):
        admin.describe_cluster(nowhere, timeout=0.5)


def test_topics_are_made_once(kafka: Connection) -> None:
    wanted = admin.NewTopic("admin.made", 3, configs={"cleanup.policy": "compact"})
    admin.create_topics(kafka, [wanted])
    admin.create_topics(kafka, [wanted, admin.NewTopic("admin.second")])
    topics = {topic.name: topic for topic in admin.describe_topics(kafka)}
    made = topics["admin.made"]
    assert (made.partitions, made.replication_factor, made.internal) == (3, 1, False)
    assert made.configs["cleanup.policy"] == "compact"
    assert (made.records, made.size_bytes) == (0, 0)
    assert len(made.topic_id) == 22
    assert topics["admin.second"].partitions == 1


def test_records_and_bytes_are_counted(kafka: Connection) -> None:
    admin.create_topics(kafka, [admin.NewTopic("admin.counted", 2)])
    producer = Producer(kafka.confluent())
    for number in range(10):
        producer.produce("admin.counted", b"x" * 100, partition=number % 2)
    assert producer.flush(10) == 0
    topics = {topic.name: topic for topic in admin.describe_topics(kafka)}
    assert topics["admin.counted"].records == 10
    assert (topics["admin.counted"].size_bytes or 0) > 500
    assert admin.watermarks(kafka, ["admin.counted"]) == {
        ("admin.counted", 0): (0, 5),
        ("admin.counted", 1): (0, 5),
    }


def test_the_watermarks_of_a_missing_topic_are_an_error(kafka: Connection) -> None:
    with pytest.raises(TopicMissingError):
        admin.watermarks(kafka, ["admin.missing"])
