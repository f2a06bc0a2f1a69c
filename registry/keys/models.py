"""What the DEK registry keeps: KEKs by name, and under each the wrapped DEKs of subjects."""

from django.db import models


class Kek(models.Model):
    """A key encryption key: which key of which KMS wraps DEKs; the key itself stays in the KMS.

    A `shared` one the server may use itself. `kms_props` may hold credentials and `changed_at` is
    the key's `ts`.
    """

    context = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    kms_type = models.CharField(max_length=255)
    kms_key_id = models.TextField()
    kms_props = models.JSONField(default=dict)
    doc = models.TextField(blank=True)
    shared = models.BooleanField(default=False)
    changed_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "registry"
        constraints = [models.UniqueConstraint(fields=["context", "name"], name="one_kek_per_name")]

    def __str__(self) -> str:
        return self.name


class Dek(models.Model):
    """The n-th data key of a subject for one algorithm, as its KEK wrapped it (base64)."""

    kek = models.ForeignKey(Kek, models.PROTECT, related_name="deks")
    subject = models.CharField(max_length=900)
    algorithm = models.CharField(max_length=16)
    version = models.PositiveIntegerField()
    encrypted_key_material = models.TextField()
    changed_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "registry"
        constraints = [
            models.UniqueConstraint(
                fields=["kek", "subject", "algorithm", "version"], name="one_dek_per_version"
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.algorithm} {self.version}"
