"""`manage.py audit NAME`: is a copy equal to its log? Exit code 1 where it is not."""

from typing import ClassVar

from lineage.connectors.audits.command import RunAndTell


class Command(RunAndTell):
    """Audits one copy."""

    help = "Compare a copy with its log, key by key where they differ; exit code 1 if they do."
    kind: ClassVar[str] = "audit"
