"""`manage.py openlineage emit`: tell our lineage to other tools, once or until stopped."""

import signal
from threading import Event
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from lineage.openlineage.destinations import Destination, destinations
from lineage.openlineage.emit import emit_once
from lineage.openlineage.errors import EmissionError
from lineage.openlineage.follow import emit_forever


class Command(BaseCommand):
    """Emits observed edges and the runs of connectors as OpenLineage events."""

    help = "emit lineage as OpenLineage events to OPENLINEAGE_URL and OPENLINEAGE_TOPIC"

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare emit, --follow and --every."""
        parser.add_argument("what", choices=["emit"], help="emit: tell what was not told yet")
        parser.add_argument("--follow", action="store_true", help="go on until stopped")
        parser.add_argument(
            "--every",
            type=float,
            default=settings.OPENLINEAGE_SECONDS,
            metavar="SECONDS",
            help="seconds between two rounds (default: OPENLINEAGE_SECONDS)",
        )

    def handle(self, *_: Any, follow: bool, every: float, **__: Any) -> None:
        """Emit; SIGTERM and Ctrl-C end it after the round that goes on."""
        if every <= 0:
            raise CommandError("--every must be more than 0 seconds")
        try:
            found = destinations()
            if not found:
                raise CommandError("nowhere to emit to: set OPENLINEAGE_URL or OPENLINEAGE_TOPIC")
            if not follow:
                self._emit_once(found)
                return
        except EmissionError as error:
            raise CommandError(str(error)) from error
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        names = ", ".join(destination.name for destination in found)
        self.stdout.write(f"emitting every {every:g} s to {names}")
        emit_forever(found, every, stop, report=self.stdout.write)

    def _emit_once(self, found: list[Destination]) -> None:
        refused = 0
        for destination in found:
            outcome = emit_once(destination)
            refused += len(outcome.refused)
            self.stdout.write(f"{destination.name}: {outcome.emitted} events")
            for job, why in outcome.refused.items():
                self.stderr.write(f"  {job}: {why}")
        if refused:
            raise CommandError(f"the events of {refused} jobs were refused")
