"""Who reads: committed offsets that move, whether or not anybody is a member of the group."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from broker.observe import Found, Partition
from lineage.ledger import Observation, latest_details
from lineage.sampling.movement import Movement
from lineage.sampling.sampler import Sample, View

Key = tuple[str, str]
Committed = Mapping[str, Mapping[Partition, int]]
MEMORY = "offsets"
"""Where in a view's memory each (topic, group) keeps its movement; members' details show it."""


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
        ends = _measure_lag(known, found.items, view)
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
        return Sample(observations, problems={**found.problems, **ends.problems})


def _advance(known: dict[Key, Movement], committed: Committed, view: View) -> list[Key]:
    """Take in what each group committed for each shared topic; return what is new or moved."""
    moved = []
    for group, offsets in committed.items():
        sums: dict[str, int] = defaultdict(int)
        for partition, offset in offsets.items():
            sums[partition.topic] += offset
        for topic, total in sums.items():
            if not view.is_shared(topic):
                continue
            movement = known.get((topic, group))
            if movement is None:
                known[topic, group] = Movement(total, view.at)
                moved.append((topic, group))
            elif movement.advance(total, view.at):
                moved.append((topic, group))
    return moved


def _measure_lag(
    known: dict[Key, Movement], committed: Committed, view: View
) -> Found[dict[Partition, int]]:
    """Set how many records each group is behind, of the partitions that it has committed."""
    partitions = {
        it for offsets in committed.values() for it in offsets if it in view.layout.leaders
    }
    if not partitions:
        return Found({})
    topics = {it.topic for it in partitions}
    ends = Found(
        {it: end for it, end in view.ends.items.items() if it in partitions},
        {topic: why for topic, why in view.ends.problems.items() if topic in topics},
    )
    for group, offsets in committed.items():
        behind: dict[str, int] = defaultdict(int)
        for partition, offset in offsets.items():
            if partition in ends.items:
                behind[partition.topic] += max(0, ends.items[partition] - offset)
        for topic, records in behind.items():
            if (topic, group) in known:
                known[topic, group].lag = records
    return ends


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
