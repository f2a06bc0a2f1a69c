"""The ordering context: takes orders, promises stock, confirms what was paid.

Sole writer of `orders`. Reads its own requests, the stock events (as a local view: it never asks
the stock service) and the payments.
"""

import logging
import random
import threading
from collections.abc import Iterable
from datetime import datetime

from confluent_kafka.schema_registry import SchemaRegistryClient

from examples.shop.events import Fact, Order, OrderStatus, Payment, StockLevel
from examples.shop.exchange import Exchange
from examples.shop.front import ShopFront
from examples.shop.lifecycle import OrderBook, settle, validate
from examples.shop.running import run
from examples.shop.setting import Setting
from examples.shop.shelf import Shelf
from examples.shop.wire import Record, Wire

log = logging.getLogger("shop")


class Ordering:
    """Answers requests, stock changes and payments with the next step of each order."""

    service = "orders"
    output = "orders"
    inputs: tuple[str, ...] = ("orders", "stock", "payments")
    tables: tuple[str, ...] = ("stock",)

    def __init__(self, front: ShopFront) -> None:
        self._front = front
        self._book = OrderBook()
        self.shelf = Shelf()

    def remember(self, record: Record) -> None:
        """Fold an order or a stock level into the local views."""
        match record.fact:
            case StockLevel() as level:
                self.shelf.apply(level)
            case Order() as order:
                self._book.apply(order, record.partition, record.offset)
                if order.status is OrderStatus.VALIDATED:
                    self.shelf.promise(order, order.updated_at)
            case _:
                pass

    def answer(self, record: Record, at: datetime) -> Iterable[Fact]:
        """Validate a requested order; settle a paid or declined one."""
        self.remember(record)
        match record.fact:
            case Order(status=OrderStatus.REQUESTED) as order:
                yield self._validate(order, at)
            case Payment() as payment:
                yield from self._settle(payment, at)

    def _validate(self, order: Order, at: datetime) -> Order:
        answered = validate(order, self.shelf.free(order.product, at), at)
        if answered.status is OrderStatus.VALIDATED:
            self.shelf.promise(answered, at)
        return answered

    def _settle(self, payment: Payment, at: datetime) -> Iterable[Order]:
        order = self._book.find(payment.order_id)
        if order is None:
            log.warning("payment %s is for no open order", payment.payment_id)
            return
        settled = settle(order, payment, at)
        if settled is not None:
            yield settled

    def tick(self, at: datetime) -> Iterable[Fact]:
        """Return what customers ordered meanwhile."""
        return self._front.due(sorted(self.shelf.levels), at)

    def memory(self, topic: str, partition: int) -> int | None:
        """Return where the oldest open order of a partition begins."""
        return self._book.oldest(partition) if topic == "orders" else None


def work(setting: Setting, registry: SchemaRegistryClient, stop: threading.Event) -> None:
    """Take orders until stopped."""
    wire = Wire(registry, Ordering.service, set(Ordering.inputs))
    front = ShopFront(setting.orders_per_second, random.Random())  # noqa: S311  (no secret)
    Exchange(setting, wire, Ordering(front), stop).run()


if __name__ == "__main__":
    run(Ordering.service, work)
