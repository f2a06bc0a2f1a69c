"""The shapes of OpenLineage's answers."""

from rest_framework import serializers

from lineage.api.serializers import text_filter
from lineage.openlineage.told import NODE_KINDS


class EventSerializer(serializers.Serializer[object]):
    """A RunEvent (with `run` and `job`), JobEvent (`job`) or DatasetEvent (`dataset`).

    It only describes: events are judged by the published schema of OpenLineage 2-0-2.
    """

    eventTime = serializers.DateTimeField()  # noqa: N815  (OpenLineage's names)
    producer = serializers.URLField()
    schemaURL = serializers.URLField()  # noqa: N815
    eventType = serializers.ChoiceField(  # noqa: N815
        ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"], required=False
    )
    run = serializers.DictField(required=False, help_text="runId, facets")
    job = serializers.DictField(required=False, help_text="namespace, name, facets")
    inputs = serializers.ListField(child=serializers.DictField(), required=False)
    outputs = serializers.ListField(child=serializers.DictField(), required=False)
    dataset = serializers.DictField(required=False, help_text="namespace, name, facets")


class ReceiptSerializer(serializers.Serializer[object]):
    """What an event came to."""

    event = serializers.ChoiceField(choices=["RunEvent", "JobEvent", "DatasetEvent"])
    edges = serializers.IntegerField(help_text="edges that it is evidence of")
    fields = serializers.IntegerField(help_text="flows between fields")  # type: ignore[assignment]  # a field named as an attribute of Serializer


class FailedEventSerializer(serializers.Serializer[object]):
    """An event of a batch that was not taken."""

    index = serializers.IntegerField()
    reason = serializers.CharField()
    retriable = serializers.BooleanField()


class SummarySerializer(serializers.Serializer[object]):
    """Counts of a batch."""

    received = serializers.IntegerField()
    successful = serializers.IntegerField()
    failed = serializers.IntegerField()
    retriable = serializers.IntegerField()
    non_retriable = serializers.IntegerField()


class BatchSerializer(serializers.Serializer[object]):
    """What a batch came to, as OpenLineage's batch API answers."""

    status = serializers.ChoiceField(choices=["success", "partial_success"])
    summary = SummarySerializer()
    failed_events = FailedEventSerializer(many=True)


class FacetQuery(serializers.Serializer[object]):
    """Of which node."""

    kind = serializers.ChoiceField(choices=NODE_KINDS, required=False, allow_blank=True)
    name = text_filter("a topic's name; NAMESPACE/NAME of others")
    cluster = text_filter("name of the cluster; all by default")


class FacetSerializer(serializers.Serializer[object]):
    """One facet of a job or dataset."""

    cluster = serializers.CharField(source="cluster.name")
    kind = serializers.CharField(source="node_kind")
    name = serializers.CharField(source="node_name")
    facet = serializers.CharField()
    value = serializers.JSONField()
    told_at = serializers.DateTimeField()
