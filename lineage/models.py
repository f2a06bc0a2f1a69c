"""The evidence ledger: edges between raw nodes, and the intervals in which each was seen."""

from django.db import models


class Edge(models.Model):
    """Data was seen to flow from source to target.

    Nodes are kept raw, as Kafka names them; services are resolved when read, so that a pattern
    changed in the catalog re-reads the whole past and nothing has to be rewritten.
    """

    class NodeKind(models.TextChoices):
        """What a raw node is."""

        TOPIC = "topic"
        COPY = "copy"
        GROUP = "group"
        TRANSACTIONAL_ID = "transactional_id"
        PRODUCER_ID = "producer_id"
        CLIENT_ID = "client_id"
        SOURCE = "source"
        JOB = "job"
        DATASET = "dataset"

    cluster = models.ForeignKey("catalog.Cluster", models.CASCADE, related_name="edges")
    source_kind = models.CharField(max_length=20, choices=NodeKind)
    source_name = models.CharField(max_length=500)
    target_kind = models.CharField(max_length=20, choices=NodeKind)
    target_name = models.CharField(max_length=500)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "source_kind", "source_name", "target_kind", "target_name"],
                name="one_edge_a_pair",
            ),
        ]
        indexes = [models.Index(fields=["target_kind", "target_name"])]

    def __str__(self) -> str:
        return f"{self.source_kind}:{self.source_name} → {self.target_kind}:{self.target_name}"


class Evidence(models.Model):
    """An interval in which one kind of evidence for an edge was seen without a gap.

    An observation soon after `last_seen` extends the interval, a later one opens the next. The
    intervals of one edge and kind do not overlap, so that the index by their beginning finds the
    latest at any instant in one step. No index holds `last_seen`, which every sample moves:
    PostgreSQL then renews a row in place.
    """

    # the index below begins with the edge
    edge = models.ForeignKey(Edge, models.CASCADE, related_name="evidence", db_index=False)
    kind = models.CharField(max_length=40)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    observations = models.BigIntegerField(default=1)
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["edge", "kind", "first_seen"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.first_seen:%F %T} to {self.last_seen:%F %T}"


class Proof(models.Model):
    """One kind of evidence for one edge, and when it was first seen at all.

    Says what there is to look up among the intervals, without a walk over all of them.
    """

    # the constraint below begins with the edge
    edge = models.ForeignKey(Edge, models.CASCADE, related_name="proofs", db_index=False)
    kind = models.CharField(max_length=40)
    first_seen = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["edge", "kind"], name="one_proof_a_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} since {self.first_seen:%F %T}"


class Compaction(models.Model):
    """Up to which instant a cluster's evidence was compacted."""

    cluster = models.OneToOneField("catalog.Cluster", models.CASCADE, related_name="+")
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.cluster} until {self.until:%F %T}"


class Revision(models.Model):
    """Marks of a cluster's part of the ledger, drawn anew whenever it is written.

    Equal marks say that what a process remembers still holds, whoever wrote in between. They are
    drawn at random: one that was rolled back never comes again.
    """

    cluster = models.OneToOneField("catalog.Cluster", models.CASCADE, related_name="+")
    # edges, proofs or names came to those that there were
    grown = models.BigIntegerField(default=0)
    # some of them were taken away, or are known from earlier on
    rewritten = models.BigIntegerField(default=0)
    # evidence of instants that had settled was written (see `lineage.revision`)
    past = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.cluster}: {self.grown}, {self.rewritten}, {self.past}"


class ProducerName(models.Model):
    """A producer id whose bearer became known (by transactional id, group or stamp), and how."""

    cluster = models.ForeignKey("catalog.Cluster", models.CASCADE, related_name="+")
    producer_id = models.BigIntegerField()
    node_kind = models.CharField(max_length=20, choices=Edge.NodeKind)
    node_name = models.CharField(max_length=500)
    evidence = models.CharField(max_length=40)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "producer_id", "node_kind", "node_name"],
                name="one_name_a_producer",
            ),
        ]
        indexes = [models.Index(fields=["node_kind", "node_name"])]

    def __str__(self) -> str:
        return f"{self.producer_id} = {self.node_kind}:{self.node_name}"


class Sampling(models.Model):
    """The last run of one kind of sampler on one cluster: when, how long, and what failed."""

    cluster = models.ForeignKey("catalog.Cluster", models.CASCADE, related_name="samplings")
    kind = models.CharField(max_length=40)
    sampled_at = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True)
    duration_ms = models.IntegerField(default=0)
    observations = models.IntegerField(default=0)
    message = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cluster", "kind"], name="one_sampling_a_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.cluster}"


class FieldFlow(models.Model):
    """A field of the source reaches a field of the target: as told by `kind`, or inferred.

    Fields are dotted paths; an empty target field stands for the whole target (a filter, a join).
    """

    cluster = models.ForeignKey("catalog.Cluster", models.CASCADE, related_name="field_flows")
    source_kind = models.CharField(max_length=20, choices=Edge.NodeKind)
    source_name = models.CharField(max_length=500)
    source_field = models.CharField(max_length=500)
    target_kind = models.CharField(max_length=20, choices=Edge.NodeKind)
    target_name = models.CharField(max_length=500)
    target_field = models.CharField(max_length=500, blank=True)
    # who says so, as Evidence.kind does: `openlineage`
    kind = models.CharField(max_length=40)
    # `DIRECT/IDENTITY`, `INDIRECT/JOIN` …, several separated by commas
    transformation = models.CharField(max_length=200, blank=True)
    inferred = models.BooleanField(default=False)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    detail = models.JSONField(default=dict)

    class Meta:
        # no unique key: eight names are longer than PostgreSQL indexes; writers lock the cluster
        indexes = [
            models.Index(fields=["target_kind", "target_name"]),
            models.Index(fields=["source_kind", "source_name"]),
        ]

    def __str__(self) -> str:
        source = f"{self.source_kind}:{self.source_name}.{self.source_field}"
        return f"{source} → {self.target_kind}:{self.target_name}.{self.target_field}"
