"""The notifications context: writes to customers whose payment is confirmed.

Reads payments, orders and stock; writes no topic. Its state is committed before its offsets, and a
fact that comes twice changes nothing, so each mail goes out once.
"""

import logging
import threading
import time

from confluent_kafka import Consumer
from confluent_kafka.schema_registry import SchemaRegistryClient

from examples.shop.clients import await_topics, decode, make_consumer, poll
from examples.shop.events import now
from examples.shop.mail_join import MailJoin
from examples.shop.outbox import deliver, recover
from examples.shop.running import run
from examples.shop.setting import Setting
from examples.shop.wire import Wire

log = logging.getLogger("shop")

SERVICE = "email"
INPUTS = ("orders", "payments", "stock")
_FORGET_SECONDS = 3600.0
# Without new records, a mail may still be due because its patience ended.
_LOOK_SECONDS = 5.0


def _write_mail(
    setting: Setting, consumer: Consumer, join: MailJoin, wire: Wire, stop: threading.Event
) -> None:
    path = setting.folder / "outbox.jsonl"
    recover(join, path)
    consumer.subscribe(list(INPUTS))
    looked, forgot = 0.0, 0.0
    while not stop.is_set():
        messages = poll(consumer)
        moment = time.monotonic()
        if not messages and moment - looked < _LOOK_SECONDS:
            continue
        looked = moment
        with join:
            for record in filter(None, (decode(wire, message) for message in messages)):
                join.take(record.fact, now())
            join.make(now())
            if moment - forgot > _FORGET_SECONDS:
                forgot = moment
                join.forget(now())
        if messages:
            consumer.commit(asynchronous=False)
        deliver(join, path)


def work(setting: Setting, registry: SchemaRegistryClient, stop: threading.Event) -> None:
    """Write mail until stopped."""
    await_topics(setting, None, INPUTS)
    wire = Wire(registry, SERVICE, set(INPUTS))
    consumer = make_consumer(setting, SERVICE, protocol="consumer")
    join = MailJoin(setting.folder / "email.sqlite3")
    log.info("ready: reads %s", ", ".join(INPUTS))
    try:
        _write_mail(setting, consumer, join, wire, stop)
    finally:
        consumer.close()
        join.close()


if __name__ == "__main__":
    run(SERVICE, work)
