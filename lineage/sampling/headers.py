"""Who writes: the newest batches of each partition, by producer id and by what records say."""

from broker.observe import Batch
from lineage.ledger import Observation
from lineage.sampling.newest import newest_batches
from lineage.sampling.sampler import Sample, View
from lineage.sampling.traces import Traces
from lineage.sampling.writers import Writers

_RECENT = 100
_TOTAL_BYTES = 16 * 1024 * 1024


class Headers:
    """Producer id → topic for as long as the log is kept; source → topic where records say so.

    The stamp is CloudEvents' `source`: the header `ce_source` in binary mode, the attribute in
    structured mode (JSON). It also names the producer id of its batch. Anybody can write it: this
    is the weakest evidence, and the only one of writers that are not idempotent. A W3C trace
    (`traceparent`) names nobody; it tells from which topics a writer derived what it wrote.
    """

    name = "headers"
    permissions: tuple[str, ...] = ("READ on topics",)

    def sample(self, view: View) -> Sample:
        """Read the newest records since the last look."""
        found = newest_batches(
            view, self.name, view.layout.shared, recent=_RECENT, total_bytes=_TOTAL_BYTES
        )
        writers = Writers()
        writers.take(found.items)
        seen = writers.sample(view, whole_span=False)
        traces: Traces = view.memory.setdefault(f"{self.name} traces", Traces())
        return Sample(
            seen.observations + _derivations(view, found.items, traces),
            seen.names,
            {**found.problems, **seen.problems},
        )


def _derivations(view: View, batches: list[Batch], traces: Traces) -> list[Observation]:
    found = {}
    for batch in sorted(batches, key=lambda it: it.max_timestamp):
        origins = traces.follow(batch)
        if origins and batch.producer_id >= 0:
            found[batch.producer_id, batch.partition.topic] = (batch.max_timestamp, origins)
    return [
        Observation(
            "producer_id",
            str(producer_id),
            "topic",
            topic,
            "trace",
            view.instant(timestamp),
            {"derived_from": sorted(origins)},
        )
        for (producer_id, topic), (timestamp, origins) in found.items()
    ]
