"""What connectors and runs look like in JSON."""

from typing import Any

from rest_framework import serializers

from lineage.connectors.actions import STATES
from lineage.connectors.models import Quarantine, Run


class ConnectorSerializer(serializers.Serializer[Any]):
    """A connector; `target` is redacted, `lag` in records."""

    name = serializers.CharField()
    topics = serializers.ListField(child=serializers.CharField())
    target = serializers.CharField()
    table = serializers.CharField()
    mode = serializers.ChoiceField(choices=["table", "events"])
    context = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    service = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(choices=STATES)
    message = serializers.CharField()
    lag = serializers.IntegerField(allow_null=True)
    rows = serializers.IntegerField(allow_null=True)
    rows_per_second = serializers.FloatField(allow_null=True)
    measured_at = serializers.DateTimeField(allow_null=True)
    live_generation = serializers.IntegerField(allow_null=True)
    quarantined = serializers.IntegerField()
    run = serializers.UUIDField(source="running", allow_null=True)


class RunSerializer(serializers.ModelSerializer[Run]):
    """A run and how far it is; `total` is null while unknown."""

    connector = serializers.CharField(source="connector.name")
    generation = serializers.IntegerField(source="generation.number", default=None)

    class Meta:
        model = Run
        fields = [
            "id",
            "connector",
            "kind",
            "generation",
            "state",
            "phase",
            "done",
            "total",
            "message",
            "log",
            "started_at",
            "moved_at",
            "finished_at",
        ]


class QuarantineSerializer(serializers.ModelSerializer[Quarantine]):
    """A record that could not be copied, and why."""

    class Meta:
        model = Quarantine
        fields = ["topic", "partition", "offset", "key", "reason", "at"]
