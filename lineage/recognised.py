"""Who the raw nodes are that were ever seen, as far as that does not depend on an instant.

By their own names, and by names that producer ids tie to them. What the client ids of members tell
besides is evidence, thus of an instant.
"""

import gc
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache, cached_property, partial
from typing import Any

from catalog.models import Cluster
from catalog.recognition import Recogniser, recogniser
from lineage.edges import PLACES, Node
from lineage.graph.flow import Pair
from lineage.graph.selection import is_named_internal
from lineage.identity import Identities, KnownService
from lineage.topology import Raw, RawEdge, Topology, read_topology

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
                self._names.get(cluster, ()), partial(self._recognise, cluster)
            )
        return self._identities[cluster]

    @cached_property
    def _names(self) -> dict[int, list[tuple[int, str, str]]]:
        found: dict[int, list[tuple[int, str, str]]] = defaultdict(list)
        for (cluster, number), bearers in self.topology.borne.items():
            found[cluster] += ((number, it.kind, it.name) for it in bearers)
        return found

    def sought(self, cluster: int, kind: str, name: str) -> str:
        """Return what patterns are held against: a producer id is unique within its cluster."""
        return f"{self.clusters.get(cluster, '')}/{name}" if kind == _PRODUCER_ID else name

    def _recognise(self, cluster: int, kind: str, name: str) -> KnownService | None:
        service = self.recogniser.service_of(kind, self.sought(cluster, kind, name))
        if service is None:
            return None
        return KnownService(service.name, service.context.name if service.context else None)

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

    def numbered(self, cluster: int | None = None) -> "Numbered":
        """Return the topology's edges between numbered nodes; of one cluster or of all."""
        if cluster not in self._numbered:
            self._numbered[cluster] = Numbered(self, cluster)
            _leave_alone()
        return self._numbered[cluster]


@cache
def _leave_alone() -> None:
    """Spare the collector what a process keeps for good, once: it is most of what there is.

    To look through it all took longer than most answers.
    """
    gc.collect()
    gc.freeze()


class Steps:
    """Who is next to each number on one side, those that were seen first before others."""

    def __init__(self, count: int) -> None:
        self.to: list[list[int]] = [[] for _ in range(count)]
        self.begun: list[list[Any]] = [[] for _ in range(count)]

    def add(self, number: int, step: int, begun: Any) -> None:
        """Add a step that was seen later than all others."""
        self.to[number].append(step)
        self.begun[number].append(begun)

    def by(self, number: int, instant: Any) -> list[int]:
        """Return the steps that had been seen by then; a list that is not to be changed."""
        begun = self.begun[number]
        seen = bisect_right(begun, instant)
        return self.to[number] if seen == len(begun) else self.to[number][:seen]


class Numbered:
    """Every raw edge between the nodes that names alone tell, by numbers, the first seen first.

    Contexts of topics and copies are not in it: these belong to what is shown.
    """

    def __init__(self, known: Recognised, cluster: int | None) -> None:
        self.nodes: list[Node] = []
        self.number: dict[Node, int] = {}
        self.by_raw: dict[tuple[int, Raw], int] = {}
        self._known = known
        edges = [
            (
                edge,
                self._number_of(edge.cluster, edge.source),
                self._number_of(edge.cluster, edge.target),
            )
            for edge in known.topology.edges.values()
            if edge.begun is not None and cluster in {None, edge.cluster}
        ]
        edges.sort(key=lambda it: it[0].begun)
        self.behind: dict[Pair, list[RawEdge]] = defaultdict(list)
        self.begun: dict[Pair, Any] = {}
        self.unsure: list[tuple[RawEdge, int, int]] = []
        unsure = [self._is_unsure(node) for node in self.nodes]
        self.succ, self.pred = Steps(len(self.nodes)), Steps(len(self.nodes))
        for it in edges:
            edge, source, target = it
            pair = source, target
            if unsure[source] or unsure[target]:
                self.unsure.append(it)
                continue
            self.behind[pair].append(edge)
            if pair not in self.begun:
                self.begun[pair] = edge.begun
                self.succ.add(source, target, edge.begun)
                self.pred.add(target, source, edge.begun)
        self.unsure_begun = [edge.begun for edge, _, _ in self.unsure]

    def _is_unsure(self, node: Node) -> bool:
        """Whether it depends on the instant who a node is: unnamed, or told by client ids only."""
        if node.kind != "actor":
            return False
        return node.known_by == _PRODUCER_ID or self._known.recogniser.knows_clients

    @cached_property
    def called(self) -> dict[str, list[int]]:
        """The nodes by name and key."""
        found: dict[str, list[int]] = defaultdict(list)
        for number, node in enumerate(self.nodes):
            for text in {node.name, node.key, f"{node.kind}:{node.name}"}:
                found[text].append(number)
        return found

    def _number_of(self, cluster: int, raw: Raw) -> int:
        found = self.by_raw.get((cluster, raw))
        if found is None:
            found = self._number(self._known.identities(cluster).node(*raw))
            self.by_raw[cluster, raw] = found
        return found

    def _number(self, node: Node) -> int:
        found = self.number.setdefault(node, len(self.nodes))
        if found == len(self.nodes):
            self.nodes.append(node)
        return found

    @cached_property
    def internal(self) -> list[int]:
        """Topics that Kafka Streams named for itself."""
        return [
            number
            for number, node in enumerate(self.nodes)
            if node.kind == "topic" and is_named_internal(node.name)
        ]

    @cached_property
    def pairs(self) -> list[tuple[Pair, Any]]:
        """All pairs but the unsure ones, by their ends' keys, and when each was first seen."""
        rank = self.rank
        return sorted(self.begun.items(), key=lambda it: (rank[it[0][0]], rank[it[0][1]]))

    @cached_property
    def rank(self) -> list[int]:
        """The place of each node in the order of their keys."""
        ordered = sorted(range(len(self.nodes)), key=lambda number: self.nodes[number].key)
        found = [0] * len(ordered)
        for place, number in enumerate(ordered):
            found[number] = place
        return found


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
    found = Recognised(topology, known, clusters)
    _kept[:] = [found]
    return found
