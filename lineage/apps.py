"""The lineage room as a Django app."""

from django.apps import AppConfig


class LineageConfig(AppConfig):
    """Registers the evidence ledger."""

    name = "lineage"
