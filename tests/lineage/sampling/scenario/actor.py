"""One actor of the scenario on librdkafka: `SERVERS MARK ACTOR`, until SIGTERM."""

import signal
import sys
from collections.abc import Callable
from threading import Event
from typing import Any

from confluent_kafka import Consumer, Producer, ShareConsumer, TopicPartition

stop = Event()


class Client:
    """Makes clients that know the scenario's cluster, and names that bear its mark."""

    def __init__(self, servers: str, mark: str, name: str) -> None:
        self.mark = mark
        self.base: dict[str, Any] = {
            "bootstrap.servers": servers,
            "client.id": name,
            "log_level": 2,
        }

    def named(self, name: str) -> str:
        return f"{name}-{self.mark}"

    def producer(self, **settings: Any) -> Producer:
        return Producer({**self.base, **settings})

    def consumer(self, group: str, **settings: Any) -> Consumer:
        return Consumer({
            **self.base,
            "group.id": self.named(group),
            "auto.offset.reset": "earliest",
            "auto.commit.interval.ms": 300,
            **settings,
        })


def legacy(it: Client, headers: dict[str, str | bytes | None] | None = None) -> None:
    """Write without idempotence: no producer id, so that only what it stamps can name it."""
    producer = it.producer(**{"enable.idempotence": False})
    while not stop.wait(0.1):
        producer.produce(it.named("audit"), b"a", headers=headers)
        producer.poll(0)
    producer.flush(3)


def stamped_legacy(it: Client) -> None:
    legacy(it, {"ce_source": it.named("legacy-producer")})


def lookup(it: Client) -> None:
    """Write a table's few rows again and again."""
    producer = it.producer(**{"enable.idempotence": True})
    while not stop.wait(0.1):
        for number in range(3):
            producer.produce(
                it.named("lookup"),
                b"row",
                str(number).encode(),
                headers={"ce_source": it.named("lookup-service")},
            )
        producer.poll(0)
    producer.flush(3)


def shipping(it: Client) -> None:
    """Read by the new protocol (KIP-848), write with a producer that shares nothing with that."""
    consumer = it.consumer("g-shipping", **{"group.protocol": "consumer"})
    producer = it.producer(**{"enable.idempotence": True})
    consumer.subscribe([it.named("orders")])
    while not stop.is_set():
        for message in consumer.consume(50, 0.2):
            if not message.error():
                producer.produce(it.named("shipments"), message.value(), message.key())
        producer.poll(0)
    producer.flush(3)
    consumer.close()


def classic(it: Client) -> None:
    consumer = it.consumer("g-classic")
    consumer.subscribe([it.named("invoices")])
    while not stop.is_set():
        consumer.consume(50, 0.2)
    consumer.close()


def ghost(it: Client) -> None:
    """Read without a group: assigned, never committing. Kafka cannot tell."""
    consumer = it.consumer("ghost", **{"enable.auto.commit": False})
    consumer.assign([TopicPartition(it.named("orders"), number, 0) for number in range(3)])
    while not stop.is_set():
        consumer.consume(50, 0.2)
    consumer.close()


def simple(it: Client) -> None:
    """Read by assignment, yet commit under a group that never has members."""
    consumer = it.consumer("g-simple", **{"enable.auto.commit": False})
    consumer.assign([TopicPartition(it.named("audit"), number, 0) for number in range(3)])
    while not stop.is_set():
        if any(not message.error() for message in consumer.consume(50, 0.2)):
            consumer.commit(asynchronous=False)
    consumer.close()


def share(it: Client) -> None:
    base = {key: value for key, value in it.base.items() if key != "auto.offset.reset"}
    consumer = ShareConsumer({**base, "group.id": it.named("g-share")})
    consumer.subscribe([it.named("invoices")])
    while not stop.is_set():
        consumer.poll(0.2)
    consumer.close()


ACTORS: dict[str, Callable[[Client], None]] = {
    "legacy": legacy,
    "stamped-legacy": stamped_legacy,
    "lookup": lookup,
    "shipping": shipping,
    "classic": classic,
    "ghost": ghost,
    "simple": simple,
    "share": share,
}


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    address, mark, actor = sys.argv[1:]
    ACTORS[actor](Client(address, mark, actor))
