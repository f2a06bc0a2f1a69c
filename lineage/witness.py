"""Answers the catalog's question who was observed at a topic."""

from collections.abc import Sequence
from datetime import datetime

from catalog.observation import Access, Direction
from lineage import actions
from lineage.edges import EdgeView, Node


def observe(
    cluster: str, topics: Sequence[str] | None = None, as_of: datetime | None = None
) -> list[Access]:
    """Return the writers and readers of the topics (of all of them when None), by topic."""
    wanted = set(topics) if topics is not None else None
    accesses = [
        access
        for edge in actions.resolve(as_of=as_of, cluster=cluster, topics=topics)
        for access in _accesses(edge)
        if wanted is None or access.topic in wanted
    ]
    return sorted(accesses, key=lambda it: (it.topic, it.direction, it.service or "", it.actor))


def _accesses(edge: EdgeView) -> list[Access]:
    found = []
    if edge.target.kind == "topic" and edge.source.kind != "topic":
        found.append(_access(edge, edge.target.name, "writes", edge.source))
    if edge.source.kind == "topic" and edge.target.kind != "topic":
        found.append(_access(edge, edge.source.name, "reads", edge.target))
    return found


def _access(edge: EdgeView, topic: str, direction: Direction, who: Node) -> Access:
    return Access(
        topic=topic,
        direction=direction,
        actor=who.name,
        service=who.name if who.kind == "service" else None,
        context=who.context,
        evidence=tuple(proof.kind for proof in edge.evidence),
        first_seen=edge.first_seen,
        last_seen=edge.last_seen,
        active=edge.active,
        actor_kind=who.known_by or who.kind,
    )
