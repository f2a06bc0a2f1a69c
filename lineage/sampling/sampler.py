"""The contract of a sampler: one kind of evidence, from one look at a cluster.

Adding a kind is adding a file with a class of this shape and naming it in `samplers.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Protocol

from broker.observe import (
    Found,
    Group,
    GroupListing,
    Layout,
    Observer,
    Partition,
    Producer,
)
from catalog.models import Cluster
from lineage.ledger import Naming, Observation


@dataclass
class View:
    """What samplers look at: a cluster at one instant, and what they keep from time to time.

    `memory` lives as long as the sampling process; each sampler uses keys of its own name.
    """

    cluster: Cluster
    observer: Observer
    at: datetime
    memory: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def layout(self) -> Layout:
        """Topics, partitions and leaders; asked for once a sample."""
        return self.observer.layout()

    @cached_property
    def listings(self) -> list[GroupListing]:
        """The groups of all kinds; listed once a sample."""
        return self.observer.list_groups()

    @cached_property
    def groups(self) -> Found[list[Group]]:
        """The groups that have members, described once a sample."""
        return self.observer.groups([it for it in self.listings if it.state != "Empty"])

    @cached_property
    def ends(self) -> Found[dict[Partition, int]]:
        """The offset one past the last record of every partition; asked for once a sample.

        A partition whose end did not move has no news of anybody who writes.
        """
        return self.observer.end_offsets(list(self.layout.leaders))

    @cached_property
    def producers(self) -> Found[dict[Partition, tuple[Producer, ...]]]:
        """The producers that the leaders of shared topics remember.

        Asked once a sample, and only for partitions to which something was written since. Whoever
        writes the first record of a partition behind its end is told by the next sample, together
        with what that record says of its writer.
        """
        known: dict[Partition, tuple[Producer, ...]] = self.memory.setdefault("leaders tell", {})
        asked_at: dict[Partition, tuple[Any, int]] = self.memory.setdefault("leaders asked", {})
        ids, ends = self.layout.ids, self.ends.items
        moved: dict[Partition, tuple[Any, int] | None] = {}
        for it in self.layout.shared:
            end = ends.get(it)
            asked = asked_at.get(it)
            if end == 0:
                known.pop(it, None)
            # a topic made anew may end where the one before it did
            elif asked is None or asked[1] != end or asked[0] != ids.get(it.topic):
                moved[it] = None if end is None else (ids.get(it.topic), end)
        found = self.observer.producers(list(moved))
        known |= found.items
        asked_at |= {it: at for it in found.items if (at := moved[it]) is not None}
        if len(known) > len(self.layout.shared) or not known.keys() <= self.layout.leaders.keys():
            for partition in known.keys() - set(self.layout.shared):
                del known[partition]
        return Found(known, found.problems)

    def is_shared(self, topic: str) -> bool:
        """Whether a topic exists and is the users' own, not Kafka's."""
        return topic in self.layout.partitions and topic not in self.layout.internal

    def instant(self, milliseconds: int) -> datetime:
        """Return a Kafka timestamp as an instant; none, or one in the future, counts as now.

        Producers set timestamps themselves: a clock that is ahead must not prove the future.
        """
        if milliseconds < 0:
            return self.at
        return min(datetime.fromtimestamp(milliseconds / 1000, UTC), self.at)


@dataclass(frozen=True)
class Sample:
    """What one sampler saw; `problems` names what it could not read: topic or group → why.

    `owners` names the topics that the instances of one group alone write: topic → group.
    """

    observations: list[Observation] = field(default_factory=list)
    names: list[Naming] = field(default_factory=list)
    problems: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)


class Sampler(Protocol):
    """One kind of evidence. Raises BrokerError when it can see nothing at all."""

    name: str
    permissions: tuple[str, ...]

    def sample(self, view: View) -> Sample:
        """Look once."""
        ...
