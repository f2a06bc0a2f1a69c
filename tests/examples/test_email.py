"""The mail join: any order of arrival, repeats and restarts; each mail once."""

from itertools import chain
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from examples.shop.events import Fact, OrderStatus, PaymentStatus
from examples.shop.mail_join import PATIENCE, Mail, MailJoin
from examples.shop.outbox import deliver, recover
from tests.examples.shop_facts import MOMENT, after, level, order, payment

_LATER = MOMENT + PATIENCE


def _story(name: str) -> list[Fact]:
    return [
        order(name),
        order(name, OrderStatus.VALIDATED),
        payment(name, PaymentStatus.REQUESTED),
        payment(name),
        order(name, OrderStatus.CONFIRMED),
    ]


_FACTS: list[Fact] = [level(), *chain.from_iterable(_story(f"order-{n}") for n in range(4))]


def _mails(join: MailJoin) -> list[Mail]:
    return sorted(join.undelivered(), key=lambda mail: mail.order_id)


@given(
    facts=st.permutations(_FACTS),
    repeated=st.lists(st.sampled_from(_FACTS), max_size=10),
    size=st.integers(1, 8),
)
def test_every_order_of_arrival_makes_the_same_mails(
    facts: list[Fact], repeated: list[Fact], size: int
) -> None:
    join = MailJoin(":memory:")
    arriving = facts + repeated
    for begin in range(0, len(arriving), size):
        with join:
            for fact in arriving[begin : begin + size]:
                join.take(fact, MOMENT)
            join.make(MOMENT)
    mails = _mails(join)
    join.close()
    assert [mail.order_id for mail in mails] == [f"order-{n}" for n in range(4)]
    assert {mail.text for mail in mails} == {"Thank you: 3 x A mug, 12.50 EUR received."}


def test_a_mail_without_description_waits_for_a_while() -> None:
    join = MailJoin(":memory:")
    join.take(order(), MOMENT)
    join.take(payment(), MOMENT)
    assert join.make(after(1)) == 0
    assert join.make(_LATER) == 1
    assert "3 x mug" in join.undelivered()[0].text
    join.close()


def test_a_late_order_still_gets_its_mail() -> None:
    join = MailJoin(":memory:")
    join.take(payment(), MOMENT)
    join.take(level(), MOMENT)
    assert join.make(_LATER) == 0
    join.take(order(), after(3600))
    assert join.make(after(3600)) == 1
    join.close()


def test_no_mail_without_a_confirmed_payment() -> None:
    join = MailJoin(":memory:")
    for fact in (order(), level(), payment(status=PaymentStatus.DECLINED)):
        join.take(fact, MOMENT)
    assert join.make(_LATER) == 0
    join.close()


def test_what_cannot_arrive_again_is_forgotten(tmp_path: Path) -> None:
    join = MailJoin(":memory:")
    for fact in _FACTS:
        join.take(fact, MOMENT)
    join.make(MOMENT)
    join._database.commit()
    deliver(join, tmp_path / "outbox.jsonl")
    join.forget(after(8 * 86400))
    assert join._database.execute("SELECT count(*) FROM mail").fetchone() == (0,)
    join.close()


def _waiting(path: Path) -> MailJoin:
    join = MailJoin(path)
    with join:
        for fact in _FACTS:
            join.take(fact, MOMENT)
        join.make(MOMENT)
    return join


def test_mails_that_went_out_before_a_kill_do_not_go_out_again(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox.jsonl"
    join = _waiting(tmp_path / "email.sqlite3")
    mails = join.undelivered()
    assert deliver(join, outbox) == 4
    # as if killed after the append and before the note of it
    with join:
        join._database.execute("UPDATE mail SET delivered = 0")
    join.close()
    again = MailJoin(tmp_path / "email.sqlite3")
    recover(again, outbox)
    assert deliver(again, outbox) == 0
    again.close()
    assert len(outbox.read_text().splitlines()) == len(mails)


def test_a_line_left_half_written_is_written_anew(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox.jsonl"
    join = _waiting(tmp_path / "email.sqlite3")
    outbox.write_text('{"order_id": "order-0", "customer"')
    recover(join, outbox)
    assert deliver(join, outbox) == 4
    join.close()
    assert len(outbox.read_text().splitlines()) == 4
