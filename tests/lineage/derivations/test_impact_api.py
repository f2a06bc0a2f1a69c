import json
from typing import Any

import pytest
from django.test import Client

from catalog.models import BoundedContext, Cluster, Service, Topic
from tests.lineage.derivations.test_fields_api import ORDER, avro, cluster

__all__ = ["cluster"]
pytestmark = pytest.mark.django_db
IMPACT = "/api/v1/lineage/impact"


@pytest.fixture
def owned(cluster: Cluster) -> Cluster:
    money = BoundedContext.objects.create(name="money", owner="the money team")
    Service.objects.filter(name="billing").update(context=money)
    sales = Service.objects.create(
        name="sales", owner="Ada", recognised_by={"client_ids": ["sales"]}
    )
    Topic.objects.create(cluster=cluster, name="orders", writer=sales)
    Topic.objects.create(cluster=cluster, name="invoices", context=money)
    return cluster


def impact(client: Client, **query: str) -> dict[str, Any]:
    answer = client.get(IMPACT, query)
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told


def reached(told: dict[str, Any]) -> dict[str, tuple[int, str, list[str]]]:
    return {
        it["node"]["name"]: (it["distance"], it["certainty"], it["fields"])
        for it in told["affected"]
    }


def test_dropping_a_topic_reaches_readers_copies_and_views(client: Client, owned: Cluster) -> None:
    told = impact(client, of="topic:orders")
    assert told["change"] == "drop"
    found = reached(told)
    assert {name: it[:2] for name, it in found.items()} == {
        "billing": (1, "certain"),
        "orders_pg": (1, "certain"),
        "invoices": (2, "likely"),
        "invoices_pg": (3, "likely"),
    }
    assert found["orders_pg"][2] == ["amount", "customer_id", "id", "items"]
    assert told["counts"] == {
        "services": 1,
        "actors": 0,
        "topics": 1,
        "copies": 2,
        "fields": 10,
        "contexts": 1,
    }
    (billing,) = [it for it in told["affected"] if it["node"]["name"] == "billing"]
    assert billing["effect"] == "has nothing more to read there"
    assert billing["evidence"][0]["kind"] == "member"
    assert billing["contact"] == {
        "owner": "the money team",
        "service": "billing",
        "context": "money",
    }
    assert [(it["owner"], it["about"]) for it in told["asks"]] == [
        ("the money team", ["service:billing", "topic:invoices"]),
        ("", ["copy:orders_pg", "copy:invoices_pg"]),
    ]


def test_a_field_reaches_only_what_may_come_from_it(client: Client, owned: Cluster) -> None:
    told = impact(client, of="orders", field="customer.id", change="rename")
    assert reached(told) == {
        "billing": (1, "possible", []),
        "orders_pg": (1, "certain", ["customer_id"]),
        "invoices": (2, "likely", ["customer_id"]),
        "invoices_pg": (3, "likely", ["customer_id"]),
    }
    sku = reached(impact(client, of="orders", field="items.sku"))
    assert sku["orders_pg"] == (1, "certain", ["items"])
    assert sku["invoices"][:2] == (2, "possible")
    refused = client.get(IMPACT, {"of": "orders", "field": "amuont"})
    assert refused.status_code == 422
    assert "amuont" in refused.json()["detail"]


def test_a_version_reaches_what_its_topic_does(client: Client, owned: Cluster) -> None:
    told = impact(client, subject="orders-value", version="1")
    assert [it["name"] for it in told["of"]] == ["orders"]
    assert len(told["affected"]) == 4
    assert client.get(IMPACT, {"subject": "orders-value", "version": "9"}).status_code == 404
    assert client.get(IMPACT, {"subject": "nothing-value"}).status_code == 404


def test_a_candidate_is_judged_and_its_changed_fields_followed(
    client: Client, owned: Cluster
) -> None:
    without = avro("Order", [it for it in ORDER if it["name"] != "amount"])
    body = {"of": "topic:orders", "schema": without.text}
    told = client.post(IMPACT, body, content_type="application/json").json()
    assert told["verdict"]["compatible"] is True
    assert told["verdict"]["level"] == "BACKWARD"
    assert [(it["sign"], it["path"]) for it in told["verdict"]["changes"]] == [
        ("removed", "amount")
    ]
    assert (told["change"], told["fields"]) == ("drop", ["amount"])
    assert reached(told)["invoices_pg"] == (3, "likely", ["amount"])

    wanted = avro("Order", [*ORDER, {"name": "must", "type": "string"}])
    refused = impact(client, subject="orders-value", schema=wanted.text)
    assert refused["verdict"]["compatible"] is False
    assert refused["verdict"]["messages"]
    assert refused["affected"] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 422),
        ({"of": "orders", "subject": "orders-value"}, 422),
        ({"of": "orders", "change": "explode"}, 400),
        ({"of": "nothing"}, 404),
        ({"of": "orders", "as_of": "2020-01-01T00:00:00Z"}, 404),
        ({"of": "orders", "schema": "{"}, 422),
    ],
)
def test_refuses_what_cannot_be_answered(
    client: Client, owned: Cluster, query: dict[str, str], status: int
) -> None:
    answer = client.get(IMPACT, query)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert json.loads(answer.content)["detail"]
