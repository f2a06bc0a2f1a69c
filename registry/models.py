"""What the registry keeps: contexts, schemas, subjects and their versions, config and mode."""

from django.db import models

from registry.keys.models import Dek, Kek

__all__ = [
    "Association",
    "Config",
    "Dek",
    "Kek",
    "Mode",
    "Schema",
    "SchemaContext",
    "SchemaReference",
    "Subject",
    "Version",
]


class SchemaContext(models.Model):
    """A namespace of ids and subjects (`.` is the default one).

    `next_id` is kept apart from the schemas, so that an id is never given out twice, not even
    after a hard delete; `revision` grows with every write in the context.
    """

    name = models.CharField(max_length=255, unique=True)
    next_id = models.PositiveBigIntegerField(default=1)
    revision = models.PositiveBigIntegerField(default=0)
    listed = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class Schema(models.Model):
    """One schema text with its references, metadata and rule set: what an id stands for.

    `number` is the id that clients see. `fingerprint` covers everything, `text_digest` only
    format, text and references. `metadata` and `ruleset` are JSON text, empty when absent.
    """

    context = models.ForeignKey(SchemaContext, models.PROTECT, related_name="schemas")
    number = models.PositiveBigIntegerField()
    guid = models.UUIDField(db_index=True)
    fingerprint = models.CharField(max_length=64)
    text_digest = models.CharField(max_length=64, db_index=True)
    format = models.CharField(max_length=16)
    text = models.TextField()
    metadata = models.TextField(blank=True)
    ruleset = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["context", "number"], name="one_schema_per_id"),
            models.UniqueConstraint(fields=["context", "fingerprint"], name="one_id_per_schema"),
        ]

    def __str__(self) -> str:
        return f"{self.context_id}:{self.number}"


class SchemaReference(models.Model):
    """One reference of a schema, by position: the name it uses for a subject's version.

    `subject` is as the client spelt it, `target` the qualified name, so that "who refers to
    this" is one indexed read.
    """

    schema = models.ForeignKey(Schema, models.CASCADE, related_name="references")
    position = models.PositiveIntegerField()
    name = models.TextField()
    subject = models.CharField(max_length=900)
    target = models.CharField(max_length=900)
    version = models.PositiveIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["schema", "position"], name="one_reference_per_place")
        ]
        indexes = [models.Index(fields=["target", "version"], name="referenced_version")]

    def __str__(self) -> str:
        return f"{self.name} → {self.target} {self.version}"


class Subject(models.Model):
    """A name under which schemas evolve; its row is what a registration locks."""

    context = models.ForeignKey(SchemaContext, models.PROTECT, related_name="subjects")
    name = models.CharField(max_length=600)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["context", "name"], name="one_subject_per_name")
        ]

    def __str__(self) -> str:
        return self.name


class Version(models.Model):
    """A schema as the n-th of a subject; `deleted_at` is set by a soft delete."""

    subject = models.ForeignKey(Subject, models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    schema = models.ForeignKey(Schema, models.PROTECT, related_name="versions")
    registered_at = models.DateTimeField()
    registered_by = models.CharField(max_length=200, blank=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["version"]
        constraints = [
            models.UniqueConstraint(fields=["subject", "version"], name="one_row_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.subject_id} {self.version}"


class Config(models.Model):
    """What was configured for one scope: a subject, a context, or all contexts.

    `scope` is a qualified subject, `:.context:`, `:.:` (the default context, the API's `/config`)
    or `:.__GLOBAL:`; `values` holds only what was set, by Confluent's names, as JSON.
    """

    scope = models.CharField(max_length=900, unique=True)
    values = models.TextField()

    def __str__(self) -> str:
        return self.scope


class Mode(models.Model):
    """The mode (READWRITE, READONLY, IMPORT, …) set for one scope, named as in Config."""

    scope = models.CharField(max_length=900, unique=True)
    mode = models.CharField(max_length=32)

    def __str__(self) -> str:
        return self.scope


class Association(models.Model):
    """A resource (a topic, say) bound to the subject of its key or value schemas."""

    resource_id = models.CharField(max_length=600)
    resource_name = models.CharField(max_length=600)
    resource_namespace = models.CharField(max_length=255)
    resource_type = models.CharField(max_length=32)
    association_type = models.CharField(max_length=32)
    subject = models.CharField(max_length=900, db_index=True)
    lifecycle = models.CharField(max_length=16)
    frozen = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["resource_id", "resource_type", "association_type"],
                name="one_association_per_kind",
            )
        ]
        indexes = [
            models.Index(fields=["resource_namespace", "resource_name"], name="associated_name")
        ]

    def __str__(self) -> str:
        return f"{self.resource_name} {self.association_type} → {self.subject}"
