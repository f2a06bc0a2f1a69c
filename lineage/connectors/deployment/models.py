"""What is deployed on Kafka Connect, and how it was when last looked at."""

from django.db import models


class Deployment(models.Model):
    """A copy that Kafka Connect keeps; while this row stands, our own worker leaves it alone."""

    connector = models.OneToOneField(
        "connectors.Connector", models.CASCADE, related_name="deployment"
    )
    # the worker's REST address, without user and password
    connect = models.CharField(max_length=300)
    tasks = models.IntegerField(default=1)
    # whether one task works alone until it has made the table: several fail at making it at once
    alone = models.BooleanField(default=False)
    # when the watch last restarted a task that lost a race for the table
    restarted_at = models.DateTimeField(null=True)
    # as rendered: secrets stand in it as references only
    config = models.JSONField(default=dict)
    deployed_at = models.DateTimeField()
    # RUNNING, PAUSED, STOPPED, FAILED, UNASSIGNED, RESTARTING; empty: not seen yet
    state = models.CharField(max_length=20, blank=True)
    # of each task: id, state, worker, trace
    task_states = models.JSONField(default=list)
    message = models.TextField(blank=True)
    # records between the group's committed offsets and the log's end
    lag = models.BigIntegerField(null=True)
    committed = models.BigIntegerField(null=True)
    rows_per_second = models.FloatField(null=True)
    seen_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.connector} on {self.connect}"
