"""What audits found: kept for good, so that each divergence has a since when."""

import uuid

from django.db import models


class Audit(models.Model):
    """One comparison of a copy with its log, up to the offsets at which the copy stood.

    Offsets are by `topic/partition`, each the next to read.
    """

    class State(models.TextChoices):
        """How it ended; *failed* is no verdict on the copy."""

        RUNNING = "running"
        PASSED = "passed"
        DIVERGED = "diverged"
        FAILED = "failed"
        STOPPED = "stopped"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    connector = models.ForeignKey("connectors.Connector", models.CASCADE, related_name="audits")
    run = models.ForeignKey("connectors.Run", models.SET_NULL, null=True, related_name="audits")
    generation = models.IntegerField(null=True)
    state = models.CharField(max_length=20, choices=State, default=State.RUNNING)
    message = models.TextField(blank=True)
    from_offsets = models.JSONField(default=dict)
    to_offsets = models.JSONField(default=dict)
    # as of its end: up to where this generation was proven equal, by passes without a gap
    verified_through = models.JSONField(default=dict)
    verified_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    rows = models.BigIntegerField(null=True)
    log_rows = models.BigIntegerField(null=True)
    digest = models.CharField(max_length=64, blank=True)
    log_digest = models.CharField(max_length=64, blank=True)
    changed = models.BigIntegerField(default=0)
    missing = models.BigIntegerField(default=0)
    extra = models.BigIntegerField(default=0)
    # keys of which compaction or quarantine left nothing to judge by
    unjudged = models.BigIntegerField(default=0)
    repaired = models.BigIntegerField(default=0)
    hash_seconds = models.FloatField(null=True)
    log_seconds = models.FloatField(null=True)

    class Meta:
        ordering = ["-started_at"]
        indexes = [
            models.Index(fields=["connector", "-started_at"], name="audits_of_a_copy"),
        ]

    def __str__(self) -> str:
        return f"audit of {self.connector} ({self.state})"

    @property
    def differing(self) -> int:
        """How many keys differed."""
        return self.changed + self.missing + self.extra


class Divergence(models.Model):
    """A key in which a copy differed from its log: from the first audit that saw it to its end.

    Values are JSON by column, the long ones cut, the masked ones hidden; null: no row.
    """

    class Kind(models.TextChoices):
        """How it differs from what the log says."""

        CHANGED = "changed"
        MISSING = "missing"
        EXTRA = "extra"

    connector = models.ForeignKey(
        "connectors.Connector", models.CASCADE, related_name="divergences"
    )
    first_seen = models.ForeignKey(Audit, models.CASCADE, related_name="discovered")
    last_seen = models.ForeignKey(Audit, models.CASCADE, related_name="divergences")
    # of the key's canonical text: keys may be longer than a database can index
    key_hash = models.CharField(max_length=32)
    key = models.TextField()
    kind = models.CharField(max_length=10, choices=Kind)
    columns = models.JSONField(default=list)
    expected = models.JSONField(null=True)
    found = models.JSONField(null=True)
    # the end of the last audit that found the key equal, or null
    equal_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(auto_now_add=True)
    repaired_at = models.DateTimeField(null=True)
    # gone without a repair: a newer value came, or somebody put it right
    vanished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-seen_at", "key"]
        constraints = [
            models.UniqueConstraint(
                fields=["connector", "key_hash"],
                condition=models.Q(repaired_at=None, vanished_at=None),
                name="one_open_divergence_a_key",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.kind}"

    @property
    def open(self) -> bool:
        """Whether it stands."""
        return self.repaired_at is None and self.vanished_at is None
