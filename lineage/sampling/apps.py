"""The samplers as a Django app."""

from django.apps import AppConfig


class SamplingConfig(AppConfig):
    """Registers the sampling command."""

    name = "lineage.sampling"
