"""Upper and lower bounds, which all change in the same four ways."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TypeAlias

from registry.formats.json_schema.differences import Change

Bound: TypeAlias = int | Decimal | None


def compare_bounds(name: str, old: Bound, new: Bound) -> Iterator[Change]:
    """The change of a bound; which direction keeps old data valid lies in the change's name."""
    if old == new:
        return
    if old is None:
        change = "ADDED"
    elif new is None:
        change = "REMOVED"
    else:
        change = "INCREASED" if new > old else "DECREASED"
    yield Change(f"{name}_{change}", (_keyword(name),))


def _keyword(name: str) -> str:
    """The keyword's spelling, as a path has it: MAX_LENGTH is maxLength."""
    first, *others = name.lower().split("_")
    return first + "".join(word.title() for word in others)
