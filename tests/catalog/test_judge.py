"""The verdict on the single writer."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.observation import Access
from catalog.policies.single_writer import Verdict, judge
from tests.catalog.conftest import NOW, access


def _judge(declared: str | None, *accesses: Access) -> Verdict:
    return judge(declared, accesses, NOW)


def _nameless(number: int = 17, ago: float = 3, lasted: float = 30) -> Access:
    return access(service=None, actor=str(number), actor_kind="producer_id", ago=ago, lasted=lasted)


def test_verified_names_the_evidence_and_its_age() -> None:
    verdict = _judge("orders", access(ago=3))
    assert verdict == Verdict("verified", ("orders wrote it 3 s ago (transactions)",))


def test_instances_of_one_service_are_one_writer() -> None:
    verdict = _judge("orders", access(actor="orders-1"), access(actor="orders-2", ago=9))
    assert verdict == Verdict("verified", ("orders wrote it 3 s ago (transactions)",))


def test_a_second_service_violates() -> None:
    verdict = _judge("orders", access(), access(service="billing", ago=70, evidence=("header",)))
    assert verdict.verdict == "violated"
    assert verdict.reasons == (
        "billing wrote it 1 min ago (header)",
        "orders is declared to be its only writer",
        "orders wrote it 3 s ago (transactions)",
    )


def test_another_service_alone_violates() -> None:
    assert _judge("orders", access(service="billing")).verdict == "violated"


def test_an_unrecognised_name_violates() -> None:
    verdict = _judge("orders", access(), access(service=None, actor="billing-tx"))
    assert verdict.verdict == "violated"
    assert verdict.reasons[0].startswith("the unrecognised transactional id billing-tx wrote it")


def test_nobody_observed_is_not_verified() -> None:
    verdict = _judge("orders")
    assert verdict == Verdict("unverified", ("orders was not seen writing it",))


def test_readers_prove_nothing() -> None:
    assert _judge("orders", access(direction="reads", service="mail")).verdict == "unverified"


def test_stale_evidence_is_not_verified() -> None:
    verdict = _judge("orders", access(ago=7300, active=False))
    assert verdict.verdict == "unverified"
    assert verdict.reasons[0].startswith("orders wrote it last 2 h ago (transactions)")


def test_a_foreign_writer_that_stopped_does_not_violate_now() -> None:
    before = access(service="billing", ago=7300, active=False)
    assert _judge("orders", access(), before).verdict == "verified"


def test_no_declaration_is_not_verified() -> None:
    verdict = _judge(None, access())
    assert verdict.verdict == "unverified"
    assert verdict.reasons[0] == "no writer is declared"
    assert _judge(None).reasons == ("no writer is declared", "nobody was seen writing it")


def test_a_producer_id_alone_proves_and_violates_nothing() -> None:
    verdict = _judge("orders", _nameless())
    assert verdict.verdict == "unverified"
    assert verdict.reasons[1].startswith("the unrecognised producer id 17 wrote it 3 s ago")
    both = _judge("orders", _nameless(lasted=600), _nameless(18, lasted=600))
    assert both.verdict == "unverified"


def test_a_new_producer_id_beside_the_writer_is_given_time_to_be_named() -> None:
    assert _judge("orders", access(), _nameless(lasted=30)).verdict == "unverified"


def test_a_producer_id_that_stays_nameless_beside_the_writer_violates() -> None:
    verdict = _judge("orders", access(), _nameless(lasted=240))
    assert verdict.verdict == "violated"
    assert verdict.reasons[0] == (
        "the unrecognised producer id 17 has been writing it beside orders for 4 min, "
        "and nothing names it"
    )


def test_a_predecessor_that_wrote_before_and_not_beside_does_not_violate() -> None:
    own = access(ago=1, lasted=20)
    assert _judge("orders", own, _nameless(ago=22, lasted=3000)).verdict == "unverified"


_accesses = st.lists(
    st.builds(
        access,
        service=st.sampled_from(["orders", "billing", None]),
        actor=st.sampled_from(["x", "17"]),
        actor_kind=st.sampled_from(["transactional_id", "source", "producer_id"]),
        direction=st.sampled_from(["writes", "reads"]),
        ago=st.integers(0, 10_000),
        lasted=st.integers(0, 10_000),
        active=st.booleans(),
    ),
    max_size=6,
)


@settings(deadline=None)
@given(st.sampled_from(["orders", None]), _accesses, st.randoms())
def test_the_order_of_observations_does_not_matter(
    declared: str | None, accesses: list[Access], random: object
) -> None:
    shuffled = sorted(accesses, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert judge(declared, shuffled, NOW).verdict == judge(declared, accesses, NOW).verdict


@settings(deadline=None)
@given(_accesses)
def test_verified_means_that_the_declared_writer_alone_was_seen(accesses: list[Access]) -> None:
    now = [each for each in accesses if each.active and each.direction == "writes"]
    alone = bool(now) and all(each.service == "orders" for each in now)
    assert (judge("orders", accesses, NOW).verdict == "verified") == alone


@settings(deadline=None)
@given(_accesses, _accesses)
def test_more_observations_never_turn_a_violation_by_name_into_peace(
    accesses: Sequence[Access], more: Sequence[Access]
) -> None:
    foreign = [*accesses, access(service="billing")]
    assert judge("orders", [*foreign, *more], NOW).verdict == "violated"


@settings(deadline=None)
@given(st.none() | st.just("orders"), _accesses)
def test_every_verdict_has_a_reason(declared: str | None, accesses: Sequence[Access]) -> None:
    assert all(judge(declared, accesses, NOW).reasons)
    assert judge(declared, accesses, NOW).reasons
