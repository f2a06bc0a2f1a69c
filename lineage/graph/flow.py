"""Edges as a graph over numbers: hashing each node once keeps 20,000 edges quick."""

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

import networkx as nx

from lineage.edges import EdgeView, Node

Pair = tuple[int, int]


class Ends(NamedTuple):
    """An edge without what speaks for it."""

    source: Node
    target: Node


class Flow:
    """Nodes by number, and who is next to whom; each pair of nodes is joined once.

    Walks need no more than this: `edges_of` and `nodes_of` are asked for what is shown in the
    end, so that a graph may keep the evidence elsewhere (see `lineage.outline`).
    """

    succ: Sequence[list[int]]
    pred: Sequence[list[int]]

    def __init__(self, edges: Iterable[EdgeView]) -> None:
        self.number: dict[Node, int] = {}
        number = self.number
        self.edge: dict[Pair, EdgeView] = {}
        for edge in edges:
            source = number.setdefault(edge.source, len(number))
            self.edge[source, number.setdefault(edge.target, len(number))] = edge
        self.nodes: list[Node] = list(number)
        self.succ = [[] for _ in self.nodes]
        self.pred = [[] for _ in self.nodes]
        for source, target in self.edge:
            self.succ[source].append(target)
            self.pred[target].append(source)

    def find(self, node: Node) -> int | None:
        """Return the number of a node; None when no edge is at it."""
        return self.number.get(node)

    def edges_of(self, pairs: Collection[Pair]) -> dict[Pair, EdgeView]:
        """Return the edges between pairs that are joined."""
        return {pair: self.edge[pair] for pair in pairs}

    def nodes_of(self, numbers: Iterable[int]) -> dict[int, Node]:
        """Return nodes with all that is shown of them."""
        return {number: self.nodes[number] for number in numbers}

    def degree(self, number: int) -> int:
        """Return how many edges are at a node."""
        return len(self.succ[number]) + len(self.pred[number])

    @cached_property
    def graph(self) -> "nx.DiGraph[int]":
        """The same for networkx."""
        graph: nx.DiGraph[int] = nx.DiGraph()
        graph.add_edges_from(
            (source, target) for source, steps in enumerate(self.succ) for target in steps
        )
        return graph


Edges = Iterable[EdgeView] | Flow


def flow_of(edges: Edges) -> Flow:
    """Return edges as a graph, unless they are one."""
    return edges if isinstance(edges, Flow) else Flow(edges)
