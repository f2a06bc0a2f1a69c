"""confluent-kafka's own DEK registry client, unmodified, against a live server."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.rules.encryption.dek_registry.dek_registry_client import (
    DekAlgorithm,
    DekRegistryClient,
)
from pytest_django.live_server_helper import LiveServer

from tests.registry.keys.conftest import KEKS, MATERIAL, Keys

Clients = Callable[[], DekRegistryClient]


@pytest.fixture
def fresh(live_server: LiveServer) -> Iterator[Clients]:
    """Makes official clients, each with nothing in its caches."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(DekRegistryClient({"url": live_server.url}))


@pytest.fixture
def client(fresh: Clients) -> DekRegistryClient:
    """The official client."""
    return fresh()


def code_of(call: Callable[[], Any]) -> tuple[int, int]:
    """HTTP status and error code of a call that must fail."""
    with pytest.raises(SchemaRegistryError) as caught:
        call()
    return int(caught.value.http_status_code), int(caught.value.error_code)


def test_keks(client: DekRegistryClient, fresh: Clients) -> None:
    made = client.register_kek(
        "orders", "aws-kms", "arn:aws:kms:key/1", kms_props={"region": "eu"}, doc="for orders"
    )
    found = fresh().get_kek("orders")
    assert found == made
    assert (found.kms_type, found.shared, found.deleted) == ("aws-kms", False, None)
    assert found.kms_props is not None
    assert found.kms_props.to_dict() == {"region": "eu"}


def test_deks(client: DekRegistryClient, fresh: Clients) -> None:
    client.register_kek("orders", "aws-kms", "key")
    made = client.register_dek("orders", "a/b", MATERIAL, DekAlgorithm.AES256_SIV, 2)
    for version in (2, -1):
        found = fresh().get_dek("orders", "a/b", DekAlgorithm.AES256_SIV, version)
        assert found == made
    assert (found.version, found.algorithm) == (2, DekAlgorithm.AES256_SIV)
    assert found.get_encrypted_key_material_bytes() == b"wrapped"
    assert found.key_material is None


def test_soft_deletes(client: DekRegistryClient, fresh: Clients) -> None:
    client.register_kek("orders", "aws-kms", "key")
    client.register_dek("orders", "s", MATERIAL)
    Keys().done("DELETE", "orders/deks/s")
    Keys().done("DELETE", "orders")
    assert code_of(lambda: fresh().get_kek("orders")) == (404, 40470)
    assert code_of(lambda: fresh().get_dek("orders", "s")) == (404, 40470)
    assert fresh().get_kek("orders", deleted=True).deleted is True
    assert fresh().get_dek("orders", "s", deleted=True).deleted is True


def test_errors_keep_their_codes(client: DekRegistryClient, fresh: Clients) -> None:
    assert code_of(lambda: client.get_kek("none")) == (404, 40470)
    assert code_of(lambda: client.register_dek("none", "s", MATERIAL)) == (404, 40470)
    client.register_kek("orders", "aws-kms", "key")
    other = fresh()
    assert code_of(lambda: other.register_kek("orders", "aws-kms", "key2")) == (409, 40971)
    client.register_dek("orders", "s", MATERIAL)
    assert code_of(lambda: other.register_dek("orders", "s", MATERIAL)) == (409, 40971)
    assert code_of(lambda: other.register_kek("", "aws-kms", "key2")) == (422, 42271)


def test_contexts(client: DekRegistryClient, fresh: Clients) -> None:
    client.register_kek("orders", "aws-kms", "eu-key", context=".eu")
    assert code_of(lambda: fresh().get_kek("orders")) == (404, 40470)
    assert fresh().get_kek("orders", context=".eu").kms_key_id == "eu-key"
    client.register_dek("orders", ":.eu:s", MATERIAL)
    assert fresh().get_dek("orders", ":.eu:s").subject == ":.eu:s"
    assert Keys().get(f"{KEKS}/orders/deks?context=.eu") == [":.eu:s"]


@pytest.mark.usefixtures("local_kms")
def test_a_shared_kek_opens_deks(client: DekRegistryClient, fresh: Clients) -> None:
    client.register_kek("orders", "local-kms", "key", shared=True)
    made = client.register_dek("orders", "s", None)  # type: ignore[arg-type]  # as executors do
    material = made.get_key_material_bytes()
    assert material is not None
    assert len(material) == 2 + 32
    assert fresh().get_dek("orders", "s").get_key_material_bytes() == material
