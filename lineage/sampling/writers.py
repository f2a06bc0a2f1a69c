"""What batches tell of their writers: shared by the newest ones and by those of the past."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from broker.observe import Batch
from lineage.ledger import Naming, Observation
from lineage.sampling.sampler import Sample, View

_LONGEST_NAME = 500


class Writers:
    """Gathers who wrote each topic by the batches, and when: the first and the last of them."""

    def __init__(self) -> None:
        self.problems: dict[str, str] = {}
        self._names: dict[Naming, None] = {}
        self._batches: dict[tuple[int, str], list[int]] = defaultdict(list)
        self._stamps: dict[tuple[str, int, str], list[int]] = defaultdict(list)

    def take(self, batches: Iterable[Batch]) -> None:
        """Take in batches."""
        for batch in batches:
            topic, producer_id = batch.partition.topic, batch.producer_id
            if batch.opaque:
                self.problems[topic] = f"its records cannot be read: {batch.opaque}"
            if producer_id >= 0:
                _extend(self._batches[producer_id, topic], batch.max_timestamp)
            for stamp in batch.stamps:
                claim = stamp[:_LONGEST_NAME]
                _extend(self._stamps[claim, producer_id, topic], batch.max_timestamp)
                # a transactional producer is named by its coordinator, and need not be believed
                if producer_id >= 0 and not batch.transactional:
                    self._names[Naming(producer_id, "source", claim, "header")] = None

    def sample(self, view: View, *, whole_span: bool) -> Sample:
        """Return the evidence: of the last batch of each writer, or of the first one as well."""

        def instants(seen: list[int]) -> set[datetime]:
            return {view.instant(it) for it in (seen if whole_span else seen[1:])}

        observations = [
            Observation("producer_id", str(producer_id), "topic", topic, "batch", at)
            for (producer_id, topic), seen in self._batches.items()
            for at in instants(seen)
        ]
        observations += [
            Observation(
                "source",
                stamp,
                "topic",
                topic,
                "header",
                at,
                {"producer_id": producer_id} if producer_id >= 0 else {},
            )
            for (stamp, producer_id, topic), seen in self._stamps.items()
            for at in instants(seen)
        ]
        return Sample(observations, list(self._names), self.problems)


def _extend(span: list[int], timestamp: int) -> None:
    if span:
        span[:] = [min(span[0], timestamp), max(span[1], timestamp)]
    else:
        span[:] = [timestamp, timestamp]
