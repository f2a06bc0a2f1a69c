"""The scenario of the reference with real clients: every edge found, none invented."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer, ShareConsumer, TopicPartition
from django.utils import timezone

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.observe import Observer
from catalog.models import BoundedContext, Cluster, Service
from lineage import actions
from lineage.models import Evidence, Sampling
from lineage.sampling.producers import Producers
from lineage.sampling.run import Watch
from lineage.sampling.sampler import View
from lineage.sampling.samplers import all_samplers

pytestmark = [pytest.mark.kafka, pytest.mark.django_db]


class Scenario:
    """Clients on topics of their own, each with the names of one service."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.mark = uuid4().hex[:8]
        self.servers = connection.bootstrap_servers
        self.open: list[object] = []
        create_topics(
            connection,
            [NewTopic(self.name(it), 3) for it in ("orders", "invoices", "audit", "shipments")],
        )

    def name(self, base: str) -> str:
        return f"{base}-{self.mark}"

    def producer(self, **settings: object) -> Producer:
        return Producer({"bootstrap.servers": self.servers, "log_level": 2, **settings})

    def consumer(self, group: str, **settings: object) -> Consumer:
        made = Consumer({
            "bootstrap.servers": self.servers,
            "group.id": self.name(group),
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "log_level": 2,
            **settings,
        })
        self.open.append(made)
        return made

    def await_records(self, consumer: Consumer, count: int = 1) -> list[object]:
        found: list[object] = []
        deadline = time.monotonic() + 20
        while len(found) < count and time.monotonic() < deadline:
            found += consumer.consume(count, 0.3)
        assert len(found) >= count
        return found

    def write(self, topic: str, producer: Producer, count: int = 12, **extra: Any) -> None:
        for number in range(count):
            producer.produce(self.name(topic), str(number), partition=number % 3, **extra)
        assert producer.flush(20) == 0

    def transact(self) -> Producer:
        """Consume orders, produce invoices, commit both at once."""
        consumer = self.consumer("billing", **{"client.id": "billing"})
        consumer.subscribe([self.name("orders")])
        messages = self.await_records(consumer, 12)
        producer = self.producer(**{"transactional.id": self.name("billing-tx-1")})
        producer.init_transactions(20)
        producer.begin_transaction()
        for message in messages:
            producer.produce(self.name("invoices"), message.value(), message.key())  # type: ignore[attr-defined]
        producer.send_offsets_to_transaction(
            consumer.position(consumer.assignment()), consumer.consumer_group_metadata(), 20
        )
        producer.commit_transaction(20)
        return producer

    def close(self) -> None:
        for consumer in self.open:
            consumer.close()  # type: ignore[attr-defined]


@contextmanager
def scenario(connection: Connection) -> Iterator[Scenario]:
    made = Scenario(connection)
    try:
        yield made
    finally:
        made.close()


def cluster_of(connection: Connection) -> Cluster:
    return Cluster.objects.create(name="c", bootstrap_servers=connection.bootstrap_servers)


def edges_of(mark: str) -> dict[tuple[str, str], set[str]]:
    """Edges of one scenario, without its mark: (source key, target key) -> kinds of evidence."""
    return {
        (edge.source.key.replace(f"-{mark}", ""), edge.target.key.replace(f"-{mark}", "")): {
            proof.kind for proof in edge.evidence
        }
        for edge in actions.list_edges()
        if mark in edge.source.name or mark in edge.target.name
    }


def test_a_first_record_behind_the_end_is_told_with_what_it_says(kafka: Connection) -> None:
    """Else its writer is shown without the name that its record bears, for one sample."""
    cluster = cluster_of(kafka)
    memory: dict[str, Any] = {}
    with scenario(kafka) as it, Observer(kafka) as observer:
        for expected in (0, 1):
            view = View(cluster, observer, timezone.now(), memory)
            assert set(view.ends.items.values()) >= {0}
            if not expected:
                it.write("orders", it.producer(**{"enable.idempotence": True}))
            found = Producers().sample(view).observations
            assert len([one for one in found if one.target_name == it.name("orders")]) == expected


