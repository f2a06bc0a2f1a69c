"""Questions to the graph of edges. Pure: edges in, edges out; networkx does the walking."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import networkx as nx

from lineage.edges import EdgeView, EvidenceView, Node, confidence

Direction = Literal["upstream", "downstream", "both"]
DEFAULT_CAP = 60


@dataclass(frozen=True)
class Subgraph:
    """A part of the graph; `hidden` counts the nodes in reach that the cap left out."""

    nodes: tuple[Node, ...]
    edges: tuple[EdgeView, ...]
    hidden: int = 0


def _digraph(edges: Iterable[EdgeView]) -> "nx.DiGraph[Node]":
    graph: nx.DiGraph[Node] = nx.DiGraph()
    graph.add_edges_from((edge.source, edge.target) for edge in edges)
    return graph


def _steps(graph: "nx.DiGraph[Node]", node: Node, direction: Direction) -> Iterator[Node]:
    if direction != "downstream":
        yield from graph.predecessors(node)
    if direction != "upstream":
        yield from graph.successors(node)


def neighbourhood(
    edges: Sequence[EdgeView],
    focus: Node,
    hops: int = 1,
    *,
    direction: Direction = "both",
    cap: int = DEFAULT_CAP,
) -> Subgraph:
    """Return what lies within `hops` of `focus`, nearest first, at most `cap` nodes.

    Upstream walks against the flow, downstream with it; `both` follows each in its own direction,
    so that a neighbour's other neighbours do not come in. A focus without edges stands alone.
    """
    graph = _digraph(edges)
    if focus not in graph:
        return Subgraph((focus,), ())
    ways: tuple[Direction, ...] = (
        ("upstream", "downstream") if direction == "both" else (direction,)
    )
    distance: dict[Node, int] = {focus: 0}
    for way in ways:
        for node, far in _walk(graph, focus, hops, way):
            distance[node] = min(far, distance.get(node, far))
    # nearest first; among equals the best connected, then by name, so that answers are stable
    ranked = sorted(distance, key=lambda node: (distance[node], -graph.degree(node), node.key))
    kept = set(ranked[: max(cap, 1)])
    return Subgraph(
        nodes=tuple(ranked[: max(cap, 1)]),
        edges=tuple(edge for edge in edges if edge.source in kept and edge.target in kept),
        hidden=len(ranked) - len(kept),
    )


def _walk(
    graph: "nx.DiGraph[Node]", focus: Node, hops: int, way: Direction
) -> Iterator[tuple[Node, int]]:
    seen = {focus}
    queue = deque([(focus, 0)])
    while queue:
        node, far = queue.popleft()
        yield node, far
        if far == hops:
            continue
        for step in sorted(_steps(graph, node, way)):
            if step not in seen:
                seen.add(step)
                queue.append((step, far + 1))


def upstream(edges: Sequence[EdgeView], focus: Node) -> frozenset[Node]:
    """Everything whose data reaches `focus`, at any distance."""
    graph = _digraph(edges)
    return frozenset(nx.ancestors(graph, focus)) if focus in graph else frozenset()


def downstream(edges: Sequence[EdgeView], focus: Node) -> frozenset[Node]:
    """Everything that data of `focus` reaches, at any distance."""
    graph = _digraph(edges)
    return frozenset(nx.descendants(graph, focus)) if focus in graph else frozenset()


def whole(edges: Sequence[EdgeView], cap: int = DEFAULT_CAP) -> Subgraph:
    """Return the best connected `cap` nodes and the edges between them."""
    degree = Counter(node for edge in edges for node in (edge.source, edge.target))
    ranked = sorted(degree, key=lambda node: (-degree[node], node.key))
    kept = set(ranked[:cap])
    return Subgraph(
        nodes=tuple(ranked[:cap]),
        edges=tuple(edge for edge in edges if edge.source in kept and edge.target in kept),
        hidden=len(ranked) - len(kept),
    )


@dataclass(frozen=True)
class Coupling:
    """Data that flows from one bounded context into another, and over how many topics."""

    source: str
    target: str
    topics: tuple[str, ...]


def fold_by_context(edges: Sequence[EdgeView]) -> list[Coupling]:
    """Fold services, actors and copies into their contexts; what joins two is the topics between.

    A context feeds another when one of its nodes writes a topic that one of the other's reads.
    Nodes without a context stand under the empty name. Most coupled first.
    """
    writers: dict[Node, set[str]] = {}
    readers: dict[Node, set[str]] = {}
    for edge in edges:
        if edge.target.kind == "topic":
            writers.setdefault(edge.target, set()).add(edge.source.context or "")
        if edge.source.kind == "topic":
            readers.setdefault(edge.source, set()).add(edge.target.context or "")
    between: dict[tuple[str, str], set[str]] = {}
    for topic, sources in writers.items():
        for pair in product(sources, readers.get(topic, ())):
            if pair[0] != pair[1]:
                between.setdefault(pair, set()).add(topic.name)
    couplings = [
        Coupling(source, target, tuple(sorted(topics)))
        for (source, target), topics in between.items()
    ]
    return sorted(couplings, key=lambda it: (-len(it.topics), it.source, it.target))


def merged(edges: Iterable[EdgeView]) -> list[EdgeView]:
    """Join edges between the same two nodes: one row an edge, whichever way it was found."""
    together: dict[tuple[Node, Node], list[EdgeView]] = {}
    for edge in edges:
        together.setdefault((edge.source, edge.target), []).append(edge)
    ordered = sorted(together.items(), key=lambda it: (it[0][0].key, it[0][1].key))
    return [_join(group) for _, group in ordered]


def _join(group: Sequence[EdgeView]) -> EdgeView:
    if len(group) == 1:
        return group[0]
    proofs: dict[str, EvidenceView] = {}
    for proof in (proof for edge in group for proof in edge.evidence):
        known = proofs.get(proof.kind)
        proofs[proof.kind] = proof if known is None else _span(known, proof)
    return EdgeView(
        source=group[0].source,
        target=group[0].target,
        evidence=tuple(proofs.values()),
        first_seen=min(edge.first_seen for edge in group),
        last_seen=max(edge.last_seen for edge in group),
        confidence=confidence(proofs),
        active=any(edge.active for edge in group),
    )


def _span(one: EvidenceView, other: EvidenceView) -> EvidenceView:
    newest = max(one, other, key=lambda proof: proof.last_seen)
    return EvidenceView(
        one.kind,
        min(one.first_seen, other.first_seen),
        newest.last_seen,
        newest.detail,
    )
