"""Who reads: committed offsets that move, whether or not anybody is a member of the group."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from broker.observe import Partition
from lineage.ledger import Observation, latest_details
from lineage.sampling.movement import Movement
from lineage.sampling.sampler import Sample, View

Key = tuple[str, str]
Committed = Mapping[str, Mapping[Partition, int]]
MEMORY = "offsets"
"""Where in a view's memory each (topic, group) keeps its movement; members' details show it."""
_SUMS = f"{MEMORY} sums"


class Offsets:
    """Topic → group when the group's committed offsets moved since the last look.

    An offset that stands still proves nothing new: the first look at it counts, then each move.
    Blind to readers that do not commit, and to share groups, which keep no such offsets.
    """

    name = MEMORY
    permissions: tuple[str, ...] = ("DESCRIBE on groups", "DESCRIBE on topics")

    def sample(self, view: View) -> Sample:
        """Fetch every group's offsets, and compare with those seen before."""
        groups = [it.name for it in view.listings if it.kind != "share"]
        if not groups:
            return Sample()
        known: dict[Key, Movement] = view.memory.setdefault(self.name, {})
        if not known:
            known.update(_from_ledger(view))
        found = view.observer.committed_offsets(groups)
        moved = _advance(known, found.items, view)
        unmeasured = _measure_lag(known, found.items, view)
        observations = [
            Observation(
                "topic",
                topic,
                "group",
                group,
                "offset",
                view.at,
                {"committed": known[topic, group].committed, **known[topic, group].particulars},
            )
            for topic, group in moved
        ]
        return Sample(observations, problems={**found.problems, **unmeasured})


def _advance(known: dict[Key, Movement], committed: Committed, view: View) -> list[Key]:
    """Take in what each group committed for each shared topic; return what is new or moved."""
    moved = []
    # most groups say what they said before, by the very same object: not to be added up again
    before: dict[str, _Sums] = view.memory.get(_SUMS, {})
    now: dict[str, _Sums] = {}
    for group, offsets in committed.items():
        sums = before.get(group)
        if sums is None or sums.offsets is not offsets:
            sums = _Sums.of(offsets)
        now[group] = sums
        for topic, total in sums.by_topic.items():
            if not view.is_shared(topic):
                continue
            movement = known.get((topic, group))
            if movement is None:
                known[topic, group] = Movement(total, view.at)
                moved.append((topic, group))
            elif movement.advance(total, view.at):
                moved.append((topic, group))
    view.memory[_SUMS] = now
    return moved


@dataclass
class _Sums:
    """What a group has committed, and the sum of it for each topic."""

    offsets: Mapping[Partition, int]
    by_topic: Mapping[str, int]

    @classmethod
    def of(cls, offsets: Mapping[Partition, int]) -> Self:
        """Add up."""
        sums: dict[str, int] = defaultdict(int)
        for partition, offset in offsets.items():
            sums[partition.topic] += offset
        return cls(offsets, sums)


def _measure_lag(known: dict[Key, Movement], committed: Committed, view: View) -> dict[str, str]:
    """Set how many records each group is behind; return why not, where an end is not known."""
    if not any(committed.values()):
        return {}
    ends = view.ends.items
    topics: set[str] = set()
    for group, offsets in committed.items():
        behind: dict[str, int] = {}
        for partition, offset in offsets.items():
            end = ends.get(partition)
            topic = partition.topic
            if end is None:
                topics.add(topic)
            else:
                behind[topic] = behind.get(topic, 0) + max(0, end - offset)
        for topic, records in behind.items():
            movement = known.get((topic, group))
            if movement is not None:
                movement.lag = records
    return {topic: why for topic, why in view.ends.problems.items() if topic in topics}


def _from_ledger(view: View) -> dict[Key, Movement]:
    """Return the sums that an earlier process saw: a restart is no movement."""
    return {
        (edge[1], edge[3]): Movement(detail["committed"], view.at, _instant(detail))
        for edge, detail in latest_details(view.cluster, "offset").items()
        if isinstance(detail.get("committed"), int)
    }


def _instant(detail: Mapping[str, object]) -> datetime | None:
    text = detail.get("idle_since")
    return datetime.fromisoformat(text) if isinstance(text, str) else None
