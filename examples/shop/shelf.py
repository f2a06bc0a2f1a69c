"""The ordering context's own view of stock, and what it promised from it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from examples.shop.events import Order, StockLevel

# The stock service answers within a second. A promise it never answers must not bind for ever.
_PROMISE_HOLDS = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Promise:
    product: str
    quantity: int
    made_at: datetime


class Shelf:
    """Stock levels by product, less the promises that the levels do not show yet."""

    def __init__(self) -> None:
        self.levels: dict[str, StockLevel] = {}
        self._promises: dict[str, _Promise] = {}
        self._answered: dict[str, datetime] = {}

    def apply(self, level: StockLevel) -> None:
        """Take in one stock event; the promise that it answers is kept in it from now on."""
        self.levels[level.product] = level
        if level.order_id is not None:
            self._promises.pop(level.order_id, None)
            self._answered[level.order_id] = level.updated_at

    def free(self, product: str, at: datetime) -> int | None:
        """Return the pieces that may still be promised; None for an unknown product."""
        level = self.levels.get(product)
        if level is None:
            return None
        promised = [
            promise.quantity
            for promise in self._promises.values()
            if promise.product == product and at - promise.made_at < _PROMISE_HOLDS
        ]
        return level.available - sum(promised)

    def promise(self, order: Order, at: datetime) -> None:
        """Bind the pieces of an order until a stock event shows them as reserved, if none did."""
        self._forget(at)
        if order.id not in self._answered:
            self._promises[order.id] = _Promise(order.product, order.quantity, at)

    def _forget(self, at: datetime) -> None:
        limit = at - _PROMISE_HOLDS
        self._answered = {name: when for name, when in self._answered.items() if when > limit}
        self._promises = {
            name: promise for name, promise in self._promises.items() if promise.made_at > limit
        }
