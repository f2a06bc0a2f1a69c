"""Who writes: transactions as they lie in the coordinators' log, with the topics of each."""

from broker.observe import TRANSACTIONS_TOPIC
from lineage.ledger import Naming, Observation
from lineage.sampling.newest import newest_batches
from lineage.sampling.sampler import Sample, View

_RECENT = 2000
_TOTAL_BYTES = 4 * 1024 * 1024
# what was aborted is not what others read
_COMMITTED = frozenset({"PrepareCommit", "CompleteCommit"})


class TransactionLog:
    """Transactional id → topic for each committed transaction, though nobody saw it under way.

    Names the producer id as well, also of an id that has long been idle, until the log is
    compacted. Blind to producers that are not transactional.
    """

    name = "transaction_log"
    permissions: tuple[str, ...] = (f"READ on {TRANSACTIONS_TOPIC}",)

    def sample(self, view: View) -> Sample:
        """Read what was logged since the last look."""
        partitions = [it for it in view.layout.leaders if it.topic == TRANSACTIONS_TOPIC]
        if not partitions:
            return Sample()
        found = newest_batches(
            view, self.name, partitions, recent=_RECENT, total_bytes=_TOTAL_BYTES
        )
        names: dict[Naming, None] = {}
        newest: dict[tuple[str, str], int] = {}
        for batch in found.items:
            for it in batch.transactions:
                if it.producer_id >= 0:
                    naming = Naming(
                        it.producer_id, "transactional_id", it.transactional_id, self.name
                    )
                    names[naming] = None
                for topic in it.topics if it.state in _COMMITTED else ():
                    key = (it.transactional_id, topic)
                    newest[key] = max(newest.get(key, -1), batch.max_timestamp)
        observations = [
            Observation(
                "transactional_id", name, "topic", topic, self.name, view.instant(timestamp)
            )
            for (name, topic), timestamp in newest.items()
            if view.is_shared(topic)
        ]
        return Sample(observations, list(names), found.problems)
