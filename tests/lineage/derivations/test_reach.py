"""What a change reaches is closed downward, at the shortest distance, field by field."""

from hypothesis import given
from hypothesis import strategies as st

from lineage.derivations.derivation import Derivation, Input, derive
from lineage.derivations.flows import Flow, Place
from lineage.derivations.reach import CERTAINTIES, Reach
from lineage.edges import EdgeView, Node
from tests.lineage.derivations.test_derivation import TOPICS, edge, estates, service, topic


def nothing_known(_each: Derivation, _it: Input) -> list[Flow]:
    return []


def reach_of(edges: list[EdgeView]) -> Reach:
    return Reach(edges, derive(edges, {}), nothing_known)


@given(estates(), st.sampled_from(TOPICS))
def test_what_a_reached_stream_reaches_is_reached(edges: list[EdgeView], start: Node) -> None:
    reach = reach_of(edges)
    found = {it.node: it for it in reach.of(start)}
    for node, at in found.items():
        if node.kind != "topic":
            continue
        for further in reach.of(node):
            assert further.node == start or further.node in found
            if further.node != start:
                assert found[further.node].distance <= at.distance + further.distance


@given(estates(), st.sampled_from(TOPICS))
def test_every_reader_is_reached_and_everything_by_edges_that_exist(
    edges: list[EdgeView], start: Node
) -> None:
    found = {it.node: it for it in reach_of(edges).of(start)}
    assert {it.target for it in edges if it.source == start} <= set(found)
    pairs = {(it.source, it.target) for it in edges}
    for it in found.values():
        assert it.edges
        assert all((step.source, step.target) in pairs for step in it.edges)
        assert it.edges[0].source == it.via
        assert it.edges[-1].target == it.node


@given(estates(), st.sampled_from(TOPICS))
def test_a_field_reaches_no_more_than_its_topic_and_no_more_surely(
    edges: list[EdgeView], start: Node
) -> None:
    reach = reach_of(edges)
    whole = {it.node: it for it in reach.of(start)}
    for it in reach.of(start, ["id"]):
        assert it.node in whole
        assert CERTAINTIES.index(it.certainty) >= CERTAINTIES.index(whole[it.node].certainty)


def test_fields_are_followed_where_they_are_known() -> None:
    a, b, s, t = topic("a"), topic("b"), service("s"), service("t")
    copy, other = Node("copy", "k"), Node("copy", "l")
    edges = [edge(a, s), edge(s, b), edge(b, t), edge(b, copy), edge(b, other)]
    flows = [
        Flow(Place("topic", "a", "id"), Place("topic", "b", "order"), "", "inferred", "", "name"),
        Flow(Place("topic", "b", "order"), Place("copy", "k", "o"), "renamed", "exact", "", "def"),
        Flow(Place("topic", "b", "x"), Place("copy", "l", "x"), "copied", "exact", "", "def"),
    ]

    def between(each: Derivation, it: Input) -> list[Flow]:
        return [
            flow
            for flow in flows
            if flow.source.name == it.node.name and flow.target.name == each.view.name
        ]

    reach = Reach(edges, derive(edges, {}), between)
    found = {it.node.name: it for it in reach.of(a, ["id"])}
    assert {name: it.fields for name, it in found.items()} == {
        "s": (),
        "b": ("order",),
        "t": (),
        "k": ("o",),
    }
    assert {name: it.distance for name, it in found.items()} == {"s": 1, "b": 2, "t": 3, "k": 3}
    assert found["s"].certainty == "possible"
    assert found["b"].certainty == found["k"].certainty == "likely"


def test_a_circle_makes_nothing_surer_and_no_more_fields() -> None:
    a, b, s, t = topic("a"), topic("b"), service("s"), service("t")
    copy = Node("copy", "k")
    edges = [edge(a, s), edge(s, b), edge(b, t), edge(t, a), edge(a, copy)]
    flows = [
        Flow(Place("topic", "a", name), Place("copy", "k", name), "copied", "exact", "", "def")
        for name in ("id", "note")
    ]

    def between(each: Derivation, _it: Input) -> list[Flow]:
        return flows if each.view == copy else []

    found = {it.node.name: it for it in Reach(edges, derive(edges, {}), between).of(a, ["id"])}
    assert found["k"].fields == ("id",)
    assert {name: it.certainty for name, it in found.items()} == {
        "k": "certain",
        "s": "possible",
        "b": "possible",
        "t": "possible",
    }
