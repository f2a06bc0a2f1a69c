"""The lineage room as a Django app."""

from django.apps import AppConfig


class LineageConfig(AppConfig):
    """Registers the evidence ledger, and answers the catalog's questions from it."""

    name = "lineage"

    def ready(self) -> None:
        """Install the witness: the catalog stands below and cannot import us."""
        from catalog.observation import install_witness
        from lineage.witness import observe

        install_witness(observe)
