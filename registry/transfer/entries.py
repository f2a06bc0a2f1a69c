"""What a registry holds, wherever it came from: versions, configs, modes, id counters. Pure."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from registry.data_contract import Values
from registry.identity import Reference
from registry.naming import SubjectName

Key = tuple[SubjectName, int]
"""A subject's version."""


@dataclass(frozen=True)
class VersionEntry:
    """A subject's version with its schema; `deleted` by a soft delete.

    What the place does not tell (times, who registered) is None or empty.
    """

    subject: SubjectName
    version: int
    id: int
    format: str
    text: str
    references: tuple[Reference, ...] = ()
    metadata: Values | None = None
    ruleset: Values | None = None
    deleted: bool = False
    registered_at: datetime | None = None
    registered_by: str = ""
    deleted_at: datetime | None = None

    @property
    def key(self) -> Key:
        """Subject and version."""
        return self.subject, self.version

    @property
    def targets(self) -> tuple[Key, ...]:
        """The versions that the schema refers to."""
        return tuple(
            (SubjectName.read(each.subject, self.subject.context), each.version)
            for each in self.references
        )

    def __str__(self) -> str:
        return f"{self.subject} version {self.version}"


class Problem(NamedTuple):
    """An entry that could not be read: where it is, and what is wrong with it."""

    where: str
    reason: str


@dataclass
class Snapshot:
    """Everything that a place holds.

    `configs` and `modes` are by scope (see registry.models.Config). `next_ids` has every context
    with the least id that it may still give out, `forgotten` ones too: contexts that were deleted.
    `tombstones` are versions deleted for good.
    """

    versions: list[VersionEntry] = field(default_factory=list)
    configs: dict[str, Values] = field(default_factory=dict)
    modes: dict[str, str] = field(default_factory=dict)
    next_ids: dict[str, int] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    tombstones: set[Key] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def reserve(self, context: str, next_id: int = 1) -> None:
        """Note a context, and that it gives out no id below `next_id`."""
        self.next_ids[context] = max(self.next_ids.get(context, 1), next_id)

    def add(self, entry: VersionEntry) -> None:
        """Add a version, and note its id as used."""
        self.versions.append(entry)
        self.reserve(entry.subject.context, entry.id + 1)


def in_order(versions: Iterable[VersionEntry]) -> list[VersionEntry]:
    """Sort by id, subject and version, yet every referenced version before those that refer to it.

    Versions whose references form a circle come last.
    """
    known = {entry.key: entry for entry in versions}
    waiting: dict[Key, set[Key]] = {}
    referrers: dict[Key, list[Key]] = {}
    for key, entry in known.items():
        waiting[key] = {target for target in entry.targets if target in known}
        for target in waiting[key]:
            referrers.setdefault(target, []).append(key)
    ready = [(known[key].id, *key) for key, targets in waiting.items() if not targets]
    heapq.heapify(ready)
    ordered: list[VersionEntry] = []
    while ready:
        _, subject, version = heapq.heappop(ready)
        key = subject, version
        ordered.append(known[key])
        del waiting[key]
        for referrer in referrers.get(key, ()):
            waiting[referrer].discard(key)
            if not waiting[referrer]:
                heapq.heappush(ready, (known[referrer].id, *referrer))
    return ordered + [known[key] for key in sorted(waiting)]
