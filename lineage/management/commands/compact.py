"""`manage.py compact`: compact the ledger's past now, as the schedule does."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from lineage.compaction import compact


class Command(BaseCommand):
    """Joins old intervals of evidence, see LEDGER_EXACT_DAYS and LEDGER_RESOLUTION_HOURS."""

    help = "compact the evidence ledger: join intervals older than LEDGER_EXACT_DAYS"

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare --again."""
        parser.add_argument(
            "--again",
            action="store_true",
            help="look at all of the past, not at what has become old since the last time",
        )

    def handle(self, *_: Any, again: bool, **__: Any) -> None:
        """Compact, and say what it came to."""
        self.stdout.write(str(compact(again=again)))
