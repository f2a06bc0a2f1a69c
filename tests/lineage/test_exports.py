import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lineage.edges import EvidenceView, Node, edge_view
from lineage.exports import as_dot, as_mermaid, in_mermaid
from lineage.graph import Subgraph
from lineage.picture import of_subgraph

NOW = datetime(2026, 1, 1, tzinfo=UTC)
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


@given(st.text(max_size=60))
def test_nothing_in_a_name_means_anything_to_mermaid(name: str) -> None:
    shown = in_mermaid(name)
    assert shown[0] == shown[-1] == '"'
    inside = re.sub(r"#\d+;", "", shown[1:-1])
    assert not set(inside) & set('"<>&#;[](){}|\\`%*\n\r')


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_names_cannot_add_to_an_export(one: str, other: str) -> None:
    source, target = Node("actor", one, "c", "group"), Node("topic", other, "c")
    edge = edge_view(source, target, [EvidenceView("producer", NOW, NOW)], NOW)
    picture = of_subgraph(Subgraph((source, target), (edge,)), target)
    bare = _STRINGS.sub("", as_dot(picture))
    assert bare.count("->") == bare.count("{") == bare.count("}") == 1
    flowchart = as_mermaid(picture)
    assert len([line for line in flowchart.splitlines() if "==>" in line]) == 1
    assert flowchart.count(":::") == 2


def test_exports_tell_the_state_of_an_edge_and_what_is_left_out() -> None:
    source, target = Node("service", "a"), Node("topic", "b")
    old = NOW - timedelta(days=1)
    stale = edge_view(source, target, [EvidenceView("batch", old, old)], NOW)
    declared = edge_view(source, target, [EvidenceView("declared", NOW, NOW)], NOW)
    for edge, dotted, mermaid in (
        (stale, "style=dotted", '-. "stale" .->'),
        (declared, "style=dashed", '-. "declared" .->'),
    ):
        picture = of_subgraph(Subgraph((source, target), (edge,), hidden=5), source)
        assert dotted in as_dot(picture)
        assert mermaid in as_mermaid(picture)
        assert "5 more in reach" in as_dot(picture)
        assert "5 more in reach" in as_mermaid(picture)
