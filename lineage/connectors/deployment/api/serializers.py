"""What deployments look like in JSON."""

from typing import Any

from rest_framework import serializers

from lineage.connectors.deployment.actions import DeploymentView


class TaskSerializer(serializers.Serializer[Any]):
    """A task of a connector on Kafka Connect."""

    id = serializers.IntegerField()
    state = serializers.CharField()
    worker = serializers.CharField()
    trace = serializers.CharField(help_text="Java's stack trace of a task that failed; else empty")


class DeploymentSerializer(serializers.Serializer[DeploymentView]):
    """How a copy is, or would be, kept by Kafka Connect."""

    connector = serializers.CharField()
    name = serializers.CharField(help_text="of the connector on Kafka Connect")
    engine = serializers.ChoiceField(choices=["own", "connect"], help_text="as declared")
    deployed = serializers.SerializerMethodField()
    outdated = serializers.BooleanField(
        help_text="whether definition or schema have changed since: deploy it again"
    )
    connect = serializers.CharField(
        source="deployment.connect", default=None, allow_null=True, help_text="a worker's address"
    )
    state = serializers.CharField(
        source="deployment.state",
        default=None,
        allow_null=True,
        help_text="as Kafka Connect says; MISSING there, or UNKNOWN while it does not answer",
    )
    message = serializers.CharField(source="deployment.message", default="")
    tasks = TaskSerializer(source="deployment.task_states", default=list, many=True)
    lag = serializers.IntegerField(source="deployment.lag", default=None, allow_null=True)
    records_per_second = serializers.FloatField(
        source="deployment.rows_per_second", default=None, allow_null=True
    )
    deployed_at = serializers.DateTimeField(
        source="deployment.deployed_at", default=None, allow_null=True
    )
    seen_at = serializers.DateTimeField(source="deployment.seen_at", default=None, allow_null=True)
    config = serializers.DictField(
        source="rendering.config",
        child=serializers.CharField(),
        help_text="what is, or would be, deployed; secrets stand in it as references only",
    )
    refusals = serializers.ListField(
        source="rendering.refusals",
        child=serializers.CharField(),
        help_text="what keeps it from being deployed as it is declared",
    )
    differences = serializers.ListField(
        source="rendering.differences",
        child=serializers.CharField(),
        help_text="what Kafka Connect does otherwise than our own engine",
    )
    secrets = serializers.ListField(
        source="rendering.secrets",
        child=serializers.CharField(),
        help_text="names that the workers' config provider must know",
    )

    def get_deployed(self, view: DeploymentView) -> bool:
        """Whether it is on Kafka Connect, as far as is known here."""
        return view.deployment is not None


class DeploySerializer(serializers.Serializer[Any]):
    """How to deploy."""

    connect = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=300,
        help_text="which of KAFKA_CONNECT_URLS, as HOST:PORT; needed where several fit",
    )
    tasks = serializers.IntegerField(
        required=False,
        default=0,
        min_value=0,
        max_value=1000,
        help_text="at most so many tasks share the partitions; 0: as before, at first 1",
    )
