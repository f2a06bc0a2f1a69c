"""Follow a run at a prompt: show its progress, execute it here where no worker is alive."""

import threading
import time
from contextlib import suppress

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from lineage.connectors import actions
from lineage.connectors.errors import RunEndedError
from lineage.connectors.models import Run
from lineage.connectors.worker import execute_here

_LOOK_SECONDS = 0.2
_WAIT_FOR_WORKER = 10.0


def follow(run: Run) -> Run:
    """Return the run once it has ended, its progress shown on stderr; Ctrl-C cancels it."""
    own = None if actions.worker_alive() else execute_here(run)
    try:
        return _watch(run, own)
    except KeyboardInterrupt:
        with suppress(RunEndedError):
            actions.cancel(run)
        return _watch(run, own)


def _watch(run: Run, own: threading.Thread | None) -> Run:
    """Show progress until the run has ended; take it over if no worker comes for it."""
    console = Console(stderr=True)
    columns = TextColumn("{task.description:>9}"), BarColumn(), MofNCompleteColumn()
    shown = 0
    began = time.monotonic()
    with Progress(
        *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console
    ) as progress:
        task = progress.add_task(run.phase, total=None)
        while run.state == Run.State.RUNNING:
            time.sleep(_LOOK_SECONDS)
            run = actions.find_run(run.pk)
            for line in run.log[shown:]:
                console.print(line["message"], markup=False)
            shown = len(run.log)
            progress.update(task, description=run.phase, completed=run.done, total=run.total)
            if own is None and not run.worker and time.monotonic() - began > _WAIT_FOR_WORKER:
                own = execute_here(run)
    if own is not None:
        own.join()
    return run
