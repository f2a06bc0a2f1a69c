"""A small estate with everything that is emitted: services, an actor, a copy and its runs."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from catalog.models import BoundedContext, Cluster, Service, Topic
from lineage.connectors.actions import declare
from lineage.connectors.models import Connector, Generation, Run
from lineage.ledger import Observation, record
from lineage.models import FieldFlow

SCHEMA = {
    "type": "record",
    "name": "Order",
    "fields": [
        {"name": "id", "type": "string"},
        {
            "name": "customer",
            "type": {
                "type": "record",
                "name": "Customer",
                "fields": [{"name": "name", "type": "string"}],
            },
        },
    ],
}
SERVICES = {
    "orders": {"groups": ["orders-*"], "transactional_ids": ["orders-*"]},
    "billing": {"groups": ["billing"], "transactional_ids": ["billing-*"]},
}


class Kept:
    """A destination that keeps what it is told."""

    name = "kept"

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def send(self, event: Any) -> None:
        self.events.append(json.loads(json.dumps(event)))

    def close(self) -> None:
        pass


def make_estate(client: Client, now: datetime | None = None) -> Cluster:
    now = now or timezone.now()
    cluster = Cluster.objects.create(name="local", bootstrap_servers="broker.example:9092")
    sales = BoundedContext.objects.create(name="sales", owner="team:sales")
    for name, patterns in SERVICES.items():
        Service.objects.create(
            name=name,
            context=sales,
            description=f"Does {name}.",
            owner=f"team:{name}",
            recognised_by=patterns,
        )
    Topic.objects.create(
        cluster=cluster,
        name="orders",
        context=sales,
        description="Every order.",
        writer=Service.objects.get(name="orders"),
    )
    answer = client.post(
        "/subjects/orders-value/versions",
        json.dumps({"schema": json.dumps(SCHEMA)}),
        content_type="application/json",
    )
    assert answer.status_code == 200, answer.content
    declare({
        "name": "orders_copy",
        "topics": ["orders"],
        "target": "postgresql://writer:s3cret@db.example/shop",
        "table": "orders",
        "cluster": "local",
    })
    _observe(cluster, now)
    _build(now)
    FieldFlow.objects.create(
        cluster=cluster,
        source_kind="topic",
        source_name="orders",
        source_field="id",
        target_kind="topic",
        target_name="invoices",
        target_field="order_id",
        kind="inferred",
        transformation="DIRECT/IDENTITY",
        inferred=True,
        first_seen=now,
        last_seen=now,
    )
    return cluster


def _observe(cluster: Cluster, now: datetime) -> None:
    day = timedelta(days=1)
    record(
        cluster,
        [
            Observation("transactional_id", "orders-1", "topic", "orders", "transaction", now),
            Observation("topic", "payments", "group", "orders-in", "offset", now - day),
            Observation("topic", "orders", "group", "billing", "member", now),
            Observation("transactional_id", "billing-1", "topic", "invoices", "producer", now),
            Observation("topic", "orders", "group", "unknown-reader", "member", now),
            Observation("topic", "orders", "copy", "orders_copy", "connector", now),
            Observation("producer_id", "4711", "topic", "payments", "batch", now - 2 * day),
        ],
        now,
    )


def _build(now: datetime) -> None:
    connector = Connector.objects.get(name="orders_copy")
    made = Generation.objects.create(
        connector=connector, number=1, state="live", table="orders", rows=7, digest="ab"
    )
    for state, message in (("succeeded", ""), ("failed", "the target is full"), ("cancelled", "")):
        run = Run.objects.create(
            connector=connector, generation=made, state=state, message=message, finished_at=now
        )
        Run.objects.filter(pk=run.pk).update(started_at=now - timedelta(minutes=3))
