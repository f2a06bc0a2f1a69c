"""Which topics a record's trace went through before it came to this one. Pure."""

from collections import OrderedDict

from broker.observe import Batch

_REMEMBERED = 50_000
_ORIGINS = 20


class Traces:
    """Remembers where, and when first, the newest traces were seen; of each writer its origins.

    The same trace at an earlier time in another topic: the record was derived from that one, by
    whatever way. Equal times (Kafka Streams keeps them) tell no order and count for nothing.
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._seen: OrderedDict[str, dict[str, int]] = OrderedDict()
        self._origins: dict[tuple[int, str], set[str]] = {}

    def follow(self, batch: Batch) -> frozenset[str]:
        """Take in a batch; return the topics that its writer derived the topic from so far."""
        topic = batch.partition.topic
        origins = self._origins.get((batch.producer_id, topic), set())
        for trace in batch.traces:
            places = self._seen.setdefault(trace, {})
            self._seen.move_to_end(trace)
            origins = origins | {
                place
                for place, timestamp in places.items()
                if place != topic and timestamp < batch.max_timestamp
            }
            places.setdefault(topic, batch.max_timestamp)
        while len(self._seen) > self._remembered:
            self._seen.popitem(last=False)
        if origins and len(origins) <= _ORIGINS:
            self._origins[batch.producer_id, topic] = origins
        return frozenset(self._origins.get((batch.producer_id, topic), ()))
