"""What a drawing of the graph shows, and how much it leaves out at each of its things. Pure.

A picture starts at a focus (or at the best connected things), goes outwards hop by hop, is opened
or closed at single nodes, folds contexts into one node each, and is capped. Whatever is left out
is counted where it would be.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from lineage.edges import EdgeView, Node
from lineage.graph import Subgraph

Side = Literal["up", "down"]
SIDES: tuple[Side, Side] = ("up", "down")
EdgesAt = Callable[[Collection[Node]], Iterable[EdgeView]]
"""Returns the edges that touch any of the nodes; asked once a step outwards."""

USUALLY_DRAWN = 60
MOST_DRAWN = 300
BROUGHT_AT_ONCE = 40
"""Neighbours that opening a node once brings in, freshest first."""
HUB = 24
"""A node with more neighbours than this on one side is not walked through unless opened; of a
focus so many are drawn on each side, or two fifths of the cap."""

_INTERNAL = ("-changelog", "-repartition")
CONTEXT = "context"


@dataclass(frozen=True)
class Asked:
    """How to draw: all of it is in the page's URL."""

    hops: int = 1
    cap: int = USUALLY_DRAWN
    opened: tuple[tuple[Side, str], ...] = ()
    closed: frozenset[str] = frozenset()
    folded: frozenset[str] = frozenset()
    fold_others: bool = False
    internal: bool = False


@dataclass(frozen=True)
class Spot:
    """One drawn thing: a node, or a context folded into one (`node` is None then).

    `hidden` counts neighbours that are not drawn, upstream and downstream; `internal` the topics
    of Kafka Streams' own that are folded into it; `members` the nodes that a context stands for;
    `level` how far downstream of the focus it was found, below zero upstream of it.
    """

    key: str
    kind: str
    name: str
    context: str | None = None
    node: Node | None = None
    hidden: tuple[int, int] = (0, 0)
    internal: int = 0
    members: int = 0
    opened: bool = False
    level: int = 0


@dataclass(frozen=True)
class Link:
    """An arrow: one edge, or all those between two things of which one is a folded context."""

    source: str
    target: str
    edges: tuple[EdgeView, ...]

    @property
    def active(self) -> bool:
        """Whether any edge is fresh."""
        return any(edge.active for edge in self.edges)

    @property
    def declared(self) -> bool:
        """Whether nothing but a declaration speaks for it."""
        return all({proof.kind for proof in edge.evidence} == {"declared"} for edge in self.edges)

    @property
    def state(self) -> str:
        """One of the words that pages use for edges."""
        if self.declared:
            return "declared"
        return "observed" if self.active else "stale"

    @property
    def writes(self) -> bool:
        """Whether it leads into a topic."""
        return self.edges[0].target.kind in {"topic", "dataset"}


@dataclass(frozen=True)
class Picture:
    """What is drawn; `hidden` counts things in reach that are not, `edges` all at drawn ones.

    `contexts` names each context in reach with the number of its nodes, and whether it is folded.
    """

    spots: tuple[Spot, ...] = ()
    links: tuple[Link, ...] = ()
    edges: tuple[EdgeView, ...] = ()
    hidden: int = 0
    focus: str = ""
    contexts: tuple[tuple[str, int, bool], ...] = ()
    internal: int = 0
    drawn_pairs: frozenset[tuple[Node, Node]] = field(default=frozenset(), repr=False)


def of_subgraph(part: Subgraph, focus: Node) -> Picture:
    """Return a part of the graph as a picture: everything drawn as itself."""
    return Picture(
        spots=tuple(Spot(it.key, it.kind, it.name, it.context, it) for it in part.nodes),
        links=tuple(Link(it.source.key, it.target.key, (it,)) for it in part.edges),
        edges=part.edges,
        hidden=part.hidden,
        focus=focus.key,
    )


