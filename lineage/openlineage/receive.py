"""An event received: what it says becomes evidence in the ledger, field flows, and facets.

Receiving one again changes nothing: evidence is kept by instant, flows and facets by the newest.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction

from catalog.actions import ensure_cluster
from catalog.models import Cluster
from lineage import ledger
from lineage.ledger import Observation
from lineage.openlineage.checking import Kind, check, read_instant
from lineage.openlineage.errors import EventInvalidError
from lineage.openlineage.flows import Flow, record_flows
from lineage.openlineage.naming import Name, cluster_of, is_topic
from lineage.openlineage.told import keep_facets

EVIDENCE = "openlineage"
NODE_FACET = "insideout_node"
"""The facet by which another Insideout says which raw node a job or dataset of its is."""

_KAFKA_DEFAULT = "localhost:9092"
_LONGEST_NAME = 500
_DEEPEST = 60
_DETAIL_BYTES = 8 * 1024
_MOST_LEFT_OUT = 40
_FACET_NAME = 100
_ACTORS = frozenset({"group", "transactional_id", "client_id", "producer_id", "source", "copy"})
# a run that ended so has read, perhaps; that it has written cannot be said
_WITHOUT_RESULT = frozenset({"FAIL", "ABORT"})
_COMMON = ("eventTime", "producer", "schemaURL")
_PARTS: dict[Kind, tuple[str, ...]] = {
    "RunEvent": (*_COMMON, "eventType", "run", "job", "inputs", "outputs"),
    "JobEvent": (*_COMMON, "job", "inputs", "outputs"),
    "DatasetEvent": (*_COMMON, "dataset"),
}


@dataclass(frozen=True)
class Receipt:
    """What an event came to: edges that it is evidence of, and flows between fields."""

    event: str
    edges: int
    fields: int


@dataclass(frozen=True)
class _Node:
    """A raw node; `cluster` is set where the name itself says which."""

    kind: str
    name: str
    cluster: int | None = None
    facets: Mapping[str, Any] = field(default_factory=dict, compare=False, hash=False)
    origin: Mapping[str, Any] = field(default_factory=dict, compare=False, hash=False)
    """The facet `columnLineage`: where the fields come from."""


def receive(event: Mapping[str, Any]) -> Receipt:
    """Take in one event. Raises EventInvalidError saying where what is wrong."""
    _refuse_extremes(event)
    kind = check(event)
    at = read_instant(event["eventTime"])
    reading = _Reading(event, kind, at)
    with transaction.atomic():
        # one receiver at a time for a cluster; whoever only refers to it is not held up
        list(Cluster.objects.select_for_update(no_key=True).filter(pk__in=reading.clusters()))
        edges = reading.record_edges()
        fields = record_flows(reading.flows(), EVIDENCE, at)
        reading.keep_facets()
    return Receipt(kind, edges, fields)


def _refuse_extremes(event: Mapping[str, Any]) -> None:
    """Refuse what a schema allows and neither validator nor PostgreSQL bears."""
    level: list[Any] = [event]
    for _ in range(_DEEPEST):
        if any(isinstance(one, str) and "\0" in one for one in level):
            raise EventInvalidError("$: texts may not hold the character U+0000")
        level = [inner for outer in level for inner in _inner(outer)]
    if level:
        raise EventInvalidError(f"$: nested deeper than {_DEEPEST}")


def _inner(outer: Any) -> list[Any]:
    if isinstance(outer, dict):
        return [*outer.keys(), *outer.values()]
    return outer if isinstance(outer, list) else []


class _Reading:
    """One checked event, in the ledger's words."""

    def __init__(self, event: Mapping[str, Any], kind: Kind, at: datetime) -> None:
        # only what belongs to its kind was checked
        self._event = {key: event[key] for key in _PARTS[kind] if key in event}
        event = self._event
        self._at = at
        self._known = dict(Cluster.objects.values_list("pk", "bootstrap_servers"))
        self._job = self._read_job(event["job"]) if "job" in event else None
        inputs = event.get("inputs") or ()
        self._inputs = [self._read_dataset(one, "inputFacets") for one in inputs]
        results = () if event.get("eventType") in _WITHOUT_RESULT else event.get("outputs") or ()
        self._outputs = [self._read_dataset(one, "outputFacets") for one in results]
        if "dataset" in event:
            self._outputs.append(self._read_dataset(event["dataset"]))
        found = [node.cluster for node in self._datasets() if node.cluster is not None]
        self._home = found[0] if found else self._default.pk

    @cached_property
    def _default(self) -> Cluster:
        """The cluster of the settings, or the first that is known; made where none is."""
        found = (
            Cluster.objects.filter(name=settings.KAFKA_CLUSTER_NAME).first()
            or Cluster.objects.order_by("pk").first()
        )
        return found or ensure_cluster(
            settings.KAFKA_CLUSTER_NAME, settings.KAFKA_BOOTSTRAP_SERVERS or _KAFKA_DEFAULT
        )

    def _datasets(self) -> list[_Node]:
        return [*self._inputs, *self._outputs]

    def _read_job(self, job: Mapping[str, Any]) -> _Node:
        facets = job.get("facets") or {}
        marked = _mark(facets, _ACTORS)
        kind, name = marked or ("job", Name(job["namespace"], job["name"]).joined())
        return _Node(kind, _fitting(name, "job"), None, facets)

    def _read_dataset(self, dataset: Mapping[str, Any], place: str = "") -> _Node:
        """Read a dataset; `place` holds the facets of its being read or written."""
        common = dataset.get("facets") or {}
        facets = {**(dataset.get(place) or {}), **common}
        found = self._place(Name(dataset["namespace"], dataset["name"]))
        marked = _mark(common, {"copy"})
        if marked:
            found = _Node(*marked)
        name = _fitting(found.name, "dataset")
        origin = common.get("columnLineage") or {}
        return _Node(found.kind, name, found.cluster, facets, origin)

    def _place(self, name: Name) -> _Node:
        """Return the topic of a cluster that we know, else of the default one; or a dataset."""
        if not is_topic(name):
            return _Node("dataset", name.joined())
        cluster = cluster_of(name, self._known)
        return _Node("topic", name.name, cluster or self._default.pk)

    def clusters(self) -> list[int]:
        """Return the clusters that are spoken of, in one order for all receivers."""
        return sorted({self._home, *(self._in(node) for node in self._datasets())})

    def _in(self, node: _Node) -> int:
        return node.cluster or self._home

    def record_edges(self) -> int:
        """Write the evidence; return how many edges it is of."""
        if self._job is None:
            return 0
        found: dict[int, list[Observation]] = {}
        for source, target in self._pairs(self._job):
            cluster = self._in(target if source == self._job else source)
            observation = Observation(
                source.kind,
                source.name,
                target.kind,
                target.name,
                EVIDENCE,
                self._at,
                self._detail(),
            )
            found.setdefault(cluster, []).append(observation)
        for row in Cluster.objects.filter(pk__in=found).order_by("pk"):
            ledger.record(row, found[row.pk], self._at)
        return len({(key, it.edge) for key, group in found.items() for it in group})

    def _pairs(self, job: _Node) -> Iterator[tuple[_Node, _Node]]:
        yield from ((source, job) for source in self._inputs if source != job)
        yield from ((job, target) for target in self._outputs if target != job)

    def _detail(self) -> dict[str, Any]:
        job, run = self._event["job"], self._event.get("run") or {}
        detail = {
            "job": {"namespace": job["namespace"], "name": job["name"]},
            "run_id": run.get("runId"),
            "state": self._event.get("eventType"),
            "producer": self._event["producer"][:_LONGEST_NAME],
            "facets": _bounded(run.get("facets") or {}),
        }
        return {key: value for key, value in detail.items() if value}

    def flows(self) -> Iterator[Flow]:
        """Return what the outputs' columnLineage says (its fields are dotted paths)."""
        for target in self._outputs:
            lineage = target.origin
            if not lineage or lineage.get("_deleted"):
                continue
            for name, told in lineage["fields"].items():
                how = told.get("transformationType") or ""
                yield from self._flows_into(target, name, told["inputFields"], how)
            yield from self._flows_into(target, "", lineage.get("dataset") or (), "")

    def _flows_into(
        self, target: _Node, name: str, sources: Sequence[Mapping[str, Any]], how: str
    ) -> Iterator[Flow]:
        for one in sources:
            source = self._place(Name(one["namespace"], one["name"]))
            yield Flow(
                self._in(target),
                (source.kind, _fitting(source.name, "columnLineage")),
                _fitting(one["field"], "columnLineage"),
                (target.kind, target.name),
                _fitting(name, "columnLineage"),
                _transformation(one) or how,
            )

    def keep_facets(self) -> None:
        """Keep the facets of the job and of the datasets, but for what the ledger has already."""
        nodes = [*self._datasets(), *([self._job] if self._job else [])]
        told = {
            (self._in(node), node.kind, node.name, facet): value
            for node in nodes
            for facet, value in node.facets.items()
            # flows between fields have rows of their own
            if facet not in {"columnLineage", NODE_FACET}
        }
        keep_facets(told, self._at)


