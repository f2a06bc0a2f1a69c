"""The facts the shop's services tell each other: one class for each topic."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias

from google.protobuf.timestamp_pb2 import Timestamp

from examples.shop.schemas.shipment_pb2 import Shipment

CURRENCY = "EUR"


class OrderStatus(StrEnum):
    """The steps of an order; REJECTED and CONFIRMED end it."""

    REQUESTED = "REQUESTED"
    VALIDATED = "VALIDATED"
    REJECTED = "REJECTED"
    CONFIRMED = "CONFIRMED"


class PaymentStatus(StrEnum):
    """The steps of a payment; CONFIRMED and DECLINED end it."""

    REQUESTED = "REQUESTED"
    CONFIRMED = "CONFIRMED"
    DECLINED = "DECLINED"


@dataclass(frozen=True, slots=True)
class Order:
    """A whole order after its latest step (event-carried state transfer)."""

    id: str
    status: OrderStatus
    customer: str
    product: str
    quantity: int
    price: Decimal
    requested_at: datetime
    updated_at: datetime
    validated_at: datetime | None = None
    note: str | None = None
    currency: str = CURRENCY


@dataclass(frozen=True, slots=True)
class Payment:
    """The payment of one order after its latest step."""

    order_id: str
    payment_id: str
    status: PaymentStatus
    amount: Decimal
    requested_at: datetime
    updated_at: datetime
    note: str | None = None
    currency: str = CURRENCY


@dataclass(frozen=True, slots=True)
class StockLevel:
    """How much of one product there is; `order_id` names the order that changed it."""

    product: str
    description: str
    available: int
    reserved: int
    updated_at: datetime
    order_id: str | None = None


Fact: TypeAlias = Order | Payment | StockLevel | Shipment


def now() -> datetime:
    """Return the present, in UTC and in the milliseconds that the schemas keep."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def key_of(fact: Fact) -> str:
    """Return the record key: the order it belongs to, or the product whose level it is."""
    if isinstance(fact, Order):
        return fact.id
    if isinstance(fact, StockLevel):
        return fact.product
    return fact.order_id


def type_of(fact: Fact) -> str:
    """Return the CloudEvents type, such as `shop.OrderValidated`."""
    if isinstance(fact, StockLevel):
        return "shop.StockChanged"
    if isinstance(fact, Shipment):
        return f"shop.Shipment{Shipment.Status.Name(fact.status).capitalize()}"
    return f"shop.{type(fact).__name__}{fact.status.capitalize()}"


def as_fields(fact: Order | Payment) -> dict[str, Any]:
    """Return the fields as the Avro serializer wants them."""
    return asdict(fact)


def order_from(fields: dict[str, Any]) -> Order:
    """Make an order of the fields of its Avro record."""
    return Order(**{**fields, "status": OrderStatus(fields["status"])})


def payment_from(fields: dict[str, Any]) -> Payment:
    """Make a payment of the fields of its Avro record."""
    return Payment(**{**fields, "status": PaymentStatus(fields["status"])})


def stock_as_json(level: StockLevel) -> dict[str, Any]:
    """Return the level as its JSON Schema describes it."""
    return {**asdict(level), "updated_at": level.updated_at.isoformat()}


def stock_from_json(fields: dict[str, Any]) -> StockLevel:
    """Make a level of a document that its JSON Schema accepts."""
    return StockLevel(**{**fields, "updated_at": datetime.fromisoformat(fields["updated_at"])})


def shipment_of(order: Order, carrier: str, at: datetime) -> Shipment:
    """Return the parcel of a confirmed order; its id follows from the order's."""
    moment = Timestamp()
    moment.FromDatetime(at)
    return Shipment(
        shipment_id=f"parcel-{order.id}",
        order_id=order.id,
        customer=order.customer,
        product=order.product,
        quantity=order.quantity,
        carrier=carrier,
        status=Shipment.Status.DISPATCHED,
        dispatched_at=moment,
    )
