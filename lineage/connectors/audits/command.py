"""What the commands `audit` and `repair` share: ask for a run, follow it, tell the verdict."""

import json
import time
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lineage.connectors.actions import cancel, find_run, request_run, worker_alive
from lineage.connectors.audits.actions import divergences_of
from lineage.connectors.audits.api.serializers import AuditSerializer, DivergenceSerializer
from lineage.connectors.audits.models import Audit
from lineage.connectors.errors import ConnectorError, RunEndedError
from lineage.connectors.models import Run
from lineage.connectors.worker import execute_here

SHOWN = 20
"""Divergences that are written out; `--json` has all that are kept."""

_LOOK_SECONDS = 0.2
_WAIT_FOR_WORKER = 10.0


class RunAndTell(BaseCommand):
    """Follows a run of one kind; exit code 1 where the copy differs from the log at its end."""

    kind: ClassVar[str]

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the connector's name."""
        parser.add_argument("name", help="the connector")
        parser.add_argument("--json", action="store_true", help="write the audit as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Ask for a run and follow it; Ctrl-C cancels it."""
        try:
            run = request_run(options["name"], self.kind)
        except ConnectorError as error:
            raise CommandError(str(error)) from error
        run = self._followed(run)
        audit = run.audits.first()
        if audit is None:
            raise CommandError(f"{run.state}: {run.message}")
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(audit), indent=2, ensure_ascii=False))
        else:
            self._tell(audit)
        if run.state != Run.State.SUCCEEDED:
            raise CommandError(f"{run.state}: {run.message}")
        if audit.state != Audit.State.PASSED:
            raise CommandError(audit.message)

    def _followed(self, run: Run) -> Run:
        """Follow a run to its end; take it over if no worker comes for it."""
        own = None if worker_alive() else execute_here(run)
        columns = TextColumn("{task.description:>9}"), BarColumn(), MofNCompleteColumn()
        began, console = time.monotonic(), Console(stderr=True)
        with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
            task = progress.add_task(run.phase, total=None)
            while run.state == Run.State.RUNNING:
                run = _after_a_while(run)
                progress.update(task, description=run.phase, completed=run.done, total=run.total)
                if own is None and not run.worker and time.monotonic() - began > _WAIT_FOR_WORKER:
                    own = execute_here(run)
        if own is not None:
            own.join()
        return run

    def _tell(self, audit: Audit) -> None:
        found = divergences_of(audit)
        for one in found[:SHOWN]:
            self.stdout.write(f"{one.kind:>8}  {one.key}")
            self.stdout.write(f"{'log':>14}: {_line(one.expected)}")
            self.stdout.write(f"{'copy':>14}: {_line(one.found)}")
        if audit.differing > SHOWN:
            self.stdout.write(f"… and {audit.differing - SHOWN} more")
        if audit.state == Audit.State.PASSED:
            self.stdout.write(audit.message)


def _after_a_while(run: Run) -> Run:
    """Return how a run stands a little later; Ctrl-C asks it to stop."""
    try:
        time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        with suppress(RunEndedError):
            cancel(run)
    return find_run(run.pk)


def _line(values: dict[str, Any] | None) -> str:
    return "no row" if values is None else json.dumps(values, ensure_ascii=False)


def _as_json(audit: Audit) -> dict[str, Any]:
    kept = DivergenceSerializer(divergences_of(audit), many=True).data
    plain = {**AuditSerializer(audit).data, "divergences": list(kept)}
    return dict(json.loads(json.dumps(plain, default=str)))