class _Neighbours:
    """Who is next to whom, fetched as the walk needs it."""

    def __init__(self, edges_at: EdgesAt) -> None:
        self._edges_at = edges_at
        self._loaded: set[Node] = set()
        self.edges: dict[tuple[Node, Node], EdgeView] = {}
        self._next: dict[Side, dict[Node, dict[Node, EdgeView]]] = {"up": {}, "down": {}}

    def load(self, nodes: Iterable[Node]) -> None:
        """Fetch the edges at those nodes that were not fetched yet."""
        missing = [node for node in nodes if node not in self._loaded]
        if not missing:
            return
        self._loaded.update(missing)
        self.add(self._edges_at(missing))

    def add(self, edges: Iterable[EdgeView]) -> None:
        for edge in edges:
            self.edges[edge.source, edge.target] = edge
            self._next["down"].setdefault(edge.source, {})[edge.target] = edge
            self._next["up"].setdefault(edge.target, {})[edge.source] = edge

    def of(self, node: Node, side: Side) -> dict[Node, EdgeView]:
        return self._next[side].get(node, {})

    def degree(self, node: Node) -> int:
        return sum(len(self.of(node, side)) for side in SIDES)

    def own(self, nodes: Iterable[Node]) -> dict[Node, Node]:
        """Return the internal topics among nodes, each with the one thing that uses it.

        One that somebody else touches too stays: that is worth seeing.
        """
        looking = [it for it in nodes if it.kind == "topic" and it.name.endswith(_INTERNAL)]
        self.load(looking)
        found = {}
        for topic in looking:
            users = {*self.of(topic, "up"), *self.of(topic, "down")}
            if len(users) == 1:
                found[topic] = users.pop()
        return found


