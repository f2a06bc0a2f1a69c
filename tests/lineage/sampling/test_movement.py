from datetime import UTC, datetime, timedelta

from lineage.sampling.movement import Movement

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def after(seconds: int) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def test_rate_lag_and_rest() -> None:
    movement = Movement(100, BEGIN)
    assert movement.particulars == {}
    assert movement.advance(200, after(10))
    movement.lag = 7
    assert movement.particulars == {"records_per_s": 10.0, "lag": 7}
    assert not movement.advance(200, after(20))
    assert movement.particulars == {
        "records_per_s": 7.0,
        "lag": 7,
        "idle_since": after(10).isoformat(),
    }


def test_offsets_that_are_set_back_are_a_move_and_no_reading() -> None:
    movement = Movement(100, BEGIN)
    assert movement.advance(10, after(10))
    assert movement.rate == 0


def test_the_same_instant_twice_changes_no_rate() -> None:
    movement = Movement(100, BEGIN)
    assert not movement.advance(100, BEGIN)
    assert movement.rate is None
