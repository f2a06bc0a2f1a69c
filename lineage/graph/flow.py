"""The edges as a networkx graph over numbers: hashing each node once keeps 20,000 edges quick."""

from collections.abc import Iterable

import networkx as nx

from lineage.edges import EdgeView, Node


class Flow:
    """Edges by their ends; `edge` is the edge of a pair, one a pair (see `graph.merged`)."""

    def __init__(self, edges: Iterable[EdgeView]) -> None:
        self.number: dict[Node, int] = {}
        number = self.number
        self.edge: dict[tuple[int, int], EdgeView] = {}
        for edge in edges:
            source = number.setdefault(edge.source, len(number))
            self.edge[source, number.setdefault(edge.target, len(number))] = edge
        self.nodes: list[Node] = list(number)
        self.graph: nx.DiGraph[int] = nx.DiGraph()
        self.graph.add_edges_from(self.edge)
