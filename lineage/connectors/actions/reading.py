"""How connectors, runs and workers stand; read by REST, pages, commands and jobs."""

import os
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.utils import timezone

from catalog.observation import StoppedCopy
from lineage.connectors.definition import Definition, check, expand, show
from lineage.connectors.errors import ConnectorMissingError, RunMissingError
from lineage.connectors.models import Connector, Generation, Quarantine, Run, Worker
from lineage.connectors.remedies import remedy

STATES = ("starting", "live", "paused", "regenerating", "stopped")
"""What a connector is shown as: *starting* until it copies for the first time, or again."""

# what a target may be filled in with, beside the environment
_OWN_SETTINGS = ("VAR_DIR", "COPIES_POSTGRES_URL")

WORKER_IS_GONE_AFTER = timedelta(seconds=15)
"""A worker that left no heartbeat for this long is taken for dead."""


@dataclass(frozen=True)
class ConnectorView:
    """A connector as REST and pages show it; `target` is redacted.

    `lag` counts records (`lag_at_worst`: since it was last level), `rows` the copy's rows,
    `quarantined` the records left out; `state` is one of STATES; `running` is the run in progress;
    `trouble` is the code of what keeps it from copying, `remedy` what to do about that.
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
    running_kind: str | None
    trouble: str
    remedy: str
    lag_at_worst: int | None
    level_in_seconds: float | None
    engine: str = "own"


# -- reading ------------------------------------------------------------------------------------
def list_connectors() -> list[ConnectorView]:
    """Every connector, by name."""
    found = (
        Connector.objects
        .select_related("context", "service", "deployment")
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
        .annotate(
            running_kind=Subquery(
                Run.objects
                .filter(connector=OuterRef("pk"), state=Run.State.RUNNING)
                .order_by()
                .values("kind")[:1]
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
    view = ConnectorView(
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
        running_kind=connector.running_kind,
        trouble=connector.trouble,
        remedy=remedy(connector.trouble),
        lag_at_worst=connector.lag_at_worst,
        level_in_seconds=connector.level_in_seconds,
    )
    return view if kept_here(connector) else replace(view, **_elsewhere(connector))


def kept_here(connector: Connector) -> bool:
    """Whether our own workers copy it: declared so, and no longer deployed on Kafka Connect."""
    return (connector.definition.get("engine") or "own") == "own" and not is_deployed(connector)


def is_deployed(connector: Connector) -> bool:
    """Whether Kafka Connect has it, as far as is known here."""
    return hasattr(connector, "deployment")


_ON_CONNECT = {"RUNNING": "live", "PAUSED": "paused", "STOPPED": "paused"}
_ENDED_ON_CONNECT = frozenset({"FAILED", "MISSING"})


def _elsewhere(connector: Connector) -> dict[str, Any]:
    """Return how a copy stands that Kafka Connect keeps, or shall keep."""
    engine = connector.definition.get("engine") or "own"
    if not is_deployed(connector):
        said = "declared for Kafka Connect, and not deployed there yet: deploy it"
        return {"engine": engine, "state": "stopped", "message": said, "lag": None}
    deployed = connector.deployment
    state = "stopped" if deployed.state in _ENDED_ON_CONNECT else "starting"
    state, message = _ON_CONNECT.get(deployed.state, state), deployed.message
    if engine == "own":
        message = "still deployed on Kafka Connect: undeploy it, then it is copied here again"
    return {
        "engine": engine,
        "state": state,
        "message": message,
        "lag": deployed.lag,
        "rows": None,
        "rows_per_second": deployed.rows_per_second,
        "measured_at": deployed.seen_at,
    }


def _state_shown(connector: Any) -> str:
    """What it does: none is live before it has a generation, or while its target is away."""
    if connector.running and connector.running_kind == "regenerate":
        return "regenerating"
    if connector.state != Connector.State.LIVE:
        return str(connector.state)
    return "starting" if connector.retrying or connector.live_number is None else "live"


def stopped_copies() -> list[StoppedCopy]:
    """Answer the catalog's question which copies have stopped, and why."""
    stopped = Connector.objects.filter(state=Connector.State.STOPPED).order_by("name")
    return [StoppedCopy(one.name, tuple(one.topics), one.message) for one in stopped]


def list_runs(connector: str | None = None, state: str | None = None) -> QuerySet[Run]:
    """Runs, newest first: of one connector, in one state, or all."""
    runs = Run.objects.select_related("connector", "generation").order_by("-started_at", "pk")
    if connector:
        runs = runs.filter(connector__name=connector)
    return runs.filter(state=state) if state else runs


def list_generations(name: str) -> QuerySet[Generation]:
    """Return the generations of a copy, newest first, and then its tables as of a time.

    Raises ConnectorMissingError.
    """
    newest = F("number").desc(nulls_last=True)
    return find_connector(name).generations.order_by(newest, "-as_of", "pk")


def list_tables_as_of(name: str) -> QuerySet[Generation]:
    """Return the tables as of a time that were built, those first that are there."""
    built = find_connector(name).generations.filter(as_of__isnull=False)
    return built.order_by(F("dropped_at").asc(nulls_first=True), "-as_of", "pk")


def find_connector(name: str) -> Connector:
    """Return the row of one connector; raises ConnectorMissingError."""
    try:
        return Connector.objects.select_related("cluster", "deployment").get(name=name)
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


def list_workers() -> list[Worker]:
    """Return the workers that left a heartbeat lately."""
    alive = Worker.objects.filter(seen_at__gt=timezone.now() - WORKER_IS_GONE_AFTER)
    return list(alive.order_by("name"))


# -- definitions --------------------------------------------------------------------------------
def definition_of(connector: Connector) -> Definition:
    """Return the definition that a connector was declared with."""
    return check(connector.definition)


def target_url(target: str) -> str:
    """Expand a target's `${NAME}`s from the environment, else from Django's settings."""
    return expand(target, _setting)


def own_setting(name: str) -> bool:
    """Whether a variable is the product's own, which nobody's target may carry elsewhere."""
    return hasattr(settings, name) and name not in _OWN_SETTINGS


def _setting(name: str) -> str | None:
    if own_setting(name):
        return None
    value = os.environ.get(name) or getattr(settings, name, None)
    return None if value is None else str(value)
