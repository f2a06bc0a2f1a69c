"""Replacing bare producer ids by who bears them. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from lineage.ledger import Naming, Observation


class Names:
    """What is known of the bearers of producer ids, from this sample and all before."""

    def __init__(self, known: Iterable[tuple[int, str, str]] = ()) -> None:
        self._bearers: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for producer_id, kind, name in known:
            self._bearers[producer_id][kind].add(name)

    def learn(self, names: Iterable[Naming]) -> list[Naming]:
        """Take in what a sample found; return what was not known before."""
        fresh = []
        for naming in names:
            known = self._bearers[naming.producer_id][naming.node_kind]
            if naming.node_name not in known:
                known.add(naming.node_name)
                fresh.append(naming)
        return fresh

    def bearer(self, producer_id: int) -> tuple[str, str] | None:
        """Return the raw node that bears the id: its transactional id, its group, or its stamp.

        A stamp counts only where nothing stronger names the id, and where it is the only one:
        several are the stamps of others, passed on.
        """
        if producer_id not in self._bearers:
            return None
        kinds = self._bearers[producer_id]
        for kind in ("transactional_id", "group"):
            if kinds[kind]:
                return kind, min(kinds[kind])
        stamps = kinds["source"]
        return ("source", next(iter(stamps))) if len(stamps) == 1 else None

    def attribute(self, observations: Iterable[Observation]) -> list[Observation]:
        """Return the observations with bare producer ids, and stamps, replaced by their bearers.

        The stamp of a batch whose producer is known otherwise is evidence for that producer; the
        stamps of a relay are dropped, for their bearers did not write here.
        """
        found = []
        for it in observations:
            if it.source_kind == "producer_id":
                bearer = self.bearer(int(it.source_name))
                found.append(_borne(it, bearer, int(it.source_name)) if bearer else it)
            elif it.source_kind == "source" and "producer_id" in it.detail:
                producer_id = int(it.detail["producer_id"])
                bearer = self.bearer(producer_id)
                if bearer is not None:
                    found.append(_borne(it, bearer, producer_id))
            else:
                found.append(it)
        return found


def _borne(observation: Observation, bearer: tuple[str, str], producer_id: int) -> Observation:
    detail = {**observation.detail, "producer_id": producer_id}
    if observation.source_kind == "source" and bearer[0] != "source":
        detail["stamp"] = observation.source_name
    return replace(observation, source_kind=bearer[0], source_name=bearer[1], detail=detail)
