from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import BoundedContext, Cluster, Service, Topic
from catalog.observation import observed_accesses
from lineage.ledger import Naming, Observation, record
from lineage.models import Edge
from lineage.sampling.samplers import all_samplers

pytestmark = pytest.mark.django_db
EDGES = "/api/v1/lineage/edges"


@pytest.fixture
def cluster() -> Cluster:
    sales = BoundedContext.objects.create(name="sales")
    Service.objects.create(
        name="orders", context=sales, recognised_by={"groups": ["orders-*"], "sources": ["/o"]}
    )
    made = Cluster.objects.create(name="c", bootstrap_servers="127.0.0.1:1")
    Topic.objects.create(cluster=made, name="orders", context=sales)
    now = timezone.now()
    record(
        made,
        [
            Observation("producer_id", "7", "topic", "orders", "producer", now),
            Observation("topic", "orders", "group", "mail", "member", now, {"client_ids": ["m"]}),
            Observation("topic", "orders", "copy", "orders_pg", "connector", now),
            Observation("topic", "stock", "group", "orders-1", "offset", now - timedelta(days=1)),
        ],
        now,
        names=[Naming(7, "source", "/o", "header")],
    )
    return made


def test_lists_edges_in_the_envelope(client: Client, cluster: Cluster) -> None:
    answer = client.get(EDGES).json()
    assert set(answer) == {"count", "next", "previous", "results"}
    assert answer["count"] == 4
    (written,) = client.get(EDGES, {"target": "topic:orders"}).json()["results"]
    assert written["source"] == {
        "kind": "service",
        "name": "orders",
        "context": "sales",
        "known_by": "",
    }
    assert written["target"] == {
        "kind": "topic",
        "name": "orders",
        "context": "sales",
        "known_by": "",
    }
    assert [proof["kind"] for proof in written["evidence"]] == ["producer"]
    assert set(written["evidence"][0]) == {"kind", "first_seen", "last_seen", "detail"}
    assert written["confidence"] == 0.95
    assert written["active"] is True


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"source": "orders"}, 3),
        ({"source": "topic:orders"}, 2),
        ({"target": "copy:orders_pg"}, 1),
        ({"kind": "copy"}, 1),
        ({"kind": "member"}, 1),
        ({"kind": "actor"}, 1),
        ({"as_of": "2020-01-01T00:00:00Z"}, 0),
        ({"target": "nobody"}, 0),
        ({"kind": "", "source": "", "as_of": "", "cluster": ""}, 4),
    ],
)
def test_filters(client: Client, cluster: Cluster, query: dict[str, str], count: int) -> None:
    assert client.get(EDGES, query).json()["count"] == count


@pytest.mark.parametrize(
    "instant", ["tuesday", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"]
)
def test_refuses_what_is_no_instant_and_no_cluster(
    client: Client, cluster: Cluster, instant: str
) -> None:
    answer = client.get(EDGES, {"as_of": instant})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert client.get(EDGES, {"cluster": "x"}).status_code == 404


def test_reads_an_instant_whose_plus_became_a_space(client: Client, cluster: Cluster) -> None:
    assert client.get(f"{EDGES}?as_of=2020-01-01T00:00:00+01:00").json()["count"] == 0


def test_the_neighbourhood_is_drawn(client: Client, cluster: Cluster) -> None:
    answer = client.get("/api/v1/lineage/graph", {"focus": "orders"}).json()
    assert answer["focus"]["kind"] == "topic"
    assert {node["name"] for node in answer["nodes"]} == {"orders", "mail", "orders_pg"}
    assert len(answer["edges"]) == 3
    assert answer["dot"].startswith("digraph")
    assert client.get("/api/v1/lineage/graph", {"focus": "none"}).status_code == 404


def test_the_catalog_is_told_who_was_observed(cluster: Cluster) -> None:
    told = {
        (it.direction, it.actor_kind, it.actor, it.service)
        for it in observed_accesses("c", ["orders"])
    }
    assert told == {
        ("writes", "service", "orders", "orders"),
        ("reads", "group", "mail", None),
        ("reads", "copy", "orders_pg", None),
    }
    assert {it.topic for it in observed_accesses("c")} == {"orders", "stock"}


def test_a_sample_of_an_unreachable_cluster_is_a_problem(client: Client, cluster: Cluster) -> None:
    edges = Edge.objects.count()
    answer = client.post("/api/v1/lineage/sample")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:insideout:broker-unavailable"
    assert Edge.objects.count() == edges
    samplings = client.get("/api/v1/lineage/samplings").json()["results"]
    assert len(samplings) == len(all_samplers())
    assert all(row["message"] and row["succeeded_at"] is None for row in samplings)


def test_a_copy_has_the_context_that_its_connector_tells(client: Client, cluster: Cluster) -> None:
    now = timezone.now()
    told = {"context": "sales", "table": "orders"}
    group = "insideout.connector.orders_pg"
    record(
        cluster,
        [
            Observation("topic", "orders", "copy", "orders_pg", "connector", now, told),
            Observation("topic", "orders", "group", group, "member", now),
        ],
        now,
    )
    (copied,) = client.get(EDGES, {"target": "copy:orders_pg"}).json()["results"]
    assert copied["target"]["context"] == "sales"
    assert {proof["kind"] for proof in copied["evidence"]} == {"connector", "member"}
