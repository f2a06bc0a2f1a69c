"""The payments context: asks for the money of validated orders. Sole writer of `payments`."""

import threading
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zlib import crc32

from confluent_kafka.schema_registry import SchemaRegistryClient

from examples.shop.events import Fact, Order, OrderStatus, Payment, PaymentStatus
from examples.shop.exchange import Exchange
from examples.shop.running import run
from examples.shop.setting import Setting
from examples.shop.wire import Record, Wire

# The same for each payment: so they end in the order of their orders, and the oldest running one
# tells all that run.
_TAKES = timedelta(seconds=1)
_DECLINED_PER_CENT = 7


def request(order: Order, at: datetime) -> Payment:
    """Return the request for the money of an order; its id follows from the order's."""
    return Payment(
        order_id=order.id,
        payment_id=f"pay-{order.id}",
        status=PaymentStatus.REQUESTED,
        amount=order.price,
        currency=order.currency,
        requested_at=at,
        updated_at=at,
    )


def conclude(payment: Payment, at: datetime) -> Payment:
    """Confirm or decline a payment; the same one always ends the same way."""
    if crc32(payment.order_id.encode()) % 100 < _DECLINED_PER_CENT:
        return replace(
            payment, status=PaymentStatus.DECLINED, updated_at=at, note="insufficient funds"
        )
    return replace(payment, status=PaymentStatus.CONFIRMED, updated_at=at)


@dataclass(frozen=True, slots=True)
class _Running:
    payment: Payment
    offset: int


class Paying:
    """Requests a payment for each validated order, and concludes it a little later."""

    service = "payments"
    output = "payments"
    inputs: tuple[str, ...] = ("orders",)
    tables: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._running: defaultdict[int, deque[_Running]] = defaultdict(deque)

    def remember(self, record: Record) -> None:
        """Put the payment of a validated order among those that run."""
        match record.fact:
            case Order(status=OrderStatus.VALIDATED) as order:
                self._begin(record, request(order, order.updated_at))
            case _:
                pass

    def _begin(self, record: Record, payment: Payment) -> None:
        self._running[record.partition].append(_Running(payment, record.offset))

    def answer(self, record: Record, at: datetime) -> Iterable[Fact]:
        """Request the payment of an order that was just validated."""
        match record.fact:
            case Order(status=OrderStatus.VALIDATED) as order:
                payment = request(order, at)
                self._begin(record, payment)
                yield payment

    def tick(self, at: datetime) -> Iterable[Fact]:
        """Conclude the payments that ran long enough."""
        for queue in self._running.values():
            while queue and at - queue[0].payment.requested_at >= _TAKES:
                yield conclude(queue.popleft().payment, at)

    def memory(self, topic: str, partition: int) -> int | None:
        """Return the offset of the oldest order whose payment runs."""
        queue = self._running[partition] if topic in self.inputs else None
        return queue[0].offset if queue else None


def work(setting: Setting, registry: SchemaRegistryClient, stop: threading.Event) -> None:
    """Take payments until stopped."""
    wire = Wire(registry, Paying.service, {*Paying.inputs, Paying.output})
    Exchange(setting, wire, Paying(), stop).run()


if __name__ == "__main__":
    run(Paying.service, work)
