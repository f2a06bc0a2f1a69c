"""The port through which the catalog asks what was observed; the lineage room answers.

The catalog stands below lineage and keeps no second copy of the evidence: it declares the
question here, and `lineage` installs the answer when Django starts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Direction = Literal["writes", "reads"]


@dataclass(frozen=True)
class Access:
    """One service, or an actor not yet recognised as one, seen writing or reading a topic.

    `active` is true while the newest evidence is fresh; `evidence` names its kinds. `actor_kind` is
    what `actor` is the name of in Kafka: group, transactional_id, client_id, principal, source, or
    producer_id, a bare number that names nobody.
    """

    topic: str
    direction: Direction
    actor: str
    service: str | None
    context: str | None
    evidence: tuple[str, ...]
    first_seen: datetime
    last_seen: datetime
    active: bool
    actor_kind: str = ""


@dataclass(frozen=True)
class CopyState:
    """A copy of topics as its last audit found it, `at` that time.

    `differing` keys differ from the log, the first of them seen at `since`.
    """

    name: str
    topics: tuple[str, ...]
    differing: int
    at: datetime
    since: datetime


@dataclass(frozen=True)
class StoppedCopy:
    """A copy of topics that stopped by itself, and why."""

    name: str
    topics: tuple[str, ...]
    why: str


class Witness(Protocol):
    """Answers who was observed at the topics of a cluster (all of them when `topics` is None)."""

    def __call__(
        self, cluster: str, topics: Sequence[str] | None = None, as_of: datetime | None = None
    ) -> list[Access]:
        """Return who was observed, now or as of an instant."""
        ...


_witnesses: list[Witness] = []


def install_witness(witness: Witness) -> None:
    """Let `witness` answer from now on."""
    _witnesses[:] = [witness]


def observed_accesses(
    cluster: str, topics: Sequence[str] | None = None, as_of: datetime | None = None
) -> list[Access]:
    """Who was observed at the topics; nobody when no witness is installed."""
    return _witnesses[0](cluster, topics, as_of) if _witnesses else []


_auditors: list[Callable[[], list[CopyState]]] = []


def install_auditor(auditor: Callable[[], list[CopyState]]) -> None:
    """Let `auditor` answer from now on which copies differ from their logs."""
    _auditors[:] = [auditor]


def diverged_copies() -> list[CopyState]:
    """Return the copies that differ from their logs; none when nobody audits."""
    return _auditors[0]() if _auditors else []


_copiers: list[Callable[[], list[StoppedCopy]]] = []


def install_copier(copier: Callable[[], list[StoppedCopy]]) -> None:
    """Let `copier` answer from now on which copies have stopped."""
    _copiers[:] = [copier]


def stopped_copies() -> list[StoppedCopy]:
    """Return the copies that have stopped by themselves; none when nobody copies."""
    return _copiers[0]() if _copiers else []
