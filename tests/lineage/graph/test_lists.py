"""Orphans, couplings and footprints."""

from datetime import timedelta

import pytest

from lineage.graph import Coupling, Name, find_orphans, fold_by_context, footprint_of
from tests.lineage.graph.drawing import NOW, STALE, edge, edges, node

MIXED = [
    edge("a", "twritten"),
    edge("a", "tleft"),
    edge("tleft", "b", seen=STALE),
    edge("tread", "b"),
    edge("a", "tstopped", seen=STALE),
    edge("tstopped", "b"),
    edge("a", "tquiet", seen=STALE),
    edge("tquiet", "b", seen=STALE),
    edge("a", "tcopied"),
    edge("tcopied", "k1"),
]


def test_never_is_told_apart_from_not_since_and_from_not_known() -> None:
    found = find_orphans(MIXED, [node("tnobody"), node("tnew")], at=NOW, unsampled={"tnew"})
    assert {it.topic.name: it.state for it in found} == {
        "twritten": "never_read",
        "tleft": "not_read_since",
        "tread": "never_written",
        "tstopped": "not_written_since",
        "tquiet": "quiet",
        "tnobody": "never_observed",
        "tnew": "never_sampled",
    }
    (left,) = [it for it in found if it.topic.name == "tleft"]
    assert (left.read_at, left.written_at) == (STALE, NOW)
    assert [it.name for it in left.readers] == ["b"]


def test_a_longer_patience_spares_what_moves_seldom() -> None:
    found = find_orphans(MIXED, at=NOW, idle=timedelta(days=3))
    assert {it.topic.name for it in found} == {"twritten", "tread"}


def test_couplings_are_ranked_and_mutual_dependence_is_flagged() -> None:
    found = edges(
        "a@x > t1 > b@y", "a2@x > t1 > b2@y", "a@x > t2 > b@y", "b@y > t3 > a@x", "b@y > t4 > c@z"
    )
    assert fold_by_context(found) == [
        Coupling(
            "x",
            "y",
            ("t1", "t2"),
            ("service:a", "service:a2"),
            ("service:b", "service:b2"),
            flows=5,
            cyclic=True,
        ),
        Coupling("y", "x", ("t3",), ("service:b",), ("service:a",), flows=1, cyclic=True),
        Coupling("y", "z", ("t4",), ("service:b",), ("service:c",), flows=1),
    ]


def test_what_has_no_context_is_in_no_knot() -> None:
    assert [it.cyclic for it in fold_by_context(edges("a > t1 > b@y", "b@y > t2 > a"))] == [
        False,
        False,
    ]


def test_a_footprint_has_all_that_a_service_leaves() -> None:
    found = edges("a@x > t1 > b@y > t2 > c@z", "t2 > k1@y", "t3 > b@y")
    names = [
        Name("group", "g", STALE, STALE),
        Name("group", "g", NOW, NOW),
        Name("group", "old", STALE, STALE),
        Name("host", "/10.0.0.1", NOW, NOW),
    ]
    print_ = footprint_of(found, node("b@y"), names)
    assert [it.source.name for it in print_.reads] == ["t1", "t3"]
    assert [it.target.name for it in print_.writes] == ["t2"]
    assert [it.name for it in print_.copies] == ["k1"]
    assert (print_.fed_by, print_.feeds) == (("x",), ("z",))
    assert print_.known_as("group") == ("g", "old")
    assert print_.names[0] == Name("group", "g", STALE, NOW)
    assert (print_.since, print_.active) == (NOW, True)


@pytest.mark.parametrize("name", ["a", "unheard"])
def test_who_was_never_seen_has_an_empty_footprint(name: str) -> None:
    print_ = footprint_of([], node(name))
    assert (print_.since, print_.active, print_.names) == (None, False, ())
