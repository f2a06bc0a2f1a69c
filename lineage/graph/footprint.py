"""All that one service leaves behind in Kafka: what it reads and writes, and under which names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from lineage.edges import EdgeView, Node


@dataclass(frozen=True)
class Name:
    """A name under which Kafka knew a node: `kind` is group, client_id, host, producer_id, …"""

    kind: str
    name: str
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True)
class Footprint:
    """What a service does and is known by; `since` and `last_seen` are None when it was never seen.

    `copies` are kept of the topics it writes; `fed_by` and `feeds` are the other contexts whose
    nodes write what it reads and read what it writes.
    """

    node: Node
    reads: tuple[EdgeView, ...]
    writes: tuple[EdgeView, ...]
    names: tuple[Name, ...]
    copies: tuple[Node, ...]
    fed_by: tuple[str, ...]
    feeds: tuple[str, ...]
    since: datetime | None
    last_seen: datetime | None
    active: bool

    def known_as(self, kind: str) -> tuple[str, ...]:
        """Return its names of one kind, the newest first."""
        return tuple(name.name for name in self.names if name.kind == kind)


def footprint_of(edges: Sequence[EdgeView], node: Node, names: Iterable[Name] = ()) -> Footprint:
    """Return the footprint of a service, actor or copy; `names` are its own, in any order."""
    reads = tuple(edge for edge in edges if edge.target == node)
    writes = tuple(edge for edge in edges if edge.source == node)
    read = {edge.source for edge in reads}
    written = {edge.target for edge in writes}
    around = [edge for edge in edges if node not in {edge.source, edge.target}]
    takers = {edge.target for edge in around if edge.source in written}
    givers = {edge.source for edge in around if edge.target in read}
    own = (*reads, *writes)
    return Footprint(
        node=node,
        reads=tuple(sorted(reads, key=lambda edge: edge.source.key)),
        writes=tuple(sorted(writes, key=lambda edge: edge.target.key)),
        names=tuple(sorted(_spans(names), key=_newest_first)),
        copies=tuple(sorted(taker for taker in takers if taker.kind == "copy")),
        fed_by=_others(givers, node),
        feeds=_others(takers, node),
        since=min((edge.first_seen for edge in own), default=None),
        last_seen=max((edge.last_seen for edge in own), default=None),
        active=any(edge.active for edge in own),
    )


def _others(nodes: Iterable[Node], node: Node) -> tuple[str, ...]:
    contexts = {other.context for other in nodes if other.context}
    return tuple(sorted(contexts - {node.context}))


def _newest_first(name: Name) -> tuple[str, float, str]:
    return name.kind, -name.last_seen.timestamp(), name.name


def _spans(names: Iterable[Name]) -> list[Name]:
    """Join sightings of the same name."""
    found: dict[tuple[str, str], Name] = {}
    for name in names:
        key = name.kind, name.name
        known = found.get(key, name)
        found[key] = Name(
            name.kind,
            name.name,
            min(known.first_seen, name.first_seen),
            max(known.last_seen, name.last_seen),
        )
    return list(found.values())
