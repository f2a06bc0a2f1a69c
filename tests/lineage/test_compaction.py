from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from catalog.models import Cluster
from lineage import actions
from lineage.compaction import compact
from lineage.intervals import coarsen
from lineage.ledger import Naming, Observation, record
from lineage.models import Edge, Evidence, Proof
from lineage.reading import read

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
EXACT, RESOLUTION = timedelta(days=14), timedelta(hours=24)


def at(hour: float) -> datetime:
    return BEGIN + timedelta(hours=hour)


def reads(hour: float, topic: str = "t", **detail: object) -> Observation:
    return Observation("topic", topic, "group", "g", "offset", at(hour), detail)


def writes(hour: float, producer: int, topic: str = "t") -> Observation:
    return Observation("producer_id", str(producer), "topic", topic, "producer", at(hour))


@pytest.fixture
def cluster(db: None) -> Cluster:
    return Cluster.objects.create(name="c", bootstrap_servers="x:1")


def spans() -> list[tuple[datetime, datetime, int]]:
    rows = Evidence.objects.order_by("edge", "first_seen")
    return list(rows.values_list("first_seen", "last_seen", "observations"))


def test_old_intervals_become_one_and_young_ones_stay(cluster: Cluster) -> None:
    hours = [0, 10, 20, 60, 24 * 20, 24 * 20 + 10]
    record(cluster, [reads(hour) for hour in hours], at(0))
    done = compact(at(24 * 30))
    assert (done.joined, done.intervals) == (2, 4)
    assert spans() == [
        (at(0), at(20), 3),
        (at(60), at(60), 1),
        (at(480), at(480), 1),
        (at(490), at(490), 1),
    ]
    assert compact(at(24 * 30)).joined == 0


def test_what_was_compacted_before_is_not_looked_at_again(cluster: Cluster) -> None:
    record(cluster, [reads(hour) for hour in range(0, 24 * 40, 6)], at(0))
    compact(at(24 * 20))
    assert compact(at(24 * 21)).intervals < 12
    assert compact(at(24 * 21), again=True).joined == 0


def test_late_news_of_a_compacted_past_is_joined_when_asked(cluster: Cluster) -> None:
    record(cluster, [reads(0)], at(0))
    compact(at(24 * 30))
    record(cluster, [reads(5)], at(24 * 31))
    assert compact(at(24 * 31)).joined == 0
    out = StringIO()
    call_command("compact", "--again", stdout=out)
    assert out.getvalue().startswith("1 of 2 intervals joined")


def test_intervals_that_tell_another_identity_stay_apart(cluster: Cluster) -> None:
    record(cluster, [reads(0, client_ids=["a"], committed=1)], at(0))
    record(cluster, [reads(10, client_ids=["a"], committed=2)], at(10))
    record(cluster, [reads(20, client_ids=["b"])], at(20))
    compact(at(24 * 30))
    details = Evidence.objects.order_by("first_seen").values_list("detail", flat=True)
    assert list(details) == [{"client_ids": ["a"], "committed": 2}, {"client_ids": ["b"]}]


def test_unnamed_producers_of_the_past_become_their_successor(cluster: Cluster) -> None:
    restarts = [writes(24 * day, 100 + day, topic) for day in range(40) for topic in ("t", "u")]
    record(cluster, [*restarts, writes(5, 7, "t"), writes(5, 8, "t")], at(0))
    record(cluster, [], at(0), names=[Naming(8, "group", "g", "commit")])
    before = actions.list_edges(as_of=at(24 * 40))
    assert compact(at(24 * 40)).producers == 25
    assert actions.list_edges(as_of=at(24 * 40)) == before
    left = set(Edge.objects.values_list("source_name", flat=True))
    # the last of the past, those of the exact days, and those that are no part of the line
    assert left == {*(str(100 + day) for day in range(25, 40)), "7", "8"}
    first = Proof.objects.filter(edge__source_name="125").values_list("first_seen", flat=True)
    assert set(first) == {at(0)}
    assert compact(at(24 * 40)).producers == 0


instants = st.lists(st.integers(0, 24 * 40 * 4).map(lambda n: n / 4), max_size=25)


class Spanned:
    def __init__(self, first: float, last: float) -> None:
        self.first_seen, self.last_seen = at(first), at(last)


@given(instants, st.integers(1, 3000), st.lists(st.integers(0, 2000), max_size=4))
def test_in_steps_it_gives_what_it_gives_at_once(
    hours: list[float], resolution: int, horizons: list[int]
) -> None:
    ordered = sorted(set(hours))
    intervals = [Spanned(hour, hour + 0.1) for hour in ordered]
    last = max(horizons, default=0)
    minutes = timedelta(minutes=resolution)

    def joined(some: list[Spanned], horizon: float) -> list[Spanned]:
        runs = coarsen(some, at(horizon), minutes)
        assert [it for run in runs for it in run] == some
        whole = [Spanned(0, 0) for _ in runs]
        for it, run in zip(whole, runs, strict=True):
            it.first_seen, it.last_seen = run[0].first_seen, run[-1].last_seen
        return whole

    steps = intervals
    for horizon in sorted(horizons):
        steps = joined(steps, horizon)
    once = joined(intervals, last)
    assert [vars(it) for it in steps] == [vars(it) for it in once]
    assert [it.first_seen for it in once if it.first_seen >= at(last)] == [
        it.first_seen for it in intervals if it.first_seen >= at(last)
    ]


class AsOf(TestCase):
    @settings(max_examples=40, deadline=None)
    @given(instants, instants, st.lists(st.integers(0, 24 * 41), min_size=1, max_size=8))
    def test_no_answer_changes_by_more_than_the_resolution(
        self, read_at: list[float], written_at: list[float], asked: list[int]
    ) -> None:
        Cluster.objects.all().delete()
        cluster = Cluster.objects.create(name="one", bootstrap_servers="x:1")
        record(cluster, [*map(reads, read_at), *(writes(hour, 7) for hour in written_at)], at(0))
        exact = {hour: {row[1:4]: row for row in read(at(hour))} for hour in asked}
        compact(at(24 * 40))
        for hour, rows in exact.items():
            now = {row[1:4]: row for row in read(at(hour))}
            assert now.keys() == rows.keys()
            for key, row in rows.items():
                assert now[key].first_seen == row.first_seen
                assert row.last_seen <= now[key].last_seen <= at(hour)
                assert now[key].last_seen - row.last_seen < RESOLUTION
                if row.last_seen >= at(24 * 40) - EXACT:
                    assert now[key] == row
