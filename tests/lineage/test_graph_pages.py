"""The lineage page, the page of an edge, the names and the exports, over estates of some size."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Cluster
from lineage.ledger import Naming, Observation, record
from tests.lineage import estates

pytestmark = pytest.mark.django_db
HUB = "topic:ordering.created.0"


@pytest.fixture
def middle(db: None) -> Cluster:
    return estates.build(estates.MIDDLE)


def drawing(client: Client, query: str = "") -> Any:
    page = client.get(f"/lineage{query}")
    assert page.status_code == 200
    found = re.search(r'<pre class="drawing" hidden>(.*?)</pre>', page.content.decode(), re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_a_focus_draws_sixty_at_most_and_counts_the_rest(client: Client, middle: Cluster) -> None:
    shown = drawing(client, f"?focus={HUB}&hops=3")
    assert 40 < len(shown["nodes"]) <= 60
    assert len(shown["contexts"]) > 3
    (hub,) = (node for node in shown["nodes"] if node[0] == HUB)
    drawn = {node[0] for node in shown["nodes"]}
    readers = client.get(f"/api/v1/lineage/edges?source={HUB}&limit=1000").json()["results"]
    ends = {f"{it['target']['kind']}:{it['target']['name']}" for it in readers}
    assert hub[3] == len(ends - drawn)
    page = client.get(f"/lineage?focus={HUB}&hops=3").content.decode()
    more = re.search(r'drawn, <a href="([^"]+)">([\d,]+) more</a>', page)
    assert more is not None
    listed = client.get(more[1].replace("&amp;", "&").partition("#")[0]).content.decode()
    assert ">not drawn</b>" in listed


@pytest.mark.parametrize(
    "query", ["?fold=things&nodes=300", f"?focus={HUB}&hops=4&nodes=300", "?fold=context"]
)
def test_the_page_stays_below_200_kb_at_300_nodes(
    client: Client, middle: Cluster, query: str
) -> None:
    page = client.get(f"/lineage{query}")
    assert len(page.content) <= 200_000
    if "300" in query:
        assert len(drawing(client, query)["nodes"]) >= 200


def test_the_table_is_paged_and_asks_as_much_for_many_as_for_few(
    client: Client, middle: Cluster
) -> None:
    with CaptureQueriesContext(connection) as queries:
        page = client.get("/lineage?fold=things&nodes=300").content.decode()
    assert page.count("<tr>") == 51
    assert len(queries) <= 24


def test_opening_and_folding_are_in_the_url(client: Client, middle: Cluster) -> None:
    before = drawing(client, f"?focus={HUB}")
    shown = next(node for node in before["nodes"] if node[0] != HUB and node[3])
    after = drawing(client, f"?focus={HUB}&expand=down:{shown[0]}")
    again = next(node for node in after["nodes"] if node[0] == shown[0])
    assert (again[3], again[4]) == (0, 1)
    assert len(after["nodes"]) == len(before["nodes"]) + shown[3]
    folded = drawing(client, f"?focus={HUB}&folded=paying&folded=stock")
    names = {node[0] for node in folded["nodes"]}
    assert {"context:paying", "context:stock"} <= names
    assert not any(name.startswith("service:paying-") for name in names)


def test_a_large_estate_is_shown_by_context_first(client: Client, middle: Cluster) -> None:
    shown = drawing(client)
    assert {node[0].partition(":")[0] for node in shown["nodes"]} == {"context"}
    assert len(shown["edges"]) <= 60
    fewer = drawing(client, "?fold=context&min_topics=5")
    assert 0 < len(fewer["edges"]) < len(shown["edges"])
    one = drawing(client, "?fold=context&context=paying")
    paying = next(at for at, node in enumerate(one["nodes"]) if node[0] == "context:paying")
    assert all(paying in edge[:2] for edge in one["edges"])


def test_then_is_what_was_known_then(client: Client, middle: Cluster) -> None:
    now = drawing(client, f"?focus={HUB}")
    page = client.get(f"/lineage?focus={HUB}").content.decode()
    earlier = re.search(r'href="(\?[^"]*as_of[^"]*)"', page)
    assert earlier is not None
    then = (timezone.now() - timedelta(days=45)).strftime("%Y-%m-%dT%H:%M:%SZ")
    before = drawing(client, f"?focus={HUB}&as_of={then}")
    assert before["here"].endswith(f"as_of={then.replace(':', '%3A')}")
    assert 0 < before["nodes"][0][3] + len(before["nodes"]) < now["nodes"][0][3] + len(now["nodes"])


def test_names_are_found_by_a_part_and_never_more_than_a_dozen(
    client: Client, middle: Cluster
) -> None:
    found = client.get("/lineage/names?focus=created").content.decode()
    assert found.count("<li>") == 12
    assert "More fit" in found
    exact = client.get("/lineage/names?focus=topic:ordering.created.0").content.decode()
    assert 'href="/lineage?focus=topic%3Aordering.created.0"' in exact
    raw = client.get("/lineage/names?focus=console").content.decode()
    assert "client_id%3Aconsole-producer" in raw
    # a group of a known service is found as that service
    known = client.get("/lineage/names?focus=ordering-api-0-tx").content.decode()
    assert "service%3Aordering-api-0" in known
    assert "nothing" in client.get("/lineage/names?focus=nix").content.decode().lower()
    assert "<li>" not in client.get("/lineage/names?focus=").content.decode()


def test_an_edge_shows_each_proof_its_particulars_and_intervals(client: Client) -> None:
    cluster = Cluster.objects.create(name="c", bootstrap_servers="127.0.0.1:1")
    now = timezone.now()
    for age in (timedelta(days=3), timedelta(days=1), timedelta(0)):
        detail = {"lag": 1234, "client_ids": ["<b>one</b>"]}
        seen = [
            Observation("topic", "orders", "group", "mail", "member", now - age, detail),
            Observation("producer_id", "7", "topic", "orders", "producer", now - age),
        ]
        record(cluster, seen, now, names=[Naming(7, "transactional_id", "tx", "transaction")])
    page = client.get("/lineage/edge?source=topic:orders&target=group:mail").content.decode()
    assert "1,234" in page
    assert "&lt;b&gt;one&lt;/b&gt;" in page
    assert page.count("<rect") == 3
    assert "group mail" in page
    # a producer id is shown by the name that was learnt for it, with the raw one beside
    named = client.get("/lineage/edge?source=transactional_id:tx&target=topic:orders")
    assert "producer id 7" in named.content.decode()
    then = (now - timedelta(days=2)).isoformat().replace("+", "%2B")
    past = client.get(f"/lineage/edge?source=topic:orders&target=group:mail&as_of={then}")
    assert past.content.decode().count("<rect") == 1
    assert client.get("/lineage/edge?source=topic:orders&target=group:nix").status_code == 404


@pytest.mark.parametrize(
    ("name", "media", "begins"),
    [("mmd", "text/vnd.mermaid", "flowchart LR"), ("dot", "text/vnd.graphviz", "digraph lineage")],
)
def test_exports_hold_what_the_page_draws(
    client: Client, middle: Cluster, name: str, media: str, begins: str
) -> None:
    shown = drawing(client, f"?focus={HUB}&folded=paying")
    answer = client.get(f"/lineage/export.{name}?focus={HUB}&folded=paying")
    text = answer.content.decode()
    assert answer["Content-Type"] == f"{media}; charset=utf-8"
    assert text.startswith(begins)
    arrows = re.findall(r"^\s+\S+ (?:->|-->|==>|-\. \"\w+\" \.->) \S+", text, re.MULTILINE)
    assert len(arrows) == len(shown["edges"])
    assert client.get(f"/lineage/export.{name}?focus=topic:nix").status_code == 404


@pytest.mark.parametrize(
    ("form", "begins"), [("dot", "digraph lineage"), ("mermaid", "flowchart LR")]
)
def test_rest_gives_the_drawing_as_text(
    client: Client, middle: Cluster, form: str, begins: str
) -> None:
    path = "/api/v1/lineage/graph"
    answer = client.get(path, {"focus": HUB, "format": form})
    assert answer.content.decode().startswith(begins)
    refused = client.get(path, {"focus": "topic:nix", "format": form})
    assert refused.status_code == 404
    assert json.loads(refused.content)["type"] == "urn:insideout:lineage-node-not-found"
