"""A record of somebody else must not stop a service of the shop."""

import struct

import pytest
from confluent_kafka import Message
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import SerializationError

from examples.shop.clients import decode
from examples.shop.wire import Record, Wire

MESSAGE = Message(topic="payments", partition=0, offset=7, value=b"\0\0\0\0\3junk")


class _Failing(Wire):
    """Fails as a deserializer does at such bytes."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def decode(self, message: Message) -> Record | None:
        raise self._error


@pytest.mark.parametrize(
    "error",
    [
        SerializationError("Invalid magic byte"),
        SchemaRegistryError(404, 40403, "Schema 32512 not found"),
        EOFError("Expected 53 bytes, read 3"),
        TypeError("unhashable type: 'dict'"),
        KeyError("order_id"),
        ValueError("'VALIDATED' is not a valid PaymentStatus"),
        struct.error("unpack requires a buffer of 4 bytes"),
    ],
)
def test_what_cannot_be_read_is_skipped_and_told(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    assert decode(_Failing(error), MESSAGE) is None
    assert "skipped payments/0@7" in caplog.text


def test_a_registry_that_is_away_is_waited_for() -> None:
    with pytest.raises(SchemaRegistryError):
        decode(_Failing(SchemaRegistryError(503, 50301, "away")), MESSAGE)
