"""The life of an order, as pure steps from one state to the next."""

from dataclasses import dataclass, replace
from datetime import datetime

from examples.shop.events import Order, OrderStatus, Payment, PaymentStatus

_ENDED = {OrderStatus.REJECTED, OrderStatus.CONFIRMED}


def validate(order: Order, free: int | None, at: datetime) -> Order:
    """Promise the pieces of a requested order, or reject it; `free` is None for no such product."""
    if free is None:
        return replace(order, status=OrderStatus.REJECTED, updated_at=at, note="unknown product")
    if order.quantity > free:
        return replace(order, status=OrderStatus.REJECTED, updated_at=at, note="out of stock")
    return replace(order, status=OrderStatus.VALIDATED, validated_at=at, updated_at=at)


def settle(order: Order, payment: Payment, at: datetime) -> Order | None:
    """Confirm or reject a promised order as its payment ended; None while the payment runs.

    The payment is proof of the promise, so an order settles even before
    its own VALIDATED event was read back.
    """
    promised = order.validated_at or payment.requested_at
    if payment.status is PaymentStatus.CONFIRMED:
        status, note = OrderStatus.CONFIRMED, None
    elif payment.status is PaymentStatus.DECLINED:
        status, note = OrderStatus.REJECTED, f"payment declined: {payment.note}"
    else:
        return None
    return replace(order, status=status, validated_at=promised, updated_at=at, note=note)


@dataclass(slots=True)
class _Open:
    order: Order
    partition: int
    first_offset: int


class OrderBook:
    """The orders that are not ended, folded from the orders topic alone."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}

    def __len__(self) -> int:
        return len(self._open)

    def apply(self, order: Order, partition: int, offset: int) -> None:
        """Take in one order event."""
        if order.status in _ENDED:
            self._open.pop(order.id, None)
        elif order.id in self._open:
            self._open[order.id].order = order
        else:
            self._open[order.id] = _Open(order, partition, offset)

    def find(self, order_id: str) -> Order | None:
        """Return an open order."""
        known = self._open.get(order_id)
        return known.order if known else None

    def oldest(self, partition: int) -> int | None:
        """Return the offset from which a reader would find every open order of a partition."""
        return min(
            (known.first_offset for known in self._open.values() if known.partition == partition),
            default=None,
        )
