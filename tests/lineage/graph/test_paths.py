"""The shortest story: as short as networkx finds it, told in words, the same one each time."""

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from lineage.edges import EdgeView, Node
from lineage.graph import shortest_story
from tests.lineage.graph.drawing import STALE, edge, edges, graphs, node


def test_a_story_is_told_service_by_service() -> None:
    found = edges("orders > tord > payments > tpay > email", "tpay > k1")
    story = shortest_story(found, node("orders"), node("email"))
    assert story.text == (
        "orders writes tord · payments reads tord and writes tpay · email reads tpay"
    )
    assert [step.node.name for step in story.steps] == ["orders", "payments", "email"]
    assert story.hops == 4
    assert story.active
    copied = shortest_story(found, node("tord"), node("k1"))
    assert copied.text == "payments reads tord and writes tpay · the copy k1 copies tpay"


def test_what_is_stale_is_told_so() -> None:
    story = shortest_story(edges("a > t1 > b", seen=STALE), node("a"), node("b"))
    assert story.text == (
        "a writes t1 (last seen 2026-01-07 00:00 UTC) · b reads t1 (last seen 2026-01-07 00:00 UTC)"
    )
    assert not story.active


def test_no_way_is_told_with_the_way_back() -> None:
    found = edges("a > t1 > b")
    story = shortest_story(found, node("b"), node("a"))
    assert not story.found
    assert story.text == "no data of b was seen to reach a; it flows the other way"
    assert story.confidence == 0
    assert not shortest_story(found, node("a"), node("elsewhere")).reverse
    assert shortest_story(found, node("a"), node("a")).nodes == (node("a"),)


def test_among_equals_the_active_and_surest_way_is_told() -> None:
    ways = edges("a > t1 > b", "a > t2 > b", "a > t3 > b")
    assert [it.name for it in shortest_story(ways, node("a"), node("b")).nodes] == ["a", "t1", "b"]
    ways[0] = edge("a", "t1", seen=STALE)
    ways[2] = edge("a", "t2", "header")
    story = shortest_story(ways, node("a"), node("b"))
    assert [it.name for it in story.nodes] == ["a", "t3", "b"]
    assert story.alternatives == 2


@given(graphs, st.integers(0, 6), st.integers(0, 6))
def test_it_is_as_short_as_can_be_and_its_edges_are_real(
    found: list[EdgeView], one: int, other: int
) -> None:
    source, target = node(f"s{one}"), node(f"s{other}")
    story = shortest_story(found, source, target)
    graph: nx.DiGraph[Node] = nx.DiGraph([(it.source, it.target) for it in found])
    graph.add_nodes_from([source, target])
    if not nx.has_path(graph, source, target):
        assert not story.found
        assert story.reverse == nx.has_path(graph, target, source)
        return
    assert story.hops == nx.shortest_path_length(graph, source, target)
    assert story.alternatives == len(list(nx.all_shortest_paths(graph, source, target))) - 1
    assert all(it in found for it in story.edges)
    assert [it.source for it in story.edges] == list(story.nodes[:-1])
    assert [it.target for it in story.edges] == list(story.nodes[1:])
    assert shortest_story(found[::-1], source, target) == story
