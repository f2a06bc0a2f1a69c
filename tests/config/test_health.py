"""Ready means that a write is kept; Kafka's absence only degrades."""

import pytest
from django.db import connection
from django.test import Client

from catalog.models import Cluster

pytestmark = pytest.mark.django_db


def test_live_needs_nothing(client: Client) -> None:
    assert client.get("/health/live").json() == {"status": "live"}


def test_ready_when_writes_work(client: Client) -> None:
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "ready"
    assert body["checks"]["write"]["ok"]
    assert "no-store" in answer.headers["Cache-Control"]


def test_an_unreachable_kafka_degrades(client: Client) -> None:
    Cluster.objects.create(name="there", bootstrap_servers="k:9092", state="unreachable")
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


def test_unready_when_writes_fail(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE project_heartbeat RENAME TO project_heartbeat_gone")
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "unready")
    assert not answer.json()["checks"]["write"]["ok"]
