"""The connectors as a Django app."""

from django.apps import AppConfig


class ConnectorsConfig(AppConfig):
    """Registers connectors, generations and runs."""

    name = "lineage.connectors"
