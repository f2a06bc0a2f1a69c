"""The one row by which the readiness check proves that the database takes writes."""

from django.db import models


class Heartbeat(models.Model):
    """When the database last took a write of the readiness check."""

    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.beat_at.isoformat()
