"""What a change of a stream reaches: readers, copies, and views at any distance. Pure.

Distance counts edges. What is reached is closed downward: what a reached stream reaches is reached.
Of several ways to a thing the shortest gives its distance, the surest its certainty.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class Touch:
    """What of a stream is touched: some fields, or (None) any of it; `named` are those known."""

    fields: frozenset[str] | None
    named: frozenset[str] = frozenset()

    def joined(self, other: "Touch") -> "Touch":
        """Return what either touches."""
        named = self.known | other.known
        if self.fields is None or other.fields is None:
            return Touch(None, named)
        return Touch(named)

    @property
    def known(self) -> frozenset[str]:
        """The fields that are known to be touched."""
        return self.named if self.fields is None else self.fields


ALL = Touch(None)
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

    def of(self, start: Node, touch: Touch = ALL) -> list[Reached]:
        """Return what a change of a stream, or of some fields of it, reaches; nearest first."""
        begun = Reached(start, 0, "certain", 1.0, start, "", ())
        found: dict[Node, tuple[Reached, Touch]] = {start: (begun, touch)}
        waiting = deque([start])
        while waiting:
            node = waiting.popleft()
            at, touched = found[node]
            for reached, further in self._steps(at, touched):
                known = found.get(reached.node)
                better = (reached, further) if known is None else _joined(known, reached, further)
                if known is None or better != known:
                    found[reached.node] = better
                    waiting.append(reached.node)
        del found[start]
        told = (replace(it, fields=tuple(sorted(t.known))) for it, t in found.values())
        return sorted(told, key=lambda it: (it.distance, it.node.key))

    def _steps(self, at: Reached, touched: Touch) -> Iterator[tuple[Reached, Touch]]:
        yield from self._to_readers(at, touched)
        for each, it in self._views.get(at.node, ()):
            found = self._to_view(at, touched, each, it)
            if found is not None:
                yield found

    def _to_readers(self, at: Reached, touched: Touch) -> Iterator[tuple[Reached, Touch]]:
        """Everybody who reads it; which fields of it they use leaves no trace in Kafka."""
        if at.node.kind in {"service", "actor"}:
            return
        for edge in self._readers.get(at.node, ()):
            if edge.target.kind not in {"service", "actor"}:
                continue
            whole = touched.fields is None
            because = (
                f"reads {at.node.name}"
                if whole
                else f"reads {at.node.name}; which of its fields it uses cannot be observed"
            )
            yield (
                Reached(
                    edge.target,
                    at.distance + 1,
                    at.certainty if whole else "possible",
                    round(at.confidence * edge.confidence, 3),
                    at.node,
                    because,
                    (edge,),
                ),
                ALL,
            )

    def _to_view(
        self, at: Reached, touched: Touch, each: Derivation, it: Input
    ) -> tuple[Reached, Touch] | None:
        """A view that is derived from it: a field at a time, as far as that is known."""
        sure: Certainty = it.certainty
        flows, because = self._between(each, it), it.because
        further = Touch(None, frozenset(flow.target.field for flow in flows))
        if touched.fields is not None:
            hit = [flow for flow in flows if _hits(flow, touched.fields)]
            if hit:
                further = Touch(frozenset(flow.target.field for flow in hit))
                sure = "likely" if any(flow.inferred for flow in hit) else sure
                because = "; ".join(dict.fromkeys(flow.because for flow in hit))
            elif each.view.kind == "copy" and flows:
                return None  # its definition says that it keeps nothing of these fields
            else:
                further, sure = ALL, "possible"
                because = f"{it.because}; no field is known to come from there"
        copied = each.view == each.deriver
        reached = Reached(
            each.view,
            at.distance + (1 if copied else 2),
            _weaker(at.certainty, sure),
            round(at.confidence * it.confidence, 3),
            at.node,
            because,
            (it.edge,) if copied else (it.edge, each.written),
        )
        return reached, further


def _hits(flow: Flow, fields: Iterable[str]) -> bool:
    source = flow.source
    for field in fields:
        if source.within(field):
            return True
        if flow.certainty == "told" and Place(source.kind, source.name, field).within(source.field):
            return True
    return False


def _weaker(one: Certainty, other: Certainty) -> Certainty:
    return max(one, other, key=CERTAINTIES.index)


def _joined(known: tuple[Reached, Touch], reached: Reached, touch: Touch) -> tuple[Reached, Touch]:
    """Return one thing reached in two ways: nearest distance, surest proof, all fields."""
    one = known[0]
    surest = min(
        one, reached, key=lambda it: (CERTAINTIES.index(it.certainty), -it.confidence, it.distance)
    )
    nearest = min(one.distance, reached.distance)
    return replace(surest, distance=nearest), known[1].joined(touch)


def merged(several: Iterable[Iterable[Reached]]) -> list[Reached]:
    """Join what several starts reach: the same thing once."""
    found: dict[Node, tuple[Reached, Touch]] = {}
    for each in (it for reached in several for it in reached):
        touch = Touch(frozenset(each.fields))
        known = found.get(each.node)
        found[each.node] = (each, touch) if known is None else _joined(known, each, touch)
    told = (replace(it, fields=tuple(sorted(t.known))) for it, t in found.values())
    return sorted(told, key=lambda it: (it.distance, it.node.key))
