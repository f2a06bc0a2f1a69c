"""Kafka's topics into the catalog's rows: what is new, what changed, what vanished."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from broker.admin import TopicDescription, describe_cluster, describe_topics
from broker.errors import BrokerError
from catalog.actions.clusters import connection_of, note_reached, note_unreachable
from catalog.models import Cluster, Topic
from catalog.signals import topics_changed

logger = logging.getLogger(__name__)

# what Kafka says of a topic; a declaration owns the other columns
_OBSERVED = (
    "kafka_id",
    "partitions",
    "replication_factor",
    "cleanup_policy",
    "retention_ms",
    "size_bytes",
    "records",
    "configs",
)
_WRITTEN = (*_OBSERVED, "first_seen_at", "synchronised_at", "gone_at")
_ROWS_AT_ONCE = 500


@dataclass
class _Differences:
    """What the rows of one cluster have to become."""

    rows: list[Topic] = field(default_factory=list)
    appeared: list[str] = field(default_factory=list)
    recreated: list[str] = field(default_factory=list)
    vanished: list[Topic] = field(default_factory=list)


def synchronise(cluster: Cluster) -> None:
    """Bring the topics of a cluster up to what Kafka says, and record whether it was reached.

    Never raises for a cluster that fails to answer: `state` and `message` say so, and the topics
    stay as they were last seen.
    """
    if not cluster.bootstrap_servers:
        _record_failure(cluster, "no address of a broker is known")
        return
    connection = connection_of(cluster)
    try:
        identity = describe_cluster(connection)
        described = describe_topics(connection)
    except BrokerError as error:
        _record_failure(cluster, str(error) or error.code)
        return
    now = timezone.now()
    known = {topic.name: topic for topic in Topic.objects.filter(cluster=cluster)}
    differences = _compare(cluster, known, described, now)
    _write(cluster, differences, now)
    cluster.kafka_id = identity.cluster_id
    Cluster.objects.filter(pk=cluster.pk).update(kafka_id=identity.cluster_id)
    note_reached(cluster)
    if differences.appeared or differences.vanished or differences.recreated:
        topics_changed.send(
            sender=Cluster,
            cluster=cluster,
            appeared=differences.appeared,
            vanished=[topic.name for topic in differences.vanished],
            recreated=differences.recreated,
        )


def _compare(
    cluster: Cluster,
    known: Mapping[str, Topic],
    described: Sequence[TopicDescription],
    now: datetime,
) -> _Differences:
    differences = _Differences()
    for description in sorted(described, key=lambda each: each.name):
        before = known.get(description.name)
        topic = before or Topic(cluster=cluster, name=description.name)
        if before is None and description.internal:
            topic.kind = Topic.Kind.INTERNAL
        values = _observed_values(description)
        absent = topic.synchronised_at is None or topic.gone_at is not None
        if not absent and all(getattr(topic, name) == values[name] for name in _OBSERVED):
            continue
        if absent:
            differences.appeared.append(topic.name)
        if topic.kafka_id and topic.kafka_id != description.topic_id:
            differences.recreated.append(topic.name)
        for name, value in values.items():
            setattr(topic, name, value)
        topic.first_seen_at = topic.first_seen_at or now
        topic.synchronised_at, topic.gone_at = now, None
        differences.rows.append(topic)
    present = {description.name for description in described}
    differences.vanished = [
        topic
        for topic in known.values()
        if topic.name not in present and topic.synchronised_at and not topic.gone_at
    ]
    return differences


def _observed_values(description: TopicDescription) -> dict[str, object]:
    configs = dict(description.configs)
    return {
        "kafka_id": description.topic_id,
        "partitions": description.partitions,
        "replication_factor": description.replication_factor,
        "cleanup_policy": configs.get("cleanup.policy", ""),
        "retention_ms": _whole(configs.get("retention.ms")),
        "size_bytes": description.size_bytes,
        "records": description.records,
        "configs": configs,
    }


def _whole(text: str | None) -> int | None:
    try:
        return int(text) if text is not None else None
    except ValueError:
        return None


def _write(cluster: Cluster, differences: _Differences, now: datetime) -> None:
    """Write all differences at once, or leave all for the next time."""
    with transaction.atomic():
        # a cluster may be removed, and a topic declared, since the rows were read
        if not Cluster.objects.filter(pk=cluster.pk).exists():
            return
        topics = Topic.objects.filter(cluster=cluster)
        Topic.objects.bulk_create(
            [_insertable(topic) for topic in differences.rows],
            batch_size=_ROWS_AT_ONCE,
            update_conflicts=True,
            unique_fields=["cluster", "name"],
            update_fields=list(_WRITTEN),
        )
        for start in range(0, len(differences.vanished), _ROWS_AT_ONCE):
            gone = differences.vanished[start : start + _ROWS_AT_ONCE]
            topics.filter(pk__in=[topic.pk for topic in gone]).update(gone_at=now)
        topics.filter(gone_at=None, synchronised_at__lt=now).update(synchronised_at=now)


def _insertable(topic: Topic) -> Topic:
    """Let the database match a known row by its name: an upsert takes no primary keys."""
    topic.pk = None
    return topic


def _record_failure(cluster: Cluster, message: str) -> None:
    if note_unreachable(cluster, message):
        logger.warning("cluster %s: %s", cluster.name, message)
