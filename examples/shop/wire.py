"""Facts to records and back, by Confluent's own serializers, unmodified."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias

from confluent_kafka import Message
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from examples.shop import events
from examples.shop.events import Fact
from examples.shop.schemas import schema_text
from examples.shop.schemas.shipment_pb2 import Shipment

_Serializer: TypeAlias = Callable[[Any, SerializationContext], bytes | None]
_Deserializer: TypeAlias = Callable[[bytes, SerializationContext], Any]


@dataclass(frozen=True, slots=True)
class Record:
    """One record read: where it stands, when it was written, and the fact it tells."""

    topic: str
    partition: int
    offset: int
    written_at: datetime
    fact: Fact


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to be written."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def connect_registry(url: str) -> SchemaRegistryClient:
    """Return a client that gives up soon, because its caller waits and asks again."""
    return SchemaRegistryClient({
        "url": url,
        "timeout": 3,
        "max.retries": 1,
        "retries.wait.ms": 200,
    })


def _without_context(convert: Callable[[Any], Any]) -> Callable[[Any, SerializationContext], Any]:
    return lambda value, _context: convert(value)


def _avro(
    client: SchemaRegistryClient, schema: str, convert: Callable[[dict[str, Any]], Fact]
) -> tuple[_Serializer, _Deserializer]:
    return (
        AvroSerializer(client, schema_text(schema), _without_context(events.as_fields)),
        AvroDeserializer(client, None, _without_context(convert)),
    )


def _json(client: SchemaRegistryClient) -> tuple[_Serializer, _Deserializer]:
    text = schema_text("stock.json")
    return (
        JSONSerializer(text, client, _without_context(events.stock_as_json)),
        JSONDeserializer(text, _without_context(events.stock_from_json), client),
    )


def _protobuf(client: SchemaRegistryClient) -> tuple[_Serializer, _Deserializer]:
    return (
        ProtobufSerializer(Shipment, client),
        ProtobufDeserializer(Shipment, schema_registry_client=client),
    )


_FORMATS: dict[str, Callable[[SchemaRegistryClient], tuple[_Serializer, _Deserializer]]] = {
    "orders": partial(_avro, schema="order.avsc", convert=events.order_from),
    "payments": partial(_avro, schema="payment.avsc", convert=events.payment_from),
    "stock": _json,
    "shipments": _protobuf,
}


class Wire:
    """Encodes for and decodes from the given topics; `service` stamps what is written."""

    def __init__(self, registry: SchemaRegistryClient, service: str, topics: set[str]) -> None:
        self._source = f"/shop/{service}".encode()
        self._formats = {name: _FORMATS[name](registry) for name in topics}

    def encode(self, topic: str, fact: Fact) -> Outgoing:
        """Return the record of a fact, stamped with CloudEvents 1.0 headers (Kafka binding)."""
        serialize, _ = self._formats[topic]
        value = serialize(fact, SerializationContext(topic, MessageField.VALUE))
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", str(uuid.uuid4()).encode()),
            ("ce_source", self._source),
            ("ce_type", events.type_of(fact).encode()),
        ]
        return Outgoing(topic, events.key_of(fact).encode(), value or b"", headers)

    def decode(self, message: Message) -> Record | None:
        """Return the record of a message; None for a tombstone.

        Raises SerializationError when the value is not what its schema says.
        """
        value, topic = message.value(), message.topic() or ""
        if value is None:
            return None
        _, deserialize = self._formats[topic]
        fact = deserialize(bytes(value), SerializationContext(topic, MessageField.VALUE))
        _, milliseconds = message.timestamp()
        return Record(
            topic=topic,
            partition=message.partition() or 0,
            offset=message.offset() or 0,
            written_at=datetime.fromtimestamp(milliseconds / 1000, UTC),
            fact=fact,
        )
