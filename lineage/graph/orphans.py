"""Topics that are written and not read, read and not written, or at which nobody was seen. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from lineage.edges import EdgeView, Node

OrphanState = Literal[
    "never_read",
    "not_read_since",
    "never_written",
    "not_written_since",
    "quiet",
    "never_observed",
    "never_sampled",
]
ORPHAN_STATES: tuple[OrphanState, ...] = get_args(OrphanState)
Presence = Literal["now", "before", "never"]

_STATES: dict[tuple[Presence, Presence], OrphanState] = {
    ("now", "never"): "never_read",
    ("before", "never"): "never_read",
    ("now", "before"): "not_read_since",
    ("never", "now"): "never_written",
    ("never", "before"): "never_written",
    ("before", "now"): "not_written_since",
    ("before", "before"): "quiet",
    ("never", "never"): "never_observed",
}
"""What is missing, by who writes and who reads; a topic that has both now is no orphan."""


@dataclass(frozen=True)
class Orphan:
    """A topic that lacks writers or readers; those known of old are named all the same.

    `never_…`: nobody was ever seen doing so. `not_…_since`: somebody was, until `read_at` or
    `written_at`. `quiet`: neither is seen any more. `never_observed`: samples were taken and showed
    nobody. `never_sampled`: no sample was taken since the topic is known, so nothing is known.
    """

    topic: Node
    state: OrphanState
    writers: tuple[Node, ...]
    readers: tuple[Node, ...]
    written_at: datetime | None
    read_at: datetime | None


def find_orphans(
    edges: Sequence[EdgeView],
    topics: Iterable[Node] = (),
    *,
    at: datetime,
    idle: timedelta | None = None,
    unsampled: Collection[str] = (),
) -> list[Orphan]:
    """Return the orphans among the topics of the edges and `topics`, the known ones, by name.

    Somebody is there now while the edge is active or was seen within `idle` of `at`; a longer
    `idle` spares topics that move once a day. A copy reads. `unsampled` names topics that no sample
    can have seen.
    """
    writing: dict[Node, list[EdgeView]] = defaultdict(list)
    reading: dict[Node, list[EdgeView]] = defaultdict(list)
    for edge in edges:
        if edge.target.kind == "topic":
            writing[edge.target].append(edge)
        if edge.source.kind == "topic":
            reading[edge.source].append(edge)
    # a topic as the catalog knows it has its context, and is the same by kind and name
    known = {topic: topic for topic in (*writing, *reading, *topics)}
    found = []
    for topic in sorted(known.values(), key=lambda node: node.key):
        written, read = writing.get(topic, []), reading.get(topic, [])
        state = _STATES.get((_presence(written, at, idle), _presence(read, at, idle)))
        if state == "never_observed" and topic.name in unsampled:
            state = "never_sampled"
        if state is not None:
            found.append(_orphan(topic, state, written, read))
    return found


def _presence(edges: Sequence[EdgeView], at: datetime, idle: timedelta | None) -> Presence:
    if not edges:
        return "never"
    for edge in edges:
        if edge.active or (idle is not None and at - edge.last_seen <= idle):
            return "now"
    return "before"


def _orphan(
    topic: Node, state: OrphanState, written: Sequence[EdgeView], read: Sequence[EdgeView]
) -> Orphan:
    return Orphan(
        topic=topic,
        state=state,
        writers=tuple(sorted((edge.source for edge in written), key=lambda node: node.key)),
        readers=tuple(sorted((edge.target for edge in read), key=lambda node: node.key)),
        written_at=max((edge.last_seen for edge in written), default=None),
        read_at=max((edge.last_seen for edge in read), default=None),
    )
