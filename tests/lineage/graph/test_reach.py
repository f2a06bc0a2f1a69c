"""How far upstream and downstream go, in things and in projections, and what they leave out."""

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.edges import EdgeView, Node
from lineage.graph import Projection, downstream, reach, select, upstream
from tests.lineage.graph.drawing import STALE, edge, edges, graphs, node

CHAIN = edges("a > t1 > b > t2 > c > t3 > d", "t1 > e", "t2 > k1")


def _names(found: list[EdgeView], focus: str, depth: int | None, projection: Projection) -> str:
    reached = reach(found, node(focus), "downstream", depth=depth, projection=projection)
    return " ".join(f"{it.node.name}{it.distance}" for it in reached.nodes)


@pytest.mark.parametrize(
    ("focus", "depth", "projection", "expected"),
    [
        ("a", 1, "things", "t11"),
        ("a", 3, "things", "t11 b2 e2 t23"),
        ("a", 1, "topics", "t11"),
        ("a", 2, "topics", "t11 t22"),
        ("t1", 1, "topics", "t21"),
        ("a", 1, "services", "b1 e1"),
        ("a", 2, "services", "b1 e1 c2 k12"),
        ("t1", None, "services", "b1 e1 c2 k12 d3"),
        ("d", None, "things", ""),
        ("nobody", None, "things", ""),
    ],
)
def test_depth_is_counted_in_hops_of_what_is_shown(
    focus: str, depth: int | None, projection: Projection, expected: str
) -> None:
    assert _names(CHAIN, focus, depth, projection) == expected


def test_projected_hops_tell_what_lies_between_and_how_sure_they_are() -> None:
    found = edges("a > t1 > b", "a > t2 > b")
    found[0] = edge("a", "t1", "header", seen=STALE)
    (link,) = reach(found, node("a"), "downstream", projection="services").links
    assert (link.source.name, link.target.name) == ("a", "b")
    assert [via.name for via in link.via] == ["t2", "t1"]
    assert link.confidence == round(0.95 * 0.95, 3)
    assert link.active
    assert link.last_seen == found[2].last_seen
    (link,) = reach(found[:2], node("a"), "downstream", projection="services").links
    assert not link.active
    assert link.last_seen == STALE


def test_a_service_that_reads_what_it_writes_is_not_upstream_of_itself() -> None:
    found = reach(edges("a > t1 > a", "t1 > b"), node("a"), "downstream")
    assert [it.node.name for it in found.nodes] == ["t1", "b"]
    assert found.returns
    assert not reach(CHAIN, node("a"), "downstream").returns


def test_what_was_left_out_is_counted() -> None:
    found = reach(CHAIN, node("a"), "downstream", depth=4, cap=3)
    assert [it.node.name for it in found.nodes] == ["t1", "b", "e"]
    assert found.hidden == 3  # t2, k1, c
    assert found.beyond == 2  # t3, d


@given(graphs, st.integers(0, 6), st.integers(0, 5), st.integers(0, 6))
def test_nothing_in_reach_is_lost_to_cap_and_depth(
    found: list[EdgeView], focus: int, depth: int, cap: int
) -> None:
    here = node(f"s{focus}")
    everything = upstream(found, here)
    part = reach(found, here, "upstream", depth=depth, cap=cap)
    assert len(part.nodes) + part.hidden + part.beyond == len(everything)
    assert len(part.nodes) <= cap
    assert {it.node for it in part.nodes} <= everything
    assert all(it.distance <= depth for it in part.nodes)
    shown = {here, *(it.node for it in part.nodes)}
    assert all({it.source, it.target} <= shown for it in part.edges)


@given(graphs)
def test_up_and_down_the_stream_are_dual(found: list[EdgeView]) -> None:
    nodes = {end for it in found for end in (it.source, it.target)}
    for one in nodes:
        for other in downstream(found, one):
            assert one in upstream(found, other)


@given(graphs, st.sampled_from(["things", "topics", "services"]))
def test_distances_are_dual_and_those_of_networkx(
    found: list[EdgeView], projection: Projection
) -> None:
    graph: nx.DiGraph[Node] = nx.DiGraph()
    graph.add_edges_from((it.source, it.target) for it in found)
    pace = 1 if projection == "things" else 2
    sort = {"topics": "topic", "services": "service"}.get(projection)
    nodes = [it for it in graph if sort in {None, it.kind}]
    far = {
        one: {
            it.node: it.distance
            for it in reach(found, one, "downstream", projection=projection, cap=99).nodes
        }
        for one in nodes
    }
    for one in nodes:
        back = reach(found, one, "upstream", projection=projection, cap=99).nodes
        assert all(far[it.node][one] == it.distance for it in back)
        expected = nx.single_source_shortest_path_length(graph, one)
        assert far[one] == {
            other: steps // pace
            for other, steps in expected.items()
            if other != one and other in nodes
        }


@given(graphs)
def test_an_edge_is_the_same_from_both_its_ends(found: list[EdgeView]) -> None:
    for it in found:
        assert it in reach(found, it.source, "downstream", depth=1, cap=99).edges
        assert it in reach(found, it.target, "upstream", depth=1, cap=99).edges


def test_edges_that_do_not_count_are_left_out() -> None:
    found = [edge("a", "t1"), edge("t1", "b", seen=STALE), edge("t1", "c", "declared")]
    assert len(select(found)) == 3
    assert select(found, active=True) == [found[0], found[2]]
    assert select(found, active=False) == [found[1]]
    assert select(found, declared=False) == found[:2]


def test_internal_topics_are_folded_into_the_one_service_that_has_them() -> None:
    own = edges("app > tapp-x-repartition > app", "app > tapp-x-changelog", "t1 > app > t2")
    assert {it.source.name for it in select(own, internal=False)} == {"t1", "app"}
    assert len(select(own, internal=False)) == 2
    kept = select(own, internal=False, keep=node("tapp-x-changelog"))
    assert "tapp-x-changelog" in {it.target.name for it in kept}
    shared = [*own, edge("tapp-x-changelog", "spy")]
    assert len(select(shared, internal=False)) == 4
