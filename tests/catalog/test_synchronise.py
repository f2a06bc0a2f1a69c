"""Kafka's topics into rows, from a real broker."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from django.utils import timezone

from broker.admin import NewTopic, TopicDescription, create_topics
from broker.connection import Connection
from catalog.actions import ensure_cluster, synchronise
from catalog.actions.synchronise import _compare, _write
from catalog.models import Cluster, Topic
from catalog.signals import topics_changed
from tests.ports import free_port

pytestmark = pytest.mark.django_db


@pytest.fixture
def news() -> Iterator[list[dict[str, Any]]]:
    """What was told to the rooms above."""
    heard: list[dict[str, Any]] = []

    def hear(**values: Any) -> None:
        heard.append(values)

    topics_changed.connect(hear)
    yield heard
    topics_changed.disconnect(hear)


def _name() -> str:
    return f"catalog-{uuid.uuid4().hex[:8]}"


@pytest.mark.kafka
def test_a_topic_from_its_first_sight_to_its_end(
    kafka: Connection, news: list[dict[str, Any]]
) -> None:
    name = _name()
    cluster = ensure_cluster("local", kafka.bootstrap_servers)
    configs = {"cleanup.policy": "compact", "retention.ms": "3600000"}
    create_topics(kafka, [NewTopic(name, partitions=3, configs=configs)])
    producer = Producer(kafka.confluent())
    for key in range(10):
        producer.produce(name, b"value", str(key))
    producer.flush(20)

    synchronise(cluster)
    topic = Topic.objects.get(name=name)
    assert (topic.partitions, topic.replication_factor) == (3, 1)
    assert (topic.cleanup_policy, topic.retention_ms, topic.records) == ("compact", 3_600_000, 10)
    assert topic.size_bytes is not None
    assert topic.size_bytes > 0
    assert topic.configs["cleanup.policy"] == "compact"
    assert topic.kafka_id
    assert topic.first_seen_at == topic.synchronised_at
    assert not topic.declared
    cluster.refresh_from_db()
    assert (cluster.state, cluster.message) == ("connected", "")
    assert cluster.kafka_id
    assert name in news[0]["appeared"]

    Topic.objects.filter(name=name).update(declared=True, kind="table", description="kept")
    synchronise(cluster)
    again = Topic.objects.get(name=name)
    assert (again.kind, again.description, again.declared) == ("table", "kept", True)
    assert again.first_seen_at == topic.first_seen_at
    assert again.synchronised_at is not None
    assert topic.synchronised_at is not None
    assert again.synchronised_at > topic.synchronised_at

    admin = AdminClient(kafka.confluent())
    admin.delete_topics([name])[name].result(20)
    synchronise(cluster)
    gone = Topic.objects.get(name=name)
    assert gone.gone_at is not None
    assert gone.kind == "table"
    assert news[-1]["vanished"] == [name]

    create_topics(kafka, [NewTopic(name, partitions=1)])
    synchronise(cluster)
    back = Topic.objects.get(name=name)
    assert (back.gone_at, back.partitions, back.pk) == (None, 1, topic.pk)
    assert (news[-1]["appeared"], news[-1]["recreated"]) == ([name], [name])
    heard = len(news)
    synchronise(cluster)
    assert len(news) == heard


@pytest.mark.kafka
def test_a_topic_declared_before_it_exists(kafka: Connection) -> None:
    name = _name()
    cluster = ensure_cluster("local", kafka.bootstrap_servers)
    declared = Topic.objects.create(cluster=cluster, name=name, kind="event", declared=True)
    synchronise(cluster)
    declared.refresh_from_db()
    assert (declared.partitions, declared.synchronised_at, declared.gone_at) == (0, None, None)
    create_topics(kafka, [NewTopic(name)])
    synchronise(cluster)
    declared.refresh_from_db()
    assert (declared.partitions, declared.kind) == (1, "event")
    assert declared.first_seen_at is not None


def test_a_cluster_out_of_reach_is_recorded() -> None:
    cluster = ensure_cluster("local", f"127.0.0.1:{free_port()}")
    topic = Topic.objects.create(cluster=cluster, name="a", synchronised_at=timezone.now())
    synchronise(cluster)
    cluster.refresh_from_db()
    assert cluster.state == "unreachable"
    assert cluster.message
    topic.refresh_from_db()
    assert topic.gone_at is None


def test_a_cluster_without_an_address_is_recorded() -> None:
    cluster = ensure_cluster("local", "")
    synchronise(cluster)
    cluster.refresh_from_db()
    assert (cluster.state, cluster.message) == ("unreachable", "no address of a broker is known")


def test_new_addresses_make_the_state_unknown() -> None:
    Cluster.objects.create(name="local", bootstrap_servers="a:1", state="unreachable", message="x")
    assert ensure_cluster("local", "a:1").state == "unreachable"
    moved = ensure_cluster("local", "b:1")
    assert (moved.state, moved.message, moved.bootstrap_servers) == ("unknown", "", "b:1")


def _described(name: str, records: int = 0, *, internal: bool = False) -> TopicDescription:
    return TopicDescription(
        name=name,
        topic_id=f"id-{name}",
        internal=internal,
        partitions=3,
        replication_factor=1,
        configs={"cleanup.policy": "delete", "retention.ms": "not a number"},
        size_bytes=None,
        records=records,
    )


def test_ten_thousand_topics_take_few_statements(django_assert_max_num_queries: Any) -> None:
    cluster = ensure_cluster("local", "unused:1")
    described = [_described(f"topic-{number}") for number in range(10_000)]
    differences = _compare(cluster, {}, described, timezone.now())
    # SQLite takes a thousand parameters a statement
    with django_assert_max_num_queries(600):
        _write(cluster, differences, timezone.now())
    assert Topic.objects.count() == 10_000
    known = {topic.name: topic for topic in Topic.objects.all()}
    differences = _compare(
        cluster, known, [*described[1:], _described("topic-0", 5)], timezone.now()
    )
    assert [topic.name for topic in differences.rows] == ["topic-0"]
    with django_assert_max_num_queries(6):
        _write(cluster, differences, timezone.now())
    assert Topic.objects.get(name="topic-0").records == 5


def test_kafkas_own_topics_are_internal_and_bad_settings_unknown() -> None:
    cluster = ensure_cluster("local", "unused:1")
    described = [_described("__consumer_offsets", internal=True)]
    _write(cluster, _compare(cluster, {}, described, timezone.now()), timezone.now())
    topic = Topic.objects.get()
    assert (topic.kind, topic.retention_ms) == ("internal", None)


def test_a_cluster_removed_meanwhile_gets_no_topics() -> None:
    cluster = ensure_cluster("local", "unused:1")
    differences = _compare(cluster, {}, [_described("a")], timezone.now())
    Cluster.objects.filter(pk=cluster.pk).delete()
    _write(cluster, differences, timezone.now())
    assert not Topic.objects.exists()
