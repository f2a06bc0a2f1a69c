"""Replacing bare producer ids by who bears them. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from lineage.ledger import Naming, Observation

INTERNAL = ("-repartition", "-changelog")
"""How Kafka Streams ends the names of topics that belong to one application."""


class Names:
    """What is known of the bearers of producer ids, from this sample and all before."""

    def __init__(
        self,
        known: Iterable[tuple[int, str, str]] = (),
        bare: Iterable[tuple[int, str]] = (),
    ) -> None:
        """Begin with namings, and with topics that producers without a name were seen to write."""
        self._bearers: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for producer_id, kind, name in known:
            self._bearers[producer_id][kind].add(name)
        self._owned_writers: dict[str, set[int]] = defaultdict(set)
        self._relays: set[int] = set()
        for producer_id, topic in bare:
            self._note_writer(producer_id, topic)

    def _note_writer(self, producer_id: int, topic: str) -> None:
        if topic.endswith(INTERNAL):
            self._owned_writers[topic].add(producer_id)
            self._relays.add(producer_id)

    def own(self, observations: Iterable[Observation], owners: Mapping[str, str]) -> list[Naming]:
        """Name the producers of topics that one group alone writes; keep others for later.

        A Streams application's producer writes its repartition and changelog topics and its sinks
        with one id: so sinks, which no request tells, get their writer.
        """
        for it in observations:
            if it.source_kind == "producer_id":
                self._note_writer(int(it.source_name), it.target_name)
        return [
            Naming(producer_id, "group", group, "streams")
            for topic, group in owners.items()
            for producer_id in sorted(self._owned_writers.pop(topic, ()))
        ]

    def learn(self, names: Iterable[Naming]) -> list[Naming]:
        """Take in what a sample found; return what counts.

        Kafka Streams passes headers on: a stamp does not name a producer that writes its topics.
        """
        counted = [
            it for it in names if it.node_kind != "source" or it.producer_id not in self._relays
        ]
        for naming in counted:
            self._bearers[naming.producer_id][naming.node_kind].add(naming.node_name)
        return counted

    def bearer(self, producer_id: int) -> tuple[str, str] | None:
        """Return the raw node that a coordinator says bears the id: transactional id, or group."""
        if producer_id not in self._bearers:
            return None
        kinds = self._bearers[producer_id]
        for kind in ("transactional_id", "group"):
            if kinds[kind]:
                return kind, min(kinds[kind])
        return None

    def attribute(self, observations: Iterable[Observation]) -> list[Observation]:
        """Return the observations with bare producer ids replaced by their bearers.

        A stamp is evidence for the producer of its batch, whose node it never becomes here: what
        a record says of itself may be known better later, so it is resolved when it is read.
        """
        return [self._attributed(it) for it in observations]

    def _attributed(self, it: Observation) -> Observation:
        if it.source_kind == "producer_id":
            producer_id, stamp = int(it.source_name), {}
        elif it.source_kind == "source" and "producer_id" in it.detail:
            producer_id, stamp = int(it.detail["producer_id"]), {"stamp": it.source_name}
        else:
            return it
        kind, name = self.bearer(producer_id) or ("producer_id", str(producer_id))
        detail = {**it.detail, "producer_id": producer_id, **stamp}
        return replace(it, source_kind=kind, source_name=name, detail=detail)
