"""The project itself as an app: it owns `run`, `serve`, the overview and the health checks."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db import connections
from django.db.models.signals import post_migrate


def _declare_cluster(using: str, **_: Any) -> None:
    """Know the cluster that the settings name as soon as there are tables."""
    tables = connections[using].introspection.table_names()
    if settings.KAFKA_BOOTSTRAP_SERVERS and "catalog_cluster" in tables:
        from catalog.actions import ensure_cluster

        ensure_cluster(settings.KAFKA_CLUSTER_NAME, settings.KAFKA_BOOTSTRAP_SERVERS)


class ProjectConfig(AppConfig):
    """Registers the project's commands and templates, and the cluster it is told of."""

    name = "config"
    label = "project"
    verbose_name = "Insideout"

    def ready(self) -> None:
        """Listen for the end of a migration."""
        post_migrate.connect(_declare_cluster, sender=self, dispatch_uid="config.declare-cluster")
