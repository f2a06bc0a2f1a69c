"""Who a raw node is: names that belong to one actor joined, and services recognised. Pure.

Kafka names one service in several ways: a group where it reads, a transactional id or only a
number (the producer id) where it writes. A producer id that commits a group's offsets, or bears a
transactional id, ties these names together; then recognising one of them recognises all.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lineage.edges import Node

Raw = tuple[str, str]
COPY_GROUP_PREFIX = "insideout.connector."
"""Consumer groups of our own connectors; the rest of the name is the connector's, thus the copy."""

DEPLOYED_GROUP_PREFIX = f"connect-{COPY_GROUP_PREFIX}"
"""The same of connectors that are deployed on Kafka Connect, which calls the group after them."""

# who says so weighs more than what is said: a stamp can be forged, or passed on unread
_STRONG = ("group", "transactional_id")
_RANK = ("group", "transactional_id", "source", "client_id", "producer_id")


@dataclass(frozen=True)
class KnownService:
    """A service by name and context."""

    name: str
    context_name: str | None


Recognise = Callable[[str, str], KnownService | None]


def copy_of(kind: str, name: str) -> str | None:
    """Return the copy that a raw node is: named so, or the group of the connector that keeps it."""
    if kind == "copy":
        return name
    if kind == "group":
        for prefix in (COPY_GROUP_PREFIX, DEPLOYED_GROUP_PREFIX):
            if name.startswith(prefix):
                return name.removeprefix(prefix)
    return None


class Identities:
    """Resolves raw nodes to services, copies and actors."""

    def __init__(self, names: Iterable[tuple[int, str, str]], recognise: Recognise) -> None:
        """Join `names`: (producer id, kind, name), for all time: an id is given out but once."""
        self._recognise = recognise
        self._parent: dict[Raw, Raw] = {}
        self._services: dict[Raw, KnownService | None] = {}
        by_producer: dict[int, set[Raw]] = defaultdict(set)
        for producer_id, kind, name in names:
            by_producer[producer_id].add((kind, name))
        for producer_id, bearers in by_producer.items():
            self._tie(("producer_id", str(producer_id)), bearers)
        self._classes: dict[Raw, list[Raw]] = defaultdict(list)
        for raw in list(self._parent):
            self._classes[self._root(raw)].append(raw)

    def _tie(self, producer: Raw, bearers: set[Raw]) -> None:
        """Join what the coordinator vouches for; failing that, a stamp, if there is but one."""
        strong = {raw for raw in bearers if raw[0] in _STRONG}
        stamps = {raw for raw in bearers if raw[0] == "source"}
        for raw in strong or (stamps if len(stamps) == 1 else set()):
            self._parent[self._root(raw)] = self._root(producer)

    def _root(self, raw: Raw) -> Raw:
        self._parent.setdefault(raw, raw)
        while self._parent[raw] != raw:
            self._parent[raw] = self._parent[self._parent[raw]]
            raw = self._parent[raw]
        return raw

    def service_of(
        self, kind: str, name: str, client_ids: Iterable[str] = ()
    ) -> KnownService | None:
        """Return the service: by its own name, by one tied to it, or by its members' client ids."""
        raw = (kind, name)
        if raw not in self._services:
            self._services[raw] = self._recognised(raw)
        found = self._services[raw]
        if found is not None:
            return found
        by_client = {
            service.name: service
            for client_id in client_ids
            if (service := self._recognise("client_id", client_id)) is not None
        }
        return next(iter(by_client.values())) if len(by_client) == 1 else None

    def _recognised(self, raw: Raw) -> KnownService | None:
        return self._recognise(*raw) or self._tied_service(raw)

    def _tied_service(self, raw: Raw) -> KnownService | None:
        members = self._members(raw)
        for kind in _RANK:
            found = {
                service.name: service
                for member in members
                if member[0] == kind and kind != "producer_id"
                if (service := self._recognise(*member)) is not None
            }
            if found:
                # two services by equally good names: none of them, rather than a guess
                return next(iter(found.values())) if len(found) == 1 else None
        return None

    def _members(self, raw: Raw) -> list[Raw]:
        return self._classes.get(self._root(raw), [raw]) if raw in self._parent else [raw]

    def actor_of(self, kind: str, name: str) -> Raw:
        """Return the name by which an unrecognised actor goes: the best one tied to it."""
        return min(
            self._members((kind, name)),
            key=lambda raw: (_RANK.index(raw[0]) if raw[0] in _RANK else len(_RANK), raw[1]),
        )

    def node(
        self, kind: str, name: str, context: str | None = None, client_ids: Iterable[str] = ()
    ) -> Node:
        """Return the node that pages show for a raw one; `context` is that of a topic or copy."""
        if kind == "topic":
            return Node("topic", name, context)
        if kind == "dataset":
            return Node("dataset", name)
        if (copy := copy_of(kind, name)) is not None:
            return Node("copy", copy, context)
        if (service := self.service_of(kind, name, client_ids)) is not None:
            return Node("service", service.name, service.context_name)
        known_by, best = self.actor_of(kind, name)
        return Node("actor", best, None, known_by)
