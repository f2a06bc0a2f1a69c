"""Kafka clients as the shop's services configure them."""

import logging
import struct
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message
from confluent_kafka.admin import AdminClient
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import SerializationError

from examples.shop.setting import Setting
from examples.shop.topics import TOPICS, create
from examples.shop.wire import Record, Wire

log = logging.getLogger("shop")

# SIGTERM must be obeyed within seconds, so no call may block for longer.
CALL_SECONDS = 3.0
POLL_SECONDS = 0.25
_BATCH = 200
# what Confluent's deserializers and their parsers raise at bytes that their schema did not write
_UNREADABLE = (SerializationError, ValueError, TypeError, EOFError, LookupError, struct.error)
# An embedded or single broker that went away is tried again soon, and not in a busy loop.
_RECONNECT = {"reconnect.backoff.ms": 250, "reconnect.backoff.max.ms": 5000}
_AWAY = {
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001  (the library's public constants begin so)
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._RESOLVE,  # noqa: SLF001
}


class TopicsMissingError(Exception):
    """A topic that a service reads is not there yet."""


class _Presence:
    """Tells once that Kafka went away and once that it is back; clients reconnect alone."""

    def __init__(self) -> None:
        self._away = False

    def report(self, error: KafkaError) -> None:
        """Take in an error of a client."""
        if error.code() not in _AWAY:
            log.warning("kafka: %s", error.str())
        elif error.code() == KafkaError._ALL_BROKERS_DOWN and not self._away:  # noqa: SLF001
            self._away = True
            log.warning("waiting: Kafka does not answer")

    def seen(self) -> None:
        """Take in a sign of life."""
        if self._away:
            self._away = False
            log.info("Kafka answers again")


_presence = _Presence()


def common(setting: Setting, service: str) -> dict[str, Any]:
    """Return what producers and consumers of a service have in common."""
    return {
        "bootstrap.servers": setting.bootstrap_servers,
        "client.id": f"shop-{service}",
        "log_level": 0,
        "error_cb": _presence.report,
        **_RECONNECT,
    }


def await_topics(setting: Setting, written: str | None, read: Sequence[str]) -> dict[str, int]:
    """Make the topic that a service writes, and return the partition counts of those it reads.

    Raises TopicsMissingError, or KafkaException when Kafka does not answer.
    """
    own = [topic for topic in TOPICS if topic.name == written]
    create(setting.bootstrap_servers, own, CALL_SECONDS)
    admin = AdminClient({"bootstrap.servers": setting.bootstrap_servers, "log_level": 0})
    existing = admin.list_topics(timeout=CALL_SECONDS).topics
    missing = [name for name in read if name not in existing]
    if missing:
        raise TopicsMissingError(f"topic {', '.join(missing)} is not there yet")
    return {name: len(existing[name].partitions) for name in read}


def make_consumer(setting: Setting, service: str, *, protocol: str, **extra: Any) -> Consumer:
    """Return a consumer that commits only when told; `protocol` is classic or consumer (KIP-848).

    A classic group lets go of a killed member after six seconds, the newer one after 45.
    """
    protocol = setting.group_protocol or protocol
    config = {
        **common(setting, service),
        "group.id": f"shop-{service}",
        "group.protocol": protocol,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
        **extra,
    }
    if protocol == "classic":
        config |= {"session.timeout.ms": 6000, "heartbeat.interval.ms": 2000}
    return Consumer(config)


def _good(messages: Sequence[Message]) -> Iterator[Message]:
    """Yield the messages that carry a record; raises KafkaException for a lasting error."""
    for message in messages:
        error = message.error()
        if error is None:
            yield message
        elif error.code() != KafkaError._PARTITION_EOF and not error.retriable():  # noqa: SLF001
            raise KafkaException(error)


def poll(consumer: Consumer, seconds: float = POLL_SECONDS) -> list[Message]:
    """Return the next messages, waiting at most `seconds` for a full batch."""
    messages = list(_good(consumer.consume(_BATCH, seconds)))
    if messages:
        _presence.seen()
    return messages


def decode(wire: Wire, message: Message) -> Record | None:
    """Return the record, or None for one that no reader of the shop can use; that is logged."""
    try:
        return wire.decode(message)
    except SchemaRegistryError as error:
        if error.http_status_code != HTTPStatus.NOT_FOUND:
            raise
        reason: Exception = error
    except _UNREADABLE as error:
        reason = error
    log.warning(
        "skipped %s/%s@%s, which cannot be read: %s",
        message.topic(),
        message.partition(),
        message.offset(),
        repr(reason),
    )
    return None
