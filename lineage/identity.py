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
        """Join `names`: (producer id, kind, name), for all time: an id is given out but once.

        Who is one with whom is looked for when it is asked: few questions are about everybody.
        """
        self._recognise = recognise
        self._services: dict[Raw, KnownService | None] = {}
        self._classes: dict[Raw, list[Raw]] = {}
        self._bearers: dict[int, set[Raw]] = defaultdict(set)
        self._producers: dict[Raw, set[int]] = defaultdict(set)
        for producer_id, kind, name in names:
            self._bearers[producer_id].add((kind, name))
            self._producers[kind, name].add(producer_id)

    def grown(self, names: Iterable[tuple[int, str, str]]) -> "tuple[Identities, set[Raw]]":
        """Return these with more names, and the raw nodes that others may be one with since.

        These stay as they are: others may be asking them.
        """
        found = Identities((), self._recognise)
        found._bearers = defaultdict(set, self._bearers)
        found._producers = defaultdict(set, self._producers)
        touched: set[Raw] = set()
        for producer_id, kind, name in names:
            raw = (kind, name)
            found._bearers[producer_id] = {*found._bearers[producer_id], raw}
            found._producers[raw] = {*found._producers[raw], producer_id}
            touched |= found._bearers[producer_id] | {("producer_id", str(producer_id))}
        for raw in list(touched):
            touched.update(self.names_of(*raw), found.names_of(*raw))
        # copied at once: others may be adding to them
        found._classes, found._services = dict(self._classes), dict(self._services)
        for raw in touched:
            found._classes.pop(raw, None)
            found._services.pop(raw, None)
        return found, touched

    def _tied(self, producer: int) -> set[Raw]:
        """Return what the coordinator vouches for; failing that, a stamp, if there is but one."""
        bearers = self._bearers.get(producer, set())
        strong = {raw for raw in bearers if raw[0] in _STRONG}
        stamps = {raw for raw in bearers if raw[0] == "source"}
        return strong or (stamps if len(stamps) == 1 else set())

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
        members = self.names_of(*raw)
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

    def names_of(self, kind: str, name: str) -> list[Raw]:
        """Return all raw nodes that are one with this one, itself among them."""
        raw = (kind, name)
        known = self._classes.get(raw)
        if known is not None:
            return known
        found = {raw}
        waiting = [raw]
        while waiting:
            fresh = self._next_to(waiting.pop()) - found
            found |= fresh
            waiting += fresh
        members = sorted(found)
        for member in members:
            self._classes[member] = members
        return members

    def _next_to(self, raw: Raw) -> set[Raw]:
        found: set[Raw] = set()
        if raw[0] == "producer_id" and raw[1].isdecimal() and str(int(raw[1])) == raw[1]:
            found |= self._tied(int(raw[1]))
        for number in self._producers.get(raw, ()):
            if raw in (tied := self._tied(number)):
                found |= tied
                found.add(("producer_id", str(number)))
        return found

    def actor_of(self, kind: str, name: str) -> Raw:
        """Return the name by which an unrecognised actor goes: the best one tied to it."""
        return min(
            self.names_of(kind, name),
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
