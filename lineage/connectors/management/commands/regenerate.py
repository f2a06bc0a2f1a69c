"""`manage.py regenerate NAME`: build a copy anew from the log, and watch it being built."""

import threading
import time
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lineage.connectors import actions
from lineage.connectors.errors import ConnectorError, RunEndedError
from lineage.connectors.models import Run
from lineage.connectors.worker import execute_here

_LOOK_SECONDS = 0.2
_WAIT_FOR_WORKER = 10.0


class Command(BaseCommand):
    """Regenerates one copy; exit code 1 unless the new generation is live."""

    help = "Build a copy anew from the log, prove it, and swap it in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the connector's name."""
        parser.add_argument("name", help="the connector")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Ask for a run and follow it; Ctrl-C cancels it."""
        try:
            run = actions.regenerate(options["name"])
        except ConnectorError as error:
            raise CommandError(str(error)) from error
        own = None if actions.worker_alive() else execute_here(run)
        try:
            run = self._follow(run, own)
        except KeyboardInterrupt:
            with suppress(RunEndedError):
                actions.cancel(run)
            run = self._follow(run, own)
        if run.state != Run.State.SUCCEEDED:
            raise CommandError(f"{run.state}: {run.message}")
        self.stdout.write(run.message)

    def _follow(self, run: Run, own: threading.Thread | None) -> Run:
        """Show progress until the run has ended; take it over if no worker comes for it."""
        console = Console(stderr=True)
        columns = TextColumn("{task.description:>9}"), BarColumn(), MofNCompleteColumn()
        shown = 0
        began = time.monotonic()
        with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
            task = progress.add_task(run.phase, total=None)
            while run.state == Run.State.RUNNING:
                time.sleep(_LOOK_SECONDS)
                run = actions.find_run(run.pk)
                for line in run.log[shown:]:
                    console.print(line["message"])
                shown = len(run.log)
                progress.update(task, description=run.phase, completed=run.done, total=run.total)
                if own is None and not run.worker and time.monotonic() - began > _WAIT_FOR_WORKER:
                    own = execute_here(run)
        if own is not None:
            own.join()
        return run
