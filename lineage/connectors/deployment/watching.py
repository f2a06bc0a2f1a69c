"""Look at what is deployed: states, error traces, lag, and the edge from topic to copy.

Whether a copy shall run or pause is kept in the database, as for our own engine; here it is
brought about on Connect, so that a Connect that was away is told when it is back.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from broker.errors import BrokerError
from broker.observe import Observer, Partition
from catalog.actions import connection_of
from lineage import ledger
from lineage.connectors.definition import redact
from lineage.connectors.deployment.actions import cluster_at
from lineage.connectors.deployment.client import ConnectCluster
from lineage.connectors.deployment.errors import DeploymentMissingError
from lineage.connectors.deployment.models import Deployment
from lineage.connectors.deployment.rendering import connector_name, group_of
from lineage.connectors.errors import ConnectorError
from lineage.connectors.models import Connector

_LONGEST_TRACE = 8_000
_PAUSED = frozenset({"PAUSED", "STOPPED"})
# what is tried again: of two tasks that make a table, or a column, at one moment, one fails; and a
# deletion that comes before there is a table ends Debezium's task by a null pointer, while which
# partition comes first is chance
_PASSES = {
    "as another task had made it": re.compile(
        r'already exists|duplicate column name|violates unique constraint "pg_', re.IGNORECASE
    ),
    "as a deletion came before there was a table": re.compile(
        r'"data" is null.*getCreateTableStatement', re.DOTALL
    ),
}
_RESTART_AT_MOST_EVERY = timedelta(minutes=5)

logger = logging.getLogger(__name__)


def watch() -> None:
    """Look at every deployment once; one that cannot be looked at keeps no other from it."""
    for deployment in Deployment.objects.select_related("connector__cluster", "connector__context"):
        look(deployment)


def look(deployment: Deployment) -> Deployment:
    """Bring one deployment's row up to date with what Connect and Kafka say."""
    now = timezone.now()
    try:
        told = _told(deployment, cluster_at(deployment.connect))
        told |= _mended(deployment, told, now)
    except DeploymentMissingError:
        told = {
            "state": "MISSING",
            "task_states": [],
            "message": "it is no longer on Kafka Connect: deploy it again, or undeploy it",
            "rows_per_second": None,
        }
    except ConnectorError as error:
        told = {"message": str(error), "state": "UNKNOWN", "rows_per_second": None}
    else:
        told |= _progress(deployment, now)
        told |= _let_all_work(deployment, told)
    told.pop("wrote", None)
    # by filter: one that was undeployed meanwhile must not come back
    Deployment.objects.filter(pk=deployment.pk).update(seen_at=now, **told)
    for name, value in {**told, "seen_at": now}.items():
        setattr(deployment, name, value)
    if any(task["state"] == "RUNNING" for task in deployment.task_states):
        _record(deployment, now)
    return deployment


def _told(deployment: Deployment, cluster: ConnectCluster) -> dict[str, Any]:
    name = connector_name(deployment.connector.name)
    status = cluster.status(name)
    state = str(status.get("connector", {}).get("state", ""))
    _bring_about(deployment.connector, state, cluster, name)
    tasks = [
        {
            "id": task.get("id"),
            "state": str(task.get("state", "")),
            "worker": str(task.get("worker_id", "")),
            "trace": redact(str(task.get("trace", "")))[:_LONGEST_TRACE],
        }
        for task in status.get("tasks", ())
    ]
    failed = [task for task in tasks if task["state"] == "FAILED"]
    said = str(status.get("connector", {}).get("trace", ""))
    message = cause(str(failed[0]["trace"]) if failed else said)
    if not message and deployment.alone:
        message = f"one task works until the table is made; then up to {deployment.tasks} share it"
    return {"state": "FAILED" if failed else state, "task_states": tasks, "message": message}


