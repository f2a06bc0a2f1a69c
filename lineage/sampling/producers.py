"""Who writes: the producers that the leaders of partitions remember (KIP-664)."""

from lineage.ledger import Observation
from lineage.sampling.sampler import Sample, View


class Producers:
    """Producer id → topic, at the time of the producer's last batch.

    Sees every idempotent or transactional producer of the last day
    (`producer.id.expiration.ms`), and no other; others name the bare id.
    """

    name = "producers"
    permissions: tuple[str, ...] = ("READ on topics",)

    def sample(self, view: View) -> Sample:
        """Tell what changed in what the leaders of all partitions of shared topics remember."""
        found = view.producers
        newest: dict[tuple[int, str], int] = {}
        for partition, producers in found.items.items():
            for producer in producers:
                key = (producer.producer_id, partition.topic)
                newest[key] = max(newest.get(key, -1), producer.last_timestamp)
        before, looked = view.memory.get(self.name, ({}, view.at))
        view.memory[self.name] = newest, view.at
        observations = []
        for (producer_id, topic), timestamp in newest.items():
            if before.get((producer_id, topic)) == timestamp:
                continue
            seen = view.instant(timestamp)
            # records may carry times of long ago; that the state moved since was seen now
            if (producer_id, topic) in before and seen < looked:
                seen = view.at
            observations.append(
                Observation("producer_id", str(producer_id), "topic", topic, "producer", seen)
            )
        unseen = {it: why for it, why in view.ends.problems.items() if view.is_shared(it)}
        return Sample(observations, problems={**unseen, **found.problems})
