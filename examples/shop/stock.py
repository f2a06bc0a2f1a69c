"""The inventory context: what there is, and what of it is reserved. Sole writer of `stock`."""

import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from confluent_kafka.schema_registry import SchemaRegistryClient

from examples.shop.events import Fact, Order, OrderStatus, StockLevel
from examples.shop.exchange import Exchange
from examples.shop.running import run
from examples.shop.setting import Setting
from examples.shop.wire import Record, Wire

_GOODS = {
    "kettle": "Enamel kettle, 1.5 l",
    "lamp": "Reading lamp, brass",
    "ledger": "Ledger, 200 numbered pages",
    "magnet": "Magnet with hook",
    "mug": "Stoneware mug",
    "needle": "Compass needle, spare",
    "notebook": "Pocket notebook, squared",
    "pencil": "Pencil, HB, box of twelve",
    "rope": "Hemp rope, 10 m",
    "scale": "Letter scale",
    "stamp": "Date stamp",
    "twine": "Waxed twine",
}
_AT_FIRST = 80
_LOW = 12
_LOT = 60
_GOODS_COME_EVERY = timedelta(seconds=20)


def change(level: StockLevel, order: Order, at: datetime) -> StockLevel | None:
    """Return the level after a step of an order; None when the step moves no pieces.

    Raises no error for more pieces than there are: the rest is owed, and below zero.
    """
    pieces, free, held = order.quantity, level.available, level.reserved
    if order.status is OrderStatus.VALIDATED:
        free, held = free - pieces, held + pieces
    elif order.status is OrderStatus.CONFIRMED:
        held = max(held - pieces, 0)
    elif order.status is OrderStatus.REJECTED and order.validated_at is not None:
        free, held = free + pieces, max(held - pieces, 0)
    else:
        return None
    return replace(level, available=free, reserved=held, updated_at=at, order_id=order.id)


class Stocking:
    """Follows the orders, and fills up what runs low."""

    service = "stock"
    output = "stock"
    inputs: tuple[str, ...] = ("orders",)
    tables: tuple[str, ...] = ("stock",)

    def __init__(self) -> None:
        self.levels: dict[str, StockLevel] = {}
        self._goods_came: datetime | None = None

    def remember(self, record: Record) -> None:
        """Take back a level that was written before."""
        if isinstance(record.fact, StockLevel):
            self.levels[record.fact.product] = record.fact

    def answer(self, record: Record, at: datetime) -> Iterable[Fact]:
        """Reserve, release or hand out the pieces of an order."""
        order = record.fact
        if not isinstance(order, Order) or order.product not in self.levels:
            return
        changed = change(self.levels[order.product], order, at)
        if changed is not None:
            self.levels[order.product] = changed
            yield changed

    def tick(self, at: datetime) -> Iterable[Fact]:
        """Put the first goods on the shelves, later on fill up those that run low."""
        arrived = list(self._arrivals(at))
        self.levels.update((level.product, level) for level in arrived)
        return arrived

    def _arrivals(self, at: datetime) -> Iterable[StockLevel]:
        for product, description in _GOODS.items():
            if product not in self.levels:
                yield StockLevel(product, description, _AT_FIRST, 0, at)
        self._goods_came = self._goods_came or at
        if at - self._goods_came < _GOODS_COME_EVERY:
            return
        self._goods_came = at
        for level in self.levels.values():
            if level.available < _LOW:
                yield replace(level, available=level.available + _LOT, updated_at=at, order_id=None)

    def memory(self, topic: str, partition: int) -> int | None:
        """Return nothing: all it knows is in its own table."""
        del topic, partition
        return None


def work(setting: Setting, registry: SchemaRegistryClient, stop: threading.Event) -> None:
    """Keep stock until stopped."""
    wire = Wire(registry, Stocking.service, {*Stocking.inputs, Stocking.output})
    Exchange(setting, wire, Stocking(), stop).run()


if __name__ == "__main__":
    run(Stocking.service, work)
