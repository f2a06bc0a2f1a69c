"""What differs between two schemas, field by field, and what each level says to it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import Literal

from registry.actions.compatibility import differences
from registry.formats.contract import (
    ComparisonTooLargeError,
    Difference,
    Field,
    Parsed,
    Policy,
)
from registry.panels.fields import fields_of, fitting, weigh

Sign = Literal["added", "removed", "changed"]
Direction = Literal["BACKWARD", "FORWARD"]

LONGEST_COMPARING = 1.0
"""Seconds after which no further version is compared: what is left is said to be unknown."""
MOST_CHANGES = 200
HEAVIEST = 50_000
"""Bytes of HTML that the rows of changes may take."""
_ROW = 420
_PART = 80
MOST_BREAKS = 50


@dataclass(frozen=True)
class Part:
    """One property of a field that differs: its type, default, documentation, …"""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Change:
    """One field that differs."""

    sign: Sign
    path: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Break:
    """One difference that breaks a direction; `versions` are those that it breaks against."""

    direction: Direction
    difference: Difference
    versions: tuple[int, ...]


@dataclass(frozen=True)
class Verdict:
    """What one level says: compatible, breaking, or unknown where not all could be compared."""

    level: str
    state: str
    against: str
    breaking: tuple[int, ...]
    in_force: bool


@dataclass(frozen=True)
class Comparison:
    """What changes from one schema to another, and what every level says to the later one.

    `base` is the version that fields are compared with; `beyond` says that the texts differ in
    more than fields tell, where no field differs.
    """

    base: int
    changes: list[Change]
    cut: int
    verdicts: list[Verdict]
    breaks: list[Break]
    unbroken: list[Difference]
    compared: int
    beyond: bool = False

    def state_of(self, level: str) -> str:
        """The verdict of one level; NONE accepts everything, and what was not asked is unknown."""
        if level == "NONE":
            return "compatible"
        return next((each.state for each in self.verdicts if each.level == level), "unknown")

    @property
    def backward(self) -> str:
        """Whether readers with the new schema can read what the base wrote."""
        return self.state_of("BACKWARD")

    @property
    def forward(self) -> str:
        """Whether readers that know only the base can read what the new schema writes."""
        return self.state_of("FORWARD")


@dataclass(frozen=True)
class Rules:
    """How a subject judges: the level in force, and Confluent's policy for open content models."""

    level: str
    policy: Policy = "STRICT"


Found = tuple[Difference, ...] | None
"""The differences in one direction; None where they could not be found in time or space."""


@lru_cache(maxsize=512)
def _differences(before: Parsed, after: Parsed, direction: Direction, policy: Policy) -> Found:
    try:
        return tuple(dict.fromkeys(differences(before, after, direction, policy)))
    except (ComparisonTooLargeError, RecursionError):
        return None


class _Matrix:
    """Differences of a candidate with every earlier version, in both directions."""

    def __init__(
        self, candidate: Parsed, earlier: Mapping[int, Parsed | None], policy: Policy
    ) -> None:
        until = monotonic() + LONGEST_COMPARING
        self.found: dict[tuple[int, Direction], Found] = {}
        for version, before in earlier.items():
            late = before is None or monotonic() > until
            for direction in _DIRECTIONS:
                self.found[version, direction] = (
                    None
                    if late or before is None
                    else _differences(before, candidate, direction, policy)
                )

    def state(self, level: str, versions: Iterable[int], *, missing: bool) -> tuple[str, list[int]]:
        """The verdict of a level over some versions, and those that it breaks against."""
        asked = [each for each in _DIRECTIONS if level.startswith((each, "FULL"))]
        breaking, unknown = [], missing
        for version in versions:
            results = [self.found[version, direction] for direction in asked]
            unknown |= None in results
            if any(not each.compatible for found in results for each in found or ()):
                breaking.append(version)
        if breaking:
            return "breaking", breaking
        return ("unknown" if unknown else "compatible"), []

    def breaks(self) -> list[Break]:
        """Every difference that breaks anything, once, with the versions that it breaks against."""
        seen: dict[tuple[Direction, Difference], list[int]] = {}
        for (version, direction), found in self.found.items():
            for difference in found or ():
                if not difference.compatible:
                    seen.setdefault((direction, difference), []).append(version)
        return [
            Break(direction, difference, tuple(sorted(versions)))
            for (direction, difference), versions in seen.items()
        ]


