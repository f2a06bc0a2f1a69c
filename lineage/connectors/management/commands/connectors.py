"""`manage.py connectors run`: copy, until stopped; `connectors status`: how each copy stands."""

import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.table import Table

from lineage.connectors.actions import list_connectors, worker_alive
from lineage.connectors.worker import ConnectorsWorker, worker_name


class Command(BaseCommand):
    """Runs connectors, or shows them."""

    help = "run: keep all declared copies live. status: show each copy's state and lag."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the two verbs."""
        parser.add_argument("verb", choices=["run", "status"])

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do what the verb says."""
        if options["verb"] == "run":
            self._run()
        else:
            self._show()

    def _run(self) -> None:
        with worker_name() as name:
            worker = ConnectorsWorker(name)

            def stop(_signal: int, _frame: FrameType | None) -> None:
                worker.stop()

            signal.signal(signal.SIGTERM, stop)
            signal.signal(signal.SIGINT, stop)
            worker.run()

    def _show(self) -> None:
        table = Table("connector", "state", "lag", "rows", "generation", "left out", "target", "")
        for view in list_connectors():
            numbers = (view.lag, view.rows, view.live_generation, view.quarantined)
            table.add_row(
                view.name,
                view.state,
                *("" if number is None else f"{number:,}" for number in numbers),
                view.target,
                view.message,
            )
        console = Console()
        console.print(table)
        if not worker_alive():
            console.print("No worker is alive: start one with `manage.py connectors run`.")
