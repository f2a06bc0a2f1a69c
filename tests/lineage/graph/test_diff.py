"""What changed between two instants: exact, with its cause, and the same backwards."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lineage.edges import EdgeView, EvidenceView, edge_view
from lineage.graph import Diff, Snapshot, compare
from tests.lineage.graph.drawing import NOW, node

FRIDAY = NOW - timedelta(days=3)
SECOND = timedelta(seconds=1)
Seen = tuple[str, datetime, datetime]


def known(at: datetime, **pairs: list[Seen]) -> Snapshot:
    """What was known at an instant of `a__t1=[(kind, first, last), …]`."""
    found = []
    for pair, seen in pairs.items():
        source, target = pair.split("__")
        proofs = [EvidenceView(kind, one, min(last, at)) for kind, one, last in seen if one <= at]
        if proofs:
            found.append(edge_view(node(source), node(target), proofs, at))
    return Snapshot(at, found)


def diff(since: datetime, until: datetime, **pairs: list[Seen]) -> Diff:
    return compare(known(since, **pairs), known(until, **pairs))


def test_each_change_has_its_cause_and_its_instant() -> None:
    noon = NOW - timedelta(hours=12)
    found = diff(
        FRIDAY,
        NOW,
        new__t1=[("member", noon, NOW)],
        t1__left=[("member", FRIDAY - SECOND, noon)],
        t1__stays=[("member", FRIDAY - SECOND, NOW)],
        t1__guest=[("member", noon, noon + SECOND)],
        t1__less=[("member", FRIDAY - SECOND, noon), ("offset", FRIDAY, NOW - SECOND)],
    )
    told = {
        (it.kind, it.edge.source.name, it.edge.target.name, it.cause, it.at) for it in found.edges
    }
    assert told == {
        ("appeared", "new", "t1", "first seen", noon),
        ("gone", "t1", "left", "last seen", noon),
        ("passed", "t1", "guest", "last seen", noon + SECOND),
        ("changed", "t1", "less", "no longer by member, last", noon),
    }
    assert [it.at for it in found.edges] == sorted((it.at for it in found.edges), reverse=True)
    assert {(it.kind, it.node.name) for it in found.nodes} == {
        ("appeared", "new"),
        ("gone", "left"),
    }


def test_who_comes_back_is_no_newcomer() -> None:
    before = known(
        FRIDAY, a__t1=[("member", FRIDAY - timedelta(days=9), FRIDAY - timedelta(days=8))]
    )
    after = known(NOW, a__t1=[("member", FRIDAY - timedelta(days=9), NOW)])
    (change,) = compare(before, after).edges
    assert (change.kind, change.before, change.cause) == ("appeared", "stale", "seen again, last")
    assert {it.cause for it in compare(before, after).nodes} == {"seen again, last"}


spans = st.lists(
    st.tuples(st.sampled_from(["member", "offset"]), st.integers(0, 40), st.integers(0, 40)).map(
        lambda it: (
            it[0],
            FRIDAY + timedelta(minutes=min(it[1:])),
            FRIDAY + timedelta(minutes=max(it[1:])),
        )
    ),
    min_size=1,
    max_size=2,
    unique_by=lambda it: it[0],
)
histories = st.dictionaries(st.sampled_from(["a__t1", "t1__b", "b__t2", "t2__c", "c__t1"]), spans)


@given(histories, st.integers(0, 60), st.integers(0, 60))
def test_backwards_it_is_the_same_turned_round(
    history: dict[str, list[Seen]], one: int, other: int
) -> None:
    a, b = FRIDAY + timedelta(minutes=one), FRIDAY + timedelta(minutes=other)
    there, back = diff(a, b, **history), diff(b, a, **history)
    assert back == there.turned()
    assert back.turned() == there
    if a == b:
        assert (there.edges, there.nodes) == ((), ())
    # exactly the edges that are active at one instant only appeared or are gone
    was, now = known(a, **history), known(b, **history)
    active_then, active_now = _active(was), _active(now)
    told = {kind: _pairs(there, kind) for kind in ("appeared", "gone")}
    assert told == {"appeared": active_now - active_then, "gone": active_then - active_now}


def _active(snapshot: Snapshot) -> set[tuple[str, str]]:
    return {_pair(it) for it in snapshot.edges if it.active}


def _pairs(found: Diff, kind: str) -> set[tuple[str, str]]:
    return {_pair(it.edge) for it in found.edges if it.kind == kind}


def _pair(edge: EdgeView) -> tuple[str, str]:
    return edge.source.name, edge.target.name
