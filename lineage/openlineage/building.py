"""The runs that build copies anew, as OpenLineage runs: each ends COMPLETE, FAIL or ABORT."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q

from lineage.connectors.as_of import AS_OF, DROP, table_as_of
from lineage.connectors.models import Run
from lineage.edges import Node
from lineage.openlineage.events import Job, State, facet, own_facet, run_event
from lineage.openlineage.facts import Facts
from lineage.openlineage.naming import Name

_ENDS: dict[str, State] = {
    Run.State.SUCCEEDED: "COMPLETE",
    Run.State.FAILED: "FAIL",
    Run.State.CANCELLED: "ABORT",
}
# a run may be committed a little after the instant that it says
_OVERLAP = timedelta(minutes=1)


def building_events(
    facts: Facts, sent: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the events of runs that moved since, and what is to be noted of them.

    `sent` has `until`, up to when runs were looked at, and `states`: of the runs that have not
    ended, or ended lately, the state that was told.
    """
    until = datetime.fromisoformat(sent["until"]) if sent.get("until") else None
    states: dict[str, str] = dict(sent.get("states", {}))
    # to drop a table is no flow of data
    rows = Run.objects.filter(connector__cluster=facts.cluster).exclude(kind=DROP.name)
    if until is not None:
        rows = rows.filter(Q(moved_at__gt=until - _OVERLAP) | Q(pk__in=list(states)))
    events: list[dict[str, Any]] = []
    kept: dict[str, str] = {}
    newest = until
    for run in rows.select_related("connector", "generation").order_by("moved_at", "pk"):
        known = states.get(str(run.pk))
        if known != run.state:
            events += _events(run, facts, begun=known is not None)
        newest = max(newest or run.moved_at, run.moved_at)
        kept[str(run.pk)] = run.state
    if newest is None:
        return [], dict(sent)
    lately = {
        str(run.pk)
        for run in rows
        if run.state == Run.State.RUNNING or run.moved_at > newest - 2 * _OVERLAP
    }
    states = {key: state for key, state in kept.items() if key in lately}
    return events, {"until": newest.isoformat(), "states": dict(sorted(states.items()))}


def _events(run: Run, facts: Facts, *, begun: bool) -> Iterator[dict[str, Any]]:
    if not begun:
        yield _event("START", run.started_at, run, facts)
    state = _ENDS.get(run.state)
    if state is not None:
        yield _event(state, run.finished_at or run.moved_at, run, facts)


def _event(state: State, at: datetime, run: Run, facts: Facts) -> dict[str, Any]:
    connector = run.connector
    name = Name(settings.OPENLINEAGE_NAMESPACE, f"{connector.name}.{run.kind}")
    job = Job(
        name,
        {
            **facts.job_facets(Node("copy", connector.name)),
            "jobType": facet(
                "JobTypeJobFacet", processingType="BATCH", integration="KAFKA", jobType="CONNECTOR"
            ),
        },
    )
    outputs = facts.copy(connector.name)
    if run.kind == AS_OF.name:
        instant = datetime.fromisoformat(run.arguments["as_of"])
        outputs = facts.table_beside(connector.name, table_as_of(connector.table, instant))
    if state == "COMPLETE" and run.rows is not None:
        for output in outputs:
            output.output_facets["outputStatistics"] = facet(
                "OutputStatisticsOutputDatasetFacet", rowCount=run.rows
            )
    inputs = [facts.topic(topic) for topic in connector.topics]
    return run_event(state, at, run.pk, job, (inputs, outputs), _run_facets(state, run))


def _run_facets(state: State, run: Run) -> dict[str, Any]:
    facets: dict[str, Any] = {}
    made = run.generation
    if made is not None:
        told: dict[str, Any] = {"number": made.number}
        if made.as_of is not None:
            told = {"asOf": made.as_of.isoformat()}
        facets["insideout_generation"] = own_facet(
            "GenerationFacet",
            **told,
            fromOffsets=made.from_offsets,
            toOffsets=made.to_offsets,
            digest=made.digest,
        )
    if state == "FAIL":
        facets["errorMessage"] = facet(
            "ErrorMessageRunFacet", message=run.message, programmingLanguage="PYTHON"
        )
    return facets
