"""What the catalog's tests share: an observation at will, and a witness that answers with it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from catalog import observation
from catalog.observation import Access, Direction, install_witness

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def access(
    topic: str = "orders",
    service: str | None = "orders",
    direction: Direction = "writes",
    *,
    actor: str = "",
    actor_kind: str = "transactional_id",
    context: str | None = None,
    ago: float = 3,
    lasted: float = 3600,
    active: bool = True,
    evidence: tuple[str, ...] = ("transactions",),
    now: datetime = NOW,
) -> Access:
    """Observe somebody at a topic, `ago` seconds before `now`."""
    last_seen = now - timedelta(seconds=ago)
    return Access(
        topic=topic,
        direction=direction,
        actor=actor or service or "stranger",
        service=service,
        context=context,
        evidence=evidence,
        first_seen=last_seen - timedelta(seconds=lasted),
        last_seen=last_seen,
        active=active,
        actor_kind=actor_kind,
    )


class Witness:
    """Answers what a test put in, and counts how often it was asked."""

    def __init__(self) -> None:
        self.accesses: list[Access] = []
        self.asked: list[tuple[str, Sequence[str] | None]] = []

    def __call__(
        self, cluster: str, topics: Sequence[str] | None = None, as_of: datetime | None = None
    ) -> list[Access]:
        self.asked.append((cluster, topics))
        return [each for each in self.accesses if topics is None or each.topic in topics]


@pytest.fixture
def witness() -> Iterator[Witness]:
    """A witness in the place of lineage's for one test."""
    before = list(observation._witnesses)
    witness = Witness()
    install_witness(witness)
    yield witness
    observation._witnesses[:] = before
