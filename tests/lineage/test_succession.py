from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lineage.succession import Life, successors

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def life(name: str, begin: int, end: int, *topics: str) -> Life:
    return Life(
        name,
        frozenset(topics or ("t",)),
        BEGIN + timedelta(seconds=begin),
        BEGIN + timedelta(seconds=end),
    )


def test_restarts_are_one_actor_under_its_newest_id() -> None:
    assert successors([life("1", 0, 5), life("2", 6, 9), life("3", 10, 10)]) == {
        "1": "3",
        "2": "3",
        "3": "3",
    }


def test_producers_at_the_same_time_are_several() -> None:
    assert successors([life("1", 0, 5), life("2", 3, 9)]) == {"1": "1", "2": "2"}


def test_other_topics_are_another_producer() -> None:
    assert successors([life("1", 0, 5, "a"), life("2", 6, 9, "b")]) == {"1": "1", "2": "2"}


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20)), max_size=12))
def test_those_who_overlap_never_become_one(lives: list[tuple[int, int]]) -> None:
    made = [life(str(n), begin, begin + length) for n, (begin, length) in enumerate(lives)]
    last = successors(made)
    assert set(last) == {it.producer_id for it in made}
    for one in made:
        for other in made:
            apart = one.last_seen < other.first_seen or other.last_seen < one.first_seen
            if one is not other and last[one.producer_id] == last[other.producer_id]:
                assert apart
