"""A schema that a table cannot follow in place: the copy is rebuilt in the new shape by itself."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from lineage.connectors.errors import SchemaChangedError
from lineage.connectors.models import Connector, Run

REASON = "schema changed: "
# two writers of different schemas could have it rebuilt for ever
_MOST_IN_A_WHILE = 3
_WHILE = timedelta(hours=1)


def regenerate_into(connector: Connector, error: SchemaChangedError) -> bool:
    """Ask for a run that rebuilds the copy in its new shape; False where that has not helped.

    The generation in place stays readable until the swap. Once is enough: a rebuild that failed
    for the same reason, or three within an hour, and the connector is better stopped.
    """
    reason = f"{REASON}{str(error).removesuffix(': regenerate')}"
    runs = list(Run.objects.filter(connector=connector).order_by("-started_at")[:10])
    if runs and runs[0].state == Run.State.RUNNING:
        return True
    if runs and runs[0].state != Run.State.SUCCEEDED and _reason_of(runs[0]) == reason:
        return False
    since = timezone.now() - _WHILE
    lately = [run for run in runs if _reason_of(run).startswith(REASON) and run.started_at > since]
    if len(lately) >= _MOST_IN_A_WHILE:
        return False
    line = {"at": timezone.now().isoformat(timespec="milliseconds"), "message": reason}
    try:
        with transaction.atomic():
            Run.objects.create(connector=connector, message=reason, log=[line])
    except IntegrityError:
        return True  # somebody else asked meanwhile
    return True


def rebuilding(connector: Connector) -> bool:
    """Whether a run of the connector is in progress, or waits for a worker."""
    return Run.objects.filter(connector=connector, state=Run.State.RUNNING).exists()


def _reason_of(run: Run) -> str:
    return str(run.log[0]["message"]) if run.log else ""
