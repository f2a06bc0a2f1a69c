"""Pages of copies and of the runs that make them."""

import re
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import yaml
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from lineage.actions import parse_instant
from lineage.connectors import actions
from lineage.connectors.actions import ConnectorView
from lineage.connectors.audits.actions import standings, verdict_of
from lineage.connectors.errors import (
    FutureInstantError,
    KeptByConnectError,
    NothingRetiredError,
    QuarantineMissingError,
    RunEndedError,
    RunInProgressError,
    TableMissingError,
)
from lineage.connectors.models import Connector, Run
from lineage.errors import InstantInvalidError
from pages.listing import Column, Facet, Listing

RUNS_SHOWN = 20
QUARANTINE_SHOWN = 20
_ALSO_DECLARED = ("key", "key_format", "columns", "flatten", "start", "engine")
# what a phase counts; where it is not here, a number stands alone
_UNITS = {
    "read": "records",
    "read log": "records",
    "catch-up": "records",
    "load": "rows",
    "verify": "rows",
    "hash copy": "rows",
    "repair": "keys",
}
_PLACE = re.compile(r"(.+)/([0-9]{1,9})@([0-9]{1,18})")


@require_safe
@vary_on_headers("HX-Request")
def list_copies(request: HttpRequest) -> HttpResponse:
    """All copies with their state and lag."""
    clusters = dict(Connector.objects.values_list("name", "cluster__name"))
    standing = standings()
    listing: Listing[ConnectorView] = Listing(
        actions.list_connectors(),
        request.GET,
        columns=[
            Column("state", "State", lambda copy: copy.state),
            Column("name", "Copy", lambda copy: copy.name),
            Column("of", "Of"),
            Column("log", "To the log", lambda copy: standing[copy.name]),
            Column("lag", "Behind the log", lambda copy: copy.lag, numeric=True),
            Column("rows", "Rows", lambda copy: copy.rows, numeric=True),
            Column("generation", "Generation", lambda copy: copy.live_generation, numeric=True),
            Column("target", "Kept in", lambda copy: copy.target),
        ],
        facets=[
            Facet("state", "State", lambda copy: copy.state),
            Facet("log", "To the log", lambda copy: standing[copy.name]),
            Facet("context", "Context", lambda copy: copy.context or ""),
        ],
        text=lambda copy: f"{copy.name} {copy.table} {copy.target} {' '.join(copy.topics)}",
    )
    fragment = "#rows" if "HX-Request" in request.headers else ""
    return render(
        request,
        f"connectors/copies.html{fragment}",
        {"listing": listing, "clusters": clusters, "standing": standing},
    )


@require_safe
@vary_on_headers("HX-Request")
def show_copy(request: HttpRequest, name: str) -> HttpResponse:
    """One copy: its state, its generations, its runs, and the records that were left out."""
    connector = actions.find_connector(name)
    copy = actions.describe_connector(name)
    running = connector.runs.filter(state=Run.State.RUNNING).first()
    generations = connector.generations.filter(as_of=None).order_by("-number")
    fragment = "#live" if "HX-Request" in request.headers else ""
    return render(
        request,
        f"connectors/copy.html{fragment}",
        {
            "copy": copy,
            "connector": connector,
            "poll": _poll(copy, running),
            **(_progress(running) if running else {}),
            "running": running,
            "declared": _declared(connector),
            "pausable": actions.kept_here(connector) or actions.is_deployed(connector),
            "now": timezone.now(),
            "caught_up": max(0, (copy.lag_at_worst or 0) - (copy.lag or 0)),
            "verdict": verdict_of(name),
            "live": generations.filter(state="live").first(),
            "retired": generations.filter(state="retired", dropped_at=None).first(),
            "generations": generations[:RUNS_SHOWN],
            "tables_as_of": actions.list_tables_as_of(name)[:RUNS_SHOWN],
            "runs": connector.runs.select_related("generation")[:RUNS_SHOWN],
            "quarantine": actions.list_quarantine(name, QUARANTINE_SHOWN),
            "worker_alive": actions.worker_alive(),
        },
    )


def _declared(connector: Connector) -> list[tuple[str, str, datetime | None]]:
    """Return what else the definition says, beside what the page shows of it anyway.

    What comes by itself has the instant when it comes next.
    """
    said = {**connector.definition}
    schedule = said.pop("schedule", None)
    rows: list[tuple[str, object, datetime | None]] = [
        (key, said[key], None) for key in _ALSO_DECLARED if said.get(key) not in (None, "")
    ]
    if isinstance(schedule, dict):
        due = actions.next_runs(connector)
        rows += [(f"{what} by itself", when, due.get(what)) for what, when in schedule.items()]
    return [(key.replace("_", " "), _in_one_line(value), due) for key, value, due in rows]


def _in_one_line(value: object) -> str:
    if isinstance(value, str | int):
        return str(value)
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000)
    return text.strip().removeprefix("{").removesuffix("}").removeprefix("[").removesuffix("]")


