"""What sampling remembers besides evidence: how far old logs were read, and who may do what."""

from django.db import models


class Cursor(models.Model):
    """How far a partition's past was read: `next_offset` up to `until_offset`, then never again."""

    cluster = models.ForeignKey("catalog.Cluster", models.CASCADE, related_name="+")
    topic = models.CharField(max_length=249)
    # tells it from a topic made later under that name
    topic_id = models.CharField(max_length=40)
    partition = models.IntegerField()
    next_offset = models.BigIntegerField()
    until_offset = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "topic", "partition"], name="one_cursor_a_partition"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}: {self.next_offset} of {self.until_offset}"


class Permission(models.Model):
    """An access control entry on topics, from when it was first seen until it was gone.

    It says who may, never who did: it is kept apart from evidence.
    """

    cluster = models.ForeignKey("catalog.Cluster", models.CASCADE, related_name="+")
    principal = models.CharField(max_length=500)
    host = models.CharField(max_length=255)
    operation = models.CharField(max_length=20)
    allowed = models.BooleanField()
    pattern = models.CharField(max_length=20)
    topic = models.CharField(max_length=249)
    first_seen = models.DateTimeField()
    gone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["cluster", "first_seen"])]

    def __str__(self) -> str:
        verb = "may" if self.allowed else "may not"
        return f"{self.principal} {verb} {self.operation} {self.topic}"
