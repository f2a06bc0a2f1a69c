"""Each sample tells the catalog whether the cluster answered; what is blind is told once."""

import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.test import Client
from django.utils import timezone

from broker.connection import Connection
from broker.errors import BrokerError
from catalog.actions import list_findings, note_reached, note_unreachable
from catalog.models import Cluster
from lineage.actions import find_blind_spots
from lineage.models import Sampling
from lineage.sampling import actions
from lineage.sampling.run import Watch


@pytest.fixture
def hung() -> Iterator[str]:
    """The address of one that takes connections and never answers, as a stopped broker does."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def _cluster(servers: str, state: str = "connected") -> Cluster:
    return Cluster.objects.create(
        name="c", bootstrap_servers=servers, state=state, reached_at=timezone.now()
    )


@pytest.mark.django_db
def test_a_hung_broker_is_noticed_soon(hung: str, client: Client) -> None:
    cluster = _cluster(hung)
    begun = time.monotonic()
    with Watch(cluster, timeout=1.0) as watch, pytest.raises(BrokerError):
        watch.sample()
    assert time.monotonic() - begun < 4
    (told,) = client.get("/api/v1/clusters").json()["results"]
    assert told["state"] == "unreachable"
    assert hung in told["message"]
    assert client.get("/health/ready").json()["status"] == "degraded"
    assert [(each.rule, each.subject.name) for each in list_findings()] == [("presence", "c")]
    assert find_blind_spots() == []


@pytest.mark.kafka
@pytest.mark.django_db
def test_a_sample_proves_that_the_cluster_is_back(kafka: Connection) -> None:
    cluster = _cluster(kafka.bootstrap_servers, "unreachable")
    note_unreachable(cluster, "gone")
    with Watch(cluster) as watch:
        watch.sample()
    cluster.refresh_from_db()
    assert (cluster.state, cluster.message) == ("connected", "")


@pytest.mark.django_db
def test_nothing_is_noted_of_addresses_that_were_left() -> None:
    cluster = _cluster("old:9092", "unknown")
    Cluster.objects.update(bootstrap_servers="new:9092")
    note_unreachable(cluster, "gone")
    note_reached(cluster)
    assert Cluster.objects.get().state == "unknown"


@pytest.mark.django_db
def test_one_finding_a_cause() -> None:
    now = timezone.now()
    cluster = _cluster("a:1")
    for kind, message in (("commits", "no"), ("headers", "no"), ("members", "?"), ("offsets", "")):
        Sampling.objects.create(
            cluster=cluster,
            kind=kind,
            message=message,
            sampled_at=now,
            succeeded_at=None if message == "?" else now - timedelta(seconds=30),
        )
    assert [(each.severity, each.subject.name, each.message) for each in find_blind_spots()] == [
        ("warning", "sampling of commits and headers", "no; last succeeded 30 s ago"),
        ("warning", "sampling of members", "?; never yet"),
    ]
    page = Client().get("/", headers={"Accept": "text/html"}).content.decode()
    assert page.count("sampling of ") == 2
    Cluster.objects.update(state="unreachable")
    assert find_blind_spots() == []


def test_the_sampler_asks_briefly_and_looks_again_soon(hung: str) -> None:
    """Within two periods, whether the broker went or came."""
    cluster = Cluster(pk=1, name="c", bootstrap_servers=hung)
    turn = actions._Turn(cluster, 5.0)
    with patch.object(Watch, "sample", side_effect=BrokerError("no")):
        begun = time.monotonic()
        for _ in range(5):
            turn.take(5.0, lambda _: None)
    assert turn.due - begun <= 10.5
    assert turn.watch._observer._timeout <= 5