def around(focus: Node, edges_at: EdgesAt, asked: Asked) -> Picture:
    """Return the picture of what surrounds `focus`: upstream against the flow, downstream with it.

    As everywhere, a neighbour's other neighbours do not come in by themselves; opening it does it.
    """
    near = _Neighbours(edges_at)
    distance = {focus: 0}
    level = {focus: 0}
    beyond: set[Node] = set()
    folded = _Folding(focus, asked)
    for side in SIDES:
        frontier, seen = [focus], {focus}
        for far in range(1, asked.hops + 1):
            near.load(frontier)
            steps = _step(near, frontier, side, focus, asked)
            if far == 1:
                some = folded.first(steps, max(HUB, 2 * asked.cap // 5))
                beyond.update(it for it in steps if it not in some)
                steps = list(some)
            frontier = [node for node in steps if node not in seen]
            seen.update(frontier)
            for node in frontier:
                distance[node] = min(far, distance.get(node, far))
                # what both writes and reads stands where it writes
                level.setdefault(node, -far if side == "up" else far)
    ranked = sorted(distance, key=lambda it: (distance[it], -near.degree(it), it.key))
    return _picture(near, ranked, focus, asked, level, beyond - set(distance))


def whole(edges: Sequence[EdgeView], asked: Asked) -> Picture:
    """Return the picture of the best connected things of all."""
    near = _Neighbours(lambda _nodes: ())
    near.add(edges)
    everything = {node for edge in edges for node in (edge.source, edge.target)}
    ranked = sorted(everything, key=lambda it: (-near.degree(it), it.key))
    return _picture(near, ranked, None, asked)


def _step(
    near: _Neighbours,
    frontier: Sequence[Node],
    side: Side,
    focus: Node,
    asked: Asked,
) -> list[Node]:
    """Return what is one step further on that side, internal topics left out."""
    found: dict[Node, None] = {}
    for node in frontier:
        steps = near.of(node, side)
        if node.key in asked.closed or (node != focus and len(steps) > HUB):
            continue
        found.update(dict.fromkeys(_freshest_first(steps)))
    own = {} if asked.internal else near.own(found)
    return [node for node in found if node not in own]


def _freshest_first(steps: Mapping[Node, EdgeView]) -> list[Node]:
    """Return neighbours, active ones and those last seen first; by name where that is equal."""
    return sorted(
        steps,
        key=lambda it: (not steps[it].active, -steps[it].last_seen.timestamp(), it.key),
    )


def _picture(
    near: _Neighbours,
    ranked: Sequence[Node],
    focus: Node | None,
    asked: Asked,
    level: Mapping[Node, int] | None = None,
    beyond: Collection[Node] = (),
) -> Picture:
    folded = _Folding(focus, asked)
    drawn = folded.first(ranked, asked.cap)
    opened = _opened(near, drawn, folded, asked)
    near.load(node for node in drawn if folded.key(node) == node.key)
    own: dict[Node, Node] = {}
    if not asked.internal:
        own = near.own({step for node in drawn for side in SIDES for step in near.of(node, side)})
        drawn = {node: None for node in drawn if node not in own or node == focus}
    keys = {folded.key(node) for node in drawn}
    in_reach = {node for node in (*ranked, *beyond) if node not in own} | set(drawn)
    links, pairs = _links(near, drawn, folded)
    at_drawn = tuple(
        edge
        for (source, target), edge in near.edges.items()
        if (source in drawn or target in drawn) and source not in own and target not in own
    )
    return Picture(
        spots=tuple(_spots(near, drawn, folded, opened, own, level or {})),
        links=tuple(links),
        edges=at_drawn,
        hidden=sum(1 for node in in_reach if folded.key(node) not in keys),
        focus=focus.key if focus else "",
        contexts=folded.counted(in_reach),
        internal=sum(1 for user in own.values() if user in drawn),
        drawn_pairs=pairs,
    )


class _Folding:
    """Which node is drawn as what: as itself, or as the context it is folded into."""

    def __init__(self, focus: Node | None, asked: Asked) -> None:
        self._focus = focus
        self._all = asked.fold_others
        self._home = focus.context if focus else None
        self._named = asked.folded

    def folds(self, context: str | None) -> bool:
        """Whether things of that context are drawn as one."""
        if not context:
            return False
        return (context in self._named) != (self._all and context != self._home)

    def key(self, node: Node) -> str:
        if node != self._focus and self.folds(node.context):
            return f"{CONTEXT}:{node.context}"
        return node.key

    def first(self, ranked: Sequence[Node], most: int) -> dict[Node, None]:
        """Return the first nodes that make no more than so many drawn things, folded ones first.

        A context that was folded is asked for, and it takes one place however many it stands for.
        """
        keys = dict.fromkeys(self.key(it) for it in ranked if it == self._focus)
        keys |= dict.fromkeys(self.key(it) for it in ranked if self.key(it) != it.key)
        keys |= dict.fromkeys(self.key(it) for it in ranked)
        kept = set(list(keys)[: max(most, 1)])
        return {node: None for node in ranked if self.key(node) in kept}

    def counted(self, nodes: Iterable[Node]) -> tuple[tuple[str, int, bool], ...]:
        counts = Counter(node.context for node in nodes if node.context)
        ordered = sorted(counts.items(), key=lambda it: (-it[1], it[0]))
        return tuple((name, number, self.folds(name)) for name, number in ordered)


def _opened(
    near: _Neighbours, drawn: dict[Node, None], folded: _Folding, asked: Asked
) -> frozenset[str]:
    """Add to what is drawn the neighbours of opened nodes, so many for each time it was opened."""
    by_key = {node.key: node for node in drawn}
    opened = set()
    for side, key in asked.opened:
        node = by_key.get(key)
        if node is None:
            continue
        near.load([node])
        opened.add(key)
        own = {} if asked.internal else near.own(near.of(node, side))
        steps = [
            it for it in _freshest_first(near.of(node, side)) if it not in drawn and it not in own
        ]
        room = MOST_DRAWN - len({folded.key(it) for it in drawn})
        for step in steps[: min(BROUGHT_AT_ONCE, room)]:
            drawn[step] = None
            by_key[step.key] = step
    return frozenset(opened)


def _links(
    near: _Neighbours, drawn: Collection[Node], folded: _Folding
) -> tuple[list[Link], frozenset[tuple[Node, Node]]]:
    gathered: dict[tuple[str, str], list[EdgeView]] = {}
    pairs = set()
    for (source, target), edge in sorted(near.edges.items()):
        if source not in drawn or target not in drawn:
            continue
        pairs.add((source, target))
        ends = folded.key(source), folded.key(target)
        if ends[0] != ends[1]:
            gathered.setdefault(ends, []).append(edge)
    links = [Link(source, target, tuple(edges)) for (source, target), edges in gathered.items()]
    return links, frozenset(pairs)


def _spots(
    near: _Neighbours,
    drawn: Collection[Node],
    folded: _Folding,
    opened: Collection[str],
    own: Mapping[Node, Node],
    level: Mapping[Node, int],
) -> Iterable[Spot]:
    members = Counter(folded.key(node) for node in drawn)
    internal = Counter(own.values())
    done = set()
    for node in drawn:
        key = folded.key(node)
        if key in done:
            continue
        done.add(key)
        if key != node.key:
            yield Spot(
                key,
                CONTEXT,
                node.context or "",
                node.context,
                members=members[key],
                level=level.get(node, 0),
            )
            continue
        up, down = (
            sum(1 for it in near.of(node, side) if it not in own and folded.key(it) not in members)
            for side in SIDES
        )
        yield Spot(
            key,
            node.kind,
            node.name,
            node.context,
            node,
            hidden=(up, down),
            internal=internal[node],
            opened=node.key in opened,
            level=level.get(node, 0),
        )
