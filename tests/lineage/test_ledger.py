import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from catalog.models import Cluster
from lineage import actions
from lineage.ledger import Naming, Observation, record
from lineage.models import Edge, Evidence, ProducerName

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def at(second: float) -> datetime:
    return BEGIN + timedelta(seconds=second)


def seen(second: float, kind: str = "member", topic: str = "t", group: str = "g") -> Observation:
    return Observation("topic", topic, "group", group, kind, at(second))


@pytest.fixture
def cluster(db: None) -> Cluster:
    return Cluster.objects.create(name="c", bootstrap_servers="x:1")


def intervals() -> list[tuple[datetime, datetime]]:
    return list(Evidence.objects.order_by("first_seen").values_list("first_seen", "last_seen"))


def test_soon_extends_and_late_opens(cluster: Cluster) -> None:
    assert record(cluster, [seen(0)], at(0)) == 1
    assert record(cluster, [seen(50)], at(50)) == 0
    assert record(cluster, [seen(200)], at(200)) == 1
    assert intervals() == [(at(0), at(50)), (at(200), at(200))]


def test_the_same_batch_twice_changes_nothing(cluster: Cluster) -> None:
    batch = [seen(0), seen(10, "offset"), seen(20)]
    record(cluster, batch, at(20), names=[Naming(1, "group", "g", "commit")])
    before = list(Evidence.objects.values())
    assert record(cluster, batch, at(20), names=[Naming(1, "group", "g", "commit")]) == 0
    assert list(Evidence.objects.values()) == before
    assert ProducerName.objects.count() == 1
    assert Edge.objects.count() == 1


def test_two_intervals_become_one_when_the_gap_is_filled(cluster: Cluster) -> None:
    record(cluster, [seen(0)], at(0))
    record(cluster, [seen(100)], at(100))
    assert len(intervals()) == 2
    record(cluster, [seen(50)], at(100))
    assert intervals() == [(at(0), at(100))]


def test_as_of_shows_what_was_known_then(cluster: Cluster) -> None:
    record(cluster, [seen(0, topic="a"), seen(1000, topic="b")], at(1000))
    (then,) = actions.list_edges(as_of=at(10))
    assert then.source.name == "a"
    assert then.active
    now = {edge.source.name: edge.active for edge in actions.list_edges(as_of=at(1000))}
    assert now == {"a": False, "b": True}
    assert actions.list_edges(as_of=at(-1)) == []


def test_an_interval_that_goes_on_is_cut_off_at_the_instant(cluster: Cluster) -> None:
    for second in (0, 50, 100):
        record(cluster, [seen(second)], at(second))
    (edge,) = actions.list_edges(as_of=at(70))
    assert (edge.first_seen, edge.last_seen) == (at(0), at(70))


def test_statements_do_not_grow_with_edges(cluster: Cluster) -> None:
    def statements(count: int, second: float) -> int:
        batch = [seen(second, topic=f"t{n}", group=f"g{n}") for n in range(count)]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            record(cluster, batch, at(second))
        return len(queries)

    assert statements(10, 0) <= 8
    assert statements(800, 10) <= 20


def test_thousands_of_edges_take_well_under_seconds(cluster: Cluster) -> None:
    batch = [seen(0, topic=f"t{n % 500}", group=f"g{n}") for n in range(5000)]
    record(cluster, batch, at(0))
    later = [seen(30, topic=f"t{n % 500}", group=f"g{n}") for n in range(5000)]
    begun = time.process_time()
    record(cluster, later, at(30))
    assert time.process_time() - begun < 5
    assert Evidence.objects.count() == 5000


class AnyOrder(TestCase):
    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.integers(0, 600), min_size=1, max_size=15), st.randoms())
    def test_batches_in_any_order_give_the_same_intervals(self, seconds: list[int], random) -> None:  # type: ignore[no-untyped-def]
        Cluster.objects.all().delete()
        one = Cluster.objects.create(name="one", bootstrap_servers="x:1")
        other = Cluster.objects.create(name="other", bootstrap_servers="x:1")
        record(one, [seen(second) for second in seconds], at(600))
        random.shuffle(seconds)
        for second in seconds:
            record(other, [seen(second)], at(600))
        rows = Evidence.objects.order_by("first_seen")
        fields = ("first_seen", "last_seen")
        assert list(rows.filter(edge__cluster=one).values_list(*fields)) == list(
            rows.filter(edge__cluster=other).values_list(*fields)
        )
