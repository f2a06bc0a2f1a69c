"""What audits and divergences look like in JSON."""

from typing import Any

from rest_framework import serializers

from lineage.connectors.audits.models import Audit, Divergence


class AuditSerializer(serializers.ModelSerializer[Audit]):
    """One comparison of a copy with its log; offsets by `topic/partition`: the next to read."""

    connector = serializers.CharField(source="connector.name")
    run = serializers.UUIDField(source="run_id", allow_null=True)
    differing = serializers.IntegerField(help_text="keys: changed, missing and extra together")
    from_offsets = serializers.DictField(child=serializers.IntegerField())
    to_offsets = serializers.DictField(child=serializers.IntegerField())
    verified_through = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="up to where the generation was proven equal, by passes without a gap",
    )

    class Meta:
        model = Audit
        fields = [
            "id",
            "connector",
            "run",
            "generation",
            "state",
            "message",
            "rows",
            "log_rows",
            "digest",
            "log_digest",
            "differing",
            "changed",
            "missing",
            "extra",
            "unjudged",
            "repaired",
            "from_offsets",
            "to_offsets",
            "verified_through",
            "verified_at",
            "hash_seconds",
            "log_seconds",
            "started_at",
            "finished_at",
        ]


class DivergenceSerializer(serializers.ModelSerializer[Divergence]):
    """A key that differed: the log's values (`expected`) and the copy's (`found`), by column.

    Of a changed row only the columns that differ; null where there is no row. Long values are cut,
    masked columns hidden. It began between `equal_at` (null: never audited before) and `seen_at`.
    """

    expected = serializers.JSONField(allow_null=True)
    found = serializers.JSONField(allow_null=True)
    columns = serializers.ListField(child=serializers.CharField())
    first_seen = serializers.UUIDField(source="first_seen_id", help_text="the audit")
    last_seen = serializers.UUIDField(source="last_seen_id", help_text="the audit")
    open = serializers.BooleanField()

    class Meta:
        model = Divergence
        fields = [
            "key",
            "kind",
            "columns",
            "expected",
            "found",
            "open",
            "equal_at",
            "seen_at",
            "first_seen",
            "last_seen",
            "repaired_at",
            "vanished_at",
        ]


class AuditDetailSerializer(serializers.Serializer[Any]):
    """One audit with a page of the keys that it saw differ."""

    audit = AuditSerializer()
    count = serializers.IntegerField(help_text="divergences kept of it, at most 1,000")
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    divergences = DivergenceSerializer(many=True)
