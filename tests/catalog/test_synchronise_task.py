"""The scheduled synchronisation."""

from datetime import timedelta

import pytest
from django.utils import timezone

from broker.connection import Connection
from catalog.actions import ensure_cluster
from catalog.models import Cluster
from catalog.tasks import synchronise
from tests.ports import free_port

pytestmark = pytest.mark.django_db


@pytest.mark.kafka
def test_one_silent_cluster_does_not_keep_the_others_waiting(kafka: Connection) -> None:
    ensure_cluster("a", f"127.0.0.1:{free_port()}")
    ensure_cluster("b", kafka.bootstrap_servers)
    synchronise()
    states = Cluster.objects.order_by("name").values_list("state", "busy_until")
    assert list(states) == [("unreachable", None), ("connected", None)]


def test_a_cluster_that_another_worker_has_is_left_alone() -> None:
    cluster = ensure_cluster("a", "")
    busy = timezone.now() + timedelta(minutes=1)
    Cluster.objects.update(busy_until=busy)
    synchronise()
    cluster.refresh_from_db()
    assert (cluster.state, cluster.busy_until) == ("unknown", busy)


def test_a_worker_that_died_frees_its_cluster_in_time() -> None:
    cluster = ensure_cluster("a", "")
    Cluster.objects.update(busy_until=timezone.now() - timedelta(seconds=1))
    synchronise()
    cluster.refresh_from_db()
    assert (cluster.state, cluster.busy_until) == ("unreachable", None)


def test_jobs_that_waited_too_long_are_dropped() -> None:
    assert synchronise.expires == 30