def test_finds_every_edge_and_invents_none(kafka: Connection) -> None:
    with scenario(kafka) as it, Watch(cluster_of(kafka), connection=kafka) as watch:
        it.write(
            "orders",
            it.producer(**{"enable.idempotence": True}),
            headers={"ce_source": it.name("order-service")},
        )
        it.write("audit", it.producer())
        it.write("shipments", it.producer(**{"enable.idempotence": True}))
        it.transact()
        classic = it.consumer("classic")
        classic.subscribe([it.name("invoices")])
        modern = it.consumer("modern", **{"group.protocol": "consumer"})
        modern.subscribe([it.name("orders")])
        it.await_records(classic)
        it.await_records(modern)
        ghost = it.consumer("ghost")
        ghost.assign([TopicPartition(it.name("orders"), 0, 0)])
        it.await_records(ghost)
        simple = it.consumer("simple")
        simple.assign([TopicPartition(it.name("audit"), 0, 0)])
        it.await_records(simple)
        simple.commit(asynchronous=False)
        first = watch.sample()
        second = watch.sample()
        assert first.failed == {}
        assert second.failed == {}
        found = edges_of(it.mark)
        anonymous = [pair for pair in found if pair[0].startswith("producer_id:")]
        assert len(anonymous) == 1
        assert found.pop(anonymous[0]) == {"producer", "batch"}
        assert anonymous[0][1] == "topic:shipments"
        assert found == {
            ("source:order-service", "topic:orders"): {"producer", "batch", "header"},
            ("topic:orders", "group:billing"): {"member", "offset", "commit"},
            # one actor: the group's commits bear the producer id of the transactional id
            ("group:billing", "topic:invoices"): {"producer", "batch", "transaction_log"},
            ("topic:invoices", "group:classic"): {"member"},
            ("topic:orders", "group:modern"): {"member"},
            ("topic:audit", "group:simple"): {"offset", "commit"},
        }


def test_shows_services_where_the_catalog_recognises_one_of_their_names(kafka: Connection) -> None:
    with scenario(kafka) as it, Watch(cluster_of(kafka), connection=kafka) as watch:
        context = BoundedContext.objects.create(name="money")
        Service.objects.create(
            name="billing",
            context=context,
            recognised_by={"transactional_ids": [it.name("billing-tx-*")]},
        )
        Service.objects.filter(name="billing").update(
            recognised_by={"transactional_ids": [f"billing-tx-1-{it.mark}"]}
        )
        it.write("orders", it.producer(**{"enable.idempotence": True}))
        it.transact()
        watch.sample()
        edges = actions.list_edges(source="service:billing")
        assert [(edge.target.name, edge.source.context) for edge in edges] == [
            (it.name("invoices"), "money")
        ]
        # recognised by its transactional id alone, and seen reading by its group
        readers = actions.list_edges(source=it.name("orders"))
        assert [edge.target.key for edge in readers] == ["service:billing"]


def test_names_a_bare_producer_later_for_its_past_too(kafka: Connection) -> None:
    with scenario(kafka) as it, Watch(cluster_of(kafka), connection=kafka) as watch:
        producer = it.producer(**{"enable.idempotence": True})
        it.write("orders", producer)
        watch.sample()
        assert [pair[0].split(":")[0] for pair in edges_of(it.mark)] == ["producer_id"]
        it.write("orders", producer, headers={"ce_source": it.name("late")})
        watch.sample()
        assert list(edges_of(it.mark)) == [("source:late", "topic:orders")]


def test_sees_a_share_group(kafka: Connection) -> None:
    with scenario(kafka) as it, Watch(cluster_of(kafka), connection=kafka) as watch:
        it.write("orders", it.producer())
        reader = ShareConsumer({
            "bootstrap.servers": it.servers,
            "group.id": it.name("sharers"),
            "log_level": 2,
        })
        it.open.append(reader)
        reader.subscribe([it.name("orders")])
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            reader.poll(0.2)
            watch.sample()
            if edges_of(it.mark):
                break
        assert edges_of(it.mark) == {("topic:orders", "group:sharers"): {"member"}}


def test_an_offset_that_stands_still_is_not_seen_again(kafka: Connection) -> None:
    cluster = cluster_of(kafka)
    with scenario(kafka) as it:
        it.write("orders", it.producer())
        simple = it.consumer("simple")
        simple.assign([TopicPartition(it.name("orders"), 0, 0)])
        it.await_records(simple)
        simple.commit(asynchronous=False)
        begin = timezone.now()
        with Watch(cluster, connection=kafka) as watch:
            watch.sample(begin)
            watch.sample(begin + timedelta(seconds=30))
        # a new process knows from the ledger where the offset stood
        with Watch(cluster, connection=kafka) as again:
            again.sample(begin + timedelta(seconds=40))
        seen = Evidence.objects.get(kind="offset", edge__source_name=it.name("orders"))
        assert (seen.first_seen, seen.last_seen) == (begin, begin)


def test_a_cluster_that_is_away_loses_nothing_and_says_so(kafka: Connection) -> None:
    from broker.errors import BrokerUnavailableError
    from tests.ports import free_port

    cluster = cluster_of(kafka)
    with scenario(kafka) as it:
        it.write("orders", it.producer(**{"enable.idempotence": True}))
        with Watch(cluster, connection=kafka) as watch:
            watch.sample()
        before = edges_of(it.mark)
        assert before
        away = Connection(f"127.0.0.1:{free_port()}")
        with Watch(cluster, connection=away, timeout=1.0) as watch:
            begun = time.monotonic()
            with pytest.raises(BrokerUnavailableError):
                watch.sample()
            assert time.monotonic() - begun < 5
        assert edges_of(it.mark) == before
        rows = {row.kind: row for row in Sampling.objects.all()}
        assert set(rows) == {sampler.name for sampler in all_samplers()}
        assert all(row.message and row.succeeded_at for row in rows.values())
