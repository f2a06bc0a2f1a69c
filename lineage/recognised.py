"""Who the raw nodes are that were ever seen, as far as that does not depend on an instant.

By their own names, and by names that producer ids tie to them. What the client ids of members tell
besides is evidence, thus of an instant.
"""

import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property, partial

from catalog.models import Cluster
from catalog.recognition import Recogniser, recogniser
from lineage.edges import PLACES, Node
from lineage.identity import Identities, KnownService
from lineage.numbered import Numbered
from lineage.topology import Bearer, Raw, RawEdge, Topology, read_topology

_PRODUCER_ID = "producer_id"


class Recognised:
    """One topology under one recogniser; what it has found out once it remembers."""

    def __init__(
        self, topology: Topology, recogniser: Recogniser, clusters: dict[int, str]
    ) -> None:
        self.topology = topology
        self.recogniser = recogniser
        self.clusters = clusters
        self._identities: dict[int, Identities] = {}
        self._numbered: dict[int | None, Numbered] = {}

    def identities(self, cluster: int) -> Identities:
        """Return who is who in one cluster."""
        if cluster not in self._identities:
            self._identities[cluster] = Identities(
                self._names.get(cluster, ()),
                partial(_recognise, self.recogniser, self.clusters.get(cluster, "")),
            )
        return self._identities[cluster]

    def node(self, cluster: int, raw: Raw) -> Node:
        """Return the node that pages show for a raw one, without the context of a topic or copy."""
        return self.identities(cluster).node(*raw)

    @cached_property
    def _names(self) -> dict[int, list[tuple[int, str, str]]]:
        found: dict[int, list[tuple[int, str, str]]] = defaultdict(list)
        for (cluster, number), bearers in self.topology.borne.items():
            found[cluster] += ((number, it.kind, it.name) for it in bearers)
        return found

    def sought(self, cluster: int, kind: str, name: str) -> str:
        """Return what patterns are held against."""
        return _sought(self.clusters.get(cluster, ""), kind, name)

    def raws_of(self, services: Iterable[str]) -> set[Raw]:
        """Return the raw nodes that patterns of the services recognise."""
        return {raw for name in services for raw in self._by_service.get(name, ())}

    @cached_property
    def _by_service(self) -> dict[str, list[Raw]]:
        found: dict[str, list[Raw]] = defaultdict(list)
        for cluster, raw in self._actors():
            for service in self.recogniser.candidates(raw[0], self.sought(cluster, *raw)):
                found[service.name].append(raw)
        return found

    def _actors(self) -> Iterator[tuple[int, Raw]]:
        """Yield every raw node that is no place, in each cluster in which it was seen."""
        for raw, edges in self.topology.at.items():
            if raw[0] not in PLACES:
                for cluster in {edge.cluster for edge in edges}:
                    yield cluster, raw
        for raw, bearers in self.topology.numbers.items():
            for cluster in {it.cluster for it in bearers}:
                yield cluster, raw

    @cached_property
    def unknown(self) -> frozenset[Raw]:
        """The raw nodes whose names tell no service: client ids of their members may."""
        return frozenset(
            raw
            for cluster, raw in self._actors()
            if self.identities(cluster).service_of(*raw) is None
        )

    def numbered(self, cluster: int | None = None) -> Numbered:
        """Return the topology's edges between numbered nodes; of one cluster or of all."""
        if cluster not in self._numbered:
            edges = (
                edge
                for edge in self.topology.edges.values()
                if edge.begun is not None and cluster in {None, edge.cluster}
            )
            self._numbered[cluster] = Numbered(
                self.node, edges, knows_clients=self.recogniser.knows_clients
            )
            _leave_alone()
        return self._numbered[cluster]

    def find_out(self) -> None:
        """Find out what is kept, ahead of the question that would."""
        numbered = self.numbered()
        _ = self._by_service, numbered.called, numbered.internal, numbered.pairs

    def grown(self, topology: Topology) -> "Recognised | None":
        """Return what is known of a topology that grew out of this one's; None where it did not.

        What is not known there any more is found out when it is asked for.
        """
        growths = topology.growth_since(self.topology.mark)
        if growths is None:
            return None
        found = Recognised(topology, self.recogniser, self.clusters)
        found._identities = dict(self._identities)
        touched: set[tuple[int, Raw]] = set()
        named: dict[int, list[Bearer]] = defaultdict(list)
        for it in (it for growth in growths for it in growth.names):
            named[it.cluster].append(it)
        for cluster, bearers in named.items():
            names = [(it.producer_id, it.kind, it.name) for it in bearers]
            found._identities[cluster], changed = self.identities(cluster).grown(names)
            touched |= {(cluster, raw) for raw in changed}
        fresh = [edge for growth in growths for edge in growth.edges]
        for of, known in list(self._numbered.items()):
            if all(found._is_still(known, *it) for it in touched if it in known.by_raw):
                here = (edge for edge in fresh if of in {None, edge.cluster})
                if (numbered := known.grown(found.node, here)) is not None:
                    found._numbered[of] = numbered
        if "_by_service" in vars(self):
            vars(found)["_by_service"] = self._by_service_with(fresh, named)
        return found

    def _is_still(self, known: Numbered, cluster: int, raw: Raw) -> bool:
        return self.node(cluster, raw) == known.nodes[known.by_raw[cluster, raw]]

    def _by_service_with(
        self, fresh: Iterable[RawEdge], named: Mapping[int, Iterable[Bearer]]
    ) -> dict[str, list[Raw]]:
        raws = {(edge.cluster, raw) for edge in fresh for raw in (edge.source, edge.target)}
        raws |= {(it.cluster, (it.kind, it.name)) for each in named.values() for it in each}
        found = dict(self._by_service)
        for cluster, raw in raws:
            if raw[0] not in PLACES:
                for service in self.recogniser.candidates(raw[0], self.sought(cluster, *raw)):
                    found[service.name] = [*found.get(service.name, ()), raw]
        return found


def _sought(cluster: str, kind: str, name: str) -> str:
    """Return what patterns are held against: a producer id is unique within its cluster."""
    return f"{cluster}/{name}" if kind == _PRODUCER_ID else name


def _recognise(recogniser: Recogniser, cluster: str, kind: str, name: str) -> KnownService | None:
    service = recogniser.service_of(kind, _sought(cluster, kind, name))
    if service is None:
        return None
    return KnownService(service.name, service.context.name if service.context else None)


@cache
def _leave_alone() -> None:
    """Spare the collector what a process keeps for good, once: it is most of what there is.

    To look through it all took longer than most answers.
    """
    gc.collect()
    gc.freeze()


_kept: list[Recognised] = []


def read_recognised() -> Recognised:
    """Return who is who now; that of the last time while ledger and catalog are the same."""
    topology, known = read_topology(), recogniser()
    clusters = dict(Cluster.objects.values_list("pk", "name"))
    last = _kept[0] if _kept else None
    if (
        last is not None
        and last.topology is topology
        and last.recogniser is known
        and last.clusters == clusters
    ):
        return last
    found = None
    if last is not None and last.recogniser is known and last.clusters == clusters:
        found = last.grown(topology)
    found = found or Recognised(topology, known, clusters)
    _kept[:] = [found]
    return found
