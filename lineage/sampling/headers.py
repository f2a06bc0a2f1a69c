"""Who writes: the newest batches of each partition, by producer id and by stamped header."""

from lineage.ledger import Naming, Observation
from lineage.sampling.newest import newest_batches
from lineage.sampling.sampler import Sample, View

_RECENT = 100
_TOTAL_BYTES = 16 * 1024 * 1024


class Headers:
    """Producer id → topic for as long as the log is kept; source → topic where records say so.

    The stamp is the header `ce_source` (CloudEvents, binary mode). It also names the producer id
    of its batch. Anybody can write a header: this is the weakest evidence, and the only one of
    writers that are not idempotent.
    """

    name = "headers"
    permissions: tuple[str, ...] = ("READ on topics",)

    def sample(self, view: View) -> Sample:
        """Read the newest records since the last look."""
        partitions = [it for it in view.layout.leaders if view.is_shared(it.topic)]
        found = newest_batches(
            view, self.name, partitions, recent=_RECENT, total_bytes=_TOTAL_BYTES
        )
        problems = dict(found.problems)
        names: dict[Naming, None] = {}
        batches: dict[tuple[int, str], int] = {}
        stamps: dict[tuple[str, int, str], int] = {}
        for batch in found.items:
            topic, producer_id = batch.partition.topic, batch.producer_id
            if batch.opaque:
                problems[topic] = f"its records cannot be read: {batch.opaque}"
            if producer_id >= 0:
                key = (producer_id, topic)
                batches[key] = max(batches.get(key, -1), batch.max_timestamp)
            for stamp in batch.stamps:
                claim = (stamp, producer_id, topic)
                stamps[claim] = max(stamps.get(claim, -1), batch.max_timestamp)
                if producer_id >= 0:
                    names[Naming(producer_id, "source", stamp[:500], "header")] = None
        observations = [
            Observation(
                "producer_id", str(producer_id), "topic", topic, "batch", view.instant(timestamp)
            )
            for (producer_id, topic), timestamp in batches.items()
        ]
        observations += [
            Observation(
                "source",
                stamp[:500],
                "topic",
                topic,
                "header",
                view.instant(timestamp),
                {"producer_id": producer_id} if producer_id >= 0 else {},
            )
            for (stamp, producer_id, topic), timestamp in stamps.items()
        ]
        return Sample(observations, list(names), problems)