def _mark(facets: Mapping[str, Any], allowed: Iterable[str]) -> tuple[str, str] | None:
    """Return the raw node that a facet of another Insideout names."""
    mark = facets.get(NODE_FACET) or {}
    kind, name = mark.get("kind"), mark.get("name")
    if isinstance(kind, str) and kind in set(allowed) and isinstance(name, str) and name:
        return kind, name
    return None


def _fitting(name: str, what: str) -> str:
    if len(name) > _LONGEST_NAME:
        raise EventInvalidError(f"{what}: {name[:60]!r}… is longer than {_LONGEST_NAME} characters")
    return name


def _transformation(source: Mapping[str, Any]) -> str:
    found = {
        "/".join(part for part in (one.get("type"), one.get("subtype")) if part)
        for one in source.get("transformations") or ()
    }
    return ",".join(sorted(found - {""}))


def _bounded(facets: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facets that there is room for, smallest first; the others by their names."""
    kept: dict[str, Any] = {}
    left_out = []
    room = _DETAIL_BYTES
    for name, value in sorted(facets.items(), key=lambda item: len(orjson.dumps(item[1]))):
        size = len(orjson.dumps(value))
        if size <= room:
            kept[name] = value
            room -= size
        else:
            left_out.append(name[:_FACET_NAME])
    return {**kept, "left_out": left_out[:_MOST_LEFT_OUT]} if left_out else kept
