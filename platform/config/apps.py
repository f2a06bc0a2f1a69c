"""The project itself as an app: it owns `run`, `serve`, the overview and the health checks."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Registers the project's commands and templates."""

    name = "config"
    label = "project"
    verbose_name = "Insideout"
