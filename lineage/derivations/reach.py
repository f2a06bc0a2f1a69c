"""What a change of a stream reaches: readers, copies, and views at any distance. Pure.

Distance counts edges. What is reached is closed downward: what a reached stream reaches is reached.
Of several ways to a thing the shortest gives its distance, the surest its certainty.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import count
from typing import Literal

from lineage.derivations.derivation import Derivation, Input
from lineage.derivations.flows import Flow, Place
from lineage.edges import EdgeView, Node

Certainty = Literal["certain", "likely", "possible"]
CERTAINTIES: tuple[Certainty, ...] = ("certain", "likely", "possible")


@dataclass(frozen=True)
class Reached:
    """A thing that a change reaches: how far away, how surely, from where, and by which fields.

    `edges` prove the last step. Without `fields` it is reached as a whole, or nobody knows where.
    """

    node: Node
    distance: int
    certainty: Certainty
    confidence: float
    via: Node
    because: str
    edges: tuple[EdgeView, ...]
    fields: tuple[str, ...] = ()


_ACTORS = frozenset({"service", "actor"})
Field = tuple[Node, str | None]
"""A thing and one field of it; None for all of it."""
Hops = dict[Field, list[tuple[Field, int]]]

Between = Callable[[Derivation, Input], Sequence[Flow]]
"""The flows of one derivation from one of its inputs."""


class Reach:
    """Walks from streams to everything that a change of them reaches."""

    def __init__(
        self, edges: Sequence[EdgeView], derivations: Sequence[Derivation], between: Between
    ) -> None:
        self._readers: dict[Node, list[EdgeView]] = defaultdict(list)
        for edge in edges:
            self._readers[edge.source].append(edge)
        self._views: dict[Node, list[tuple[Derivation, Input]]] = defaultdict(list)
        for each in derivations:
            for it in each.inputs:
                self._views[it.node].append((each, it))
        self._between = between

    def of(self, start: Node, fields: Iterable[str] | None = None) -> list[Reached]:
        """Return what a change of a stream, or of some fields of it, reaches; nearest first.

        Each field of each thing is walked for itself: what is sure of one is not of another.
        """
        begun = Reached(start, 0, "certain", 1.0, start, "", ())
        places: dict[Field, Reached] = {
            (start, field): begun for field in ([None] if fields is None else sorted(set(fields)))
        }
        begins = list(places)
        hops = self._surest(start, places)
        near = _nearest(begins, hops)
        told = (replace(it, distance=near[at]) for at, it in places.items() if at[0] != start)
        return merged([told])

    def _surest(self, start: Node, places: dict[Field, Reached]) -> Hops:
        """Add every place by its surest way; return the hops between them. Each is left once."""
        hops: Hops = {}
        order = count()
        waiting = [(_doubt(it), next(order), at) for at, it in places.items()]
        while waiting:
            _, _, place = heappop(waiting)
            if place in hops:
                continue
            at = places[place]
            hops[place] = []
            for further, reached in self._steps(at, place[1]):
                if further[0] == start:
                    continue
                hops[place].append((further, reached.distance - at.distance))
                known = places.get(further)
                if known is None or _doubt(reached) < _doubt(known):
                    places[further] = reached
                    heappush(waiting, (_doubt(reached), next(order), further))
        return hops

    def _steps(self, at: Reached, field: str | None) -> Iterator[tuple[Field, Reached]]:
        yield from self._to_readers(at, field)
        for each, it in self._views.get(at.node, ()):
            yield from self._to_view(at, field, each, it)

    def _to_readers(self, at: Reached, field: str | None) -> Iterator[tuple[Field, Reached]]:
        """Everybody who reads it; which fields of it they use leaves no trace in Kafka."""
        if at.node.kind in _ACTORS:
            return
        sure: Certainty = at.certainty if field is None else "possible"
        because = f"reads {at.node.name}"
        if field is not None:
            because += "; which of its fields it uses cannot be observed"
        for edge in self._readers.get(at.node, ()):
            if edge.target.kind in _ACTORS:
                share = round(at.confidence * edge.confidence, 3)
                reached = Reached(
                    edge.target, at.distance + 1, sure, share, at.node, because, (edge,)
                )
                yield (edge.target, None), reached

    def _to_view(
        self, at: Reached, field: str | None, each: Derivation, it: Input
    ) -> Iterator[tuple[Field, Reached]]:
        """A view that is derived from it: a field at a time, as far as that is known."""
        flows = self._between(each, it)
        copied = each.view == each.deriver
        whole = Reached(
            each.view,
            at.distance + (1 if copied else 2),
            _weaker(at.certainty, it.certainty),
            round(at.confidence * it.confidence, 3),
            at.node,
            it.because,
            (it.edge,) if copied else (it.edge, each.written),
        )
        hit = [flow for flow in flows if field is not None and _hits(flow, field)]
        for flow in hit:
            sure = _weaker(whole.certainty, "likely") if flow.inferred else whole.certainty
            name = flow.target.field
            yield (
                (each.view, name),
                replace(whole, certainty=sure, because=flow.because, fields=(name,)),
            )
        if field is None and whole.certainty != "possible":
            names = tuple(sorted({flow.target.field for flow in flows}))
            yield (each.view, None), replace(whole, fields=names)
        elif field is None:
            yield (each.view, None), whole
        elif not hit and not (each.view.kind == "copy" and flows):
            # a copy's definition says what it keeps; of a service nobody knows what it makes of it
            because = f"{it.because}; no field is known to come from there"
            yield (each.view, None), replace(whole, certainty="possible", because=because)


def _hits(flow: Flow, field: str) -> bool:
    source = flow.source
    if source.within(field):
        return True
    told = flow.certainty == "told"
    return told and Place(source.kind, source.name, field).within(source.field)


def _weaker(one: Certainty, other: Certainty) -> Certainty:
    return max(one, other, key=CERTAINTIES.index)


def _nearest(begins: Iterable[Field], hops: Hops) -> dict[Field, int]:
    """Return the length of the shortest way to each place."""
    near = dict.fromkeys(begins, 0)
    order = count()
    waiting = [(0, next(order), place) for place in near]
    while waiting:
        far, _, place = heappop(waiting)
        if far > near[place]:
            continue
        for further, length in hops.get(place, ()):
            if far + length < near.get(further, far + length + 1):
                near[further] = far + length
                heappush(waiting, (far + length, next(order), further))
    return near


def _doubt(it: Reached) -> tuple[int, float, int]:
    """The less of it, the surer: by certainty, then confidence, then distance."""
    return CERTAINTIES.index(it.certainty), -it.confidence, it.distance


def _joined(one: Reached, other: Reached) -> Reached:
    """Return one thing reached in two ways: nearest distance, surest proof, all fields."""
    surest = min(one, other, key=_doubt)
    nearest = min(one.distance, other.distance)
    fields = tuple(sorted({*one.fields, *other.fields}))
    return replace(surest, distance=nearest, fields=fields)


def merged(several: Iterable[Iterable[Reached]]) -> list[Reached]:
    """Join what several starts reach: the same thing once; nearest first."""
    found: dict[Node, Reached] = {}
    for each in (it for reached in several for it in reached):
        known = found.get(each.node)
        found[each.node] = each if known is None else _joined(known, each)
    return sorted(found.values(), key=lambda it: (it.distance, it.node.key))
