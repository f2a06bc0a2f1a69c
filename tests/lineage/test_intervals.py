import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lineage.intervals import Interval, fold, gap_of

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
GAP = timedelta(seconds=60)
instants = st.lists(
    st.integers(0, 2000).map(lambda second: BEGIN + timedelta(seconds=second)), max_size=40
)


def spans(intervals: list[Interval]) -> list[tuple[datetime, datetime]]:
    return [(it.first, it.last) for it in intervals]


@given(instants)
def test_every_observation_lies_in_exactly_one_interval(observed: list[datetime]) -> None:
    folded = fold([], observed, GAP)
    for instant in observed:
        assert sum(it.first <= instant <= it.last for it in folded) == 1
    assert {it.first for it in folded} | {it.last for it in folded} <= set(observed)


@given(instants)
def test_intervals_are_in_order_and_further_apart_than_the_gap(observed: list[datetime]) -> None:
    folded = fold([], observed, GAP)
    assert all(later.first - earlier.last > GAP for earlier, later in itertools.pairwise(folded))


@given(instants, instants)
def test_folding_twice_or_in_pieces_is_folding_once(
    one: list[datetime], other: list[datetime]
) -> None:
    whole = spans(fold([], [*one, *other], GAP))
    pieces = fold(fold([], one, GAP), other, GAP)
    assert spans(pieces) == whole
    assert fold(pieces, [*other, *one], GAP) == pieces


@given(instants)
def test_order_does_not_matter(observed: list[datetime]) -> None:
    assert fold([], observed, GAP) == fold([], list(reversed(observed)), GAP)


def test_the_gap_follows_the_period_and_the_kind() -> None:
    assert gap_of("member", 5) == timedelta(seconds=60)
    assert gap_of("member", 30) == timedelta(seconds=90)
    assert gap_of("producer", 5) == timedelta(minutes=10)
