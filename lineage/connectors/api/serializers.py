"""What connectors and runs look like in JSON."""

from typing import Any

from django.http import QueryDict
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, extend_schema_serializer
from rest_framework import serializers

from lineage.api.serializers import InstantField
from lineage.connectors.actions import STATES
from lineage.connectors.models import Generation, Quarantine, Run


class ConnectorSerializer(serializers.Serializer[Any]):
    """A connector; `target` is redacted, `lag` in records."""

    name = serializers.CharField()
    topics = serializers.ListField(child=serializers.CharField())
    target = serializers.CharField()
    table = serializers.CharField()
    mode = serializers.ChoiceField(choices=["table", "events", "history"])
    engine = serializers.ChoiceField(choices=["own", "connect"], help_text="who keeps the copy")
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
    trouble = serializers.CharField(help_text="code of what keeps it from copying; empty: nothing")
    remedy = serializers.CharField(help_text="what to do about that")
    lag_at_worst = serializers.IntegerField(
        allow_null=True, help_text="the largest lag since it was last level with the log"
    )
    level_in_seconds = serializers.FloatField(
        allow_null=True, help_text="until it is level, as the lag falls now; null: it does not"
    )


class RunSerializer(serializers.ModelSerializer[Run]):
    """A run and how far it is; `total` is null while unknown."""

    connector = serializers.CharField(source="connector.name")
    generation = serializers.IntegerField(source="generation.number", default=None)
    table = serializers.CharField(
        source="generation.table", default=None, help_text="the table that it builds, or built"
    )
    as_of = serializers.DateTimeField(
        source="generation.as_of",
        default=None,
        help_text="the instant of a table as of a time; null of any other run",
    )
    rows = serializers.IntegerField(
        allow_null=True, help_text="rows of the generation that it made; null until then"
    )
    digest = serializers.SerializerMethodField(
        help_text="of the rows of the generation that it made; null until then"
    )

    def get_digest(self, run: Run) -> str | None:
        """Return the digest of what the run made."""
        return run.digest

    class Meta:
        model = Run
        fields = [
            "id",
            "connector",
            "kind",
            "scheduled",
            "generation",
            "table",
            "as_of",
            "state",
            "phase",
            "done",
            "total",
            "rows",
            "digest",
            "message",
            "log",
            "started_at",
            "moved_at",
            "finished_at",
        ]


class GenerationSerializer(serializers.ModelSerializer[Generation]):
    """One build of a copy; offsets by `topic/partition`, each the next to read."""

    number = serializers.IntegerField(
        allow_null=True, help_text="null of a table as of a time, which never goes live"
    )
    as_of = serializers.DateTimeField(
        allow_null=True, help_text="the instant of a table as of a time; null of a generation"
    )
    rows = serializers.IntegerField(
        allow_null=True, help_text="counted when it was verified; null of what was never built"
    )
    digest = serializers.CharField(
        help_text="of its rows when it was verified; empty of what was never built"
    )
    from_offsets = serializers.DictField(child=serializers.IntegerField())
    to_offsets = serializers.DictField(child=serializers.IntegerField())
    table_exists = serializers.BooleanField(
        help_text="whether the target still holds its table; it keeps the one before the live one"
    )

    class Meta:
        model = Generation
        fields = [
            "number",
            "as_of",
            "state",
            "table",
            "table_exists",
            "rows",
            "digest",
            "from_offsets",
            "to_offsets",
            "created_at",
            "live_at",
            "retired_at",
            "dropped_at",
            "restored",
        ]


class QuarantineSerializer(serializers.ModelSerializer[Quarantine]):
    """A record that could not be copied, and why."""

    class Meta:
        model = Quarantine
        fields = ["topic", "partition", "offset", "key", "reason", "at", "tried_at"]


@extend_schema_serializer(component_name="ConnectorFieldChange")
class FieldChangeSerializer(serializers.Serializer[Any]):
    """One key that changed."""

    field = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


@extend_schema_serializer(component_name="DeclaredConnector")
class DeclaredSerializer(serializers.Serializer[Any]):
    """What a declaration did, and the connector as it is now."""

    action = serializers.ChoiceField(choices=["created", "changed", "unchanged"])
    changes = FieldChangeSerializer(many=True)
    connector = ConnectorSerializer()


class ClosedSerializer(serializers.Serializer[Any]):
    """Refuses what it does not know: a misspelt key must not widen what is asked for."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Name the keys that are not known."""
        unknown = sorted(set(self.initial_data) - self.fields.keys())
        if unknown and not isinstance(self.initial_data, QueryDict):
            known = ", ".join(self.fields)
            raise serializers.ValidationError({
                name: [f"unknown (known: {known})"] for name in unknown
            })
        return attrs


class ClosedDescribed(OpenApiSerializerExtension):
    """Tells that what is not known is refused."""

    target_class = ClosedSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """Return the serializer's own description, closed."""
        # as the documentation of such extensions says for a target's subclasses
        described: dict[str, Any] = auto_schema._map_serializer(  # noqa: SLF001
            self.target, direction, bypass_extensions=True
        )
        return described | {"additionalProperties": False}


class RegenerateSerializer(ClosedSerializer):
    """What is regenerated: the copy, or a table of its own as of an instant."""

    as_of = InstantField(
        required=False,
        allow_null=True,
        help_text="ISO 8601 instant, UTC without a zone: builds `TABLE__asof_INSTANT` from what "
        "was written before it, and leaves the copy alone",
    )


@extend_schema_serializer(component_name="RecordPlace")
class PlaceSerializer(serializers.Serializer[Any]):
    """Where a record stands in the log."""

    topic = serializers.CharField(max_length=249)
    partition = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    offset = serializers.IntegerField(min_value=0, max_value=2**63 - 1)


class ReplaySerializer(ClosedSerializer):
    """Which records of the quarantine are tried again; none named: all."""

    records = PlaceSerializer(many=True, required=False, allow_empty=False)
