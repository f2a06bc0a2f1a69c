import re
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from lineage.dot import draw, quoted
from lineage.edges import EvidenceView, Node, edge_view
from lineage.graph import Subgraph

NOW = datetime(2026, 1, 1, tzinfo=UTC)
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


@given(st.text(max_size=60))
def test_whatever_a_name_holds_stays_one_string(name: str) -> None:
    text = quoted(name)
    assert _STRINGS.fullmatch(text)
    assert "\n" not in text


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_names_cannot_add_to_the_drawing(one: str, other: str) -> None:
    source, target = Node("actor", one, "c", "group"), Node("topic", other, "c")
    edge = edge_view(source, target, [EvidenceView("producer", NOW, NOW)], NOW)
    text = draw(
        Subgraph((source, target), (edge,)),
        focus=target,
        address=lambda node: f"/x/{node.name}",
        by_context=True,
    )
    bare = _STRINGS.sub("", text)
    assert bare.count("->") == 1
    assert bare.count("{") == bare.count("}") == 2
    assert bare.count("URL=") == 2


def test_freshness_and_kind_are_told_without_colour() -> None:
    source, target = Node("service", "a"), Node("copy", "b")
    fresh = edge_view(source, target, [EvidenceView("connector", NOW, NOW)], NOW)
    old = edge_view(
        source,
        target,
        [EvidenceView("connector", NOW.replace(year=2025), NOW.replace(year=2025))],
        NOW,
    )
    assert "style=solid" in draw(Subgraph((source, target), (fresh,)))
    assert "style=dotted" in draw(Subgraph((source, target), (old,)))
    assert "shape=cylinder" in draw(Subgraph((target,), ()))


def test_a_dataset_outside_kafka_is_written_to() -> None:
    job, table = Node("actor", "flink/enrich", None, "job"), Node("dataset", "postgres://db/t")
    edge = edge_view(job, table, [EvidenceView("openlineage", NOW, NOW)], NOW)
    drawn = draw(Subgraph((job, table), (edge,)))
    assert 'class="node-dataset"' in drawn
    assert "edge-write" in drawn
    assert 'label="job flink/enrich"' in drawn
