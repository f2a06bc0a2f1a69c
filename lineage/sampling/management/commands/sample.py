"""`manage.py sample`: observe the clusters, once or until stopped."""

import signal
from threading import Event
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from broker.errors import BrokerError
from catalog.errors import CatalogError
from lineage.sampling import actions


class Command(BaseCommand):
    """Samples who reads and who writes, into the evidence ledger."""

    help = "observe Kafka: who reads and who writes, into the evidence ledger"

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare --once, --every and --cluster."""
        parser.add_argument("--once", action="store_true", help="take one sample, then end")
        parser.add_argument(
            "--every",
            type=float,
            default=settings.SAMPLE_SECONDS,
            metavar="SECONDS",
            help="seconds between two samples (default: SAMPLE_SECONDS)",
        )
        parser.add_argument("--cluster", help="one cluster, by name (default: all)")

    def handle(self, *_: Any, once: bool, every: float, cluster: str | None, **__: Any) -> None:
        """Sample; SIGTERM and Ctrl-C end it after the sample that is being taken."""
        if once:
            self._sample_once(cluster)
            return
        if every <= 0:
            raise CommandError("--every must be more than 0 seconds")
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write(f"sampling every {every:g} s")
        actions.sample_forever(every, stop, cluster=cluster, report=self.stdout.write)

    def _sample_once(self, cluster: str | None) -> None:
        try:
            outcomes = actions.sample_now(cluster)
        except (BrokerError, CatalogError) as error:
            raise CommandError(str(error)) from error
        for outcome in outcomes:
            self.stdout.write(
                f"{outcome.cluster}: {outcome.observations} observations, {outcome.opened} new "
                f"intervals, {outcome.seconds:.2f} s"
            )
            for kind, why in outcome.failed.items():
                self.stderr.write(f"  {kind}: {why}")