def _poll(copy: ConnectorView, running: Run | None) -> int | None:
    """Milliseconds until the page looks again; None where nothing moves."""
    if running:
        return 2_000
    return 5_000 if copy.state in {"live", "starting"} else None


@require_POST
def regenerate_copy(request: HttpRequest, name: str) -> HttpResponse:
    """Start rebuilding a copy and go to the run; a run in progress is shown instead.

    With an instant it is a table as of a time that is built.
    """
    as_of = request.POST.get("as_of")
    try:
        if as_of is not None:  # left empty it is no instant, and no wish to rebuild the copy
            run = actions.regenerate_as_of(name, parse_instant(as_of))
        else:
            run = actions.regenerate(name)
    except (FutureInstantError, InstantInvalidError, KeptByConnectError) as refused:
        messages.warning(request, str(refused))
        return redirect("copy", name)
    except RunInProgressError as refused:
        messages.warning(request, str(refused))
        standing = actions.describe_connector(name).running
        return redirect("run", standing) if standing else redirect("copy", name)
    return redirect("run", run.pk)


@require_POST
def drop_table_as_of(request: HttpRequest, name: str) -> HttpResponse:
    """Drop a table as of a time, and go to the run."""
    return _start(
        request, name, lambda name: actions.drop_as_of(name, request.POST.get("table", ""))
    )


@require_POST
def roll_back_copy(request: HttpRequest, name: str) -> HttpResponse:
    """Make the generation before the live one live again, and go to the run."""
    return _start(request, name, actions.roll_back)


@require_POST
def replay_copy(request: HttpRequest, name: str) -> HttpResponse:
    """Try chosen records of the quarantine again, or all, and go to the run."""
    places = [
        (found[1], int(found[2]), int(found[3]))
        for text in request.POST.getlist("record")
        if (found := _PLACE.fullmatch(text))
    ]
    everything = "all" in request.POST
    if not places and not everything:
        messages.warning(request, "Choose the records to be tried again.")
        return redirect("copy", name)
    return _start(request, name, lambda copy: actions.replay(copy, None if everything else places))


def _start(request: HttpRequest, name: str, ask: Callable[[str], Run]) -> HttpResponse:
    try:
        run = ask(name)
    except (
        KeptByConnectError,
        NothingRetiredError,
        QuarantineMissingError,
        RunInProgressError,
        TableMissingError,
    ) as refused:
        messages.warning(request, str(refused))
        return redirect("copy", name)
    return redirect("run", run.pk)


@require_POST
def pause_copy(_request: HttpRequest, name: str) -> HttpResponse:
    """Stop copying until resumed."""
    actions.pause(name)
    return redirect("copy", name)


@require_POST
def resume_copy(_request: HttpRequest, name: str) -> HttpResponse:
    """Go on copying."""
    actions.resume(name)
    return redirect("copy", name)


@require_safe
@vary_on_headers("HX-Request")
def show_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """One run: its phases, how far it is, how fast, and what it said."""
    run = actions.find_run(run_id)
    fragment = "#progress" if "HX-Request" in request.headers else ""
    return render(
        request,
        f"connectors/run.html{fragment}",
        {
            "run": run,
            **_progress(run),
            "audit": run.audits.first(),
            "unit": _UNITS.get(run.phase, ""),
            "worker_alive": actions.worker_alive(),
        },
    )


@require_POST
def cancel_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Ask a run to stop; the copy stays as it was."""
    try:
        actions.cancel(actions.find_run(run_id))
    except RunEndedError as refused:
        messages.warning(request, str(refused))
    return redirect("run", run_id)


def _progress(run: Run) -> dict[str, object]:
    """What follows from a run's numbers; `done` of `total` are those of the phase it stands in."""
    running = run.state == Run.State.RUNNING
    began = _phase_began(run)
    seconds = (run.moved_at - began).total_seconds() if began else 0
    rate = run.done / seconds if running and run.done and seconds > 0 else None
    left = (run.total - run.done) / rate if rate and run.total is not None else None
    return {
        "running": running,
        "rate": rate,
        "seconds_left": max(left, 0) if left is not None else None,
        "took": ((run.finished_at or run.moved_at) - run.started_at).total_seconds(),
        "phases": _phases(run),
    }


def _phase_began(run: Run) -> datetime | None:
    """When the run entered its phase: the first line of its log that the phase wrote."""
    for line in run.log:
        if isinstance(line, dict) and str(line.get("message")).startswith(f"{run.phase}: "):
            return parse_datetime(str(line.get("at")))
    return None


def _phases(run: Run) -> list[tuple[str, str]]:
    """Each phase with its state; the phase that a failed run stood in has failed."""
    phases = actions.run_phases(run)
    if run.state == Run.State.SUCCEEDED:
        return [(phase, "done") for phase in phases]
    if run.phase not in phases:
        return [(run.phase, run.state)]
    at = phases.index(run.phase)
    return [
        (phase, "done" if index < at else run.state if index == at else "waiting")
        for index, phase in enumerate(phases)
    ]
