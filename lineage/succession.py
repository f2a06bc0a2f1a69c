"""Producers that nobody names: a new number at each restart, one actor all the same. Pure.

A producer that is idempotent but not transactional gets a new id whenever it starts (KIP-98).
So unnamed ids that write the same topics one after the other are shown as one actor, under the
newest id; ids whose times overlap are different writers. What is inferred here is never written
into the ledger.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Life:
    """An unnamed producer: what it wrote, and from when to when it was seen."""

    producer_id: str
    topics: frozenset[str]
    first_seen: datetime
    last_seen: datetime


def successors(lives: Iterable[Life]) -> dict[str, str]:
    """Return each producer id's successor at the end of its line (itself when it has none)."""
    return {life.producer_id: line[-1].producer_id for line in lines(lives) for life in line}


def lines(lives: Iterable[Life]) -> list[list[Life]]:
    """Return who followed whom: lives that write the same topics and do not overlap, in order."""
    by_topics: dict[frozenset[str], list[Life]] = defaultdict(list)
    for life in lives:
        by_topics[life.topics].append(life)
    return [line for group in by_topics.values() for line in _chained(group)]


def _chained(group: list[Life]) -> list[list[Life]]:
    """Chain lives that do not overlap; each goes to the line that ended last before it began."""
    chained: list[list[Life]] = []
    for life in sorted(group, key=lambda it: (it.first_seen, it.last_seen, it.producer_id)):
        ended = [line for line in chained if line[-1].last_seen < life.first_seen]
        if ended:
            max(ended, key=lambda line: line[-1].last_seen).append(life)
        else:
            chained.append([life])
    return chained
