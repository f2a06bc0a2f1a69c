"""Stock levels follow the orders."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from examples.shop.events import Order, OrderStatus, StockLevel
from examples.shop.lifecycle import settle, validate
from examples.shop.stock import Stocking
from examples.shop.wire import Record
from tests.examples.shop_facts import MOMENT, after, level, order, payment


def _follow(stocking: Stocking, orders: Sequence[Order]) -> None:
    for offset, step in enumerate(orders):
        list(stocking.answer(Record("orders", 0, offset, MOMENT, step), MOMENT))


def test_the_first_goods_come_at_the_first_start() -> None:
    stocking = Stocking()
    arrived = list(stocking.tick(MOMENT))
    assert len(arrived) == 12
    assert list(stocking.tick(after(1))) == []


def test_no_goods_come_again_after_a_restart() -> None:
    first, second = Stocking(), Stocking()
    for fact in first.tick(MOMENT):
        second.remember(Record("stock", 0, 0, MOMENT, fact))
    assert list(second.tick(after(1))) == []


def test_what_runs_low_is_filled_up() -> None:
    stocking = Stocking()
    list(stocking.tick(MOMENT))
    stocking.remember(Record("stock", 0, 0, MOMENT, level("mug", available=2)))
    assert list(stocking.tick(after(19))) == []
    (filled,) = stocking.tick(after(20))
    assert isinstance(filled, StockLevel)
    assert (filled.product, filled.available) == ("mug", 62)


def test_a_declined_payment_gives_the_pieces_back() -> None:
    promised = validate(order(quantity=3), 10, MOMENT)
    declined = replace(promised, status=OrderStatus.REJECTED)
    stocking = Stocking()
    stocking.remember(Record("stock", 0, 0, MOMENT, level(available=10)))
    _follow(stocking, [promised, declined])
    assert (stocking.levels["mug"].available, stocking.levels["mug"].reserved) == (10, 0)


def test_an_order_rejected_for_want_of_pieces_moves_none() -> None:
    stocking = Stocking()
    stocking.remember(Record("stock", 0, 0, MOMENT, level(available=1)))
    _follow(stocking, [order(), validate(order(), 1, MOMENT)])
    assert stocking.levels["mug"].available == 1


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=30))
def test_pieces_are_neither_made_nor_lost(orders: list[tuple[int, bool]]) -> None:
    stocking = Stocking()
    stocking.remember(Record("stock", 0, 0, MOMENT, level(available=500)))
    sold = 0
    for number, (quantity, paid) in enumerate(orders):
        promised = validate(order(f"order-{number}", quantity=quantity), 500, MOMENT)
        steps = [promised]
        confirmed = settle(promised, payment(f"order-{number}"), MOMENT)
        if paid and confirmed:
            steps.append(confirmed)
            sold += quantity
        _follow(stocking, steps)
    now = stocking.levels["mug"]
    assert now.available + now.reserved + sold == 500
