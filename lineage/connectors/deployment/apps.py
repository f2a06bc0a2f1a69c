"""Deployments as a Django app."""

from django.apps import AppConfig


class DeploymentConfig(AppConfig):
    """Keeps the deployments of copies on Kafka Connect."""

    name = "lineage.connectors.deployment"
