"""Walking up and down the stream: how far, through what, and what was left out. Pure.

The unit of distance is the hop. Between things a hop is one edge, so that from a topic over its
reader to the topic that this one writes are two. A projection counts and shows one sort of things
and walks through the others free of charge: among topics, a hop is "one node reads this and writes
that"; among services (and copies, and actors) it is "one writes what the other reads". That a
service reads one topic and writes another does not prove that the second is made from the first:
projected hops are what may derive, not what does.

A service that reads a topic it writes itself is a cycle of two edges: it is at no distance from
itself, and `returns` tells that data of the node in the middle comes back to it.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Literal, get_args

import networkx as nx

from lineage.edges import EdgeView, Node
from lineage.graph.flow import Edges, Flow, Pair, flow_of

Direction = Literal["upstream", "downstream", "both"]
Projection = Literal["things", "topics", "services"]
PROJECTIONS: tuple[Projection, ...] = get_args(Projection)
DEFAULT_CAP = 60


@dataclass(frozen=True)
class Subgraph:
    """A part of the graph; `hidden` counts the nodes in reach that the cap left out."""

    nodes: tuple[Node, ...]
    edges: tuple[EdgeView, ...]
    hidden: int = 0


@dataclass(frozen=True)
class Reached:
    """A node, and how many hops away it is by the shortest way."""

    node: Node
    distance: int


@dataclass(frozen=True)
class Link:
    """A hop of a projection, over the things in between (`via`; the strongest first).

    Its confidence is that of the strongest way through, both edges of which have to be real;
    it is active when some way through is, and was seen when both edges of a way had been.
    """

    source: Node
    target: Node
    via: tuple[Node, ...]
    confidence: float
    active: bool
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True)
class Reach:
    """What lies up or down the stream of `focus`, nearest first.

    Things come with `edges`, projections with `links`, those between shown nodes only. `hidden`
    counts nodes within the depth that the cap left out, `beyond` those that lie deeper: all in
    reach are `len(nodes) + hidden + beyond`.
    """

    focus: Node
    nodes: tuple[Reached, ...]
    edges: tuple[EdgeView, ...]
    links: tuple[Link, ...]
    hidden: int
    beyond: int
    returns: bool


def reach(
    edges: Edges,
    focus: Node,
    direction: Literal["upstream", "downstream"],
    *,
    depth: int | None = None,
    projection: Projection = "things",
    cap: int = DEFAULT_CAP,
) -> Reach:
    """Return what is within `depth` hops (None: any distance) against or with the flow.

    At most `cap` nodes: the nearest, among equals the best connected, then by key. The focus
    itself is none of them, and one without edges reaches nothing.
    """
    flow = flow_of(edges)
    start = flow.find(focus)
    if start is None:
        return Reach(focus, (), (), (), 0, 0, returns=False)
    shown = [_shows(projection, node) for node in flow.nodes]
    distances, returns = _distances(flow, start, direction, shown)
    near = [
        number
        for number, far in distances.items()
        if shown[number] and number != start and (depth is None or far <= depth)
    ]
    in_reach = sum(1 for number in distances if shown[number] and number != start)
    ranked = _ranked(flow, near, distances)
    kept = ranked[:cap]
    among = {start, *kept}
    nodes = flow.nodes_of(among)
    things = projection == "things"
    return Reach(
        focus=nodes[start],
        nodes=tuple(Reached(nodes[number], distances[number]) for number in kept),
        edges=_edges_among(flow, among) if things else (),
        links=() if things else _links_among(flow, among, shown),
        hidden=len(ranked) - len(kept),
        beyond=in_reach - len(near),
        returns=returns,
    )


def _shows(projection: Projection, node: Node) -> bool:
    return projection == "things" or (node.kind == "topic") == (projection == "topics")


def _distances(
    flow: Flow, start: int, way: Direction, costs: Sequence[int]
) -> tuple[dict[int, int], bool]:
    """Breadth first; entering a node that is not shown costs nothing, so it goes to the front."""
    steps = flow.pred if way == "upstream" else flow.succ
    distances, returns = {start: 0}, False
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for step in steps[node]:
            returns = returns or step == start
            far = distances[node] + costs[step]
            if step not in distances or far < distances[step]:
                distances[step] = far
                (queue.append if costs[step] else queue.appendleft)(step)
    return distances, returns


def _ranked(flow: Flow, found: Iterable[int], distances: dict[int, int]) -> list[int]:
    return sorted(found, key=lambda it: (distances[it], -flow.degree(it), flow.nodes[it].key))


def _pairs_among(flow: Flow, kept: set[int]) -> list[Pair]:
    return [(source, target) for source in kept for target in flow.succ[source] if target in kept]


def _edges_among(flow: Flow, kept: set[int]) -> tuple[EdgeView, ...]:
    found = flow.edges_of(_pairs_among(flow, kept)).values()
    return tuple(sorted(found, key=lambda edge: (edge.source.key, edge.target.key)))


def _links_among(flow: Flow, kept: set[int], shown: Sequence[bool]) -> tuple[Link, ...]:
    """Join kept nodes over the things between them; `kept` may hold a focus that is not shown."""
    direct = _pairs_among(flow, kept)
    between = {
        number
        for node in kept
        for number in (*flow.succ[node], *flow.pred[node])
        if not shown[number] and number not in kept
    }
    ways: dict[Pair, list[tuple[Pair, Pair]]] = defaultdict(list)
    for middle in between:
        sources, targets = flow.pred[middle], flow.succ[middle]
        for one, other in product(
            [it for it in sources if it in kept], [it for it in targets if it in kept]
        ):
            if one != other:
                ways[one, other].append(((one, middle), (middle, other)))
    through = {pair for found in ways.values() for way in found for pair in way}
    edges = flow.edges_of({*direct, *through})
    links = [_link([(edges[pair], edges[pair])], through=False) for pair in direct]
    links += (_link([(edges[one], edges[other]) for one, other in way]) for way in ways.values())
    return tuple(sorted(links, key=lambda link: (link.source.key, link.target.key)))


def _link(ways: list[tuple[EdgeView, EdgeView]], *, through: bool = True) -> Link:
    def trust(way: tuple[EdgeView, EdgeView]) -> float:
        return way[0].confidence * way[1].confidence if through else way[0].confidence

    ways.sort(key=lambda way: (-trust(way), way[0].target.key))
    return Link(
        source=ways[0][0].source,
        target=ways[0][1].target,
        via=tuple(way[0].target for way in ways) if through else (),
        confidence=round(trust(ways[0]), 3),
        active=any(one.active and other.active for one, other in ways),
        first_seen=min(max(one.first_seen, other.first_seen) for one, other in ways),
        last_seen=max(min(one.last_seen, other.last_seen) for one, other in ways),
    )


def neighbourhood(
    edges: Edges,
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
    flow = flow_of(edges)
    start = flow.find(focus)
    if start is None:
        return Subgraph((focus,), ())
    ways: tuple[Direction, ...] = (
        ("upstream", "downstream") if direction == "both" else (direction,)
    )
    near: dict[int, int] = {start: 0}
    costs = [1] * len(flow.nodes)
    for way in ways:
        for number, far in _distances(flow, start, way, costs)[0].items():
            if far <= hops:
                near[number] = min(far, near.get(number, far))
    ranked = _ranked(flow, near, near)
    kept = ranked[: max(cap, 1)]
    among = set(kept)
    nodes = flow.nodes_of(kept)
    return Subgraph(
        nodes=tuple(nodes[number] for number in kept),
        edges=_edges_among(flow, among),
        hidden=len(ranked) - len(kept),
    )


def upstream(edges: Sequence[EdgeView], focus: Node) -> frozenset[Node]:
    """Everything whose data reaches `focus`, at any distance."""
    flow = Flow(edges)
    if focus not in flow.number:
        return frozenset()
    found = nx.ancestors(flow.graph, flow.number[focus])
    return frozenset(flow.nodes[number] for number in found)


def downstream(edges: Sequence[EdgeView], focus: Node) -> frozenset[Node]:
    """Everything that data of `focus` reaches, at any distance."""
    flow = Flow(edges)
    if focus not in flow.number:
        return frozenset()
    found = nx.descendants(flow.graph, flow.number[focus])
    return frozenset(flow.nodes[number] for number in found)


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
