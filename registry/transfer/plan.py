"""What is to become of each entry of a batch, given what is here. Nothing is written yet."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from registry.naming import SubjectName
from registry.transfer.entries import Key, VersionEntry
from registry.transfer.prepare import Content
from registry.transfer.report import Outcome
from registry.transfer.store import Here, IdKey, Present, content_of, usage_of


class Judged(NamedTuple):
    """An entry with what its schema is here, or (None) with the reason why it cannot be taken."""

    entry: VersionEntry
    content: Content | None
    refusal: str = ""


@dataclass
class Given:
    """What this import decided so far: schemas by id, and versions that are not here as there.

    A dry run, which writes nothing, finds them nowhere else.
    """

    schemas: dict[IdKey, tuple[Content, VersionEntry]] = field(default_factory=dict)
    left_out: set[Key] = field(default_factory=set)

    def add(self, other: "Given") -> None:
        """Take in what was decided since."""
        self.schemas |= other.schemas
        self.left_out |= other.left_out


class Plan:
    """Outcomes of a batch, with the versions to create and those whose deletion changes."""

    def __init__(self, batch: Sequence[Judged], here: Here, so_far: Given, *, update: bool) -> None:
        self.here = here
        self.given = Given()
        self._so_far = so_far
        self.new: list[tuple[VersionEntry, Content]] = []
        self.changed: list[tuple[VersionEntry, Present]] = []
        self._update = update
        self.outcomes = [self._decide(each) for each in batch]

    @property
    def writes(self) -> bool:
        """Whether anything is to be written."""
        return bool(self.new or self.changed)

    def _decide(self, judged: Judged) -> Outcome:
        entry, content, refusal = judged
        if content is None:
            return self._leave_out(entry, refusal)
        present = self.here.versions.get(entry.key)
        if present is not None:
            return self._compare(entry, content, present)
        left_out = self._so_far.left_out, self.given.left_out
        missing = next(
            (key for key in entry.targets if any(key in each for each in left_out)), None
        )
        if missing is not None:
            name, version = missing
            return self._leave_out(entry, f"it refers to {name} version {version}, left out above")
        holder = self._holder(entry, content)
        if holder:
            return self._leave_out(entry, f"id {entry.id} is held by another schema, {holder}")
        self.given.schemas[entry.subject.context, entry.id] = content, entry
        self.new.append((entry, content))
        return Outcome("created", str(entry))

    def _leave_out(self, entry: VersionEntry, reason: str) -> Outcome:
        self.given.left_out.add(entry.key)
        return Outcome("refused", str(entry), reason)

    def _compare(self, entry: VersionEntry, content: Content, present: Present) -> Outcome:
        """Compare an entry with the version that is here under its name and number."""
        differing = _differences(entry, content, present)
        if differing:
            self.given.left_out.add(entry.key)
        if entry.deleted != present.entry.deleted:
            words = {True: "softly deleted", False: "live"}
            change = f"{words[present.entry.deleted]} here, {words[entry.deleted]} there"
            if self._update and not differing:
                self.changed.append((entry, present))
                return Outcome("updated", str(entry), change)
            differing.append(change)
        if differing:
            return Outcome("different", str(entry), "; ".join(differing))
        return Outcome("equal", str(entry))

    def _holder(self, entry: VersionEntry, content: Content) -> str:
        """Who holds the entry's id for another schema, in words; empty when nobody does."""
        place = entry.subject.context, entry.id
        row = self.here.schemas.get(place)
        if row is not None:
            return "" if content_of(row) == content else usage_of(row)
        given = self.given.schemas.get(place) or self._so_far.schemas.get(place)
        return "" if given is None or given[0] == content else str(given[1])


def _differences(entry: VersionEntry, content: Content, present: Present) -> list[str]:
    """In what an entry is not the version that is here, deletion apart."""
    other = present.entry
    found = []
    if entry.id != other.id:
        found.append(f"id {other.id} here, {entry.id} there")
    if entry.format != other.format:
        found.append(f"{other.format} here, {entry.format} there")
    if content.digest != present.content.digest and entry.format == other.format:
        found.append("references" if _refers(entry) != _refers(other) else "schema text")
    if content.metadata != present.content.metadata:
        found.append("metadata")
    if content.ruleset != present.content.ruleset:
        found.append("rule set")
    return found


def _refers(entry: VersionEntry) -> list[tuple[str, SubjectName, int]]:
    return [
        (reference.name, *target)
        for reference, target in zip(entry.references, entry.targets, strict=True)
    ]
