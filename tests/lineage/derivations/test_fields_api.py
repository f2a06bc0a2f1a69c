import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import Cluster, Service
from lineage.connectors.models import Connector
from lineage.ledger import Observation, record
from registry.actions import Submission, register

pytestmark = pytest.mark.django_db
FIELDS = "/api/v1/lineage/fields"
CUSTOMER = {"type": "record", "name": "C", "fields": [{"name": "id", "type": "string"}]}
ITEM = {"type": "record", "name": "I", "fields": [{"name": "sku", "type": "string"}]}
ORDER: list[dict[str, Any]] = [
    {"name": "id", "type": "string"},
    {"name": "amount", "type": "double"},
    {"name": "customer", "type": CUSTOMER},
    {"name": "items", "type": {"type": "array", "items": ITEM}},
]
INVOICE: list[dict[str, Any]] = [
    {"name": "order", "type": "string"},
    {"name": "amount", "type": ["null", "double"], "default": None},
    {"name": "customer_id", "type": "string"},
]


def avro(name: str, fields: list[dict[str, Any]]) -> Submission:
    return Submission(text=json.dumps({"type": "record", "name": name, "fields": fields}))


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster.objects.create(name="c", bootstrap_servers="127.0.0.1:1")
    Service.objects.create(
        name="billing", recognised_by={"groups": ["billing"], "client_ids": ["billing"]}
    )
    register("orders-value", avro("Order", ORDER))
    register("invoices-value", avro("Invoice", INVOICE))
    Connector.objects.create(
        name="invoices_pg",
        cluster=made,
        topics=["invoices"],
        target="sqlite:///x",
        table="invoices",
        definition={"key": ["invoice"]},
    )
    Connector.objects.create(
        name="orders_pg",
        cluster=made,
        topics=["orders"],
        target="sqlite:///x",
        table="orders",
        definition={"key": "id"},
    )
    now = timezone.now()
    record(
        made,
        [
            Observation("topic", "orders", "group", "billing", "member", now),
            Observation("client_id", "billing", "topic", "invoices", "batch", now),
            Observation("topic", "invoices", "copy", "invoices_pg", "connector", now),
            Observation("topic", "orders", "copy", "orders_pg", "connector", now),
        ],
        now,
    )
    return made


def flows(client: Client, **query: str) -> dict[tuple[str, str], dict[str, Any]]:
    answer = client.get(FIELDS, query)
    assert answer.status_code == 200, answer.content
    return {(_place(it["source"]), _place(it["target"])): it for it in answer.json()["flows"]}


def _place(told: dict[str, str]) -> str:
    return f"{told['name']}.{told['field']}"


def test_a_connectors_columns_are_exact(client: Client, cluster: Cluster) -> None:
    found = flows(client, node="copy:orders_pg", direction="upstream")
    assert {key: it["transformation"] for key, it in found.items()} == {
        ("orders.$key", "orders_pg.id"): "record key",
        ("orders.amount", "orders_pg.amount"): "copied",
        ("orders.customer.id", "orders_pg.customer_id"): "flattened",
        ("orders.items", "orders_pg.items"): "copied as JSON",
        ("orders.items.sku", "orders_pg.items"): "inside",
    }
    assert all(it["certainty"] == "exact" and not it["inferred"] for it in found.values())


def test_a_field_is_followed_through_an_inferred_view_into_a_copy(
    client: Client, cluster: Cluster
) -> None:
    found = flows(client, node="topic:orders", field="customer.id", depth="5")
    assert set(found) == {
        ("orders.customer.id", "orders_pg.customer_id"),
        ("orders.customer.id", "invoices.customer_id"),
        ("invoices.customer_id", "invoices_pg.customer_id"),
    }
    inferred = found["orders.customer.id", "invoices.customer_id"]
    assert inferred["inferred"] is True
    assert inferred["via"] == "service:billing"
    assert found["invoices.customer_id", "invoices_pg.customer_id"]["distance"] == 2
    back = flows(client, node="copy:invoices_pg", field="amount", direction="upstream", depth="5")
    assert set(back) == {
        ("invoices.amount", "invoices_pg.amount"),
        ("orders.amount", "invoices.amount"),
    }


def test_fields_are_those_of_the_schema_in_force(client: Client, cluster: Cluster) -> None:
    before = timezone.now()
    register("orders-value", avro("Order", [*ORDER, {"name": "n", "type": "int", "default": 0}]))
    now = client.get(FIELDS, {"node": "topic:orders"}).json()
    then = client.get(FIELDS, {"node": "topic:orders", "as_of": before.isoformat()}).json()
    names = ["id", "amount", "customer", "customer.id", "items", "items.sku"]
    assert [it["path"] for it in then["fields"]] == names
    assert [it["path"] for it in now["fields"]] == [*names, "n"]
    long_before = (timezone.now() - timedelta(days=1)).isoformat()
    assert client.get(FIELDS, {"node": "orders", "as_of": long_before}).status_code == 404


def test_an_events_copy_keeps_where_a_record_stood(client: Client, cluster: Cluster) -> None:
    Connector.objects.filter(name="orders_pg").update(mode="events", definition={})
    found = flows(client, node="copy:orders_pg", field="kafka_offset", direction="upstream")
    assert set(found) == {("orders.$offset", "orders_pg.kafka_offset")}
    assert ("orders.id", "orders_pg.id") in flows(client, node="copy:orders_pg")


def test_refuses_unknown_nodes_and_directions(client: Client, cluster: Cluster) -> None:
    assert client.get(FIELDS, {"node": "nothing"}).status_code == 404
    assert client.get(FIELDS).status_code == 400
    assert client.get(FIELDS, {"node": "orders", "direction": "up"}).status_code == 400
