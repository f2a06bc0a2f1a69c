"""Connectors, the generations of their copies, and the runs that make them."""

import uuid

from django.db import models
from django.utils import timezone


class Connector(models.Model):
    """Keeps one copy: topics in, a table out; as declared, and the state it shall be in."""

    class State(models.TextChoices):
        """What it shall be doing; whether it does is seen with `retrying` and the generations."""

        LIVE = "live"
        PAUSED = "paused"
        REGENERATING = "regenerating"
        STOPPED = "stopped"

    name = models.CharField(max_length=100, unique=True)
    cluster = models.ForeignKey("catalog.Cluster", models.CASCADE, related_name="connectors")
    context = models.ForeignKey(
        "catalog.BoundedContext", models.SET_NULL, null=True, related_name="connectors"
    )
    service = models.ForeignKey(
        "catalog.Service", models.SET_NULL, null=True, related_name="connectors"
    )
    topics = models.JSONField(default=list)
    # sqlite:///PATH, postgresql://…; may hold ${NAME}, read from the environment when used
    target = models.TextField()
    table = models.CharField(max_length=63)
    mode = models.CharField(max_length=20, default="table")
    definition = models.JSONField(default=dict)
    state = models.CharField(max_length=20, choices=State, default=State.LIVE)
    # nothing is copied at present, and tried again: the message says why
    retrying = models.BooleanField(default=False)
    message = models.TextField(blank=True)
    # records between the copy's offsets and the log's end; unknown until first measured
    lag = models.BigIntegerField(null=True)
    measured_at = models.DateTimeField(null=True)
    rows_per_second = models.FloatField(null=True)
    # rows of the copy when last counted
    rows = models.BigIntegerField(null=True)
    # the code of the error that stopped it or keeps it from copying; empty while nothing does
    trouble = models.CharField(max_length=60, blank=True)
    # the largest lag since it was last level with the log: what the bar of catching up is out of
    lag_at_worst = models.BigIntegerField(null=True)
    # seconds until it is level with the log, at the rate at which the lag falls; null: it does not
    level_in_seconds = models.FloatField(null=True)
    # the identity of each topic when it was first read (KIP-516): one made anew has another
    topic_ids = models.JSONField(default=dict)
    # what a schedule counts from until the first run
    declared_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name


class Generation(models.Model):
    """One build of a copy; exactly one is live. One `as_of` an instant is a table by itself."""

    class State(models.TextChoices):
        """Where in its life it is."""

        BUILDING = "building"
        LIVE = "live"
        RETIRED = "retired"
        FAILED = "failed"
        CANCELLED = "cancelled"
        # a table as of a time, which nobody swaps in
        BUILT = "built"

    connector = models.ForeignKey(Connector, models.CASCADE, related_name="generations")
    # none of a table as of a time: it takes no turn in going live
    number = models.IntegerField(null=True)
    as_of = models.DateTimeField(null=True)
    # where a table as of a time lies, as the connector was declared when it was built
    target = models.TextField(blank=True)
    state = models.CharField(max_length=20, choices=State, default=State.BUILDING)
    table = models.CharField(max_length=63)
    from_offsets = models.JSONField(default=dict)
    to_offsets = models.JSONField(default=dict)
    rows = models.BigIntegerField(null=True)
    digest = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    live_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    # since when its table is no more: a target keeps the one before the live one
    dropped_at = models.DateTimeField(null=True)
    # the generation whose table it is, where it was made by a rollback
    restored = models.IntegerField(null=True)
    # which topics its offsets are of (KIP-516); known once it is replaced
    topic_ids = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connector", "number"], name="one_generation_a_number"),
            models.UniqueConstraint(
                fields=["connector"],
                condition=models.Q(state="live"),
                name="one_live_generation",
            ),
            models.UniqueConstraint(
                fields=["connector", "table"],
                condition=models.Q(as_of__isnull=False),
                name="one_table_as_of_an_instant",
            ),
        ]

    def __str__(self) -> str:
        if self.as_of is not None:
            return f"{self.connector} as of {self.as_of:%Y-%m-%dT%H:%M:%SZ}"
        return f"{self.connector} generation {self.number}"

    @property
    def table_exists(self) -> bool:
        """Whether its table is still in the target, as far as is known here."""
        return self.dropped_at is None


class Run(models.Model):
    """A piece of long work with its progress; it survives the page, the worker and a restart."""

    class State(models.TextChoices):
        """How it stands."""

        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    connector = models.ForeignKey(Connector, models.CASCADE, related_name="runs")
    generation = models.ForeignKey(Generation, models.SET_NULL, null=True, related_name="runs")
    # one of the registered kinds: see `kinds`
    kind = models.CharField(max_length=20, default="regenerate")
    # what the kind works on: the records of a replay, the instant of a table as of a time
    arguments = models.JSONField(default=dict)
    # whether the schedule asked for it, and nobody else
    scheduled = models.BooleanField(default=False)
    state = models.CharField(max_length=20, choices=State, default=State.RUNNING)
    phase = models.CharField(max_length=40, default="waiting")
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    message = models.TextField(blank=True)
    log = models.JSONField(default=list)
    cancel_requested = models.BooleanField(default=False)
    # the worker that executes it; empty: it waits for one
    worker = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    moved_at = models.DateTimeField(auto_now=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["connector"],
                condition=models.Q(state="running"),
                name="one_running_run",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.connector} ({self.state})"

    @property
    def rows(self) -> int | None:
        """Rows of the generation that the run made; `done` counts for the phase alone."""
        return self._made.rows if self._made else None

    @property
    def digest(self) -> str | None:
        """Digest of the generation that the run made."""
        return self._made.digest if self._made else None

    @property
    def _made(self) -> Generation | None:
        return self.generation if self.state == self.State.SUCCEEDED else None


class Quarantine(models.Model):
    """A record that could not be copied: where it stands in the log, and why it was left out."""

    connector = models.ForeignKey(Connector, models.CASCADE, related_name="quarantine")
    topic = models.CharField(max_length=249)
    partition = models.IntegerField()
    offset = models.BigIntegerField()
    # the record's key as text; what is not UTF-8 is shown as hexadecimal
    key = models.TextField(blank=True)
    reason = models.TextField()
    at = models.DateTimeField(auto_now_add=True)
    # when it was last tried and left out again
    tried_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at"]
        verbose_name_plural = "quarantine"
        constraints = [
            models.UniqueConstraint(
                fields=["connector", "topic", "partition", "offset"], name="one_record_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}@{self.offset}"


class Worker(models.Model):
    """A process that runs connectors, by the heartbeat it left."""

    name = models.CharField(max_length=200, unique=True)
    pid = models.IntegerField()
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


# the app's models are looked for here
from lineage.connectors.audits.models import Audit, Divergence  # noqa: E402

__all__ = [
    "Audit",
    "Connector",
    "Divergence",
    "Generation",
    "Quarantine",
    "Run",
    "Worker",
]
