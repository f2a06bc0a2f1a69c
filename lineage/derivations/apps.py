"""Derivations as a Django app: it has pages' tags and a command, and no tables of its own."""

from django.apps import AppConfig


class DerivationsConfig(AppConfig):
    """Registers tags and commands."""

    name = "lineage.derivations"
