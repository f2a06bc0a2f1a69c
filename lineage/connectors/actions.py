"""What can be done with connectors and runs; called by REST, pages, commands and declarations."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils import timezone

from catalog.declaration import Change, FieldChange
from catalog.models import BoundedContext, Cluster, Service
from lineage.connectors.definition import Definition, check, expand, redact, show, storable
from lineage.connectors.errors import (
    ConnectorMissingError,
    DefinitionInvalidError,
    RunEndedError,
    RunInProgressError,
    RunMissingError,
)
from lineage.connectors.models import Connector, Generation, Quarantine, Run, Worker

STATES = ("starting", "live", "paused", "regenerating", "stopped")
"""What a connector is shown as: *starting* until it copies for the first time, or again."""

PHASES = ("waiting", "read", "load", "catch-up", "verify", "swap")
"""What a run passes through; one that ended early names the phase it stood in."""

WORKER_IS_GONE_AFTER = timedelta(seconds=15)
"""A worker that left no heartbeat for this long is taken for dead."""


@dataclass(frozen=True)
class ConnectorView:
    """A connector as REST and pages show it; `target` is redacted.

    `lag` counts records, `rows` the copy's rows, `quarantined` the records left out; `state` is
    one of STATES; `running` is the run in progress.
    """

    name: str
    topics: tuple[str, ...]
    target: str
    table: str
    mode: str
    context: str | None
    service: str | None
    state: str
    message: str
    lag: int | None
    rows: int | None
    rows_per_second: float | None
    measured_at: datetime | None
    live_generation: int | None
    quarantined: int
    running: UUID | None


# -- reading ------------------------------------------------------------------------------------
def list_connectors() -> list[ConnectorView]:
    """Every connector, by name."""
    found = (
        Connector.objects
        .select_related("context", "service")
        .annotate(
            quarantined=Count("quarantine"),
            live_number=Subquery(
                Generation.objects.filter(
                    connector=OuterRef("pk"), state=Generation.State.LIVE
                ).values("number")[:1]
            ),
            running=Subquery(
                Run.objects
                .filter(connector=OuterRef("pk"), state=Run.State.RUNNING)
                .order_by()
                .values("pk")[:1]
            ),
        )
        .order_by("name")
    )
    return [_view(connector) for connector in found]


def describe_connector(name: str) -> ConnectorView:
    """One connector; raises ConnectorMissingError."""
    for view in list_connectors():
        if view.name == name:
            return view
    raise ConnectorMissingError(f"no connector is named {name!r}")


def _view(connector: Any) -> ConnectorView:
    return ConnectorView(
        name=connector.name,
        topics=tuple(connector.topics),
        target=show(connector.target, _setting),
        table=connector.table,
        mode=connector.mode,
        context=connector.context.name if connector.context else None,
        service=connector.service.name if connector.service else None,
        state=_state_shown(connector),
        message=connector.message,
        lag=connector.lag,
        rows=connector.rows,
        rows_per_second=connector.rows_per_second,
        measured_at=connector.measured_at,
        live_generation=connector.live_number,
        quarantined=connector.quarantined,
        running=connector.running,
    )


def _state_shown(connector: Any) -> str:
    """What it does: none is live before it has a generation, or while its target is away."""
    if connector.running:
        return "regenerating"
    if connector.state != Connector.State.LIVE:
        return str(connector.state)
    return "starting" if connector.retrying or connector.live_number is None else "live"


def list_runs(connector: str | None = None, state: str | None = None) -> QuerySet[Run]:
    """Runs, newest first: of one connector, in one state, or all."""
    runs = Run.objects.select_related("connector", "generation").order_by("-started_at", "pk")
    if connector:
        runs = runs.filter(connector__name=connector)
    return runs.filter(state=state) if state else runs


def list_generations(name: str) -> QuerySet[Generation]:
    """Return the generations of a copy, newest first; raises ConnectorMissingError."""
    return find_connector(name).generations.order_by("-number")


def find_connector(name: str) -> Connector:
    """Return the row of one connector; raises ConnectorMissingError."""
    try:
        return Connector.objects.select_related("cluster").get(name=name)
    except Connector.DoesNotExist:
        raise ConnectorMissingError(f"no connector is named {name!r}") from None


def find_run(run_id: UUID | str) -> Run:
    """Return one run; raises RunMissingError."""
    try:
        return Run.objects.select_related("connector", "generation").get(pk=UUID(str(run_id)))
    except (Run.DoesNotExist, ValueError):
        raise RunMissingError(f"no run has the id {run_id}") from None


def list_quarantine(name: str, limit: int = 100) -> list[Quarantine]:
    """Return the newest records that could not be copied."""
    return list(find_connector(name).quarantine.all()[:limit])


def worker_alive() -> bool:
    """Whether any worker left a heartbeat lately."""
    return Worker.objects.filter(seen_at__gt=timezone.now() - WORKER_IS_GONE_AFTER).exists()


# -- declaring ----------------------------------------------------------------------------------
def definition_of(connector: Connector) -> Definition:
    """Return the definition that a connector was declared with."""
    return check(connector.definition)


def declare(declared: Mapping[str, Any]) -> Change:
    """Create or change a connector, and tell what changed; raises DefinitionInvalidError.

    A changed target, table, key or mode makes another copy: it is stopped until regenerated.
    """
    definition = check(declared)
    values = {
        "cluster": _cluster(definition),
        "context": _named(BoundedContext, "context", definition.context, definition),
        "service": _named(Service, "service", definition.service, definition),
        "topics": list(definition.topics),
        "target": definition.target,
        "table": definition.table,
        "mode": definition.mode,
        "definition": storable(declared),
    }
    with transaction.atomic():
        found = Connector.objects.select_for_update(of=("self",)).filter(name=definition.name)
        connector = found.first()
        if connector is None:
            Connector.objects.create(name=definition.name, **values)
            return Change("connector", definition.name, "created")
        changed = tuple(
            FieldChange(key, _shown(getattr(connector, key)), _shown(value))
            for key, value in values.items()
            if getattr(connector, key) != value
        )
        if not changed:
            return Change("connector", definition.name, "unchanged")
        if _another_copy(check(connector.definition), definition):
            values |= {
                "state": Connector.State.STOPPED,
                "message": "declared anew: regenerate to build the copy that is declared now",
            }
        found.update(**values)
    return Change("connector", definition.name, "changed", changed)


def _shown(value: object) -> str:
    """Return a declared value fit to be shown."""
    if isinstance(value, dict):
        return str({key: redact(str(item)) for key, item in value.items()})
    return redact(value) if isinstance(value, str) else str(value)


def _another_copy(before: Definition, after: Definition) -> bool:
    shape = (
        *("topics", "target", "table", "mode", "key", "key_format", "cluster"),
        *("columns", "flatten", "start"),
    )
    return any(getattr(before, name) != getattr(after, name) for name in shape)


def _cluster(definition: Definition) -> Cluster:
    name = definition.cluster or settings.KAFKA_CLUSTER_NAME
    cluster = Cluster.objects.filter(name=name).first()
    if cluster is None:
        raise DefinitionInvalidError(f"connector {definition.name}: no cluster is named {name!r}")
    return cluster


def _named(model: Any, kind: str, name: str | None, definition: Definition) -> Any:
    if name is None:
        return None
    found = model.objects.filter(name=name).first()
    if found is None:
        raise DefinitionInvalidError(f"connector {definition.name}: no {kind} is named {name!r}")
    return found


def target_url(target: str) -> str:
    """Expand a target's `${NAME}`s from the environment, else from Django's settings."""
    return expand(target, _setting)


def _setting(name: str) -> str | None:
    value = os.environ.get(name) or getattr(settings, name, None)
    return None if value is None else str(value)


# -- acting -------------------------------------------------------------------------------------
def regenerate(name: str) -> Run:
    """Ask for the copy to be built anew; a connectors worker picks the run up.

    Raises RunInProgressError while another run of the connector stands.
    """
    connector = find_connector(name)
    try:
        with transaction.atomic():
            return Run.objects.create(connector=connector, message="waiting for a worker")
    except IntegrityError:
        raise RunInProgressError(f"{name} is being regenerated already") from None


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


_ENDS = {
    Run.State.SUCCEEDED.value: "succeeded",
    Run.State.FAILED.value: "failed",
    Run.State.CANCELLED.value: "was cancelled",
}


def pause(name: str) -> Connector:
    """Stop copying until resumed; offsets stay in the target."""
    connector = find_connector(name)
    Connector.objects.filter(pk=connector.pk).update(
        state=Connector.State.PAUSED, message="", rows_per_second=None
    )
    return find_connector(name)


def resume(name: str) -> Connector:
    """Go on copying, after a pause or after what stopped it was mended."""
    connector = find_connector(name)
    Connector.objects.filter(pk=connector.pk).update(state=Connector.State.LIVE, message="")
    return find_connector(name)
