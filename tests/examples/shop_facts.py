"""Facts of the shop for its tests."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from examples.shop.events import (
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    StockLevel,
)

MOMENT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return MOMENT + timedelta(seconds=seconds)


def order(
    name: str = "order-1",
    status: OrderStatus = OrderStatus.REQUESTED,
    quantity: int = 3,
    product: str = "mug",
) -> Order:
    promised = status in {OrderStatus.VALIDATED, OrderStatus.CONFIRMED}
    return Order(
        id=name,
        status=status,
        customer="ada@example.org",
        product=product,
        quantity=quantity,
        price=Decimal("12.50"),
        requested_at=MOMENT,
        updated_at=MOMENT,
        validated_at=MOMENT if promised else None,
    )


def payment(name: str = "order-1", status: PaymentStatus = PaymentStatus.CONFIRMED) -> Payment:
    return Payment(
        order_id=name,
        payment_id=f"pay-{name}",
        status=status,
        amount=Decimal("12.50"),
        requested_at=MOMENT,
        updated_at=MOMENT,
        note="insufficient funds" if status is PaymentStatus.DECLINED else None,
    )


def level(product: str = "mug", available: int = 10, order_id: str | None = None) -> StockLevel:
    return StockLevel(product, f"A {product}", available, 0, MOMENT, order_id)
