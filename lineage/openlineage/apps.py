"""OpenLineage as a Django app."""

from django.apps import AppConfig


class OpenLineageConfig(AppConfig):
    """Registers what events tell of jobs and datasets, and what was emitted."""

    name = "lineage.openlineage"
