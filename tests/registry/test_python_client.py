"""confluent-kafka's own client and serializers, unmodified, against a live server."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka.schema_registry import (
    Schema,
    SchemaRegistryClient,
    header_schema_id_serializer,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from pytest_django.live_server_helper import LiveServer

from tests.registry.conftest import Registry, record, text_of

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
    assert (
        json.loads(client.get_schema_by_guid(registered.guid).schema_str or "")["name"] == "Order"
    )
    assert client.set_compatibility(level="FULL")
    assert client.get_compatibility() == "FULL"
    assert client.delete_subject("orders-value") == [1]
    assert client.delete_subject("orders-value", permanent=True) == [1]


JSON_ORDER = text_of({
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "Order",
    "type": "object",
    "properties": {"id": {"type": "string"}},
})


def test_json_schema_travels(client: SchemaRegistryClient) -> None:
    sent = JSONSerializer(JSON_ORDER, client)({"id": "a"}, VALUE)
    assert sent is not None
    assert JSONDeserializer(None, schema_registry_client=client)(sent, VALUE) == {"id": "a"}
    assert client.get_schema(1).schema_type == "JSON"


def _shipment() -> Any:
    """A message class as protoc would make it, in a pool of its own."""
    file = FileDescriptorProto(name="shipment.proto", package="shop", syntax="proto3")
    message = file.message_type.add(name="Shipment")
    message.field.add(name="id", number=1, type=9, label=1)
    pool = DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Shipment"))


def test_protobuf_travels(client: SchemaRegistryClient, live_server: LiveServer) -> None:
    kind = _shipment()
    message = kind(id="a")
    conf = {"use.deprecated.format": False}
    sent = ProtobufSerializer(kind, client, conf)(message, VALUE)
    assert sent is not None
    assert ProtobufDeserializer(kind, conf, client)(sent, VALUE) == message
    with SchemaRegistryClient({"url": live_server.url}) as fresh:
        assert ProtobufDeserializer(kind, conf, fresh)(sent, VALUE) == message
    assert client.get_schema(1).schema_type == "PROTOBUF"


def test_the_guid_travels_in_a_header(client: SchemaRegistryClient) -> None:
    headers: list[tuple[str, str | bytes | None]] = []
    where = SerializationContext("orders", MessageField.VALUE, headers)
    conf = {"schema.id.serializer": header_schema_id_serializer}
    order = {"id": "long enough", "amount": 3}
    sent = AvroSerializer(client, ORDER, conf=conf)(order, where)
    assert sent is not None
    assert [name for name, _ in headers] == ["__value_schema_id"]
    assert AvroDeserializer(client)(sent, where) == order


def test_a_schema_by_its_metadata(client: SchemaRegistryClient) -> None:
    # the client itself cannot hash a schema with properties
    Registry().register("orders-value", ORDER, metadata={"properties": {"major": "1"}})
    conf = {"auto.register.schemas": False, "use.latest.with.metadata": {"major": "1"}}
    sent = AvroSerializer(client, ORDER, conf=conf)({"id": "a", "amount": 3}, VALUE)
    assert AvroDeserializer(client)(sent, VALUE) == {"id": "a", "amount": 3}
