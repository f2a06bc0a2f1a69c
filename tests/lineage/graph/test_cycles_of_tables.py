"""A job that reads the table it writes, as merging does; and copies that are read."""

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.edges import PLACES, EdgeView, EvidenceView, Node, NodeKind, edge_view
from lineage.graph import find_cycles
from tests.lineage.graph.drawing import NOW

_KINDS: dict[str, NodeKind] = {"t": "topic", "d": "dataset", "k": "copy", "j": "actor"}


def _node(name: str) -> Node:
    return Node(_KINDS[name[0]], name)


def _edges(*pairs: tuple[str, str]) -> list[EdgeView]:
    proof = [EvidenceView("openlineage", NOW, NOW)]
    return [edge_view(_node(one), _node(other), proof, NOW) for one, other in pairs]


@pytest.mark.parametrize("place", ["t1", "d1"])
def test_a_job_that_merges_into_what_it_reads_has_an_own_cycle(place: str) -> None:
    (found,) = find_cycles(_edges(("j1", place), (place, "j1")))
    assert found.kind == "own"
    assert [it.name for it in found.nodes] == ["j1", place]


def test_jobs_that_merge_into_one_table_feed_each_other() -> None:
    pairs = [("j1", "d1"), ("d1", "j1"), ("j2", "d1"), ("d1", "j2")]
    found = find_cycles(_edges(*pairs))
    assert [it.kind for it in found] == ["loop", "own", "own"]
    assert [it.name for it in found[0].nodes] == ["j1", "d1", "j2", "d1"]


def test_data_comes_back_over_a_table_and_over_a_copy() -> None:
    (table,) = find_cycles(_edges(("j1", "d1"), ("d1", "j2"), ("j2", "t1"), ("t1", "j1")))
    assert [it.name for it in table.nodes] == ["j1", "d1", "j2", "t1"]
    (copy,) = find_cycles(_edges(("j1", "t1"), ("t1", "k1"), ("k1", "j1")))
    assert copy.kind == "loop"
    assert {it.name for it in copy.nodes} == {"j1", "t1", "k1"}


_names = st.sampled_from(["t1", "t2", "t3", "d1", "d2", "k1", "k2", "j1", "j2", "j3"])


@given(st.sets(st.tuples(_names, _names).filter(lambda it: it[0] != it[1]), max_size=25))
def test_whatever_feeds_whatever_the_cycles_are_real(pairs: set[tuple[str, str]]) -> None:
    """Received lineage may join any two nodes; a table may be told of as a job, too."""
    found = _edges(*sorted(pairs))
    cycles = find_cycles(found)
    known = {(it.source, it.target) for it in found}
    for cycle in cycles:
        ring = list(cycle.nodes)
        assert set(zip(ring, [*ring[1:], ring[0]], strict=True)) <= known
        actors = {it for it in ring if it.kind not in PLACES}
        assert len(actors) > 1 if cycle.kind == "loop" else len(actors) == 1
    graph: nx.DiGraph[str] = nx.DiGraph(pairs)
    knots = [knot for knot in nx.strongly_connected_components(graph) if len(knot) > 1]
    loops = [{it.name for it in cycle.members} for cycle in cycles if cycle.kind == "loop"]
    several = [knot for knot in knots if sum(name[0] in "kj" for name in knot) > 1]
    assert sorted(map(sorted, loops)) == sorted(map(sorted, several))
