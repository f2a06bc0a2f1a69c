"""Payments run one after the other, and are found again after a restart."""

from examples.shop.events import OrderStatus, Payment, PaymentStatus
from examples.shop.payments import Paying, conclude, request
from examples.shop.wire import Record
from tests.examples.shop_facts import MOMENT, after, order


def _validated(offset: int) -> Record:
    fact = order(f"order-{offset}", OrderStatus.VALIDATED)
    return Record("orders", 0, offset, MOMENT, fact)


def _statuses(facts: object) -> list[PaymentStatus]:
    assert isinstance(facts, list)
    return [fact.status for fact in facts if isinstance(fact, Payment)]


def test_a_validated_order_is_requested_at_once_and_concluded_later() -> None:
    paying = Paying()
    assert _statuses(list(paying.answer(_validated(7), MOMENT))) == [PaymentStatus.REQUESTED]
    assert list(paying.tick(after(0.5))) == []
    assert paying.memory("orders", 0) == 7
    (ended,) = _statuses(list(paying.tick(after(1))))
    assert ended in {PaymentStatus.CONFIRMED, PaymentStatus.DECLINED}
    assert paying.memory("orders", 0) is None


def test_a_remembered_payment_is_concluded_and_not_requested_again() -> None:
    paying = Paying()
    paying.remember(_validated(7))
    assert len(list(paying.tick(after(60)))) == 1


def test_other_steps_of_an_order_ask_for_no_money() -> None:
    record = Record("orders", 0, 1, MOMENT, order(status=OrderStatus.CONFIRMED))
    assert list(Paying().answer(record, MOMENT)) == []


def test_the_same_payment_always_ends_the_same_way() -> None:
    running = [request(order(f"order-{number}"), MOMENT) for number in range(400)]
    ends = [conclude(payment, after(1)).status for payment in running]
    assert ends == [conclude(payment, after(9)).status for payment in running]
    assert 0 < ends.count(PaymentStatus.DECLINED) < 80
