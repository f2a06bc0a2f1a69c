"""Rules of a data contract, kept here and executed by confluent-kafka's own executors.

CEL conditions and transforms, JSONata migrations between major versions: unmodified serializers
against a live server.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka.schema_registry import (
    Rule,
    RuleKind,
    RuleMode,
    RuleSet,
    Schema,
    SchemaRegistryClient,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.cel.cel_executor import CelExecutor
from confluent_kafka.schema_registry.rules.cel.cel_field_executor import CelFieldExecutor
from confluent_kafka.schema_registry.rules.jsonata.jsonata_executor import JsonataExecutor
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError
from pytest_django.live_server_helper import LiveServer

from tests.registry.conftest import Json, Registry, text_of

VALUE = SerializationContext("orders", MessageField.VALUE)
LATEST = {"auto.register.schemas": False, "use.latest.version": True}
ORDER = {"id": "a", "card": "4111 1111"}
SCHEMA: Json = {
    "type": "record",
    "name": "Order",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "card", "type": "string", "confluent:tags": ["PII"]},
    ],
}


@pytest.fixture
def client(live_server: LiveServer) -> Iterator[SchemaRegistryClient]:
    """The official client."""
    with SchemaRegistryClient({"url": live_server.url}) as made:
        yield made


@pytest.fixture
def executors() -> RuleRegistry:
    """Executors of their own: those of other tests have rules in their caches."""
    made = RuleRegistry()
    for executor in (CelExecutor(), CelFieldExecutor(), JsonataExecutor()):
        made.register_executor(executor)
    return made


def _rule(**more: Any) -> Json:
    return {"name": "r", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", **more}


def _register(rule: Json) -> None:
    Registry().register("orders-value", SCHEMA, ruleSet={"domainRules": [rule]})


def test_a_condition_refuses_a_message(
    client: SchemaRegistryClient, executors: RuleRegistry
) -> None:
    _register(_rule(expr="size(message.id) > 0"))
    write = AvroSerializer(client, None, conf=LATEST, rule_registry=executors)
    sent = write(dict(ORDER), VALUE)
    assert AvroDeserializer(client, rule_registry=executors)(sent, VALUE) == ORDER
    with pytest.raises(SerializationError) as caught:
        write({**ORDER, "id": ""}, VALUE)
    assert "size(message.id) > 0" in str(caught.value.__cause__)


def test_a_disabled_rule_refuses_nothing(
    client: SchemaRegistryClient, executors: RuleRegistry
) -> None:
    _register(_rule(expr="false", disabled=True))
    write = AvroSerializer(client, None, conf=LATEST, rule_registry=executors)
    assert write(dict(ORDER), VALUE) is not None


def test_the_actions_of_a_rule_by_mode(
    client: SchemaRegistryClient, executors: RuleRegistry
) -> None:
    """`onFailure` of a WRITEREAD rule has an action for each side: refuse to write, read on."""
    _register(_rule(mode="WRITEREAD", expr="message.id != 'b'", onFailure="ERROR,NONE"))
    write = AvroSerializer(client, None, conf=LATEST, rule_registry=executors)
    with pytest.raises(SerializationError):
        write({**ORDER, "id": "b"}, VALUE)
    quiet = AvroSerializer(client, None, conf=LATEST, rule_registry=RuleRegistry())
    with pytest.raises(SerializationError):
        quiet({**ORDER, "id": "b"}, VALUE)  # no executor of the type: refused, too
    sent = write(dict(ORDER), VALUE)
    assert sent is not None
    other = sent.replace(b"\x02a", b"\x02b")
    assert AvroDeserializer(client, rule_registry=executors)(other, VALUE)["id"] == "b"


def test_a_field_is_transformed_by_its_tag(
    client: SchemaRegistryClient, executors: RuleRegistry
) -> None:
    rule = _rule(
        kind="TRANSFORM", type="CEL_FIELD", tags=["PII"], expr="typeName == 'STRING' ; '-'"
    )
    _register(rule)
    sent = AvroSerializer(client, None, conf=LATEST, rule_registry=executors)(dict(ORDER), VALUE)
    assert AvroDeserializer(client)(sent, VALUE) == {"id": "a", "card": "-"}


def test_rules_that_the_client_registers_come_back_as_sent(client: SchemaRegistryClient) -> None:
    rule = Rule(
        name="checkId",
        doc="an id is there",
        kind=RuleKind.CONDITION,
        mode=RuleMode.WRITE,
        type="CEL",
        tags=["PII"],
        params=None,
        expr="size(message.id) > 0",
        on_success=None,
        on_failure="DLQ",
        disabled=False,
    )
    sent = Schema(text_of(SCHEMA), "AVRO", [], None, RuleSet(None, [rule]))
    schema_id = client.register_schema("orders-value", sent)
    found = client.get_schema(schema_id)
    assert found.rule_set is not None
    assert found.rule_set.domain_rules == [rule]
    assert client.lookup_schema("orders-value", sent).schema_id == schema_id


MAJORS: tuple[Json, Json] = (
    {"type": "record", "name": "Person", "fields": [{"name": "name", "type": "string"}]},
    {"type": "record", "name": "Person", "fields": [{"name": "fullName", "type": "string"}]},
)


def _major(number: int) -> Json:
    return {"properties": {"major": str(number)}}


def _migrations(kind: str = "JSONATA") -> Json:
    def rule(mode: str, gone: str, new: str) -> Json:
        expr = f"$merge([$sift($, function($v, $k) {{$k != '{gone}'}}), {{'{new}': $.'{gone}'}}])"
        return {
            "name": mode.lower(),
            "kind": "TRANSFORM",
            "mode": mode,
            "type": kind,
            "expr": expr,
        }

    return {
        "migrationRules": [
            rule("UPGRADE", "name", "fullName"),
            rule("DOWNGRADE", "fullName", "name"),
        ]
    }


def _at(number: int) -> Json:
    """The configuration of a client that stays at one major version."""
    return {"auto.register.schemas": False, "use.latest.with.metadata": {"major": str(number)}}


def test_a_migration_between_major_versions(
    client: SchemaRegistryClient, executors: RuleRegistry
) -> None:
    """Versions of different groups need not be compatible: rules carry messages across."""
    registry = Registry()
    registry.call("PUT", "/config/orders-value", {"compatibilityGroup": "major"})
    registry.register("orders-value", MAJORS[0], metadata=_major(1))
    registry.register("orders-value", MAJORS[1], metadata=_major(2), ruleSet=_migrations())
    people = ({"name": "Ada"}, {"fullName": "Ada"})
    for writer in (1, 2):
        write = AvroSerializer(client, None, conf=_at(writer), rule_registry=executors)
        sent = write(dict(people[writer - 1]), VALUE)
        for reader in (1, 2):
            conf = {"use.latest.with.metadata": {"major": str(reader)}}
            read = AvroDeserializer(client, conf=conf, rule_registry=executors)
            assert read(sent, VALUE) == people[reader - 1]


def test_a_migration_of_json(client: SchemaRegistryClient, executors: RuleRegistry) -> None:
    registry = Registry()
    registry.call("PUT", "/config/orders-value", {"compatibilityGroup": "major"})
    for number, name in enumerate(("name", "fullName"), start=1):
        schema = {
            "type": "object",
            "properties": {name: {"type": "string"}},
            "required": [name],
            "additionalProperties": False,
        }
        rules = _migrations() if number == 2 else None
        registry.register(
            "orders-value", schema, schemaType="JSON", metadata=_major(number), ruleSet=rules
        )
    write = JSONSerializer(None, client, conf=_at(1), rule_registry=executors)
    conf = {"use.latest.with.metadata": {"major": "2"}}
    read = JSONDeserializer(None, schema_registry_client=client, conf=conf, rule_registry=executors)
    assert read(write({"name": "Ada"}, VALUE), VALUE) == {"fullName": "Ada"}
