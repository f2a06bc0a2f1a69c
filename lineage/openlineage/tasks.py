"""The job of the schedule that emits our lineage, where a destination is set."""

import logging

from celery import shared_task

from lineage.openlineage.destinations import destinations
from lineage.openlineage.emit import emit_once
from lineage.openlineage.errors import EmissionError

log = logging.getLogger(__name__)
# one worker does all jobs: the rest waits for the next turn
_SECONDS = 10.0


@shared_task(name="lineage.openlineage.tasks.emit", expires=30, ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def emit() -> None:
    """Tell each destination what it does not know; one that is away is asked next time."""
    try:
        for destination in destinations():
            emit_once(destination, seconds=_SECONDS)
    except EmissionError as error:
        log.warning("%s", error)
