"""Findings: what the policies say about the catalog as it is now."""

from django.db.models import Q
from django.utils import timezone

from catalog import policies
from catalog.actions.describe import accesses_by_topic
from catalog.models import Cluster, Topic
from catalog.observation import Access, diverged_copies, stopped_copies
from catalog.policies.contract import ClusterState, Finding, Snapshot, TopicState


def take_snapshot() -> Snapshot:
    """Return what the policies look at: declared topics and those that Kafka has, and clusters."""
    declared_or_present = Q(declared=True) | Q(gone_at=None)
    topics = list(
        Topic.objects
        .filter(declared_or_present)
        .select_related("cluster", "context", "writer__context")
        .defer("configs", "description")
        .order_by("cluster__name", "name")
    )
    accesses = accesses_by_topic(topics)
    return Snapshot(
        now=timezone.now(),
        topics=tuple(
            _state(topic, accesses.get((topic.cluster_id, topic.name), [])) for topic in topics
        ),
        clusters=tuple(
            ClusterState(
                name=cluster.name,
                reachable=cluster.state != Cluster.State.UNREACHABLE,
                message=cluster.message,
                reached_at=cluster.reached_at,
            )
            for cluster in Cluster.objects.order_by("name")
        ),
        copies=tuple(diverged_copies()),
        stopped=tuple(stopped_copies()),
    )


def _state(topic: Topic, accesses: list[Access]) -> TopicState:
    writer = topic.writer
    return TopicState(
        cluster=topic.cluster.name,
        name=topic.name,
        kind=topic.kind,
        context=topic.context.name if topic.context else None,
        writer=writer.name if writer else None,
        writer_context=writer.context.name if writer and writer.context else None,
        canonical=topic.canonical,
        declared=topic.declared,
        present=topic.synchronised_at is not None and topic.gone_at is None,
        gone=topic.gone_at is not None,
        cleanup_policy=topic.cleanup_policy,
        retention_ms=topic.retention_ms,
        accesses=tuple(accesses),
    )


def list_findings() -> list[Finding]:
    """Return what all policies find now, the gravest first."""
    return policies.check(take_snapshot())
