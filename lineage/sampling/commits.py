"""Who reads and who writes: commits as they lie in the offsets topic, with their producer ids."""

from broker.observe import OFFSETS_TOPIC
from lineage.ledger import Naming, Observation
from lineage.sampling.newest import newest_batches
from lineage.sampling.sampler import Sample, View

_RECENT = 2000
_TOTAL_BYTES = 8 * 1024 * 1024


class Commits:
    """Topic → group for each commit, and the group as the name of the producer id that sent it.

    A transactional producer commits its group's offsets itself (KIP-98): the id in that batch
    is the one with which it writes its output. So consume-transform-produce is seen whole, and
    no transaction needs to be caught in the act.
    """

    name = "commits"
    permissions: tuple[str, ...] = (f"READ on {OFFSETS_TOPIC}",)

    def sample(self, view: View) -> Sample:
        """Read what was committed since the last look."""
        partitions = [it for it in view.layout.leaders if it.topic == OFFSETS_TOPIC]
        if not partitions:
            return Sample()
        found = newest_batches(
            view, self.name, partitions, recent=_RECENT, total_bytes=_TOTAL_BYTES
        )
        names: dict[Naming, None] = {}
        newest: dict[tuple[str, str], int] = {}
        for batch in found.items:
            for commit in batch.commits:
                key = (commit.topic, commit.group)
                newest[key] = max(newest.get(key, -1), batch.max_timestamp)
                if batch.producer_id >= 0:
                    names[Naming(batch.producer_id, "group", commit.group, "commit")] = None
        observations = [
            Observation("topic", topic, "group", group, "commit", view.instant(timestamp))
            for (topic, group), timestamp in newest.items()
            if view.is_shared(topic)
        ]
        return Sample(observations, list(names), found.problems)
