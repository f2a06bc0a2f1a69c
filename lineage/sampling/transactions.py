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
        return Sample(observations, names, _unlisted(view, {it.producer_id for it in names}))


def _unlisted(view: View, listed: set[int]) -> dict[str, str]:
    """Tell of transactional producers that the list lacks: Kafka leaves out what is forbidden."""
    missing = {
        producer.producer_id
        for producers in view.producers.items.values()
        for producer in producers
        if producer.transactional and producer.producer_id not in listed
    }
    if not missing:
        return {}
    return {"transactional ids": f"{len(missing)} producers are transactional and not listed"}
