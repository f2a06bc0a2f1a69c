"""The connectors as a Django app."""

from django.apps import AppConfig


class ConnectorsConfig(AppConfig):
    """Registers connectors, generations and runs, and the section of catalog files for them."""

    name = "lineage.connectors"

    def ready(self) -> None:
        """Take over the section `connectors`."""
        from catalog.declaration import register_section
        from lineage.connectors.declaring import apply_connectors

        register_section("connectors", apply_connectors)