def _bring_about(connector: Connector, state: str, cluster: ConnectCluster, name: str) -> None:
    """Pause or resume what the database says shall be otherwise than it is."""
    wanted_paused = connector.state == Connector.State.PAUSED
    if wanted_paused and state == "RUNNING":
        cluster.pause(name)
    elif not wanted_paused and state in _PAUSED:
        cluster.resume(name)


def _mended(deployment: Deployment, told: Mapping[str, Any], now: datetime) -> dict[str, object]:
    """Restart tasks that failed of what passes by itself."""
    traces = [str(it["trace"]) for it in told["task_states"] if it["state"] == "FAILED"]
    reasons = [why for why, passes in _PASSES.items() if traces and all(map(passes.search, traces))]
    last = deployment.restarted_at
    if not reasons or (last is not None and now - last < _RESTART_AT_MOST_EVERY):
        return {}
    cluster_at(deployment.connect).restart(connector_name(deployment.connector.name))
    logger.info("%s: restarted, %s", deployment.connector.name, reasons[0])
    return {
        "state": "RESTARTING",
        "message": f"restarted: {cause(traces[0])}, {reasons[0]}",
        "restarted_at": now,
    }


def _let_all_work(deployment: Deployment, told: Mapping[str, Any]) -> dict[str, object]:
    """Give the deployment all its tasks, once the first one has written: then there is a table."""
    if not deployment.alone or not told.get("wrote") or told["state"] != "RUNNING":
        return {}
    cluster = cluster_at(deployment.connect)
    try:
        cluster.put(connector_name(deployment.connector.name), deployment.config)
    except ConnectorError as error:  # busy with a rebalance, mostly: the next look tries again
        return {"message": str(error)}
    return {"alone": False, "message": ""}


def cause(trace: str) -> str:
    """Return what a Java stack trace says last about why: its deepest cause, in one line."""
    lines = [line for line in trace.splitlines() if line and not line.startswith(("\t", " "))]
    return lines[-1].removeprefix("Caused by: ") if lines else ""


# -- how far it is ---------------------------------------------------------------------------------
def _progress(deployment: Deployment, now: datetime) -> dict[str, object]:
    """Count what the group has committed and what is left; nothing new while Kafka is away."""
    connector = deployment.connector
    group = group_of(connector.name)
    try:
        with Observer(connection_of(connector.cluster)) as observer:
            committed = observer.committed_offsets([group]).items.get(group, {})
            places = _partitions(observer, connector.topics)
            ends = observer.end_offsets(places).items
            begins = observer.begin_offsets(places).items
    except BrokerError as error:
        logger.warning("%s: its lag is not known: %s", connector.name, error)
        return {"lag": None, "rows_per_second": None}
    done = sum(committed.get(place, begins.get(place, 0)) for place in ends)
    lag = sum(
        max(0, end - max(committed.get(place, 0), begins.get(place, 0)))
        for place, end in ends.items()
    )
    return {
        "lag": lag,
        "committed": done,
        "rows_per_second": _rate(deployment, done, now),
        "wrote": any(committed.get(place, 0) > begins.get(place, 0) for place in ends),
    }


def _partitions(observer: Observer, topics: Iterable[str]) -> list[Partition]:
    layout = observer.layout()
    return [place for place in layout.leaders if place.topic in set(topics)]


def _rate(deployment: Deployment, done: int, now: datetime) -> float | None:
    if deployment.committed is None or deployment.seen_at is None:
        return None
    seconds = (now - deployment.seen_at).total_seconds()
    return round(max(0, done - deployment.committed) / seconds, 1) if seconds > 0 else None


def _record(deployment: Deployment, now: datetime) -> None:
    """Note the same edge as our own engine does: which engine keeps a copy is a detail of it."""
    connector = deployment.connector
    detail = {
        "table": connector.table,
        "connect": deployment.connect,
        "context": connector.context.name if connector.context else None,
    }
    ledger.record(
        connector.cluster,
        [
            ledger.Observation("topic", topic, "copy", connector.name, "connector", now, detail)
            for topic in connector.topics
        ],
        now,
    )
