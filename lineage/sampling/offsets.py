"""Who reads: committed offsets that move, whether or not anybody is a member of the group."""

from collections import defaultdict

from lineage.ledger import Observation, latest_details
from lineage.sampling.sampler import Sample, View


class Offsets:
    """Topic → group when the group's committed offsets moved since the last look.

    An offset that stands still proves nothing new: the first look at it counts, then each move.
    Blind to readers that do not commit, and to share groups, which keep no such offsets.
    """

    name = "offsets"
    permissions: tuple[str, ...] = ("DESCRIBE on groups", "DESCRIBE on topics")

    def sample(self, view: View) -> Sample:
        """Fetch every group's offsets, and compare with those seen before."""
        groups = [it.name for it in view.listings if it.kind != "share"]
        if not groups:
            return Sample()
        known: dict[tuple[str, str], int] = view.memory.setdefault(self.name, {})
        if not known:
            known.update(_from_ledger(view))
        found = view.observer.committed_offsets(groups)
        observations = []
        for group, offsets in found.items.items():
            sums: dict[str, int] = defaultdict(int)
            for partition, offset in offsets.items():
                sums[partition.topic] += offset
            for topic, total in sums.items():
                if not view.is_shared(topic) or known.get((topic, group)) == total:
                    continue
                known[topic, group] = total
                observations.append(
                    Observation(
                        "topic", topic, "group", group, "offset", view.at, {"committed": total}
                    )
                )
        return Sample(observations, problems=found.problems)


def _from_ledger(view: View) -> dict[tuple[str, str], int]:
    """Return the sums that an earlier process saw: a restart is no movement."""
    return {
        (edge[1], edge[3]): detail["committed"]
        for edge, detail in latest_details(view.cluster, "offset").items()
        if isinstance(detail.get("committed"), int)
    }
