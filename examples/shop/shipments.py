"""The shipping context: sends what was confirmed. Sole writer of `shipments`.

An idempotent producer without transactions: a kill between writing and committing repeats a parcel
under the same id, which its readers can tell.
"""

import logging
import threading
from zlib import crc32

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer
from confluent_kafka.schema_registry import SchemaRegistryClient

from examples.shop.clients import (
    CALL_SECONDS,
    await_topics,
    common,
    decode,
    make_consumer,
    poll,
)
from examples.shop.events import Order, OrderStatus, now, shipment_of
from examples.shop.running import InterruptedSessionError, run
from examples.shop.setting import Setting
from examples.shop.wire import Wire

log = logging.getLogger("shop")

SERVICE = "shipments"
_CARRIERS = ("bicycle", "post", "night train")


def _carrier(order: Order) -> str:
    return _CARRIERS[crc32(order.id.encode()) % len(_CARRIERS)]


class _Dispatch:
    """Writes parcels and knows whether all were taken."""

    def __init__(self, setting: Setting, wire: Wire) -> None:
        self._wire = wire
        self._failed: KafkaError | None = None
        self._producer = Producer({
            **common(setting, SERVICE),
            "enable.idempotence": True,
            "linger.ms": 5,
        })

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        self._failed = error or self._failed

    def send(self, orders: list[Order], stop: threading.Event) -> None:
        """Write the parcels of the orders and return when the broker has them all."""
        for order in orders:
            record = self._wire.encode(SERVICE, shipment_of(order, _carrier(order), now()))
            self._producer.produce(
                record.topic,
                value=record.value,
                key=record.key,
                headers=list(record.headers),
                on_delivery=self._delivered,
            )
        while self._producer.flush(CALL_SECONDS):
            if stop.is_set():
                raise InterruptedSessionError("stopped before all parcels were written")
        if self._failed is not None:
            raise KafkaException(self._failed)


def _confirmed(wire: Wire, messages: list[Message]) -> list[Order]:
    records = (decode(wire, message) for message in messages)
    return [
        record.fact
        for record in records
        if record and isinstance(record.fact, Order) and record.fact.status is OrderStatus.CONFIRMED
    ]


def _ship(consumer: Consumer, dispatch: _Dispatch, wire: Wire, stop: threading.Event) -> None:
    consumer.subscribe(["orders"])
    while not stop.is_set():
        messages = poll(consumer)
        if messages:
            dispatch.send(_confirmed(wire, messages), stop)
            consumer.commit(asynchronous=False)


def work(setting: Setting, registry: SchemaRegistryClient, stop: threading.Event) -> None:
    """Ship until stopped."""
    await_topics(setting, SERVICE, ["orders"])
    wire = Wire(registry, SERVICE, {"orders", SERVICE})
    dispatch = _Dispatch(setting, wire)
    consumer = make_consumer(setting, SERVICE, protocol="consumer")
    log.info("ready: reads orders, writes %s", SERVICE)
    try:
        _ship(consumer, dispatch, wire, stop)
    finally:
        consumer.close()


if __name__ == "__main__":
    run(SERVICE, work)
