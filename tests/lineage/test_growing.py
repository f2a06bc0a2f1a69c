"""What is kept in memory and grows with the ledger tells what is read anew."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from catalog.models import Cluster, Service
from lineage import actions, lifetimes, recognised, topology, warming
from lineage.compaction import compact
from lineage.ledger import Naming, Observation, record
from lineage.numbered import Numbered
from lineage.outline import read_outline

pytestmark = pytest.mark.django_db(transaction=True)


KEPT: tuple[list[Any], ...] = (topology._kept, recognised._kept, lifetimes._kept)


def forget() -> list[list[Any]]:
    """Forget everything; return what was known."""
    known = [list(one) for one in KEPT]
    for one in KEPT:
        one.clear()
    return known


def told(seed: int) -> list[Any]:
    """Answers of the whole, and around a few nodes, now and some time ago."""
    chance = Random(seed)
    found: list[Any] = []
    for as_of in (None, timezone.now() - timedelta(hours=chance.randrange(1, 40))):
        edges = actions.list_edges(as_of=as_of)
        found.append([(it.source, it.target, it.first_seen, it.last_seen) for it in edges])
        outline = read_outline(as_of)
        pairs = [(outline.nodes[one].key, outline.nodes[other].key) for one, other in outline.pairs]
        assert sorted(pairs) == sorted((it.source.key, it.target.key) for it in edges)
        for number in range(4):
            called = outline.called(f"t{number}")
            found.append(called)
            for way in ("upstream", "downstream") if called else ():
                scope = actions.Scope(as_of=as_of)
                reached = actions.trace(called[0].key, way, depth=3, scope=scope)
                found.append(sorted(it.node.key for it in reached.nodes))
    return found


def observed(chance: Random) -> tuple[list[Observation], list[Naming]]:
    now = timezone.now()
    seen, names = [], []
    for _ in range(chance.randrange(1, 5)):
        at = now - timedelta(seconds=chance.choice((0, 0, 30, 90_000)))
        topic, number = f"t{chance.randrange(6)}", chance.randrange(12)
        bearer = chance.choice((
            ("producer_id", str(number)),
            ("source", f"s{number}"),
            ("transactional_id", f"x{number % 5}"),
        ))
        if chance.random() < 0.4:
            group = f"g{number % 5}"
            seen.append(Observation("topic", topic, "group", group, "offset", at))
        else:
            seen.append(Observation(*bearer, "topic", topic, "batch", at))
        if chance.random() < 0.4:
            kind, name = chance.choice((("group", "g"), ("transactional_id", "x"), ("source", "s")))
            bears = f"{name}{chance.randrange(5)}"
            names.append(Naming(chance.randrange(12), kind, bears, "commit"))
    return seen, names


@pytest.mark.parametrize("seed", range(4))
def test_what_grew_tells_what_is_read_anew(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    forget()
    chance = Random(seed)
    clusters = [Cluster.objects.create(name=it, bootstrap_servers="x:1") for it in "ab"]
    Service.objects.create(name="g0", recognised_by={"groups": ["g0"], "sources": ["s1*"]})
    Service.objects.create(name="pay", recognised_by={"transactional_ids": ["x1", "x2"]})
    grown: list[object] = []
    grow = Numbered.grown

    def counted(known: Numbered, *given: Any) -> Numbered | None:
        grown.append(found := grow(known, *given))
        return found

    monkeypatch.setattr(Numbered, "grown", counted)
    for step in range(25):
        record(
            chance.choice(clusters),
            (it := observed(chance))[0],
            timezone.now(),
            names=it[1],
        )
        if step == 15:
            compact(timezone.now() + timedelta(days=60))
        found = told(step)
        known = forget()
        assert found == told(step)
        # go on from what had grown, most of the time
        if chance.random() < 0.8:
            for one, before in zip(KEPT, known, strict=True):
                one[:] = before
    assert len([it for it in grown if it is not None]) > 5


def test_what_turns_out_older_is_not_grown_into() -> None:
    forget()
    cluster = Cluster.objects.create(name="a", bootstrap_servers="x:1")
    Service.objects.create(name="s", recognised_by={"groups": ["g*"]})
    now = timezone.now()
    for minutes, group in ((10, "g1"), (30, "g2"), (20, "g3")):
        at = now - timedelta(minutes=minutes)
        record(cluster, [Observation("topic", "t", "group", group, "offset", at)], now)
        (edge,) = actions.list_edges()
        assert edge.target.key == "service:s"
        reached = actions.trace("topic:t", "downstream", scope=actions.Scope(as_of=at))
        assert [it.node.key for it in reached.nodes][-1] == "service:s"


def test_a_process_reads_ahead_and_lives_without_a_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    forget()
    cluster = Cluster.objects.create(name="a", bootstrap_servers="x:1")
    now = timezone.now()
    record(cluster, [Observation("topic", "t", "group", "g", "offset", now)], now)
    warming.warm()
    assert all(KEPT[:2])
    forget()

    def refuse() -> None:
        raise OperationalError("no such table: lineage_edge")

    monkeypatch.setattr(warming, "warm", refuse)
    thread = warming.begin()
    thread.join(10)
    assert not thread.is_alive()
