"""The whole topology between numbered nodes: what a walk over everything goes along.

Copying numbers is cheap, so what came to a topology is added to a copy: to number all of it anew
takes the time of ten questions.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from lineage.edges import Node
from lineage.graph.flow import Pair
from lineage.graph.selection import is_named_internal
from lineage.topology import Raw, RawEdge

_PRODUCER_ID = "producer_id"
Resolve = Callable[[int, Raw], Node]
"""Who a raw node of a cluster is."""


class Steps:
    """Who is next to each number on one side, those that were seen first before others."""

    def __init__(self) -> None:
        self.to: list[list[int]] = []
        self.begun: list[list[Any]] = []

    def reach(self, count: int) -> None:
        """Make room for that many numbers."""
        while len(self.to) < count:
            self.to.append([])
            self.begun.append([])

    def add(self, number: int, step: int, begun: Any) -> None:
        """Add a step that was seen later than all others."""
        self.to[number].append(step)
        self.begun[number].append(begun)

    def insert(self, number: int, step: int, begun: Any) -> None:
        """Insert a step at its time, leaving alone the lists that a copy shares."""
        at = bisect_right(self.begun[number], begun)
        self.to[number] = [*self.to[number][:at], step, *self.to[number][at:]]
        self.begun[number] = [*self.begun[number][:at], begun, *self.begun[number][at:]]

    def by(self, number: int, instant: Any) -> list[int]:
        """Return the steps that had been seen by then; a list that is not to be changed."""
        begun = self.begun[number]
        seen = bisect_right(begun, instant)
        return self.to[number] if seen == len(begun) else self.to[number][:seen]

    def copy(self) -> "Steps":
        """Return one to insert into."""
        found = Steps()
        found.to, found.begun = list(self.to), list(self.begun)
        return found


class Numbered:
    """Every raw edge between the nodes that names alone tell, by numbers, the first seen first.

    Contexts of topics and copies are not in it: these belong to what is shown.
    """

    def __init__(self, resolve: Resolve, edges: Iterable[RawEdge], *, knows_clients: bool) -> None:
        self.nodes: list[Node] = []
        self.number: dict[Node, int] = {}
        self.by_raw: dict[tuple[int, Raw], int] = {}
        self._resolve = resolve
        self._knows_clients = knows_clients
        self.behind: dict[Pair, list[RawEdge]] = {}
        self.begun: dict[Pair, Any] = {}
        self.unsure: list[tuple[RawEdge, int, int]] = []
        self.succ, self.pred = Steps(), Steps()
        numbered = [
            (
                edge,
                self._number_of(edge.cluster, edge.source),
                self._number_of(edge.cluster, edge.target),
            )
            for edge in edges
        ]
        numbered.sort(key=lambda it: it[0].begun)
        unsure = [self._is_unsure(node) for node in self.nodes]
        self.succ.reach(len(self.nodes))
        self.pred.reach(len(self.nodes))
        for it in numbered:
            edge, source, target = it
            pair = source, target
            if unsure[source] or unsure[target]:
                self.unsure.append(it)
                continue
            known = self.behind.setdefault(pair, [])
            known.append(edge)
            if len(known) == 1:
                self.begun[pair] = edge.begun
                self.succ.add(source, target, edge.begun)
                self.pred.add(target, source, edge.begun)
        self.unsure_begun = [edge.begun for edge, _, _ in self.unsure]

    def grown(self, resolve: Resolve, edges: Iterable[RawEdge]) -> "Numbered | None":
        """Return a copy with more edges; None where one was seen before another between its ends.

        What is there already is shared, not copied, and `resolve` tells of it what it told.
        """
        found = Numbered(resolve, (), knows_clients=self._knows_clients)
        found.nodes, found.number = list(self.nodes), dict(self.number)
        found.by_raw = dict(self.by_raw)
        found.behind, found.begun = dict(self.behind), dict(self.begun)
        found.unsure, found.unsure_begun = list(self.unsure), list(self.unsure_begun)
        found.succ, found.pred = self.succ.copy(), self.pred.copy()
        if not all(found._insert(edge) for edge in sorted(edges, key=lambda it: it.begun)):
            return None
        if "called" in vars(self):
            vars(found)["called"] = found._called_since(self)
        return found

    def _insert(self, edge: RawEdge) -> bool:
        source = self._number_of(edge.cluster, edge.source)
        target = self._number_of(edge.cluster, edge.target)
        self.succ.reach(len(self.nodes))
        self.pred.reach(len(self.nodes))
        pair = source, target
        if self._is_unsure(self.nodes[source]) or self._is_unsure(self.nodes[target]):
            at = bisect_right(self.unsure_begun, edge.begun)
            self.unsure.insert(at, (edge, source, target))
            self.unsure_begun.insert(at, edge.begun)
        elif pair not in self.begun:
            self.behind[pair], self.begun[pair] = [edge], edge.begun
            self.succ.insert(source, target, edge.begun)
            self.pred.insert(target, source, edge.begun)
        elif edge.begun < self.begun[pair]:
            return False
        else:
            self.behind[pair] = sorted([*self.behind[pair], edge], key=lambda it: it.begun)
        return True

    def _called_since(self, before: "Numbered") -> dict[str, list[int]]:
        found = dict(before.called)
        for number in range(len(before.nodes), len(self.nodes)):
            for text in _names(self.nodes[number]):
                found[text] = [*found.get(text, ()), number]
        return found

    def _is_unsure(self, node: Node) -> bool:
        """Whether it depends on the instant who a node is: unnamed, or told by client ids only."""
        if node.kind != "actor":
            return False
        return node.known_by == _PRODUCER_ID or self._knows_clients

    @cached_property
    def called(self) -> dict[str, list[int]]:
        """The nodes by name and key."""
        found: dict[str, list[int]] = defaultdict(list)
        for number, node in enumerate(self.nodes):
            for text in _names(node):
                found[text].append(number)
        return found

    def _number_of(self, cluster: int, raw: Raw) -> int:
        found = self.by_raw.get((cluster, raw))
        if found is None:
            found = self._number(self._resolve(cluster, raw))
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


def _names(node: Node) -> set[str]:
    """Return by what a node may be called: its name, its key."""
    return {node.name, node.key, f"{node.kind}:{node.name}"}
