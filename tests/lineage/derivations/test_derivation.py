"""Derivations from generated estates: sound, and complete for what reads while it writes."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lineage.derivations.derivation import Tie, chain, derive
from lineage.edges import EdgeView, EvidenceView, Node, edge_view

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def topic(name: str, context: str | None = None) -> Node:
    return Node("topic", name, context)


def service(name: str, context: str | None = None) -> Node:
    return Node("service", name, context)


def edge(source: Node, target: Node, first: int = 0, last: int = 60) -> EdgeView:
    seen = [EvidenceView("member", NOON + timedelta(minutes=first), NOON + timedelta(minutes=last))]
    return edge_view(source, target, seen, NOON)


TOPICS = [topic(name) for name in "abcde"]
DERIVERS = [service("s"), service("t"), Node("actor", "g", known_by="group"), Node("copy", "k")]
PLACES = [(what, who, way) for what in TOPICS for who in DERIVERS for way in ("writes", "reads")]


@st.composite
def estates(draw: st.DrawFn) -> list[EdgeView]:
    """Some edges of some topics and derivers, each with a time; a copy writes nothing."""
    found = []
    for what, who, way in draw(st.lists(st.sampled_from(PLACES), max_size=15, unique=True)):
        if who.kind == "copy" and way == "writes":
            continue
        first, length = draw(st.integers(0, 100)), draw(st.integers(0, 50))
        ends = (who, what) if way == "writes" else (what, who)
        found.append(edge(*ends, first, first + length))
    return found


def test_a_service_that_reads_two_and_writes_one_derives_it_likely() -> None:
    a, b, v, s = topic("a", "x"), topic("b", "y"), topic("v", "y"), service("s", "y")
    (found,) = derive([edge(a, s), edge(b, s), edge(s, v)], {})
    assert (found.view, found.deriver) == (v, s)
    assert [(it.node.name, it.certainty) for it in found.inputs] == [
        ("a", "likely"),
        ("b", "likely"),
    ]
    assert found.certainty == "likely"
    assert found.confidence == round(0.95 * 0.95 / 2, 3)
    assert [(it.source, it.target) for it in found.crosses] == [("x", "y")]


def test_a_tie_makes_its_input_certain_and_no_other() -> None:
    a, b, v, s = topic("a"), topic("b"), topic("v"), service("s")
    tie = {(a, s, v): Tie("commit", "producer 7")}
    (found,) = derive([edge(a, s), edge(b, s), edge(s, v)], tie)
    first, second = found.inputs
    assert (first.node.name, first.certainty, first.because) == ("a", "certain", "producer 7")
    assert second.certainty == "likely"
    assert found.certainty == "certain"


def test_what_was_read_long_before_the_writing_began_is_no_input() -> None:
    a, v, s = topic("a"), topic("v"), service("s")
    assert derive([edge(a, s, 0, 10), edge(s, v, 30, 60)], {}) == []
    assert len(derive([edge(a, s, 0, 25), edge(s, v, 30, 60)], {})) == 1


def test_a_chain_is_followed_both_ways_by_distance() -> None:
    a, b, c = topic("a"), topic("b"), topic("c")
    s, t = service("s"), service("t")
    found = derive([edge(a, s), edge(s, b), edge(b, t), edge(t, c)], {})
    assert [(it.view.name, it.distance) for it in chain(found, c, "upstream", 9)] == [
        ("c", 1),
        ("b", 2),
    ]
    assert [it.view.name for it in chain(found, c, "upstream", 1)] == ["c"]
    assert [(it.view.name, it.distance) for it in chain(found, a, "downstream", 9)] == [
        ("b", 1),
        ("c", 2),
    ]


def test_a_circle_ends() -> None:
    a, b, s, t = topic("a"), topic("b"), service("s"), service("t")
    found = derive([edge(a, s), edge(s, b), edge(b, t), edge(t, a)], {})
    assert {it.view.name for it in chain(found, a, "downstream", 20)} == {"a", "b"}


@given(estates())
def test_every_view_is_written_by_its_deriver_and_every_input_read(edges: list[EdgeView]) -> None:
    seen = {(it.source, it.target) for it in edges}
    for found in derive(edges, {}):
        assert found.inputs
        for it in found.inputs:
            assert (it.node, found.deriver) in seen
            assert it.node != found.view
        if found.view.kind == "copy":
            assert found.deriver == found.view
            assert found.certainty == "certain"
        else:
            assert (found.deriver, found.view) in seen
            assert found.certainty == "likely"
        assert 0 < found.confidence <= 1


@given(estates())
def test_nothing_read_while_it_wrote_is_missed(edges: list[EdgeView]) -> None:
    found = {(it.node, each.deriver, each.view) for each in derive(edges, {}) for it in each.inputs}
    for read in edges:
        for written in edges:
            joined = read.source.kind == "topic" and read.target == written.source
            if joined and written.target not in {read.source, read.target}:
                overlap = (
                    read.first_seen <= written.last_seen and written.first_seen <= read.last_seen
                )
                key = (read.source, read.target, written.target)
                assert not overlap or key in found