_DIRECTIONS: tuple[Direction, ...] = ("BACKWARD", "FORWARD")
_LEVELS = ("BACKWARD", "FORWARD", "FULL")


def compare(
    candidate: Parsed,
    base: tuple[int, Parsed],
    history: Mapping[int, Parsed | None],
    rules: Rules,
    *,
    unread: int = 0,
) -> Comparison:
    """Compare a schema with a base by field, and judge it at every level.

    `history` holds what the transitive levels compare with, newest first (None: unreadable), and
    `unread` counts the versions that were left out of it.
    """
    number, before = base
    matrix = _Matrix(candidate, {number: before, **history}, rules.policy)
    changes = diff(before, candidate)
    shown = changes[: fitting([_weight(each) for each in changes[:MOST_CHANGES]], HEAVIEST)]
    same = matrix.found[number, "BACKWARD"] or ()
    return Comparison(
        base=number,
        changes=shown,
        cut=len(changes) - len(shown),
        verdicts=_verdicts(matrix, number, list(history), rules.level, unread),
        breaks=matrix.breaks()[:MOST_BREAKS],
        unbroken=[each for each in same if each.compatible][:MOST_BREAKS],
        compared=len(history),
        beyond=not changes and before.text != candidate.text,
    )


def _weight(change: Change) -> int:
    sides = 2 if change.sign == "changed" else 1
    parts = (_PART * sides + weigh(part.before, part.after) for part in change.parts)
    return _ROW + weigh(change.path) + sum(parts)


def _verdicts(
    matrix: _Matrix, base: int, history: Sequence[int], in_force: str, unread: int
) -> list[Verdict]:
    asked: list[tuple[str, tuple[int, ...], str, bool]] = [
        (level, (base,), f"version {base}", False) for level in _LEVELS
    ]
    if history:
        said = _all_of(history, unread)
        asked += [(f"{level}_TRANSITIVE", tuple(history), said, unread > 0) for level in _LEVELS]
    found = []
    for level, versions, against, missing in asked:
        state, breaking = matrix.state(level, versions, missing=missing)
        found.append(Verdict(level, state, against, tuple(sorted(breaking)), level == in_force))
    return found


def _all_of(history: Sequence[int], unread: int) -> str:
    if unread:
        return f"the newest {len(history)} of {len(history) + unread} versions"
    return f"all {len(history)} versions" if len(history) > 1 else f"version {history[0]} alone"


def diff(before: Parsed, after: Parsed) -> list[Change]:
    """Return the fields that differ: in the later order, a removed one where it stood."""
    old = {field.path: field for field in fields_of(before)}
    new = {field.path: field for field in fields_of(after)}
    place = {path: at for at, path in enumerate(new)}
    placed: list[tuple[int, int, Change]] = []
    last = -1
    for number, (path, field) in enumerate(old.items(), start=1):
        if path not in new:
            placed.append((last, number, Change("removed", path, _whole(field, gone=True))))
            continue
        last = place[path]
        if parts := _parts(field, new[path]):
            placed.append((last, 0, Change("changed", path, parts)))
    placed += [
        (place[path], 0, Change("added", path, _whole(field, gone=False)))
        for path, field in new.items()
        if path not in old
    ]
    return [change for _, _, change in sorted(placed, key=lambda each: each[:2])]


def _whole(field: Field, *, gone: bool) -> tuple[Part, ...]:
    said = {name: text for name, text in _properties(field).items() if text}
    if gone:
        return tuple(Part(name, text, "") for name, text in said.items() if name != "doc")
    return tuple(Part(name, "", text) for name, text in said.items())


def _parts(before: Field, after: Field) -> tuple[Part, ...]:
    old, new = _properties(before), _properties(after)
    return tuple(Part(name, old[name], new[name]) for name in old if old[name] != new[name])


def _properties(field: Field) -> dict[str, str]:
    return {
        "type": field.type,
        "detail": field.detail,
        "presence": "required" if field.required else "optional",
        "default": "" if field.default is None else field.default,
        "doc": field.doc,
        "tags": ", ".join(field.tags),
    }
