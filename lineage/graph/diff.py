"""What changed between two instants. Pure.

An edge is, at an instant, `unknown` (not seen yet), `stale` (seen, and no longer) or `active`.
The ledger forgets nothing: as time goes on no edge becomes unknown again. The difference from B
back to A is the one from A to B with each change turned round.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

from lineage.edges import EdgeView, Node, is_fresh

State = Literal["unknown", "stale", "active"]
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


@dataclass(frozen=True)
class _Standing:
    """An edge at an instant; `kinds` are those whose evidence is fresh then."""

    edge: EdgeView
    state: State
    kinds: frozenset[str]


Pair = tuple[Node, Node]
_Standings = Mapping[Pair, _Standing]


def compare(before: Snapshot, after: Snapshot) -> Diff:
    """Return what changed from one snapshot to the other, whichever is the later."""
    if after.at < before.at:
        return compare(after, before).turned()
    old, new = _standings(before), _standings(after)
    edges = [
        change
        for pair in old.keys() | new.keys()
        if (change := _change(old.get(pair), new.get(pair))) is not None
    ]
    edges.sort(key=lambda it: (it.edge.source.key, it.edge.target.key))
    edges.sort(key=lambda it: it.at, reverse=True)
    nodes = sorted(_node_changes(old, new), key=lambda it: it.node.key)
    nodes.sort(key=lambda it: it.at, reverse=True)
    return Diff(before.at, after.at, tuple(edges), tuple(nodes))


def _standings(snapshot: Snapshot) -> dict[Pair, _Standing]:
    found: dict[Pair, _Standing] = {}
    for edge in snapshot.edges:
        fresh = (it for it in edge.evidence if is_fresh(it.kind, it.last_seen, snapshot.at))
        state: State = "active" if edge.active else "stale"
        kinds = frozenset(proof.kind for proof in fresh)
        found[edge.source, edge.target] = _Standing(edge, state, kinds)
    return found


def _change(old: _Standing | None, new: _Standing | None) -> Change | None:
    """Return the change from one to the other, the later; None when there is none."""
    latest = new or old
    if latest is None:
        return None
    before: State = old.state if old else "unknown"
    after: State = new.state if new else "unknown"
    kinds_before = old.kinds if old else frozenset()
    kinds_after = new.kinds if new else frozenset()
    edge = latest.edge
    at, cause = edge.last_seen, "last seen"
    if before == after:
        if before != "active" or kinds_before == kinds_after:
            return None
        kind: ChangeKind = "changed"
        at = _proved_at(edge, kinds_before ^ kinds_after)
        cause = _proof_change(kinds_before, kinds_after)
    elif after == "active":
        kind = "appeared"
        if old is None:
            at, cause = edge.first_seen, "first seen"
        else:
            cause = "seen again, last"
    else:
        kind = "gone" if before == "active" else "passed"
    return Change(kind, edge, before, after, kinds_before, kinds_after, at, cause)


def _proved_at(edge: EdgeView, kinds: frozenset[str]) -> datetime:
    return max(
        (proof.last_seen for proof in edge.evidence if proof.kind in kinds), default=edge.last_seen
    )


def _proof_change(before: frozenset[str], after: frozenset[str]) -> str:
    gained, lost = ", ".join(sorted(after - before)), ", ".join(sorted(before - after))
    words = (f"now proved by {gained}" if gained else "", f"no longer by {lost}" if lost else "")
    return f"{'; '.join(word for word in words if word)}, last"


def _node_changes(old: _Standings, new: _Standings) -> Iterator[NodeChange]:
    known = {node for pair in old for node in pair}
    stood, stands = _nodes(old.values()), _nodes(new.values())
    latest = _nodes((*new.values(), *old.values()), states=("active", "stale"))
    for node in stands.keys() - stood.keys():
        if node in known:
            last = max(edge.last_seen for edge in stands[node])
            yield NodeChange("appeared", node, last, "seen again, last")
        else:
            first = min(edge.first_seen for edge in latest[node])
            yield NodeChange("appeared", node, first, "first seen")
    for node in stood.keys() - stands.keys():
        yield NodeChange("gone", node, max(it.last_seen for it in latest[node]), "last seen")


def _nodes(
    standings: Iterable[_Standing], states: Sequence[State] = ("active",)
) -> dict[Node, list[EdgeView]]:
    found: dict[Node, list[EdgeView]] = defaultdict(list)
    for standing in standings:
        if standing.state in states:
            found[standing.edge.source].append(standing.edge)
            found[standing.edge.target].append(standing.edge)
    return found
