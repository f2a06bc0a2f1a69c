"""Brokers that hang, die and come back; groups and topics that go away in mid-sample."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from django.db import DatabaseError
from django.test import Client

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.embedded import EmbeddedKafka
from broker.errors import BrokerError
from catalog.models import Cluster
from lineage import actions, ledger
from lineage.models import Edge, Sampling
from lineage.sampling.run import Watch
from lineage.sampling.sampler import Sample, View
from lineage.sampling.samplers import all_samplers
from lineage.sampling.transactions import Transactions

pytestmark = [pytest.mark.kafka, pytest.mark.django_db]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """A broker of the test's own, to be ill-treated."""
    made = EmbeddedKafka(tmp_path / "own")
    made.start()
    yield made
    if made.pid is not None:
        os.kill(made.pid, signal.SIGCONT)
    made.stop()


def cluster_of(connection: Connection) -> Cluster:
    return Cluster.objects.create(name="c", bootstrap_servers=connection.bootstrap_servers)


def trade(connection: Connection, topic: str, source: str = "/writer") -> None:
    """Write a stamped record, then read and commit it as the group `g-<topic>`."""
    writer = Producer(connection.confluent(enable_idempotence=True))
    writer.produce(topic, b"v", headers={"ce_source": source})
    assert writer.flush(20) == 0
    reader = Consumer(
        connection.confluent(
            group_id=f"g-{topic}", auto_offset_reset="earliest", enable_auto_commit=False
        )
    )
    reader.subscribe([topic])
    assert reader.consume(1, 20)
    reader.commit(asynchronous=False)
    reader.close()


def edges(mark: str) -> set[tuple[str, str]]:
    return {
        (edge.source.name, edge.target.name)
        for edge in actions.list_edges()
        if mark in edge.source.name + edge.target.name
    }


def both(topic: str, source: str = "/writer") -> set[tuple[str, str]]:
    return {(source, topic), (topic, f"g-{topic}")}


class Before:
    """Does something just before a kind is sampled: the world moves on in mid-sample."""

    def __init__(self, sampler: object, happens: Callable[[], object]) -> None:
        self._sampler, self._happens = sampler, happens
        self.name: str = sampler.name  # type: ignore[attr-defined]
        self.permissions: tuple[str, ...] = ()

    def sample(self, view: View) -> Sample:
        self._happens()
        found: Sample = self._sampler.sample(view)  # type: ignore[attr-defined]
        return found


def _delete_group(connection: Connection, group: str) -> None:
    admin = AdminClient(connection.confluent())
    for future in admin.delete_consumer_groups([group]).values():
        future.result(10)


def _delete_topic(connection: Connection, topic: str) -> None:
    admin = AdminClient(connection.confluent())
    for future in admin.delete_topics([topic]).values():
        future.result(10)


@pytest.mark.parametrize("kind", ["offsets", "members", "commits"])
def test_a_group_that_goes_in_mid_sample_is_no_fault(kafka: Connection, kind: str) -> None:
    topic = f"t-{uuid4().hex[:8]}"
    create_topics(kafka, [NewTopic(topic)])
    trade(kafka, topic)
    samplers = [
        Before(it, lambda: _delete_group(kafka, f"g-{topic}")) if it.name == kind else it
        for it in all_samplers()
    ]

    def listed(view: View) -> bool:
        return any(it.name == f"g-{topic}" for it in view.listings)

    class Listing:
        """Sees the group while it is there."""

        name = "listing"
        permissions: tuple[str, ...] = ()

        def sample(self, view: View) -> Sample:
            assert listed(view)
            return Sample()

    with Watch(cluster_of(kafka), samplers=[Listing(), *samplers]) as watch:
        assert watch.sample().failed == {}
        assert not Sampling.objects.filter(message__contains=topic).exists()
        # the commit was seen, in the log if nowhere else
        assert edges(topic) >= {("/writer", topic)}
        assert edges(topic) <= both(topic)
        known = edges(topic)
    with Watch(watch.cluster) as again:
        again.sample()
    assert edges(topic) == known


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(it.name, marks=() if it.name in {"headers", "offsets"} else pytest.mark.faults)
        for it in all_samplers()
    ],
)
def test_a_topic_made_anew_in_mid_sample_invents_and_loses_nothing(
    kafka: Connection, kind: str
) -> None:
    topic = f"t-{uuid4().hex[:8]}"
    create_topics(kafka, [NewTopic(topic, 3)])
    trade(kafka, topic)
    cluster = cluster_of(kafka)
    with Watch(cluster) as watch:
        watch.sample()
    before = edges(topic)
    assert before == both(topic)

    def renew() -> None:
        _delete_topic(kafka, topic)
        time.sleep(0.2)
        create_topics(kafka, [NewTopic(topic, 1)])

    samplers = [Before(it, renew) if it.name == kind else it for it in all_samplers()]
    with Watch(cluster, samplers=samplers) as watch:
        assert watch.sample().failed == {}
        assert edges(topic) == before
        watch._samplers = list(all_samplers())
        writer = Producer(kafka.confluent())
        writer.produce(topic, b"v", headers={"ce_source": "/second"})
        assert writer.flush(10) == 0
        assert watch.sample().failed == {}
    assert edges(topic) == before | {("/second", topic)}


