"""What changed between two instants. Pure.

An edge is, at an instant, `unknown` (not seen yet), `stale` (seen, and no longer) or `active`.
The ledger forgets nothing: as time goes on no edge becomes unknown again. The difference from B
back to A is the one from A to B with each change turned round.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

from lineage.edges import EdgeView, Node, is_fresh

State = Literal["unknown", "stale", "active"]
STATES: tuple[State, ...] = get_args(State)
ChangeKind = Literal["appeared", "gone", "changed", "passed"]
CHANGES: tuple[ChangeKind, ...] = get_args(ChangeKind)
_TURNED: dict[ChangeKind, ChangeKind] = {"appeared": "gone", "gone": "appeared"}


@dataclass(frozen=True)
class Snapshot:
    """The edges as they were known at an instant, each pair of nodes once."""

    at: datetime
    edges: Sequence[EdgeView]


@dataclass(frozen=True)
class Change:
    """One edge that is not what it was.

    `appeared`: active after, not before. `gone`: active before, not after. `changed`: active both
    times, and other kinds of evidence speak for it. `passed`: seen only between the two instants.
    `at` is when, as far as evidence tells, and `cause` what was seen then; `edge` is the edge as
    known at the later instant; the kinds are those whose evidence was fresh.
    """

    kind: ChangeKind
    edge: EdgeView
    before: State
    after: State
    kinds_before: frozenset[str]
    kinds_after: frozenset[str]
    at: datetime
    cause: str

    def turned(self) -> "Change":
        """Return the same change looked at backwards."""
        return replace(
            self,
            kind=_TURNED.get(self.kind, self.kind),
            before=self.after,
            after=self.before,
            kinds_before=self.kinds_after,
            kinds_after=self.kinds_before,
            cause=_proof_change(self.kinds_after, self.kinds_before)
            if self.kind == "changed"
            else self.cause,
        )


@dataclass(frozen=True)
class NodeChange:
    """A node that has active edges at one of the two instants only."""

    kind: ChangeKind
    node: Node
    at: datetime
    cause: str

    def turned(self) -> "NodeChange":
        """Return the same change looked at backwards."""
        return replace(self, kind=_TURNED[self.kind])


@dataclass(frozen=True)
class Diff:
    """What changed from `since` to `until`, the newest first."""

    since: datetime
    until: datetime
    edges: tuple[Change, ...]
    nodes: tuple[NodeChange, ...]

    def turned(self) -> "Diff":
        """Return the difference looked at backwards."""
        return Diff(
            self.until,
            self.since,
            tuple(change.turned() for change in self.edges),
            tuple(change.turned() for change in self.nodes),
        )


Pair = tuple[int, int]


class _Paired:
    """Two snapshots with nodes as numbers, the same in both: hashing a node is what costs."""

    def __init__(self, before: Snapshot, after: Snapshot) -> None:
        self.number: dict[Node, int] = {}
        self.before, self.after = before, after
        self.old = {self._pair(edge): edge for edge in before.edges}
        self.new = {self._pair(edge): edge for edge in after.edges}
        self.nodes = list(self.number)

    def _pair(self, edge: EdgeView) -> Pair:
        number = self.number
        source = number.setdefault(edge.source, len(number))
        return source, number.setdefault(edge.target, len(number))


def compare(before: Snapshot, after: Snapshot) -> Diff:
    """Return what changed from one snapshot to the other, whichever is the later."""
    if after.at < before.at:
        return compare(after, before).turned()
    paired = _Paired(before, after)
    edges = [
        change
        for pair in paired.old.keys() | paired.new.keys()
        if (change := _change(paired, pair)) is not None
    ]
    edges.sort(key=lambda it: (it.edge.source.key, it.edge.target.key))
    edges.sort(key=lambda it: it.at, reverse=True)
    nodes = sorted(_node_changes(paired), key=lambda it: it.node.key)
    nodes.sort(key=lambda it: it.at, reverse=True)
    return Diff(before.at, after.at, tuple(edges), tuple(nodes))


def _fresh(edge: EdgeView | None, at: datetime) -> list[str]:
    if edge is None:
        return []
    return [proof.kind for proof in edge.evidence if is_fresh(proof.kind, proof.last_seen, at)]


def _state(edge: EdgeView | None) -> State:
    if edge is None:
        return "unknown"
    return "active" if edge.active else "stale"


def _change(paired: _Paired, pair: Pair) -> Change | None:
    """Return what changed of the edge between two nodes; None when nothing did."""
    old, new = paired.old.get(pair), paired.new.get(pair)
    before, after = _state(old), _state(new)
    if before == after != "active":
        return None
    kinds_before = _fresh(old, paired.before.at)
    kinds_after = _fresh(new, paired.after.at)
    if before == after and sorted(kinds_before) == sorted(kinds_after):
        return None
    edge = paired.new[pair] if new else paired.old[pair]
    was, now = frozenset(kinds_before), frozenset(kinds_after)
    kind, at, cause = _told(edge, before, after)
    if kind == "changed":
        at, cause = _proved_at(edge, was ^ now), _proof_change(was, now)
    return Change(kind, edge, before, after, was, now, at, cause)


def _told(edge: EdgeView, before: State, after: State) -> tuple[ChangeKind, datetime, str]:
    if before == after:
        return "changed", edge.last_seen, ""
    if after == "active" and before == "unknown":
        return "appeared", edge.first_seen, "first seen"
    if after == "active":
        return "appeared", edge.last_seen, "seen again, last"
    return "gone" if before == "active" else "passed", edge.last_seen, "last seen"


def _proved_at(edge: EdgeView, kinds: frozenset[str]) -> datetime:
    return max(
        (proof.last_seen for proof in edge.evidence if proof.kind in kinds), default=edge.last_seen
    )


def _proof_change(before: frozenset[str], after: frozenset[str]) -> str:
    gained, lost = ", ".join(sorted(after - before)), ", ".join(sorted(before - after))
    words = (f"now proved by {gained}" if gained else "", f"no longer by {lost}" if lost else "")
    return f"{'; '.join(word for word in words if word)}, last"


def _node_changes(paired: _Paired) -> Iterator[NodeChange]:
    stood, stands = _active_nodes(paired.old), _active_nodes(paired.new)
    if stood == stands:
        return
    known = {number for pair in paired.old for number in pair}
    edges = _edges_of(paired, stood ^ stands)
    for number in stands - stood:
        node, own = paired.nodes[number], edges[number]
        if number in known:
            yield NodeChange("appeared", node, max(it.last_seen for it in own), "seen again, last")
        else:
            yield NodeChange("appeared", node, min(it.first_seen for it in own), "first seen")
    for number in stood - stands:
        last = max(it.last_seen for it in edges[number])
        yield NodeChange("gone", paired.nodes[number], last, "last seen")


def _active_nodes(edges: Mapping[Pair, EdgeView]) -> set[int]:
    return {number for pair, edge in edges.items() if edge.active for number in pair}


def _edges_of(paired: _Paired, numbers: set[int]) -> dict[int, list[EdgeView]]:
    """Return the edges at some nodes, as known at the later instant or, failing that, before."""
    found: dict[int, list[EdgeView]] = defaultdict(list)
    for pair, edge in {**paired.old, **paired.new}.items():
        for number in numbers.intersection(pair):
            found[number].append(edge)
    return found
