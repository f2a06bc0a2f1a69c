"""Who writes: transactional ids name producer ids, and tell what they are writing right now."""

from lineage.ledger import Naming, Observation
from lineage.sampling.sampler import Sample, View


class Transactions:
    """Names the producer id of each transactional id; transactional id → topic while under way."""

    name = "transactions"
    permissions: tuple[str, ...] = ("DESCRIBE on transactional ids",)

    def sample(self, view: View) -> Sample:
        """List all transactional ids; describe those in a transaction."""
        transactions = view.observer.transactions()
        names = [
            Naming(it.producer_id, "transactional_id", it.transactional_id, "transaction")
            for it in transactions
            if it.producer_id >= 0
        ]
        observations = [
            Observation(
                "transactional_id", it.transactional_id, "topic", topic, "transaction", view.at
            )
            for it in transactions
            for topic in sorted({partition.topic for partition in it.partitions})
            if view.is_shared(topic)
        ]
        return Sample(observations, names)
