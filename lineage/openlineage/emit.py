"""Emitting our lineage: observed jobs, and the runs that build copies anew.

At least once: what was told is noted after the destination took it. Run ids follow from the job
and the number of its run, so that what is told twice is told of the same run. Lineage that was
itself received as OpenLineage is not passed on.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from typing import Any
from uuid import UUID, uuid5

import orjson
from django.conf import settings
from django.utils import timezone

from catalog.models import Cluster
from lineage import actions
from lineage.edges import EdgeView, EvidenceView, Node, is_fresh
from lineage.openlineage.building import building_events
from lineage.openlineage.destinations import Destination
from lineage.openlineage.errors import ReceiverRefusedError
from lineage.openlineage.events import Dataset, Job, facet, own_facet, run_event
from lineage.openlineage.facts import Facts
from lineage.openlineage.models import Emission
from lineage.openlineage.naming import Name
from lineage.openlineage.plan import Due, Seen, Told, due
from lineage.openlineage.receive import EVIDENCE

log = logging.getLogger(__name__)
_RUNS = UUID("6d1f5f0e-7a55-5e0b-9c39-0d3a5b1f8a11")


@dataclass
class Outcome:
    """What a round came to; `refused` tells why, job by job; not `finished` when time ran out."""

    emitted: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    finished: bool = True


@dataclass(frozen=True)
class _Work:
    """A job of one cluster, and its edges by key: `in:TOPIC` that it reads, `out:TOPIC` writes."""

    node: Node
    edges: Mapping[str, tuple[EdgeView, tuple[EvidenceView, ...]]]

    def topics(self, prefix: str) -> list[str]:
        return sorted(key.partition(":")[2] for key in self.edges if key.startswith(prefix))


def emit_once(destination: Destination, *, seconds: float | None = None) -> Outcome:
    """Tell the destination what it does not know, for at most so many seconds.

    Raises ReceiverAwayError; what was told until then is noted. A refused event does not hold up
    other jobs.
    """
    outcome = Outcome()
    ends = None if seconds is None else time.monotonic() + seconds
    for cluster in Cluster.objects.order_by("name"):
        facts = Facts(cluster)
        for key, events, note in _rounds(destination, facts):
            if ends is not None and time.monotonic() > ends:
                outcome.finished = False
                return outcome
            if _delivered(destination, key, events, outcome):
                note()
    return outcome


def _delivered(
    destination: Destination, key: str, events: list[dict[str, Any]], outcome: Outcome
) -> bool:
    try:
        for event in events:
            destination.send(event)
            outcome.emitted += 1
    except ReceiverRefusedError as error:
        outcome.refused[key] = str(error)
        log.warning("%s: %s", key, error)
        return False
    return True


_Round = tuple[str, list[dict[str, Any]], Callable[[], object]]


def _rounds(destination: Destination, facts: Facts) -> Iterator[_Round]:
    """Return what is due, job by job: its name, its events, and how to note that they went."""
    at = timezone.now()
    prefix = f"{facts.cluster.name}/"
    rows = {
        row.job: row
        for row in Emission.objects.filter(destination=destination.name, job__startswith=prefix)
    }
    for work in _works(facts.cluster):
        key = prefix + work.node.key
        row = rows.get(key) or Emission(destination=destination.name, job=key)
        told = _told(row)
        digest = _digest(work, facts)
        plan, after = due(_seen(work, at), told, digest)
        events = [_event(one, key, work, facts) for one in plan]
        if events:
            yield key, events, partial(_note, row, after)
    key = f"{facts.cluster.name}|runs"
    found = Emission.objects.filter(destination=destination.name, job=key).first()
    built = Emission(destination=destination.name, job=key) if found is None else found
    events, sent = building_events(facts, built.sent)
    if sent != built.sent:
        built.sent = sent
        yield key, events, built.save


def _works(cluster: Cluster) -> list[_Work]:
    found: dict[Node, dict[str, tuple[EdgeView, tuple[EvidenceView, ...]]]] = {}
    for edge in actions.resolve(cluster=cluster.name):
        own = tuple(proof for proof in edge.evidence if proof.kind != EVIDENCE)
        if not own or {edge.source.kind, edge.target.kind} == {"topic"}:
            continue
        if edge.source.kind == "topic":
            found.setdefault(edge.target, {})[f"in:{edge.source.name}"] = edge, own
        elif edge.target.kind == "topic":
            found.setdefault(edge.source, {})[f"out:{edge.target.name}"] = edge, own
    return [_Work(node, edges) for node, edges in sorted(found.items())]


def _seen(work: _Work, at: datetime) -> list[Seen]:
    return [
        Seen(
            key,
            min(proof.first_seen for proof in own),
            max(proof.last_seen for proof in own),
            any(is_fresh(proof.kind, proof.last_seen, at) for proof in own),
        )
        for key, (_, own) in work.edges.items()
    ]


def _digest(work: _Work, facts: Facts) -> str:
    topics = sorted({*work.topics("in:"), *work.topics("out:")})
    return sha256(orjson.dumps(facts.signature(topics, work.node))).hexdigest()


def _told(row: Emission) -> Told:
    sent = {key: datetime.fromisoformat(value) for key, value in row.sent.items()}
    return Told(row.runs, row.open, sent, row.digest, row.told_at)


def _note(row: Emission, told: Told) -> None:
    row.runs, row.open, row.digest, row.told_at = told.runs, told.open, told.digest, told.told_at
    row.sent = {key: value.isoformat() for key, value in told.sent.items()}
    row.save()


def job_of(node: Node, facts: Facts) -> Job:
    """Return the job that a node is: by its name, an actor by what that name is as well."""
    name = node.key if node.kind == "actor" else node.name
    return Job(Name(settings.OPENLINEAGE_NAMESPACE, name), facts.job_facets(node))


def _event(one: Due, key: str, work: _Work, facts: Facts) -> dict[str, Any]:
    reads = [name.partition(":")[2] for name in one.edges if name.startswith("in:")]
    writes = [name.partition(":")[2] for name in one.edges if name.startswith("out:")]
    outputs: list[Dataset] = [facts.topic(name, written=True) for name in writes]
    if work.node.kind == "copy":
        outputs += facts.copy(work.node.name)
    run = uuid5(_RUNS, f"{settings.OPENLINEAGE_NAMESPACE} {key} {one.run}")
    inputs = [facts.topic(name) for name in reads]
    job = job_of(work.node, facts)
    return run_event(one.state, one.at, run, job, (inputs, outputs), _run_facets(one, work))


def _run_facets(one: Due, work: _Work) -> dict[str, Any]:
    proofs = [
        {
            "direction": key.partition(":")[0],
            "topic": key.partition(":")[2],
            "confidence": edge.confidence,
            "kinds": [proof.kind for proof in own],
        }
        for key, (edge, own) in sorted(work.edges.items())
        if key in one.edges
    ]
    return {
        "processing_engine": facet(
            "ProcessingEngineRunFacet", name="Insideout", version=version("insideout")
        ),
        "insideout_evidence": own_facet("EvidenceFacet", edges=proofs),
    }
