from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from lineage.edges import EdgeView, EvidenceView, Node, edge_view
from lineage.graph import (
    downstream,
    fold_by_context,
    merged,
    neighbourhood,
    upstream,
    whole,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def edge(source: Node, target: Node, kind: str = "member") -> EdgeView:
    return edge_view(source, target, [EvidenceView(kind, NOW, NOW)], NOW)


def service(name: str, context: str | None = None) -> Node:
    return Node("service", name, context)


def topic(name: str) -> Node:
    return Node("topic", name)


CHAIN = [
    edge(service("a", "one"), topic("t1")),
    edge(topic("t1"), service("b", "two")),
    edge(service("b", "two"), topic("t2")),
    edge(topic("t2"), service("c", "three")),
    edge(topic("t1"), service("d", "one")),
]
edges = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 12)).map(
        lambda pair: (
            edge(service(f"s{pair[0]}"), topic(f"t{pair[1]}"))
            if (pair[0] + pair[1]) % 2
            else edge(topic(f"t{pair[0]}"), service(f"s{pair[1]}"))
        )
    ),
    max_size=40,
)


def test_a_neighbourhood_goes_as_far_as_asked() -> None:
    near = neighbourhood(CHAIN, topic("t1"), 1)
    assert {node.name for node in near.nodes} == {"t1", "a", "b", "d"}
    assert near.hidden == 0
    assert {node.name for node in neighbourhood(CHAIN, topic("t1"), 3).nodes} == {
        "t1",
        "a",
        "b",
        "d",
        "t2",
        "c",
    }
    # a sibling reader is no neighbour: neither up nor down the stream
    assert "d" not in {node.name for node in neighbourhood(CHAIN, service("b"), 3).nodes}


def test_the_cap_is_honest() -> None:
    capped = neighbourhood(CHAIN, topic("t1"), 3, cap=3)
    assert len(capped.nodes) == 3
    assert capped.hidden == 3
    assert capped.nodes[0] == topic("t1")


def test_a_thing_without_edges_stands_alone() -> None:
    assert neighbourhood(CHAIN, topic("x"), 2).nodes == (topic("x"),)


def test_contexts_are_coupled_by_the_topics_between_them() -> None:
    assert [(it.source, it.target, it.topics) for it in fold_by_context(CHAIN)] == [
        ("one", "two", ("t1",)),
        ("two", "three", ("t2",)),
    ]


def test_merging_keeps_every_proof_and_the_whole_span() -> None:
    (one,) = merged([edge(service("a"), topic("t")), edge(service("a"), topic("t"), "offset")])
    assert {proof.kind for proof in one.evidence} == {"member", "offset"}
    assert one.confidence == 0.995


@given(edges, st.integers(0, 4), st.integers(1, 10))
def test_hidden_and_shown_are_all_in_reach(found: list[EdgeView], hops: int, cap: int) -> None:
    focus = topic("t1")
    everything = neighbourhood(found, focus, hops, cap=1000)
    some = neighbourhood(found, focus, hops, cap=cap)
    assert len(some.nodes) + some.hidden == len(everything.nodes)
    assert set(some.nodes) <= set(everything.nodes)
    assert all({it.source, it.target} <= set(some.nodes) for it in some.edges)


@given(edges)
def test_upstream_and_downstream_mirror_each_other(found: list[EdgeView]) -> None:
    nodes = {node for it in found for node in (it.source, it.target)}
    for one in nodes:
        for other in upstream(found, one):
            assert one in downstream(found, other) or one == other
    far = neighbourhood(found, topic("t1"), 100, direction="upstream", cap=1000)
    assert set(far.nodes) - {topic("t1")} == upstream(found, topic("t1")) - {topic("t1")}


@given(edges, st.integers(1, 10))
def test_the_whole_is_capped_too(found: list[EdgeView], cap: int) -> None:
    nodes = {node for it in found for node in (it.source, it.target)}
    part = whole(found, cap)
    assert len(part.nodes) + part.hidden == len(nodes)
