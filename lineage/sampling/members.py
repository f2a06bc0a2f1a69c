"""Who reads: the members of groups of all four kinds, and the topologies of streams groups."""

from collections import defaultdict
from typing import Any

from broker.observe import Group, Member
from lineage.ledger import Observation
from lineage.sampling.movement import Movement
from lineage.sampling.offsets import MEMORY
from lineage.sampling.sampler import Sample, View


class Members:
    """Topic → group for what its members are assigned now; blind to readers without a group.

    A streams group (KIP-1071) also tells what it reads by its topology, and which repartition
    and changelog topics it writes; its sinks it does not tell.
    """

    name = "members"
    permissions: tuple[str, ...] = ("DESCRIBE on groups",)

    def sample(self, view: View) -> Sample:
        """Describe every group that has members."""
        found = view.groups
        observations = [
            observation for group in found.items for observation in _observations(group, view)
        ]
        return Sample(observations, problems=found.problems)


def _observations(group: Group, view: View) -> list[Observation]:
    by_topic: dict[str, list[Member]] = defaultdict(list)
    for member in group.members:
        for topic in member.topics:
            by_topic[topic].append(member)
    name = group.listing.name
    seen = [
        Observation(
            "topic",
            topic,
            "group",
            name,
            "member",
            view.at,
            {**_detail(group, members), **_movement(view, topic, name)},
        )
        for topic, members in by_topic.items()
        if view.is_shared(topic)
    ]
    if not group.members:
        return seen
    detail = _detail(group, group.members)
    seen += [
        Observation("topic", topic, "group", name, "topology", view.at, detail)
        for topic in sorted(group.reads)
        if view.is_shared(topic)
    ]
    seen += [
        Observation("group", name, "topic", topic, "topology", view.at, detail)
        for topic in sorted(group.writes)
        if view.is_shared(topic)
    ]
    return seen


def _movement(view: View, topic: str, group: str) -> dict[str, Any]:
    """Return how fast the group reads and how far it is behind, where it commits offsets."""
    movement: Movement | None = view.memory.get(MEMORY, {}).get((topic, group))
    return movement.particulars if movement is not None else {}


def _detail(group: Group, members: tuple[Member, ...] | list[Member]) -> dict[str, Any]:
    return {
        "group_kind": group.listing.kind,
        "members": len(members),
        "client_ids": sorted({member.client_id for member in members})[:20],
        "hosts": sorted({member.host for member in members})[:20],
    }
