"""Bounded contexts only, and what flows from each into another. Pure; networkx finds the knots."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product

import networkx as nx

from lineage.edges import EdgeView, Node
from lineage.graph.flow import Ends


@dataclass(frozen=True)
class Coupling:
    """Data that flows from one bounded context into another, and over how many topics.

    `writers` and `readers` are the keys of the nodes on both sides; `flows` counts triples of
    writer, topic and reader: each would have to be agreed anew if the boundary moved. `cyclic`
    when the target feeds the source too, directly or over others.
    """

    source: str
    target: str
    topics: tuple[str, ...]
    writers: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    flows: int = 0
    cyclic: bool = False


@dataclass
class _Between:
    """What is gathered of two contexts."""

    topics: set[str] = field(default_factory=set)
    writers: set[Node] = field(default_factory=set)
    readers: set[Node] = field(default_factory=set)
    flows: int = 0


Pair = tuple[str, str]
_Sides = dict[Node, dict[str, set[Node]]]
"""Who of each context stands on one side of a topic."""


def _sides(ends: Iterable[tuple[Node, Node]]) -> _Sides:
    found: _Sides = {}
    for topic, node in ends:
        found.setdefault(topic, {}).setdefault(node.context or "", set()).add(node)
    return found


def fold_by_context(edges: Sequence[EdgeView] | Sequence[Ends]) -> list[Coupling]:
    """Fold services, actors and copies into their contexts; what joins two is the topics between.

    A context feeds another when one of its nodes writes a topic that one of the other's reads.
    Nodes without a context stand under the empty name, which is no context and in no knot. Most
    topics first, then most flows.
    """
    writing = _sides((edge.target, edge.source) for edge in edges if edge.target.kind == "topic")
    reading = _sides((edge.source, edge.target) for edge in edges if edge.source.kind == "topic")
    gathered: dict[Pair, _Between] = defaultdict(_Between)
    for topic, writers in writing.items():
        readers = reading.get(topic, {})
        for pair in product(writers, readers):
            if pair[0] != pair[1]:
                between = gathered[pair]
                between.topics.add(topic.name)
                between.writers |= writers[pair[0]]
                between.readers |= readers[pair[1]]
                between.flows += len(writers[pair[0]]) * len(readers[pair[1]])
    knots = _knots(gathered)
    couplings = [
        Coupling(
            source=pair[0],
            target=pair[1],
            topics=tuple(sorted(between.topics)),
            writers=tuple(sorted(node.key for node in between.writers)),
            readers=tuple(sorted(node.key for node in between.readers)),
            flows=between.flows,
            cyclic=pair[0] in knots and knots[pair[0]] == knots.get(pair[1]),
        )
        for pair, between in gathered.items()
    ]
    return sorted(couplings, key=lambda it: (-len(it.topics), -it.flows, it.source, it.target))


def _knots(pairs: Iterable[Pair]) -> dict[str, int]:
    """Number the sets of contexts that all feed each other, directly or over others."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_edges_from(pair for pair in pairs if all(pair))
    return {
        name: number
        for number, knot in enumerate(nx.strongly_connected_components(graph))
        for name in knot
    }