def test_what_a_refused_write_held_is_seen_again(
    kafka: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = f"t-{uuid4().hex[:8]}"
    create_topics(kafka, [NewTopic(topic)])
    trade(kafka, topic)

    def refuse(*_: object, **__: object) -> int:
        raise DatabaseError("the disk is full")

    with Watch(cluster_of(kafka)) as watch:
        with monkeypatch.context() as patched:
            patched.setattr(ledger, "record", refuse)
            with pytest.raises(DatabaseError):
                watch.sample()
        assert edges(topic) == set()
        watch.sample()
    assert edges(topic) == both(topic)


# kafka-python leaves the socket of a connection that was refused to the garbage collector
@pytest.mark.filterwarnings("ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.faults
@pytest.mark.parametrize("seconds", [4, 60])
@pytest.mark.parametrize("illness", ["hangs", "dies"])
def test_a_broker_away_loses_and_invents_nothing(
    own: EmbeddedKafka, client: Client, seconds: int, illness: str
) -> None:
    connection = own.connection
    create_topics(connection, [NewTopic("early", 1), NewTopic("late", 1)])
    trade(connection, "early")
    cluster = cluster_of(connection)
    with Watch(cluster, timeout=2.0) as watch:
        watch.sample()
        before = edges("")
        assert before == both("early")
        assert own.pid is not None
        os.kill(own.pid, signal.SIGSTOP if illness == "hangs" else signal.SIGKILL)
        gone = time.monotonic()
        while time.monotonic() - gone < seconds:
            asked = time.monotonic()
            with pytest.raises(BrokerError):
                watch.sample()
            assert time.monotonic() - asked < 8
            assert edges("") == before
            time.sleep(1)
        # pages are up and tell how old each kind of evidence is
        rows = client.get("/api/v1/lineage/samplings").json()["results"]
        assert len(rows) == len(all_samplers())
        assert all(row["succeeded_at"] < row["sampled_at"] and row["message"] for row in rows)
        for page in ("/", "/lineage"):
            answer = client.get(page, headers={"Accept": "text/html"})
            assert answer.status_code == 200
        shown = answer.content.decode().split("Age of the evidence")[1]
        assert all(f"<td>{row['kind']}</td>" in shown for row in rows)
        assert client.get("/health/ready").json()["status"] == "degraded"
        if illness == "hangs":
            os.kill(own.pid, signal.SIGCONT)
        else:
            own.stop()
            own.start()
        trade(connection, "late")
        deadline = time.monotonic() + 30
        while edges("") == before and time.monotonic() < deadline:
            try:
                watch.sample()
            except BrokerError:
                time.sleep(0.3)
        assert edges("") == before | both("late")
        cluster.refresh_from_db()
        assert cluster.state == "connected"


@pytest.mark.faults
@pytest.mark.filterwarnings("ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning")
def test_what_was_seen_before_it_went_is_kept(own: EmbeddedKafka) -> None:
    """A broker that dies between two kinds: the first one's evidence is not asked for again."""
    connection = own.connection
    create_topics(connection, [NewTopic("early", 1)])
    trade(connection, "early")
    pid = own.pid
    assert pid is not None
    samplers = [
        Before(it, lambda: os.kill(pid, signal.SIGKILL)) if isinstance(it, Transactions) else it
        for it in all_samplers()
    ]
    with Watch(cluster_of(connection), samplers=samplers, timeout=2.0) as watch:
        with pytest.raises(BrokerError):
            watch.sample()
        assert edges("") == both("early")
        assert Edge.objects.exists()
        rows = {row.kind: row.succeeded_at is not None for row in Sampling.objects.all()}
        assert rows["producers"]
        assert not rows["transactions"]
