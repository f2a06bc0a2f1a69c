"""confluent-kafka's own client and serializers, unmodified, against a live server."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext
from pytest_django.live_server_helper import LiveServer

from tests.registry.conftest import record, text_of

ORDER = text_of(record(id="string", amount="int"))
VALUE = SerializationContext("orders", MessageField.VALUE)


@pytest.fixture
def client(live_server: LiveServer) -> Iterator[SchemaRegistryClient]:
    """The official client."""
    with SchemaRegistryClient({"url": live_server.url}) as made:
        yield made


def test_a_record_travels_through_the_serializers(client: SchemaRegistryClient) -> None:
    sent = AvroSerializer(client, ORDER)({"id": "a", "amount": 3}, VALUE)
    assert sent is not None
    assert sent[:5] == b"\x00\x00\x00\x00\x01"
    assert AvroDeserializer(client)(sent, VALUE) == {"id": "a", "amount": 3}


@pytest.mark.parametrize(
    "options",
    [
        {"auto.register.schemas": False},
        {"auto.register.schemas": False, "use.latest.version": True},
        {"normalize.schemas": True},
    ],
)
def test_each_way_to_find_the_schema(client: SchemaRegistryClient, options: Any) -> None:
    client.register_schema("orders-value", Schema(ORDER, "AVRO"))
    sent = AvroSerializer(client, ORDER, conf=options)({"id": "a", "amount": 3}, VALUE)
    assert AvroDeserializer(client)(sent, VALUE) == {"id": "a", "amount": 3}


def test_errors_keep_their_codes(client: SchemaRegistryClient) -> None:
    def code(call: Callable[[], Any]) -> int:
        with pytest.raises(SchemaRegistryError) as caught:
            call()
        return int(caught.value.error_code)

    assert code(lambda: client.get_latest_version("nowhere")) == 40401
    assert code(lambda: client.get_schema(77)) == 40403
    client.register_schema("orders-value", Schema(ORDER, "AVRO"))
    assert code(lambda: client.get_version("orders-value", 9)) == 40402
    broken = Schema('"string"', "AVRO")
    assert code(lambda: client.register_schema("orders-value", broken)) == 40901
    assert not client.test_compatibility("orders-value", broken)


def test_the_rest_of_the_clients_calls(client: SchemaRegistryClient) -> None:
    registered = client.register_schema_full_response("orders-value", Schema(ORDER, "AVRO"))
    assert client.get_subjects() == ["orders-value"]
    assert client.get_versions("orders-value") == [1]
    assert registered.guid is not None
    assert client.get_schema_by_guid(registered.guid).schema_str == ORDER.replace(" ", "")
    assert client.set_compatibility(level="FULL")
    assert client.get_compatibility() == "FULL"
    assert client.delete_subject("orders-value") == [1]
    assert client.delete_subject("orders-value", permanent=True) == [1]
