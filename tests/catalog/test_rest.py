"""The catalog over REST: shapes, filters, and how much each request asks."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from catalog.models import BoundedContext, Cluster, Service, Topic
from tests.catalog.conftest import Witness, access

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Cluster:
    """Two contexts, two services, three topics of which Kafka has two."""
    now = timezone.now()
    cluster = Cluster.objects.create(
        name="local", bootstrap_servers="kafka:9092", state="connected", reached_at=now
    )
    sales = BoundedContext.objects.create(name="sales", owner="team-sales")
    money = BoundedContext.objects.create(name="money")
    orders = Service.objects.create(
        name="orders", context=sales, owner="ann", recognised_by={"groups": ["orders"]}
    )
    payments = Service.objects.create(name="payments", context=money)
    here = {"partitions": 3, "synchronised_at": now, "cleanup_policy": "delete"}
    Topic.objects.create(
        cluster=cluster,
        name="orders",
        kind="event",
        context=sales,
        writer=orders,
        canonical=True,
        declared=True,
        retention_ms=-1,
        configs={"retention.ms": "-1"},
        size_bytes=10,
        records=2,
        **here,
    )
    Topic.objects.create(cluster=cluster, name="payments", context=money, writer=payments, **here)
    Topic.objects.create(cluster=cluster, name="planned", declared=True, writer=orders)
    Topic.objects.create(cluster=cluster, name="old", gone_at=now, synchronised_at=now)
    return cluster


@pytest.fixture
def observed(witness: Witness) -> Witness:
    """What was seen in the shop just now."""
    now = timezone.now()
    witness.accesses = [
        access("orders", "orders", ago=7260, now=now, context="sales"),
        access("orders", "payments", "reads", now=now, context="money"),
        access("orders", None, "reads", actor="spy", actor_kind="group", now=now),
        access("orders", "old-reader", "reads", now=now, active=False),
        access("payments", "orders", now=now, context="sales"),
    ]
    return witness


def _get(client: Client, path: str, status: int = 200) -> Any:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == status, answer.content
    return answer.json()


def test_list_topics(client: Client, shop: Cluster, observed: Witness) -> None:
    answer = _get(client, "topics")
    assert {key: answer[key] for key in ("count", "next", "previous")} == {
        "count": 3,
        "next": None,
        "previous": None,
    }
    assert answer["results"][0] == {
        "name": "orders",
        "cluster": "local",
        "kind": "event",
        "context": "sales",
        "canonical": True,
        "declared": True,
        "present": True,
        "partitions": 3,
        "cleanup_policy": "delete",
        "retention_ms": -1,
        "writer": {
            "declared": "orders",
            "observed": ["orders"],
            "verdict": "verified",
            "reasons": ["orders wrote it 2 h ago (transactions)"],
        },
        "readers": ["payments", "spy"],
    }
    assert [
        (each["name"], each["writer"]["verdict"], each["present"]) for each in answer["results"]
    ] == [
        ("orders", "verified", True),
        ("payments", "violated", True),
        ("planned", "unverified", False),
    ]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=ORD", ["orders"]),
        ("q=p", ["payments", "planned"]),
        ("cluster=local", ["orders", "payments", "planned"]),
        ("context=money", ["payments"]),
        ("kind=event", ["orders"]),
        ("verdict=violated", ["payments"]),
        ("verdict=verified&context=sales", ["orders"]),
        ("limit=1&offset=1", ["payments"]),
        ("verdict=unverified&limit=1", ["planned"]),
        ("kind=&verdict=", ["orders", "payments", "planned"]),
    ],
)
def test_filter_topics(
    client: Client, shop: Cluster, observed: Witness, query: str, names: list[str]
) -> None:
    assert [topic["name"] for topic in _get(client, f"topics?{query}")["results"]] == names


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("topics?kind=evnet", "event, command, table, internal, unknown"),
        ("topics?verdict=maybe", "verified, unverified, violated"),
        ("findings?severity=bad", "error, warning, info"),
        ("findings?rule=none", "single-writer, command-reader, ownership, presence, retention"),
        ("findings?rule=none", "retention, diverged-copy, stopped-copy"),
        ("lineage/edges?kind=bogus", "service, topic, copy, actor, dataset, connector, member"),
        ("lineage/graph?focus=orders&direction=up", "both, upstream, downstream"),
    ],
)
def test_a_filter_that_cannot_be(client: Client, path: str, allowed: str) -> None:
    problem = _get(client, path, 400)
    assert problem["type"] == "urn:insideout:invalid"
    assert allowed in problem["detail"]


@pytest.mark.parametrize(
    "path", ["topics", "lineage/edges", "lineage/samplings", "lineage/graph?focus=orders"]
)
def test_a_cluster_that_is_not_there(client: Client, shop: Cluster, path: str) -> None:
    problem = _get(client, f"{path}{'&' if '?' in path else '?'}cluster=other", 404)
    assert problem["type"] == "urn:insideout:not-in-catalog"
    assert "'other'" in problem["detail"]


@pytest.mark.parametrize("room", ["topics", "services", "findings", "lineage/edges", "connectors"])
@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        ("limit=-1", "from 1 on"),
        ("limit=0", "from 1 on"),
        ("limit=abc", "from 1 on"),
        ("offset=-1", "from 0 on"),
        ("offset=1e3", "from 0 on"),
    ],
)
def test_a_page_that_cannot_be(client: Client, room: str, query: str, allowed: str) -> None:
    problem = _get(client, f"{room}?{query}", 400)
    assert (problem["type"], allowed in problem["detail"]) == ("urn:insideout:invalid", True)


@pytest.mark.parametrize("query", ["limit=", "limit=1000000", "offset=99999999999999999999999"])
def test_a_page_of_any_size(client: Client, shop: Cluster, query: str) -> None:
    assert _get(client, f"topics?{query}")["count"] == 3


def test_show_topic(client: Client, shop: Cluster, observed: Witness) -> None:
    topic = _get(client, "topics/local/orders")
    assert (topic["size_bytes"], topic["records"], topic["replication_factor"]) == (10, 2, 0)
    assert topic["configs"] == {"retention.ms": "-1"}
    assert len(topic["accesses"]) == 4
    spy = next(each for each in topic["accesses"] if each["actor"] == "spy")
    assert (spy["service"], spy["actor_kind"], spy["direction"]) == (None, "group", "reads")
    assert _get(client, "topics/local/old")["present"] is False


@pytest.mark.parametrize("path", ["topics/local/none", "topics/none/orders", "services/none"])
def test_what_the_catalog_does_not_know(client: Client, shop: Cluster, path: str) -> None:
    assert _get(client, path, 404)["type"] == "urn:insideout:not-in-catalog"


def test_services(client: Client, shop: Cluster, observed: Witness) -> None:
    answer = _get(client, "services")
    assert answer["count"] == 2
    assert answer["results"][0] == {
        "name": "orders",
        "context": "sales",
        "owner": "ann",
        "description": "",
        "recognised_by": {"groups": ["orders"]},
        "declared_writes": ["orders", "planned"],
        "writes": ["orders", "payments"],
        "reads": [],
    }
    assert _get(client, "services/payments")["reads"] == ["orders"]
    assert _get(client, "services?context=money&q=pay")["count"] == 1


def test_contexts(client: Client, shop: Cluster) -> None:
    assert _get(client, "contexts")["results"] == [
        {
            "name": "money",
            "description": "",
            "owner": "",
            "services": ["payments"],
            "topics": ["payments"],
        },
        {
            "name": "sales",
            "description": "",
            "owner": "team-sales",
            "services": ["orders"],
            "topics": ["orders"],
        },
    ]


def test_clusters(client: Client, shop: Cluster) -> None:
    (cluster,) = _get(client, "clusters")["results"]
    assert cluster.pop("reached_at")
    assert cluster == {
        "name": "local",
        "bootstrap_servers": "kafka:9092",
        "state": "connected",
        "kafka_id": "",
        "message": "",
    }


def test_findings(client: Client, shop: Cluster, observed: Witness) -> None:
    answer = _get(client, "findings")
    first = answer["results"][0]
    assert first["id"] == "single-writer/topic/local/payments"
    assert first["rule"] == "single-writer"
    assert first["severity"] == "error"
    assert first["subject"] == {"kind": "topic", "name": "payments", "cluster": "local"}
    assert first["message"].startswith("orders wrote it ")
    assert _get(client, "findings?rule=presence")["count"] == 1
    assert _get(client, "findings?severity=error&subject=payments")["count"] == 1
    assert _get(client, "findings?subject=orders")["count"] == 0


def test_an_empty_catalog(client: Client) -> None:
    for path in ("topics", "services", "contexts", "clusters", "findings"):
        assert _get(client, path)["count"] == 0


def _grow(cluster: Cluster, topics: int) -> None:
    now = timezone.now()
    writer = Service.objects.get(name="orders")
    Topic.objects.bulk_create(
        Topic(cluster=cluster, name=f"t{number:05}", writer=writer, synchronised_at=now)
        for number in range(topics)
    )


@pytest.mark.parametrize("path", ["topics?limit=1000", "topics?verdict=violated", "findings"])
def test_the_number_of_topics_costs_no_queries(
    client: Client, shop: Cluster, observed: Witness, django_assert_max_num_queries: Any, path: str
) -> None:
    _grow(shop, 900)
    # beside topics and clusters it asks which copies have diverged, and which have stopped
    with django_assert_max_num_queries(4 if path == "findings" else 2):
        _get(client, path)
    assert len(observed.asked) == 1


@pytest.mark.parametrize("path", ["services", "contexts"])
def test_the_number_of_services_costs_no_queries(
    client: Client, shop: Cluster, observed: Witness, django_assert_max_num_queries: Any, path: str
) -> None:
    Service.objects.bulk_create(Service(name=f"s{number}") for number in range(90))
    BoundedContext.objects.bulk_create(BoundedContext(name=f"c{number}") for number in range(90))
    with django_assert_max_num_queries(4):
        _get(client, path)
    assert len(observed.asked) <= 1


def test_only_the_topics_of_a_page_are_asked_for(
    client: Client, shop: Cluster, observed: Witness
) -> None:
    _get(client, "topics?limit=2")
    assert observed.asked == [("local", ["orders", "payments"])]


def test_the_description_of_the_api_is_complete() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


def test_a_verdict_ages(client: Client, shop: Cluster, witness: Witness) -> None:
    earlier = timezone.now() - timedelta(hours=3)
    witness.accesses = [access("orders", "orders", now=earlier, active=False)]
    writer = _get(client, "topics/local/orders")["writer"]
    assert writer["verdict"] == "unverified"
    assert writer["observed"] == []
    assert writer["reasons"][0].startswith("orders wrote it last 3 h ago")


def test_every_list_is_described_with_its_envelope(client: Client) -> None:
    paths = client.get("/api/openapi.json", HTTP_ACCEPT="application/json").json()["paths"]
    for name in ("topics", "services", "contexts", "clusters", "findings"):
        listed = paths[f"/api/v1/{name}"]["get"]
        assert {"limit", "offset"} <= {it["name"] for it in listed["parameters"]}
        (body,) = listed["responses"]["200"]["content"].values()
        assert "/Paginated" in body["schema"]["$ref"]


def test_a_filter_that_is_none_of_its_values_is_told_as_text(client: Client) -> None:
    answer = client.get("/api/v1/topics", {"kind": "bogus"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["detail"].startswith("kind: 'bogus' is none of event, ")
    assert set(answer.json()["errors"]) == {"kind"}
