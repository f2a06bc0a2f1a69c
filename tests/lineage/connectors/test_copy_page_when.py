"""The page of a copy: what can be done about it now, and what it will do by itself, and when."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from catalog.actions import ensure_cluster
from lineage.connectors.actions import declare, find_connector, pause
from lineage.connectors.deployment.models import Deployment
from lineage.connectors.models import Connector

pytestmark = pytest.mark.django_db
DECLARED = {
    "name": "orders_copy",
    "topics": ["orders"],
    "target": "postgresql://me@db/x",
    "table": "orders",
}
PAUSE, RESUME = ">Pause</button>", ">Resume</button>"


def page(client: Client, **declared: object) -> str:
    ensure_cluster("local", "127.0.0.1:1")
    if declared or not Connector.objects.exists():
        declare({**DECLARED, **declared})
    answer = client.get("/copies/orders_copy", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    return answer.content.decode()


def test_only_what_kafka_connect_has_can_be_paused_there(client: Client) -> None:
    shown = page(client, engine="connect")
    assert PAUSE not in shown
    assert RESUME not in shown
    assert "then it can be paused and resumed" in shown
    Deployment.objects.create(
        connector=find_connector("orders_copy"),
        connect="c:1",
        config={},
        deployed_at=timezone.now(),
    )
    shown = page(client)
    assert PAUSE in shown
    assert "paused and resumed there within 10 s" in shown


def test_what_was_paused_before_it_was_deployed_can_be_resumed(client: Client) -> None:
    page(client, engine="connect")
    pause("orders_copy")
    assert RESUME in page(client)


def test_a_copy_of_ours_is_paused_as_before(client: Client) -> None:
    assert PAUSE in page(client)


def test_it_says_when_the_next_run_of_each_kind_is_due(client: Client) -> None:
    page(client, schedule={"regenerate": "0 3 * * 0", "audit": "1h"})
    connector = find_connector("orders_copy")
    began = datetime(2099, 5, 6, 12, 0, tzinfo=UTC)  # a Wednesday
    for kind in ("regenerate", "audit"):
        run = connector.runs.create(kind=kind, state="succeeded", worker="w")
        connector.runs.filter(pk=run.pk).update(started_at=began)
    shown = " ".join(re.sub(r"<[^>]+>", "", page(client)).split())
    assert "0 3 * * 0 next 2099-05-10 03:00:00 UTC" in shown
    assert "1h next 2099-05-06 13:00:00 UTC" in shown


def test_it_says_what_is_overdue_and_nothing_while_it_is_paused(client: Client) -> None:
    page(client, schedule={"audit": "1h"})
    Connector.objects.update(declared_at=timezone.now() - timedelta(days=1))
    assert "due since" in page(client)
    pause("orders_copy")
    assert "due since" not in page(client)
