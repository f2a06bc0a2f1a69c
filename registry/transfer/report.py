"""What a move did to each entry, and the counts at its end."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal["created", "equal", "updated", "different", "refused"]


class Outcome(NamedTuple):
    """What became of one entry; `detail` says what differs or why it was refused."""

    kind: Kind
    what: str
    detail: str = ""


@dataclass
class Report:
    """Counts of all outcomes, and those in full that somebody has to look at."""

    counts: Counter[Kind] = field(default_factory=Counter)
    noteworthy: list[Outcome] = field(default_factory=list)

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Count outcomes; keep those that say more than their kind."""
        for outcome in outcomes:
            self.counts[outcome.kind] += 1
            if outcome.detail:
                self.noteworthy.append(outcome)

    @property
    def clean(self) -> bool:
        """Whether both places agree now: nothing was refused and nothing differs."""
        return not self.counts["refused"] and not self.counts["different"]

    def __str__(self) -> str:
        kinds: tuple[Kind, ...] = ("created", "updated", "equal", "different", "refused")
        return ", ".join(f"{self.counts[kind]} {kind}" for kind in kinds)
