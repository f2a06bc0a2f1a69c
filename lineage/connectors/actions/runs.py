"""Ask for runs and cancel them; pause copying and resume it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from lineage.connectors.actions.reading import (
    find_connector,
    find_run,
    kept_here,
    list_tables_as_of,
)
from lineage.connectors.errors import (
    FutureInstantError,
    KeptByConnectError,
    NothingRetiredError,
    QuarantineMissingError,
    RunEndedError,
    RunInProgressError,
    TableMissingError,
)
from lineage.connectors.kinds import phases_of
from lineage.connectors.models import Connector, Generation, Run

_ENDS = {
    Run.State.SUCCEEDED.value: "succeeded",
    Run.State.FAILED.value: "failed",
    Run.State.CANCELLED.value: "was cancelled",
}
_DOING = {
    "as-of": "build a table as of a time",
    "drop": "drop a table as of a time",
}
Place = tuple[str, int, int]
"""Topic, partition and offset of a record."""


def request_run(
    name: str, kind: str, arguments: dict[str, Any] | None = None, *, scheduled: bool = False
) -> Run:
    """Ask for a run of a kind; a connectors worker picks it up.

    Raises ConnectorMissingError, RunInProgressError while another run of the connector stands, and
    KeptByConnectError.
    """
    connector = find_connector(name)
    if not kept_here(connector):
        doing = _DOING.get(kind, f"{kind} it")
        raise KeptByConnectError(
            f"{name} is kept by Kafka Connect, which cannot {doing}: undeploy it and declare it "
            f"with `engine: own` to {doing}"
        )
    try:
        with transaction.atomic():
            return Run.objects.create(
                connector=connector,
                kind=kind,
                arguments=arguments or {},
                scheduled=scheduled,
                message="waiting for a worker",
            )
    except IntegrityError:
        standing = Run.objects.filter(connector=connector, state=Run.State.RUNNING).first()
        if standing is None or standing.kind == "regenerate":
            raise RunInProgressError(f"{name} is being regenerated already") from None
        raise RunInProgressError(
            f"{name} has a run in progress already: {standing.kind}, {standing.phase}"
        ) from None


def regenerate(name: str) -> Run:
    """Ask for the copy to be built anew."""
    return request_run(name, "regenerate")


def regenerate_as_of(name: str, instant: datetime) -> Run:
    """Ask for a table of its own that holds what the log said at an instant, to the millisecond.

    Raises FutureInstantError.
    """
    if instant > timezone.now():
        raise FutureInstantError(
            f"{instant.isoformat()} lies in the future: what the log will hold until then is not "
            "known. Name an instant that has passed, or regenerate without one"
        )
    whole = instant.replace(microsecond=instant.microsecond // 1000 * 1000)
    return request_run(name, "as-of", {"as_of": whole.isoformat()})


def drop_as_of(name: str, table: str) -> Run:
    """Ask for a table as of a time to be dropped; raises TableMissingError where none is so named.

    It is a run, since the worker knows the target's secrets.
    """
    there = [
        one.table
        for one in list_tables_as_of(name)
        if one.dropped_at is None and one.state == Generation.State.BUILT
    ]
    if table not in there:
        known = ", ".join(there) or "none"
        raise TableMissingError(
            f"{name} has no table {table!r} as of a time. Those that can be dropped: {known}"
        )
    return request_run(name, "drop", {"table": table})


def roll_back(name: str) -> Run:
    """Ask for the generation before the live one to be made live again.

    It goes on from the offsets where it was left. Raises NothingRetiredError without one.
    """
    connector = find_connector(name)
    retired = connector.generations.filter(state=Generation.State.RETIRED, dropped_at=None)
    if not retired.exists():
        raise NothingRetiredError(f"{name} keeps no generation before the live one")
    return request_run(name, "rollback")


def replay(name: str, places: Sequence[Place] | None = None) -> Run:
    """Ask for records in quarantine to be tried again: the chosen ones, or all.

    Raises QuarantineMissingError where a chosen one, or any, is not there.
    """
    rows = find_connector(name).quarantine.all()
    kept = set(rows.values_list("topic", "partition", "offset"))
    if not kept:
        raise QuarantineMissingError(f"{name} has no record in quarantine")
    for place in places or ():
        if place not in kept:
            raise QuarantineMissingError(
                f"{name} has not left out {place[0]}/{place[1]}@{place[2]}"
            )
    chosen = sorted(set(places)) if places else None
    return request_run(name, "replay", {"records": chosen} if chosen else {})


def cancel(run: Run) -> Run:
    """Ask a run to stop; one that no worker has taken yet stops at once.

    Raises RunEndedError when the run is over.
    """
    running = Run.objects.filter(pk=run.pk, state=Run.State.RUNNING)
    at_once = running.filter(worker="").update(
        state=Run.State.CANCELLED, message="cancelled", finished_at=timezone.now()
    )
    asked = at_once or running.update(cancel_requested=True)
    run = find_run(run.pk)
    if not asked:
        raise RunEndedError(f"the run has ended already: it {_ENDS[run.state]}")
    return run


def pause(name: str) -> Connector:
    """Stop copying until resumed; offsets stay in the target."""
    connector = find_connector(name)
    Connector.objects.filter(pk=connector.pk).update(
        state=Connector.State.PAUSED,
        message="",
        trouble="",
        rows_per_second=None,
        level_in_seconds=None,
    )
    return find_connector(name)


def resume(name: str) -> Connector:
    """Go on copying, after a pause or after what stopped it was mended."""
    connector = find_connector(name)
    Connector.objects.filter(pk=connector.pk).update(
        state=Connector.State.LIVE, message="", trouble=""
    )
    return find_connector(name)


def run_phases(run: Run) -> tuple[str, ...]:
    """Return what a run passes through, in order."""
    return phases_of(run.kind)
