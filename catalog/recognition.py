"""Which service an actor of Kafka is: shell-style patterns of the catalog against its names.

The rule, in this order: a pattern without wildcards beats one with; among wildcards the one with
most literal characters wins. When patterns of two services are equally good the actor stays
unrecognised: a guess could show a foreign writer as the declared one.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from fnmatch import fnmatchcase
from glob import escape
from urllib.parse import unquote

from catalog.models import Service

# what Kafka calls an actor -> the key of Service.recognised_by that holds its patterns
PATTERN_KEYS = {
    "group": "groups",
    "client_id": "client_ids",
    "transactional_id": "transactional_ids",
    "principal": "principals",
    "source": "sources",
    "job": "jobs",
    "producer_id": "producer_ids",
}
"""A producer id is unique within its cluster alone: its pattern is `CLUSTER/ID`."""

_WILDCARD = re.compile(r"[*?\[]")
_WILDCARD_PARTS = re.compile(r"\[[^]]*\]|[*?]")


def exactly(name: str) -> str:
    """Return the pattern that one name alone matches."""
    return escape(name)


def has_wildcard(pattern: str) -> bool:
    """Return whether a pattern stands for more than one name."""
    return bool(_WILDCARD.search(pattern))


def _specificity(pattern: str) -> int:
    return len(_WILDCARD_PARTS.sub("", pattern))


class Recogniser:
    """Matches names against the patterns as they were when it was built: build one a request."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._exact: dict[tuple[str, str], list[Service]] = defaultdict(list)
        self._wild: dict[str, list[tuple[int, str, Service]]] = defaultdict(list)
        self._known: dict[tuple[str, str], tuple[Service, ...]] = {}
        self._named: dict[str, Service] = {}
        for service in services:
            self._learn(service)
        for patterns in self._wild.values():
            patterns.sort(key=lambda entry: -entry[0])

    def _learn(self, service: Service) -> None:
        self._named[service.name] = service
        for kind, key in PATTERN_KEYS.items():
            for pattern in dict.fromkeys(service.recognised_by.get(key, ())):
                if has_wildcard(pattern):
                    self._wild[kind].append((_specificity(pattern), pattern, service))
                else:
                    self._exact[kind, pattern].append(service)

    def service_of(self, kind: str, name: str) -> Service | None:
        """Return the service that an actor is; `None` when no pattern, or two equally, match."""
        found = self.candidates(kind, name)
        return found[0] if len(found) == 1 else None

    def candidates(self, kind: str, name: str) -> tuple[Service, ...]:
        """Return the services whose best pattern matches; more than one means ambiguous."""
        key = (kind, name)
        if key not in self._known:
            found = self._match(kind, name)
            self._known[key] = found or self._bearing(name) if kind == "job" else found
        return self._known[key]

    def _bearing(self, job: str) -> tuple[Service, ...]:
        """Match a job, `NAMESPACE/NAME`, by its name alone; failing that, a service named so."""
        name = unquote(job.rpartition("/")[2])
        if found := self._match("job", name):
            return found
        return (self._named[name],) if name in self._named else ()

    def _match(self, kind: str, name: str) -> tuple[Service, ...]:
        if exact := self._exact.get((kind, name)):
            return tuple(exact)
        best, found = -1, {}
        for specificity, pattern, service in self._wild.get(kind, ()):
            if specificity < best:
                break
            if fnmatchcase(name, pattern):
                best, found[service.pk] = specificity, service
        return tuple(found.values())


def recogniser() -> Recogniser:
    """Return a recogniser of the services as they are now; one query."""
    return Recogniser(Service.objects.select_related("context").order_by("name"))
