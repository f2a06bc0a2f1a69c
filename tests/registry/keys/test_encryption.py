"""Fields encrypted by confluent-kafka's own executor, its keys kept here."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import (
    MILLIS_IN_DAY,
    Clock,
    FieldEncryptionExecutor,
)
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import MessageField, SerializationContext
from pytest_django.live_server_helper import LiveServer

from tests.registry.keys.conftest import KEKS, SECRET, Keys

VALUE = SerializationContext("orders", MessageField.VALUE)
ORDER = {"id": "a", "card": "4111 1111"}
SCHEMA = {
    "type": "record",
    "name": "Order",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "card", "type": "string", "confluent:tags": ["PII"]},
    ],
}


NOW = Clock()


class InTwoDays(Clock):
    """What a client's clock will say."""

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return super().now() + 2 * MILLIS_IN_DAY


@pytest.fixture
def client(live_server: LiveServer) -> Iterator[SchemaRegistryClient]:
    """The official client; local keys come from the rules' configuration."""
    LocalKmsDriver.register()
    with SchemaRegistryClient({"url": live_server.url}) as made:
        yield made


def _rules(**params: str) -> dict[str, Any]:
    kek = {
        "encrypt.kek.name": "cards",
        "encrypt.kms.type": "local-kms",
        "encrypt.kms.key.id": "key",
    }
    rule = {
        "name": "cards",
        "kind": "TRANSFORM",
        "mode": "WRITEREAD",
        "type": "ENCRYPT",
        "tags": ["PII"],
        "params": kek | params,
        "onFailure": "ERROR,NONE",
    }
    return {"domainRules": [rule]}


@contextmanager
def _executors(clock: Clock) -> Iterator[RuleRegistry]:
    """Executors of their own, so that nothing is cached from another side."""
    executor, executors = FieldEncryptionExecutor(clock), RuleRegistry()
    executors.register_executor(executor)
    yield executors
    executor.close()


def _write(client: SchemaRegistryClient, secret: str = SECRET, clock: Clock = NOW) -> bytes:
    conf = {"auto.register.schemas": False, "use.latest.version": True}
    with _executors(clock) as executors:
        rule_conf = {"secret": secret}
        write = AvroSerializer(
            client, None, conf=conf, rule_conf=rule_conf, rule_registry=executors
        )
        sent: bytes | None = write(dict(ORDER), VALUE)
    assert sent is not None
    assert b"4111" not in sent
    return sent


def _read(client: SchemaRegistryClient, sent: bytes, secret: str = SECRET) -> Any:
    with _executors(NOW) as executors:
        rule_conf = {"secret": secret}
        return AvroDeserializer(client, rule_conf=rule_conf, rule_registry=executors)(sent, VALUE)


@pytest.mark.parametrize("algorithm", ["AES128_GCM", "AES256_GCM", "AES256_SIV"])
def test_keys_of_the_client(client: SchemaRegistryClient, algorithm: str) -> None:
    rules = _rules(**{"encrypt.dek.algorithm": algorithm})
    Keys().register("orders-value", SCHEMA, ruleSet=rules)
    sent = _write(client)
    assert _read(client, sent) == ORDER
    kept = Keys().get(f"{KEKS}/cards/deks/orders-value?algorithm={algorithm}")
    assert "keyMaterial" not in kept


@pytest.mark.usefixtures("local_kms")
@pytest.mark.parametrize("algorithm", ["AES128_GCM", "AES256_GCM", "AES256_SIV"])
def test_keys_of_the_server(client: SchemaRegistryClient, algorithm: str) -> None:
    """Under a shared KEK the client needs no access to the KMS."""
    Keys().shared_kek("cards")
    rules = _rules(**{"encrypt.dek.algorithm": algorithm, "encrypt.kms.key.id": "key-1"})
    Keys().register("orders-value", SCHEMA, ruleSet=rules)
    sent = _write(client, "the client knows no secret")
    assert _read(client, sent, "nor does the reader") == ORDER


def test_rotated_keys(client: SchemaRegistryClient) -> None:
    """A key older than its days gets a next version; the versions before still read."""
    rules = _rules(**{"encrypt.dek.expiry.days": "1"})
    Keys().register("orders-value", SCHEMA, ruleSet=rules)
    first, second = _write(client), _write(client, clock=InTwoDays())
    assert Keys().get(f"{KEKS}/cards/deks/orders-value/versions") == [1, 2]
    assert [_read(client, sent) for sent in (first, second)] == [ORDER, ORDER]


def test_deleted_keys_still_read(client: SchemaRegistryClient) -> None:
    """What was written stays readable until the key is deleted for good."""
    Keys().register("orders-value", SCHEMA, ruleSet=_rules())
    sent = _write(client)
    Keys().done("DELETE", "cards/deks/orders-value")
    assert _read(client, sent) == ORDER
    Keys().done("DELETE", "cards/deks/orders-value?permanent=true")
    assert _read(client, sent)["card"] != ORDER["card"]
