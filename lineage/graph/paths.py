"""The shortest story of how data of one thing comes to another. Pure.

Shortest is counted in edges, with the flow. Among equally short ways the one told is that of most
active edges, then of the surest evidence, then of the smallest names: the same one each time.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

from lineage.edges import EdgeView, Node
from lineage.graph.flow import Edges, Flow, Pair, flow_of


@dataclass(frozen=True)
class Step:
    """What one service, actor or copy on the way does: the topic it reads, the one it writes."""

    node: Node
    read: EdgeView | None
    written: EdgeView | None

    @property
    def text(self) -> str:
        """A sentence: `payments reads orders and writes payments`; what is stale is said so."""
        parts = []
        if self.read is not None:
            parts.append(_clause(self.node, "reads", self.read, self.read.source))
        if self.written is not None:
            parts.append(_clause(self.node, "writes", self.written, self.written.target))
        return f"{_name(self.node)} {' and '.join(parts)}"


@dataclass(frozen=True)
class Story:
    """A way from source to target; no nodes when there is none.

    `alternatives` counts the other ways that are as short; `reverse` tells, when there is no way,
    that data of the target reaches the source.
    """

    source: Node
    target: Node
    nodes: tuple[Node, ...]
    edges: tuple[EdgeView, ...]
    alternatives: int = 0
    reverse: bool = False

    @property
    def found(self) -> bool:
        """Whether there is a way."""
        return bool(self.nodes)

    @property
    def hops(self) -> int:
        """How many edges it takes."""
        return len(self.edges)

    @property
    def active(self) -> bool:
        """Whether data takes this way now."""
        return self.found and all(edge.active for edge in self.edges)

    @property
    def confidence(self) -> float:
        """The probability that each of its edges is real; 0 when there is no way."""
        sure = 1.0 if self.found else 0.0
        for edge in self.edges:
            sure *= edge.confidence
        return round(sure, 3)

    @property
    def steps(self) -> tuple[Step, ...]:
        """What each service on the way does."""
        return tuple(_steps(self))

    @property
    def text(self) -> str:
        """The whole story in one line, or that there is none."""
        if self.steps:
            return " · ".join(step.text for step in self.steps)
        if self.found:
            return f"{_name(self.source)} is {_name(self.target)}"
        told = f"no data of {_name(self.source)} was seen to reach {_name(self.target)}"
        return f"{told}; it flows the other way" if self.reverse else told


def _name(node: Node) -> str:
    if node.kind == "actor":
        return f"the unrecognised {node.known_by.replace('_', ' ')} {node.name}"
    return f"the copy {node.name}" if node.kind == "copy" else node.name


def _clause(node: Node, verb: str, edge: EdgeView, topic: Node) -> str:
    if node.kind == "copy":
        verb = "copies"
    if edge.active:
        return f"{verb} {topic.name}"
    last = f"{edge.last_seen:%Y-%m-%d %H:%M} UTC"
    return f"{verb} {topic.name} (last seen {last})"


def _steps(story: Story) -> Iterator[Step]:
    for number, node in enumerate(story.nodes):
        if node.kind != "topic" and story.edges:
            read = story.edges[number - 1] if number else None
            written = story.edges[number] if number < len(story.edges) else None
            yield Step(node, read, written)


def shortest_story(edges: Edges, source: Node, target: Node) -> Story:
    """Return a shortest way with the flow from `source` to `target`, and how many are as short.

    From a node to itself it is the way of no edges.
    """
    if source == target:
        return Story(source, target, (source,), ())
    flow = flow_of(edges)
    start, end = flow.find(source), flow.find(target)
    if start is None or end is None:
        return Story(source, target, (), ())
    distances = _rings(flow, start, end)
    if end not in distances:
        reverse = start in _rings(flow, end, start)
        return Story(source, target, (), (), reverse=reverse)
    earlier = _between(flow, distances, end)
    proofs = flow.edges_of([(it, node) for node, steps in earlier.items() for it in steps])
    way, ways = _best(flow, earlier, proofs, (start, end))
    nodes = flow.nodes_of(way)
    return Story(
        source=nodes[start],
        target=nodes[end],
        nodes=tuple(nodes[number] for number in way),
        edges=tuple(proofs[pair] for pair in pairwise(way)),
        alternatives=ways - 1,
    )


def _rings(flow: Flow, start: int, end: int) -> dict[int, int]:
    """Return the distances of what is no further than `end`, in order of distance."""
    distances = {start: 0}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        if end in distances and distances[node] >= distances[end]:
            break
        for step in flow.succ[node]:
            if step not in distances:
                distances[step] = distances[node] + 1
                queue.append(step)
    return distances


def _between(flow: Flow, distances: dict[int, int], end: int) -> dict[int, list[int]]:
    """Return what lies on a shortest way to `end`, in order of distance, with what comes before."""
    earlier: dict[int, list[int]] = {}
    waiting = deque([end])
    while waiting:
        node = waiting.popleft()
        if node not in earlier and distances[node]:
            steps = [it for it in flow.pred[node] if distances.get(it) == distances[node] - 1]
            earlier[node] = steps
            waiting.extend(steps)
    return dict(reversed(earlier.items()))


def _best(
    flow: Flow,
    earlier: Mapping[int, Sequence[int]],
    proofs: Mapping[Pair, EdgeView],
    ends: Pair,
) -> tuple[list[int], int]:
    """Return the best of the shortest ways between the ends, and their number."""
    start, end = ends
    ways: dict[int, int] = {start: 1}
    # stale edges, loss of confidence, key of the node before
    cost: dict[int, tuple[int, float, str]] = {start: (0, 0.0, "")}
    before: dict[int, int] = {}
    for node, steps in earlier.items():
        ways[node] = sum(ways[it] for it in steps)
        cost[node], before[node] = min(
            (_cost(cost[it], proofs[it, node], flow.nodes[it]), it) for it in steps
        )
    way = [end]
    while way[0] in before:
        way.insert(0, before[way[0]])
    return way, ways[end]


def _cost(so_far: tuple[int, float, str], edge: EdgeView, before: Node) -> tuple[int, float, str]:
    loss = round(so_far[1] - log(max(edge.confidence, 1e-9)), 9)
    return so_far[0] + (not edge.active), loss, before.key
