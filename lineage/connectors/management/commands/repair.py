"""`manage.py repair NAME`: write the log's row of every key in which a copy differs from it."""

from typing import ClassVar

from lineage.connectors.audits.command import RunAndTell


class Command(RunAndTell):
    """Repairs one copy."""

    help = "Audit a copy and repair what differs, by key; exit code 1 if anything still does."
    kind: ClassVar[str] = "repair"
