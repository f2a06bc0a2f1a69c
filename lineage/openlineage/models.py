"""What events told of jobs and datasets, and how far our own lineage was emitted."""

from django.db import models

from lineage.models import Edge


class NodeFacet(models.Model):
    """One facet of a job or dataset, as the newest event that had it told it."""

    cluster = models.ForeignKey("catalog.Cluster", models.CASCADE, related_name="+")
    node_kind = models.CharField(max_length=20, choices=Edge.NodeKind)
    node_name = models.CharField(max_length=500)
    facet = models.CharField(max_length=100)
    value = models.JSONField(default=dict)
    told_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "node_kind", "node_name", "facet"], name="one_facet_a_node"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.facet} of {self.node_kind}:{self.node_name}"


class Emission(models.Model):
    """How far the lineage of one job was emitted to one destination.

    `sent` maps what was told to the instant until which; it is written after the destination
    took the events, so that one that is interrupted is told again, and none is left out.
    """

    destination = models.CharField(max_length=250)
    job = models.CharField(max_length=700)
    # numbers the job's runs; the open one has begun and not ended
    runs = models.IntegerField(default=0)
    open = models.BooleanField(default=False)
    sent = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["destination", "job"], name="one_emission_a_job"),
        ]

    def __str__(self) -> str:
        return f"{self.job} → {self.destination}"
