"""What is declared and what Kafka says exists: clusters, contexts, services, topics."""

from django.db import models


class Cluster(models.Model):
    """One Kafka cluster, and what became of the last attempt to reach it."""

    class State(models.TextChoices):
        """Whether the last attempt reached it."""

        UNKNOWN = "unknown"
        CONNECTED = "connected"
        UNREACHABLE = "unreachable"

    name = models.CharField(max_length=100, unique=True)
    bootstrap_servers = models.TextField()
    kafka_id = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=20, choices=State, default=State.UNKNOWN)
    message = models.TextField(blank=True)
    reached_at = models.DateTimeField(null=True)
    # while a worker synchronises it; past when that worker died
    busy_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class BoundedContext(models.Model):
    """Services that share a domain model or a deployment cycle (a context, for short)."""

    name = models.CharField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    owner = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.name


class Service(models.Model):
    """One deployable, and the patterns by which Kafka's actors are recognised as it."""

    name = models.CharField(max_length=200, unique=True)
    context = models.ForeignKey(BoundedContext, models.SET_NULL, null=True, related_name="services")
    description = models.TextField(blank=True)
    owner = models.CharField(max_length=200, blank=True)
    # {"groups": [...], "client_ids": [...], "transactional_ids": [...], "principals": [...],
    #  "sources": [...], "jobs": [...], "producer_ids": [...]}: shell-style patterns, see
    #  catalog.recognition
    recognised_by = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name


class Claim(models.Model):
    """Somebody said that an actor of Kafka is a service; its patterns stand in `recognised_by`.

    It stands until it is withdrawn, or a catalog file says who the actor is.
    """

    class End(models.TextChoices):
        """Why it no longer stands."""

        WITHDRAWN = "withdrawn"
        DECLARED = "declared"
        SUPERSEDED = "superseded"

    service = models.ForeignKey(Service, models.CASCADE, related_name="claims")
    # what Kafka calls the actor: group, transactional_id, client_id, source, …
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=500)
    patterns = models.JSONField(default=list)
    claimed_by = models.CharField(max_length=200, blank=True)
    claimed_at = models.DateTimeField()
    end = models.CharField(max_length=20, choices=End, blank=True)
    ended_by = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.name} is {self.service}"


class Topic(models.Model):
    """A topic as declared and as Kafka last described it; `gone_at` is set when it vanished."""

    class Kind(models.TextChoices):
        """What its records are."""

        EVENT = "event"
        COMMAND = "command"
        TABLE = "table"
        INTERNAL = "internal"
        UNKNOWN = "unknown"

    cluster = models.ForeignKey(Cluster, models.CASCADE, related_name="topics")
    name = models.CharField(max_length=249)
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.UNKNOWN)
    description = models.TextField(blank=True)
    context = models.ForeignKey(BoundedContext, models.SET_NULL, null=True, related_name="topics")
    # the single writer, as declared
    writer = models.ForeignKey(Service, models.SET_NULL, null=True, related_name="writes")
    canonical = models.BooleanField(default=False)
    declared = models.BooleanField(default=False)

    kafka_id = models.CharField(max_length=100, blank=True)
    partitions = models.IntegerField(default=0)
    replication_factor = models.IntegerField(default=0)
    cleanup_policy = models.CharField(max_length=50, blank=True)
    retention_ms = models.BigIntegerField(null=True)
    size_bytes = models.BigIntegerField(null=True)
    # records between the low and high watermarks; with compaction an upper bound
    records = models.BigIntegerField(null=True)
    configs = models.JSONField(default=dict)
    first_seen_at = models.DateTimeField(null=True)
    synchronised_at = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cluster", "name"], name="one_topic_a_name"),
        ]

    def __str__(self) -> str:
        return self.name
