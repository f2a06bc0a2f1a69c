"""The steps of an order, and what the ordering context remembers of it."""

import random

from hypothesis import given
from hypothesis import strategies as st

from examples.shop.events import OrderStatus, PaymentStatus
from examples.shop.front import ShopFront
from examples.shop.lifecycle import OrderBook, settle, validate
from examples.shop.orders import Ordering
from examples.shop.shelf import Shelf
from examples.shop.wire import Record
from tests.examples.shop_facts import MOMENT, after, level, order, payment


def test_an_order_is_promised_when_there_are_enough_pieces() -> None:
    answered = validate(order(quantity=3), 3, after(1))
    assert answered.status is OrderStatus.VALIDATED
    assert answered.validated_at == answered.updated_at == after(1)


def test_an_order_is_rejected_when_pieces_are_missing() -> None:
    answered = validate(order(quantity=3), 2, after(1))
    assert (answered.status, answered.note) == (OrderStatus.REJECTED, "out of stock")
    assert answered.validated_at is None


def test_an_order_of_an_unknown_product_is_rejected() -> None:
    assert validate(order(), None, after(1)).note == "unknown product"


def test_a_paid_order_is_confirmed_and_a_declined_one_rejected() -> None:
    promised = order(status=OrderStatus.VALIDATED)
    confirmed = settle(promised, payment(), after(2))
    declined = settle(promised, payment(status=PaymentStatus.DECLINED), after(2))
    assert confirmed is not None
    assert confirmed.status is OrderStatus.CONFIRMED
    assert declined is not None
    assert declined.note == "payment declined: insufficient funds"
    assert declined.validated_at is not None


def test_a_payment_settles_before_the_promise_was_read_back() -> None:
    confirmed = settle(order(), payment(), after(2))
    assert confirmed is not None
    assert confirmed.validated_at is not None


def test_a_running_payment_settles_nothing() -> None:
    running = payment(status=PaymentStatus.REQUESTED)
    assert settle(order(status=OrderStatus.VALIDATED), running, after(2)) is None


def test_a_promise_counts_until_the_stock_event_shows_it() -> None:
    shelf = Shelf()
    shelf.apply(level(available=10))
    shelf.promise(order(quantity=4), MOMENT)
    assert shelf.free("mug", after(1)) == 6
    shelf.apply(level(available=6, order_id="order-1"))
    assert shelf.free("mug", after(1)) == 6


def test_a_promise_read_back_after_its_answer_binds_nothing() -> None:
    shelf = Shelf()
    shelf.apply(level(available=6, order_id="order-1"))
    shelf.promise(order(quantity=4), MOMENT)
    assert shelf.free("mug", after(1)) == 6


def test_promises_are_remembered_over_a_restart() -> None:
    ordering = Ordering(ShopFront(0, random.Random(1)))
    promised = order(status=OrderStatus.VALIDATED, quantity=4)
    ordering.remember(Record("orders", 0, 5, MOMENT, promised))
    ordering.remember(Record("stock", 0, 0, MOMENT, level(available=10)))
    assert ordering.shelf.free("mug", after(1)) == 6


def test_an_unanswered_promise_binds_for_a_minute() -> None:
    shelf = Shelf()
    shelf.apply(level(available=10))
    shelf.promise(order(quantity=4), MOMENT)
    assert shelf.free("mug", after(59)) == 6
    assert shelf.free("mug", after(60)) == 10


@given(st.lists(st.integers(1, 12), max_size=40))
def test_never_more_is_promised_than_there_is(quantities: list[int]) -> None:
    ordering = Ordering(ShopFront(0, random.Random(1)))
    ordering.remember(Record("stock", 0, 0, MOMENT, level(available=30)))
    promised = 0
    for number, quantity in enumerate(quantities):
        requested = order(f"order-{number}", quantity=quantity)
        (answered,) = ordering.answer(Record("orders", 0, number, MOMENT, requested), MOMENT)
        if getattr(answered, "status", None) is OrderStatus.VALIDATED:
            promised += quantity
    assert promised <= 30


def test_the_book_remembers_from_the_oldest_open_order() -> None:
    book = OrderBook()
    for offset, name in enumerate(("order-1", "order-2", "order-3")):
        book.apply(order(name), 0, offset)
    book.apply(order("order-1", OrderStatus.CONFIRMED), 0, 3)
    assert book.oldest(0) == 1
    assert book.oldest(1) is None
    assert book.find("order-1") is None
    assert book.find("order-2") is not None


def test_the_shop_front_keeps_its_rate_and_makes_up_for_no_pause() -> None:
    front = ShopFront(5, random.Random(1))
    assert front.due(["mug"], MOMENT) == []
    assert sum(len(front.due(["mug"], after(step / 4))) for step in range(1, 41)) == 50
    assert len(front.due(["mug"], after(3600))) == 10


def test_the_shop_front_waits_for_goods() -> None:
    front = ShopFront(5, random.Random(1))
    assert front.due([], MOMENT) == []
    assert front.due([], after(1)) == []
