"""The connectors as a Django app."""

from django.apps import AppConfig


class ConnectorsConfig(AppConfig):
    """Registers connectors, generations and runs, and the section of catalog files for them."""

    name = "lineage.connectors"

    def ready(self) -> None:
        """Take over the section `connectors`; bring the kinds of runs."""
        from catalog.declaration import register_section
        from catalog.observation import install_auditor, install_copier
        from lineage.connectors.actions import stopped_copies
        from lineage.connectors.as_of import AS_OF, DROP
        from lineage.connectors.audits.actions import diverged_copies
        from lineage.connectors.audits.executing import AUDIT, REPAIR
        from lineage.connectors.building import REGENERATE
        from lineage.connectors.declaring import apply_connectors
        from lineage.connectors.kinds import register_kind
        from lineage.connectors.replaying import REPLAY
        from lineage.connectors.rolling_back import ROLLBACK

        register_section("connectors", apply_connectors)
        install_auditor(diverged_copies)
        install_copier(stopped_copies)
        for kind in (REGENERATE, ROLLBACK, REPLAY, AUDIT, REPAIR, AS_OF, DROP):
            register_kind(kind)
