"""Data that comes back to where it went out. Pure; networkx finds the knots.

Two kinds, since they mean different things. `own`: one service reads a topic or a table that it
writes itself, a retry or a state it keeps there. `loop`: data comes back to a service over another
one.
All ways round are far too many to list, so a loop is a whole knot (a strongly connected component)
with one shortest way round as its example.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import networkx as nx

from lineage.edges import PLACES, EdgeView, Node
from lineage.graph.flow import Flow

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


def find_cycles(edges: Sequence[EdgeView]) -> list[Cycle]:
    """Return the loops, those of most members first, then the own cycles by name."""
    flow = Flow(edges)
    loops: list[Cycle] = []
    own: list[Cycle] = []
    for knot in nx.strongly_connected_components(flow.graph):
        if len(knot) < 2:
            continue
        actors = sorted(
            (number for number in knot if flow.nodes[number].kind not in PLACES),
            key=lambda number: flow.nodes[number].key,
        )
        own += [
            _cycle(flow, "own", [actor, place], [actor, place])
            for actor in actors
            for place in flow.graph.succ[actor].keys() & flow.graph.pred[actor].keys()
            if flow.nodes[place].kind in PLACES
        ]
        if len(actors) > 1:
            ways = (_way_round(flow, actor, knot) for actor in actors[:_TRIED])
            loops.append(_cycle(flow, "loop", min(filter(None, ways), key=len), knot))
    loops.sort(key=lambda it: (-len(it.members), it.nodes[0].key))
    own.sort(key=lambda it: [node.key for node in it.nodes])
    return loops + own


def _cycle(
    flow: Flow, kind: Literal["own", "loop"], way: Sequence[int], knot: Iterable[int]
) -> Cycle:
    members = sorted((flow.nodes[number] for number in knot), key=lambda node: node.key)
    return Cycle(
        kind=kind,
        nodes=tuple(flow.nodes[number] for number in way),
        edges=tuple(
            flow.edge[one, other] for one, other in zip(way, [*way[1:], way[0]], strict=True)
        ),
        members=tuple(members),
    )


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
