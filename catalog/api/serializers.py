"""What the catalog's REST answers look like."""

from typing import Any

from rest_framework import serializers

from catalog.models import BoundedContext, Cluster, Topic
from catalog.policies.contract import SEVERITIES

VERDICTS = ("verified", "unverified", "violated")


class WriterSerializer(serializers.Serializer[Any]):
    """The declared writer, those observed writing now, and the verdict with its reasons."""

    declared = serializers.CharField(allow_null=True)
    observed = serializers.ListField(child=serializers.CharField())
    verdict = serializers.ChoiceField(choices=VERDICTS)
    reasons = serializers.ListField(child=serializers.CharField())


class TopicSerializer(serializers.Serializer[Any]):
    """A topic in a list."""

    name = serializers.CharField()
    cluster = serializers.CharField()
    kind = serializers.ChoiceField(choices=Topic.Kind.choices)
    # the name shadows a property that no instance reads: declared fields leave the class
    context = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    canonical = serializers.BooleanField(source="topic.canonical")
    declared = serializers.BooleanField(source="topic.declared")
    present = serializers.BooleanField(help_text="whether Kafka had it when last asked")
    partitions = serializers.IntegerField(source="topic.partitions")
    cleanup_policy = serializers.CharField(source="topic.cleanup_policy")
    retention_ms = serializers.IntegerField(
        source="topic.retention_ms", allow_null=True, help_text="-1: for ever"
    )
    writer = WriterSerializer()
    readers = serializers.ListField(child=serializers.CharField())


class AccessSerializer(serializers.Serializer[Any]):
    """One who was observed at the topic, now or earlier."""

    direction = serializers.ChoiceField(choices=("writes", "reads"))
    actor = serializers.CharField()
    actor_kind = serializers.CharField()
    service = serializers.CharField(allow_null=True)
    # the name shadows a property that no instance reads: declared fields leave the class
    context = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    evidence = serializers.ListField(child=serializers.CharField())
    first_seen = serializers.DateTimeField()
    last_seen = serializers.DateTimeField()
    active = serializers.BooleanField()


class TopicDetailSerializer(TopicSerializer):
    """A topic by itself: what the list shows, and what only one topic is asked for."""

    description = serializers.CharField(source="topic.description")
    replication_factor = serializers.IntegerField(source="topic.replication_factor")
    size_bytes = serializers.IntegerField(
        source="topic.size_bytes", allow_null=True, help_text="on disk, all replicas"
    )
    records = serializers.IntegerField(
        source="topic.records",
        allow_null=True,
        help_text="between the low and high watermarks: with compaction an upper bound",
    )
    configs = serializers.DictField(source="topic.configs", child=serializers.CharField())
    first_seen_at = serializers.DateTimeField(source="topic.first_seen_at", allow_null=True)
    synchronised_at = serializers.DateTimeField(source="topic.synchronised_at", allow_null=True)
    gone_at = serializers.DateTimeField(source="topic.gone_at", allow_null=True)
    accesses = AccessSerializer(many=True)


class ServiceSerializer(serializers.Serializer[Any]):
    """A service: whose it is, how it is recognised, and what it was seen to write and read."""

    name = serializers.CharField()
    # the name shadows a property that no instance reads: declared fields leave the class
    context = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    owner = serializers.CharField(source="service.owner")
    description = serializers.CharField(source="service.description")
    recognised_by = serializers.DictField(
        source="service.recognised_by", child=serializers.ListField(child=serializers.CharField())
    )
    declared_writes = serializers.ListField(child=serializers.CharField())
    writes = serializers.ListField(child=serializers.CharField(), help_text="observed now")
    reads = serializers.ListField(child=serializers.CharField(), help_text="observed now")


class ContextSerializer(serializers.ModelSerializer[BoundedContext]):
    """A bounded context with the names of its services and topics."""

    services = serializers.SlugRelatedField[Any]("name", many=True, read_only=True)
    topics = serializers.SlugRelatedField[Any]("name", many=True, read_only=True)

    class Meta:
        model = BoundedContext
        fields = ["name", "description", "owner", "services", "topics"]


class ClusterSerializer(serializers.ModelSerializer[Cluster]):
    """A cluster, and what became of the last attempt to reach it."""

    class Meta:
        model = Cluster
        fields = ["name", "bootstrap_servers", "state", "kafka_id", "message", "reached_at"]


class SubjectSerializer(serializers.Serializer[Any]):
    """What a finding is about."""

    kind = serializers.CharField()
    name = serializers.CharField()
    cluster = serializers.CharField(allow_null=True)


class FindingSerializer(serializers.Serializer[Any]):
    """One thing that contradicts a policy."""

    id = serializers.CharField(help_text="the same for as long as the finding stands")
    rule = serializers.CharField()
    severity = serializers.ChoiceField(choices=SEVERITIES)
    subject = SubjectSerializer()
    message = serializers.CharField()
