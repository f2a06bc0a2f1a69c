"""A definition checked before it runs: over REST, and when a catalog file is applied."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

from catalog.actions import apply, ensure_cluster
from catalog.declaration import read
from catalog.errors import DeclarationInvalidError
from lineage.connectors.actions import declare
from lineage.connectors.models import Connector
from registry.actions import Submission, register

pytestmark = pytest.mark.django_db
VALUE = {
    "type": "record",
    "name": "Order",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "email", "type": "string"},
        {"name": "cents", "type": "int"},
        {"name": "deleted", "type": "boolean"},
        {
            "name": "customer",
            "type": {"type": "record", "name": "C", "fields": [{"name": "id", "type": "int"}]},
        },
    ],
}
KEY = {"type": "record", "name": "Key", "fields": [{"name": "id", "type": "long"}]}
GOOD: dict[str, Any] = {
    "name": "c",
    "topics": ["orders"],
    "target": "sqlite:////nowhere/at/all.sqlite3",
    "table": "orders",
}


@pytest.fixture(autouse=True)
def _registered() -> None:
    ensure_cluster("local", "127.0.0.1:1")
    register("orders-value", Submission(json.dumps(VALUE)))
    register("orders-key", Submission(json.dumps(KEY)))


def checked(client: Client, query: str = "", **definition: Any) -> dict[str, Any]:
    body = json.dumps(GOOD | definition)
    answer = client.post(f"/api/v1/connectors/check{query}", body, "application/json")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def paths(found: dict[str, Any]) -> list[str]:
    assert found["valid"] is not bool(found["faults"])
    return sorted(fault["path"] for fault in found["faults"])


def test_the_columns_are_shown_with_types_and_fields(client: Client) -> None:
    columns = {
        "customer_no": {"from": "customer.id"},
        "email": {"mask": "redact"},
        "euro": {"expression": "cents / 100"},
        "source": {"constant": "shop"},
        "deleted": "drop",
    }
    found = checked(client, columns=columns)
    assert paths(found) == []
    assert [tuple(it.values()) for it in found["columns"]] == [
        ("record_key", "text", ["$key"], ""),
        ("id", "bigint", ["id"], ""),
        ("email", "text", ["email"], "masked (redact)"),
        ("cents", "integer", ["cents"], ""),
        ("customer_no", "integer", ["customer.id"], ""),
        ("euro", "decimal(12,2)", ["cents"], "expression"),
        ("source", "text", [], "constant"),
    ]
    assert not Connector.objects.exists()


def test_every_fault_is_told_at_once(client: Client) -> None:
    columns = {
        "a": {"from": "nope"},
        "b": {"expression": "email + 1"},
        "record_key": "drop",
        "c": {"expression": "nope"},
    }
    found = checked(client, columns=columns)
    assert paths(found) == ["columns.a", "columns.b", "columns.c", "columns.record_key"]
    found = checked(client, columns={"a": 5}, mode="x", flatten=77, colour="red")
    assert paths(found) == ["colour", "columns.a", "flatten", "mode"]


def test_a_key_that_is_not_there_and_fields_that_would_be_hidden(client: Client) -> None:
    found = checked(client, key="order_id", key_format="schema")
    assert paths(found) == ["key"]
    assert "the key has no order_id" in found["faults"][0]["message"]
    assert paths(checked(client, key="id", key_format="schema")) == []
    assert paths(checked(client, topics=["unknown"], key_format="schema")) == []
    found = checked(client, mode="history")
    assert paths(found) == ["columns.deleted"]
    assert "hidden" in found["faults"][0]["message"]
    renamed = {"is_deleted": {"from": "deleted"}}
    assert paths(checked(client, mode="history", columns=renamed)) == []


def test_what_leads_a_row_can_be_masked_at_most(client: Client) -> None:
    columns: dict[str, Any] = {"kafka_key": {"mask": "redact"}, "kafka_timestamp": "drop"}
    assert paths(checked(client, mode="events", columns=columns)) == []
    columns = {
        "kafka_offset": {"mask": "redact"},
        "kafka_topic": {"constant": "t"},
        "kafka_partition": "drop",
        "kafka_key": {"from": "id"},
    }
    found = checked(client, mode="events", columns=columns)
    assert paths(found) == sorted(f"columns.{name}" for name in columns)


def test_two_connectors_never_write_one_table(client: Client) -> None:
    declare(GOOD | {"name": "first"})
    assert paths(checked(client)) == ["table"]
    assert paths(checked(client, table="other")) == []
    assert paths(checked(client, name="first")) == []


def test_a_topic_without_schema_and_a_secret_that_is_not_set_are_notes(client: Client) -> None:
    found = checked(client, topics=["unknown"], columns={"a": {"from": "nope"}})
    assert paths(found) == []
    assert "no schema of unknown's values" in found["notes"][0]
    assert "${NO_SUCH}" not in str(checked(client, target="${NO_SUCH}")["faults"])
    with override_settings(MASK_SECRET=""):
        found = checked(client, columns={"email": {"mask": "hash"}})
    assert paths(found) == []
    assert "MASK_SECRET" in found["notes"][0]


def test_the_target_is_opened_when_asked(client: Client, tmp_path: Path) -> None:
    unreachable = "postgresql://127.0.0.1:1/x?connect_timeout=1"
    assert paths(checked(client, target=unreachable)) == []
    assert paths(checked(client, "?reach=true", target=unreachable)) == ["target"]
    file = tmp_path / "new.sqlite3"
    assert paths(checked(client, "?reach=true", target=f"sqlite:///{file}")) == []
    assert not file.exists()


def test_a_body_that_is_no_definition_is_refused(client: Client) -> None:
    for body in ("[1]", "x"):
        answer = client.post("/api/v1/connectors/check", body, "application/json")
        assert answer.status_code == 400


def test_a_catalog_file_is_refused_with_the_line_of_each_fault(tmp_path: Path) -> None:
    file = tmp_path / "catalog.yaml"
    file.write_text(
        "connectors:\n"
        "- name: c\n"
        "  topics: [orders]\n"
        "  target: sqlite:////nowhere/x\n"
        "  table: orders\n"
        "  start: 2026-01-01T00:00:00Z\n"
        "  columns:\n"
        "    a: {from: nope}\n"
        "    b: {from: email}\n"
        "    c: {expression: nope + 1}\n"
    )
    with pytest.raises(DeclarationInvalidError) as refused:
        apply(read(file))
    said = str(refused.value)
    assert "catalog.yaml:8: connector c: columns.a: from: the schema has no field nope" in said
    assert "catalog.yaml:10: connector c: columns.c" in said
    assert not Connector.objects.exists()
    file.write_text(file.read_text().replace("nope", "cents"))
    apply(read(file))
    assert Connector.objects.get().definition["start"] == "2026-01-01T00:00:00+00:00"
