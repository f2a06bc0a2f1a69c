"""When unnamed producers were seen, from memory, is what the ledger says at every instant."""

from datetime import datetime, timedelta
from random import Random

import pytest
from django.utils import timezone

from catalog.models import Cluster
from lineage import lifetimes
from lineage.compaction import compact
from lineage.ledger import Observation, record
from lineage.lifetimes import read_lifetimes
from lineage.models import Edge, Evidence
from lineage.topology import fetch, read_topology

KINDS = ("producer", "batch", "header")


def said(edge: Edge, at: datetime) -> datetime | None:
    """When the edge was last seen by `at`, by its evidence read one by one."""
    seen = Evidence.objects.filter(edge=edge, first_seen__lte=at)
    return max((min(it.last_seen, at) for it in seen), default=None)


def remembered(at: datetime) -> dict[int, datetime | None]:
    topology = read_topology()
    found = read_lifetimes(topology, at)
    bare = [it for it in topology.seen_by(at) if it.source[0] == "producer_id"]
    return {it.id: found.last_seen(it.id, at) for it in bare}


def observed(chance: Random, now: datetime, seconds: int) -> list[Observation]:
    return [
        Observation(
            "producer_id",
            str(chance.randrange(8)),
            "topic",
            f"t{chance.randrange(3)}",
            chance.choice(KINDS),
            now - timedelta(seconds=chance.randrange(seconds)),
        )
        for _ in range(chance.randrange(1, 6))
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_written_memory_tells_the_same(seed: int) -> None:
    chance = Random(seed)
    cluster = Cluster.objects.create(name="c", bootstrap_servers="x:1")
    begun = timezone.now() - timedelta(days=40)
    for _ in range(15):
        at = begun + timedelta(seconds=chance.randrange(30 * 86_400))
        record(cluster, observed(chance, at, 86_400), at)
    for step in range(30):
        now = timezone.now()
        # most of it of now, some of it late: within hours, or by days
        late = chance.choice((60, 60, 600, 4 * 3600, 9 * 86_400))
        record(cluster, observed(chance, now, late), now)
        if step % 10 == 9:
            compact(now)
        instants = [timezone.now(), now - timedelta(seconds=chance.randrange(20 * 86_400))]
        for at in instants:
            found = remembered(at)
            assert found == {it: said(Edge.objects.get(pk=it), at) for it in found}
            assert found or at != instants[0]


@pytest.mark.django_db(transaction=True)
def test_what_others_commit_late_is_read_though_its_ids_are_older(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Cluster.objects.create(name="c", bootstrap_servers="x:1")
    start = timezone.now()
    record(cluster, [Observation("producer_id", "1", "topic", "t", "producer", start)], start)
    edge = Edge.objects.get()
    first = Evidence.objects.get()
    assert remembered(start)[edge.pk] == start
    at = start
    for minutes, row in ((3, first.pk + 20), (6, first.pk + 5), (12, first.pk + 30)):
        at = start + timedelta(minutes=minutes)
        monkeypatch.setattr(timezone, "now", lambda at=at: at)
        Evidence.objects.create(pk=row, edge=edge, kind="producer", first_seen=at, last_seen=at)
        assert remembered(at)[edge.pk] == at


@pytest.mark.django_db(transaction=True)
def test_only_what_may_have_moved_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster.objects.create(name="c", bootstrap_servers="x:1")
    now = timezone.now()
    then = now - timedelta(days=3)
    for number in range(40):
        seen = Observation("producer_id", str(number), "topic", "t", "producer", then)
        record(cluster, [seen], then)
    record(cluster, [Observation("producer_id", "99", "topic", "t", "producer", now)], now)
    found = read_lifetimes(read_topology(), now)
    # as it is ten minutes later: what there was is committed
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(minutes=11))
    read_lifetimes(read_topology(), now + timedelta(minutes=11))
    asked: list[int] = []
    rows = fetch

    def counted(statement: str, *values: int) -> object:
        read = list(rows(statement, *values))
        asked.append(len(read))
        return iter(read)

    monkeypatch.setattr(lifetimes, "fetch", counted)
    assert read_lifetimes(read_topology(), now + timedelta(minutes=12)) is found
    # the newest id, nothing that came, and the one that is still going on
    assert asked == [1, 0, 1]
    assert read_lifetimes(read_topology(), then) is found
    assert asked == [1, 0, 1]
