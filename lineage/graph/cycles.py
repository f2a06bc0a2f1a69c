"""Data that comes back to where it went out. Pure; networkx finds the knots.

Two kinds, since they mean different things. `own`: one service reads a topic or a table that it
writes itself, a retry or a state it keeps there. `loop`: data comes back to a service over another
one.
All ways round are far too many to list, so a loop is a whole knot (a strongly connected component)
with one shortest way round as its example.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import networkx as nx

from lineage.edges import PLACES, EdgeView, Node
from lineage.graph.flow import Edges, Flow, Pair, flow_of

# the example is the shortest way round through one of so many members, to stay linear
_TRIED = 4

# a node, and whether another actor lies before it or is it
_Step = tuple[int, bool]


@dataclass(frozen=True)
class Cycle:
    """A way round: `edges` lead from each of `nodes` to the next, and from the last to the first.

    A node may come twice in a loop. `members` are all nodes of the knot it lies in; `active` when
    each edge is.
    """

    kind: Literal["own", "loop"]
    nodes: tuple[Node, ...]
    edges: tuple[EdgeView, ...]
    members: tuple[Node, ...]

    @property
    def active(self) -> bool:
        """Whether data goes round now."""
        return all(edge.active for edge in self.edges)


class _Way(NamedTuple):
    kind: Literal["own", "loop"]
    numbers: list[int]
    knot: Iterable[int]

    @property
    def pairs(self) -> list[Pair]:
        return list(zip(self.numbers, [*self.numbers[1:], self.numbers[0]], strict=True))


def find_cycles(edges: Edges) -> list[Cycle]:
    """Return the loops, those of most members first, then the own cycles by name."""
    flow = flow_of(edges)
    ways: list[_Way] = []
    for knot in nx.strongly_connected_components(flow.graph):
        if len(knot) > 1:
            ways += _ways(flow, knot)
    # read at once: a graph may keep the evidence elsewhere
    found = flow.edges_of({pair for way in ways for pair in way.pairs})
    nodes = flow.nodes_of({number for way in ways for number in way.knot})
    cycles = [
        Cycle(
            way.kind,
            tuple(nodes[number] for number in way.numbers),
            tuple(found[pair] for pair in way.pairs),
            tuple(sorted((nodes[number] for number in way.knot), key=lambda node: node.key)),
        )
        for way in ways
    ]
    loops = [it for it in cycles if it.kind == "loop"]
    own = [it for it in cycles if it.kind == "own"]
    loops.sort(key=lambda it: (-len(it.members), it.nodes[0].key))
    own.sort(key=lambda it: [node.key for node in it.nodes])
    return loops + own


def _ways(flow: Flow, knot: set[int]) -> Iterator[_Way]:
    actors = sorted(
        (number for number in knot if flow.nodes[number].kind not in PLACES),
        key=lambda number: flow.nodes[number].key,
    )
    for actor in actors:
        for place in flow.graph.succ[actor].keys() & flow.graph.pred[actor].keys():
            if flow.nodes[place].kind in PLACES:
                yield _Way("own", [actor, place], [actor, place])
    if len(actors) > 1:
        ways = (_way_round(flow, actor, knot) for actor in actors[:_TRIED])
        yield _Way("loop", min(filter(None, ways), key=len), knot)


def _way_round(flow: Flow, start: int, knot: set[int]) -> list[int]:
    """Return a shortest way from `start` back to it over another actor, without the return.

    Breadth first, each node passed on once before another actor was come to, and once after.
    """
    begun = (start, False)
    came: dict[_Step, _Step] = {}
    queue = deque([begun])
    back = flow.graph.pred[start].keys() & knot
    while queue:
        step = queue.popleft()
        at, over = step
        if over and at in back:
            return _walked(came, begun, step)
        for following in flow.graph.succ[at]:
            then = following, over or flow.nodes[following].kind not in PLACES
            if following in knot and following != start and then not in came:
                came[then] = step
                queue.append(then)
    return []


def _walked(came: dict[_Step, _Step], begun: _Step, step: _Step) -> list[int]:
    way = [step[0]]
    while step != begun:
        step = came[step]
        way.append(step[0])
    return way[::-1]
