"""A derivation: one deriver makes one view from streams; how sure that is, and why. Pure.

*Certain* is what Kafka itself ties together: the producer that writes the view commits the offsets
of the input (KIP-98), the coordinator knows both ends of a Streams topology, or a connector says
what it copies. *Likely* is that the same service read the input while it wrote the view.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from lineage.edges import FRESH_MOVEMENT, EdgeView, Node

Certainty = Literal["certain", "likely"]
Direction = Literal["upstream", "downstream"]
Triple = tuple[Node, Node, Node]

LIKELY_SHARE = 0.5
"""How far two true edges at one service make a derivation that nothing ties together."""

DEEPEST = 20
_DATA = frozenset({"topic", "dataset"})


@dataclass(frozen=True)
class Tie:
    """What joins an input to a view: `kind` is commit, topology or connector; `detail` says how."""

    kind: str
    detail: str


@dataclass(frozen=True)
class Input:
    """One stream that a view is derived from, with the edge that proves it is read."""

    node: Node
    certainty: Certainty
    confidence: float
    because: str
    edge: EdgeView


@dataclass(frozen=True)
class Crossing:
    """Data that passes from one bounded context into another."""

    source: str
    target: str


@dataclass(frozen=True)
class Derivation:
    """`deriver` makes `view` from `inputs`; `written` proves it. A copy is made by its connector.

    `distance` counts derivations from what was asked for: 1 is a direct one.
    """

    view: Node
    deriver: Node
    inputs: tuple[Input, ...]
    written: EdgeView
    distance: int = 1

    @property
    def certainty(self) -> Certainty:
        """That of the surest input; each input has its own."""
        return "certain" if any(it.certainty == "certain" for it in self.inputs) else "likely"

    @property
    def confidence(self) -> float:
        """That of the surest input."""
        return max(it.confidence for it in self.inputs)

    @property
    def first_seen(self) -> datetime:
        """Since when it is known: its view was written, and one of its inputs read."""
        return max(self.written.first_seen, min(it.edge.first_seen for it in self.inputs))

    @property
    def last_seen(self) -> datetime:
        """When both were seen last."""
        return min(self.written.last_seen, max(it.edge.last_seen for it in self.inputs))

    @property
    def active(self) -> bool:
        """Whether view and at least one input are moving now."""
        return self.written.active and any(it.edge.active for it in self.inputs)

    @property
    def crosses(self) -> tuple[Crossing, ...]:
        """Bounded contexts that the data leaves and enters, from input to deriver to view."""
        found = {
            Crossing(one, other)
            for it in self.inputs
            for one, other in (
                (it.node.context, self.deriver.context),
                (self.deriver.context, self.view.context),
            )
            if one and other and one != other
        }
        return tuple(sorted(found, key=lambda it: (it.source, it.target)))


def derive(edges: Sequence[EdgeView], ties: Mapping[Triple, Tie]) -> list[Derivation]:
    """Return every derivation that the edges show, by view and deriver.

    `ties` are keyed by input, deriver and view. A view is never its own input.
    """
    reads: dict[Node, list[EdgeView]] = defaultdict(list)
    for edge in edges:
        if edge.source.kind in _DATA:
            reads[edge.target].append(edge)
    found = [_copied(node, read) for node, read in reads.items() if node.kind == "copy"]
    for edge in edges:
        if edge.target.kind in _DATA and edge.source.kind not in _DATA:
            inputs = _inputs(edge, reads.get(edge.source, ()), ties)
            if inputs:
                found.append(Derivation(edge.target, edge.source, inputs, edge))
    return sorted(found, key=lambda it: (it.view.key, it.deriver.key))


def _copied(copy: Node, read: Sequence[EdgeView]) -> Derivation:
    because = "its connector copies this stream"
    inputs = tuple(
        Input(edge.source, "certain", edge.confidence, because, edge)
        for edge in sorted(read, key=lambda it: it.source.key)
    )
    return Derivation(copy, copy, inputs, max(read, key=lambda it: it.last_seen))


def _inputs(
    written: EdgeView, read: Iterable[EdgeView], ties: Mapping[Triple, Tie]
) -> tuple[Input, ...]:
    """What the writer reads and the view may come from: tied to it, or read at the same time."""
    found = []
    for edge in sorted(read, key=lambda it: it.source.key):
        if edge.source == written.target:
            continue
        both = edge.confidence * written.confidence
        tie = ties.get((edge.source, written.source, written.target))
        if tie is not None:
            found.append(Input(edge.source, "certain", round(both, 3), tie.detail, edge))
        elif _together(edge, written):
            because = f"{written.source.name} reads it and writes {written.target.name}"
            share = round(both * LIKELY_SHARE, 3)
            found.append(Input(edge.source, "likely", share, because, edge))
    return tuple(found)


def _together(read: EdgeView, written: EdgeView) -> bool:
    """Whether the times overlap; evidence of movement may come as late as it stays fresh."""
    return (
        read.first_seen <= written.last_seen + FRESH_MOVEMENT
        and written.first_seen <= read.last_seen + FRESH_MOVEMENT
    )


def chain(
    derivations: Sequence[Derivation], start: Node, direction: Direction, depth: int
) -> list[Derivation]:
    """Return what `start` is derived from (upstream) or what derives from it, nearest first."""
    by_view: dict[Node, list[Derivation]] = defaultdict(list)
    by_input: dict[Node, list[Derivation]] = defaultdict(list)
    for each in derivations:
        by_view[each.view].append(each)
        for it in each.inputs:
            by_input[it.node].append(each)
    steps = by_view if direction == "upstream" else by_input

    def beyond(each: Derivation) -> Iterable[Node]:
        return (it.node for it in each.inputs) if direction == "upstream" else (each.view,)

    return _walk(start, lambda node: steps.get(node, ()), beyond, depth)


def _walk(
    start: Node,
    steps: Callable[[Node], Iterable[Derivation]],
    beyond: Callable[[Derivation], Iterable[Node]],
    depth: int,
) -> list[Derivation]:
    found: dict[tuple[Node, Node], Derivation] = {}
    seen = {start}
    waiting = deque([(start, 1)])
    while waiting:
        node, distance = waiting.popleft()
        for each in steps(node):
            found.setdefault((each.view, each.deriver), replace(each, distance=distance))
            if distance == depth:
                continue
            for further in sorted(set(beyond(each)) - seen):
                seen.add(further)
                waiting.append((further, distance + 1))
    return list(found.values())
