"""Logs are read back a little in each sample, each part once, however often we restart."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from confluent_kafka import Producer
from django.utils import timezone

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.observe import Chunk, Found, Observer, Partition
from catalog.models import Cluster
from lineage import actions
from lineage.sampling.history import History
from lineage.sampling.models import Cursor
from lineage.sampling.run import Watch
from tests.lineage.sampling.test_whole_sample import scenario

pytestmark = [pytest.mark.kafka, pytest.mark.django_db]
LONG_AGO = datetime(2024, 2, 1, tzinfo=UTC)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[Partition, int]]:
    """The positions from which chunks are fetched."""
    asked: list[Mapping[Partition, int]] = []
    original = Observer.chunks

    def chunks(
        self: Observer, positions: Mapping[Partition, int], **limits: int
    ) -> Found[dict[Partition, Chunk]]:
        asked.append(positions)
        return original(self, positions, **limits)

    monkeypatch.setattr(Observer, "chunks", chunks)
    return asked


def test_all_of_a_log_is_read_once(
    kafka: Connection, settings: Any, read: list[Mapping[Partition, int]]
) -> None:
    settings.HISTORY_BYTES = 128 * 1024
    cluster = Cluster.objects.create(name="c", bootstrap_servers=kafka.bootstrap_servers)
    with scenario(kafka) as it:
        topic = it.name("old")
        create_topics(kafka, [NewTopic(topic, 1, configs={"retention.ms": "-1"})])
        writers: list[Producer] = []
        # the early bird's batches lie far beyond the newest ones that each sample looks at
        for name in ("early-bird", "successor"):
            writers.append(it.producer(**{"enable.idempotence": True, "batch.num.messages": 5}))
            for number in range(60):
                writers[-1].produce(
                    topic,
                    b"x" * 10_000,
                    timestamp=int((LONG_AGO + timedelta(minutes=number)).timestamp() * 1000),
                    headers={"ce_source": it.name(name)},
                )
            writers[-1].flush(20)
        samples = 0
        while (
            not Cursor.objects.filter(topic=topic).exists()
            or Cursor.objects.get(topic=topic).next_offset
            < Cursor.objects.get(topic=topic).until_offset
        ):
            # a new process each time
            with Watch(cluster, samplers=[History()]) as watch:
                assert watch.sample().failed == {}
            samples += 1
            assert samples < 500
        positions = [asked[Partition(topic, 0)] for asked in read if Partition(topic, 0) in asked]
        assert len(positions) > 4
        assert sorted(set(positions)) == positions
        edges = {edge.source.name: edge for edge in actions.list_edges(target=topic)}
        assert edges.keys() == {it.name("early-bird"), it.name("successor")}
        first = edges[it.name("early-bird")]
        assert LONG_AGO <= first.first_seen < LONG_AGO + timedelta(minutes=10)
        assert not first.active
        known_then = actions.list_edges(target=topic, as_of=LONG_AGO + timedelta(minutes=10))
        assert len(known_then) == 2
        read.clear()
        with Watch(cluster, samplers=[History()]) as watch:
            watch.sample(timezone.now())
        assert [asked for asked in read if Partition(topic, 0) in asked] == []
