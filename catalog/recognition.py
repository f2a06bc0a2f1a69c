"""Which service an actor of Kafka is: shell-style patterns of the catalog against its names.

The rule, in this order: a pattern without wildcards beats one with; among wildcards the one with
most literal characters wins. When patterns of two services are equally good the actor stays
unrecognised: a guess could show a foreign writer as the declared one.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from glob import escape
from typing import Any
from urllib.parse import unquote

from django.db.models import TextField
from django.db.models.functions import Cast

from catalog.models import BoundedContext, Service

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

# names remembered with their services, some 200 bytes each
_MOST_KNOWN = 100_000
# nobody whom the ledger knows is called longer; asked for is anything
_LONGEST_KNOWN = 500
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
    """Matches names against the patterns as they were when it was built."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._exact: dict[tuple[str, str], list[Service]] = defaultdict(list)
        # by what they begin with: of a thousand patterns few begin as a name does
        self._wild: dict[tuple[str, str], list[tuple[int, int, str, Service]]] = defaultdict(list)
        self._longest_beginning = 0
        self._known: dict[tuple[str, str], tuple[Service, ...]] = {}
        self.services = {service.name: service for service in services}
        for order, service in enumerate(self.services.values()):
            self._learn(service, order)

    def _learn(self, service: Service, order: int) -> None:
        for kind, key in PATTERN_KEYS.items():
            for pattern in dict.fromkeys(service.recognised_by.get(key, ())):
                if has_wildcard(pattern):
                    beginning = _WILDCARD.split(pattern, maxsplit=1)[0]
                    entry = (-_specificity(pattern), order, pattern, service)
                    self._wild[kind, beginning].append(entry)
                    self._longest_beginning = max(self._longest_beginning, len(beginning))
                else:
                    self._exact[kind, pattern].append(service)

    def service_of(self, kind: str, name: str) -> Service | None:
        """Return the service that an actor is; `None` when no pattern, or two equally, match."""
        found = self.candidates(kind, name)
        return found[0] if len(found) == 1 else None

    @property
    def knows_clients(self) -> bool:
        """Whether a service is recognised by the client ids of its members."""
        return any(service.recognised_by.get("client_ids") for service in self.services.values())

    def candidates(self, kind: str, name: str) -> tuple[Service, ...]:
        """Return the services whose best pattern matches; more than one means ambiguous."""
        key = (kind, name)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known = {}
            found = self._match(kind, name)
            if kind == "job" and not found:
                found = self._bearing(name)
            if len(name) <= _LONGEST_KNOWN:
                self._known[key] = found
        return found

    def _bearing(self, job: str) -> tuple[Service, ...]:
        """Match a job, `NAMESPACE/NAME`, by its name alone; failing that, a service named so."""
        name = unquote(job.rpartition("/")[2])
        if found := self._match("job", name):
            return found
        return (self.services[name],) if name in self.services else ()

    def _match(self, kind: str, name: str) -> tuple[Service, ...]:
        if exact := self._exact.get((kind, name)):
            return tuple(exact)
        best = 0
        found: dict[int, Service] = {}
        alike = [
            entry
            for end in range(min(len(name), self._longest_beginning) + 1)
            for entry in self._wild.get((kind, name[:end]), ())
        ]
        for rank, _, pattern, service in sorted(alike, key=lambda entry: entry[:2]):
            if found and rank > best:
                break
            if fnmatchcase(name, pattern):
                best, found[service.pk] = rank, service
        return tuple(found.values())


_SERVICE = [field.attname for field in Service._meta.concrete_fields]  # noqa: SLF001  (documented API)
_PATTERNS = "recognised_by"
_CONTEXT = [field.attname for field in BoundedContext._meta.concrete_fields]  # noqa: SLF001  (documented API)
_kept: list[tuple[list[tuple[Any, ...]], Recogniser]] = []


def recogniser() -> Recogniser:
    """Return a recogniser of the services as they are now; one query.

    That of the last time, with all that it has matched, while the rows are the same: to compare a
    thousand rows costs milliseconds, to build it anew a hundred. Patterns are compared as the text
    that the database keeps, and read when there are new ones.
    """
    columns = [name for name in _SERVICE if name != _PATTERNS]
    joined = [f"context__{name}" for name in _CONTEXT]
    as_text = Cast(_PATTERNS, TextField())
    rows = list(Service.objects.order_by("name").values_list(as_text, *columns, *joined))
    if _kept and _kept[0][0] == rows:
        return _kept[0][1]
    built = Recogniser(_service(row, columns) for row in rows)
    _kept[:] = [(rows, built)]
    return built


def _service(row: Sequence[Any], columns: Sequence[str]) -> Service:
    """Return a service of a row: its patterns, its columns, and those of its context."""
    values = dict(zip(columns, row[1:], strict=False)) | {_PATTERNS: json.loads(row[0])}
    service = Service.from_db("default", _SERVICE, [values[name] for name in _SERVICE])
    if service.context_id is not None:
        told = row[1 + len(columns) :]
        service.context = BoundedContext.from_db("default", _CONTEXT, told)
    return service
