"""Start the runs that a connector's `schedule` asks for when they are due."""

import logging
from datetime import datetime

from django.utils import timezone

from lineage.connectors.actions.runs import request_run
from lineage.connectors.errors import RunInProgressError, ScheduleInvalidError
from lineage.connectors.kinds import known_kinds
from lineage.connectors.models import Connector, Run
from lineage.connectors.schedules import next_time

logger = logging.getLogger(__name__)


def next_due(schedule: str, last: datetime) -> datetime:
    """Return when a run is due after the last one: `1h`, `7d`, or cron's five fields (UTC).

    Raises ScheduleInvalidError.
    """
    try:
        return next_time(schedule, last)
    except ValueError as error:
        raise ScheduleInvalidError(str(error)) from error


def due_runs(now: datetime) -> list[tuple[Connector, str]]:
    """Name the runs that are due: connector and kind; of a paused connector none is."""
    return [
        (connector, kind)
        for connector in Connector.objects.order_by("name")
        for kind, due in next_runs(connector).items()
        if due <= now
    ]


def next_runs(connector: Connector) -> dict[str, datetime]:
    """Return when each kind of run is due next by the schedule; of a paused connector none is."""
    if connector.state == Connector.State.PAUSED:
        return {}
    found = {}
    for kind, schedule in _schedules(connector).items():
        runs = Run.objects.filter(connector=connector, kind=kind).order_by("-started_at")
        last = runs.values_list("started_at", flat=True).first()
        try:
            found[kind] = next_due(schedule, last or connector.declared_at)
        except ScheduleInvalidError as error:
            logger.warning("%s: schedule of %s: %s", connector.name, kind, error)
    return found


def _schedules(connector: Connector) -> dict[str, str]:
    declared = connector.definition.get("schedule")
    if not isinstance(declared, dict):
        return {}
    known = known_kinds()
    return {kind: str(when) for kind, when in declared.items() if kind in known and when}


def start_due_runs(now: datetime | None = None) -> list[Run]:
    """Ask for every run that is due; a connector with a run in progress waits for its end."""
    started = []
    for connector, kind in due_runs(now or timezone.now()):
        try:
            started.append(request_run(connector.name, kind, scheduled=True))
        except RunInProgressError:
            continue
    return started
