"""Cycles are real, every knot is found, and own ones are told apart from loops."""

import networkx as nx
from hypothesis import given

from lineage.edges import EdgeView, Node
from lineage.graph import find_cycles
from tests.lineage.graph.drawing import edges, graphs


def test_a_loop_and_an_own_cycle() -> None:
    found = find_cycles(edges("a > t1 > b > t2 > a", "b > t3 > b", "b > t4 > c > t5 > b"))
    assert [it.kind for it in found] == ["loop", "own"]
    assert [it.name for it in found[0].nodes] == ["a", "t1", "b", "t2"]
    assert {it.name for it in found[0].members} == {"a", "b", "c", "t1", "t2", "t3", "t4", "t5"}
    assert [it.name for it in found[1].nodes] == ["b", "t3"]
    assert found[0].active


def test_a_stream_that_ends_has_none() -> None:
    assert find_cycles(edges("a > t1 > b > t2 > c")) == []


@given(graphs)
def test_cycles_are_real_and_complete(found: list[EdgeView]) -> None:
    cycles = find_cycles(found)
    for cycle in cycles:
        assert all(it in found for it in cycle.edges)
        assert [it.source for it in cycle.edges] == list(cycle.nodes)
        assert [it.target for it in cycle.edges] == [*cycle.nodes[1:], cycle.nodes[0]]
        actors = {it for it in cycle.nodes if it.kind != "topic"}
        assert (len(actors) > 1) == (cycle.kind == "loop")
        assert set(cycle.nodes) <= set(cycle.members)
    graph: nx.DiGraph[Node] = nx.DiGraph([(it.source, it.target) for it in found])
    knots = [knot for knot in nx.strongly_connected_components(graph) if len(knot) > 1]
    assert {it for cycle in cycles for it in cycle.members} == {it for knot in knots for it in knot}
    own = {(it.source, it.target) for it in found} & {(it.target, it.source) for it in found}
    assert sum(cycle.kind == "own" for cycle in cycles) == len(own) // 2
