from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lineage.openlineage.plan import RENEWED_EACH, Due, Seen, Told, due

T0 = datetime(2026, 3, 1, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def seen(key: str, first: float, last: float, *, fresh: bool = True) -> Seen:
    return Seen(key, at(first), at(last), fresh)


def shape(events: Sequence[Due]) -> list[tuple[str, datetime, int, str]]:
    return [(one.state, one.at, one.run, ",".join(one.edges)) for one in events]


def test_a_job_begins_with_start_and_goes_on() -> None:
    events, told = due([seen("in:a", 0, 3), seen("out:b", 1, 2)], Told(), "d")
    assert shape(events) == [
        ("START", at(0), 1, "in:a,out:b"),
        ("RUNNING", at(3), 1, "in:a,out:b"),
    ]
    assert told.open


def test_what_was_told_is_not_told_again() -> None:
    edges = [seen("in:a", 0, 3)]
    _, told = due(edges, Told(), "d")
    assert due(edges, told, "d") == ([], told)


def test_what_changed_is_told() -> None:
    _, told = due([seen("in:a", 0, 3)], Told(), "d")
    events, _ = due([seen("in:a", 0, 4), seen("out:b", 4, 4)], told, "d")
    assert shape(events) == [("RUNNING", at(4), 1, "in:a,out:b")]
    events, _ = due([seen("in:a", 0, 4)], told, "other facets")
    assert shape(events) == [("RUNNING", at(4), 1, "in:a")]


def test_it_is_renewed_now_and_then() -> None:
    _, told = due([seen("in:a", 0, 3)], Told(), "d")
    just_before = at(3) + RENEWED_EACH - timedelta(seconds=1)
    assert due([Seen("in:a", at(0), just_before, True)], told, "d")[0] == []
    events, _ = due([Seen("in:a", at(0), at(3) + RENEWED_EACH, True)], told, "d")
    assert [one.state for one in events] == ["RUNNING"]


def test_it_ends_when_it_was_last_seen_and_begins_again_as_another_run() -> None:
    _, told = due([seen("in:a", 0, 3)], Told(), "d")
    events, told = due([seen("in:a", 0, 4, fresh=False)], told, "d")
    assert shape(events) == [("COMPLETE", at(4), 1, "in:a")]
    assert due([seen("in:a", 0, 4, fresh=False)], told, "d")[0] == []
    events, told = due([seen("in:a", 0, 60)], told, "d")
    assert shape(events) == [("START", at(60), 2, "in:a")]


def test_what_was_over_before_is_told_with_its_own_time() -> None:
    edges = [seen("in:a", 0, 5, fresh=False), seen("out:b", 9, 9, fresh=False)]
    events, told = due(edges, Told(), "d")
    assert shape(events) == [
        ("START", at(0), 1, "in:a"),
        ("COMPLETE", at(5), 1, "in:a"),
        ("COMPLETE", at(9), 2, "out:b"),
    ]
    assert due(edges, told, "d")[0] == []


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["in:a", "in:b", "out:c"]),
            st.tuples(st.integers(0, 20), st.booleans()),
            min_size=1,
        ),
        max_size=8,
    )
)
def test_every_edge_is_told_and_runs_have_one_end(
    rounds: list[dict[str, tuple[int, bool]]],
) -> None:
    told, events, now = Told(), [], 0
    for one in rounds:
        now += 21
        edges = [
            Seen(key, T0, at(now - (0 if fresh else back)), fresh)
            for key, (back, fresh) in one.items()
        ]
        more, told = due(edges, told, "d")
        events += more
        assert due(edges, told, "d")[0] == []
        assert {edge.key for edge in edges} <= set(told.sent)
    named = {key for one in events for key in one.edges}
    assert named == {key for one in rounds for key in one}
    for run in {one.run for one in events}:
        states = [one.state for one in events if one.run == run]
        assert states.count("START") <= 1
        assert states.count("COMPLETE") == (0 if told.open and run == told.runs else 1)
        assert "COMPLETE" not in states[:-1]
    assert [one.run for one in events] == sorted(one.run for one in events)
