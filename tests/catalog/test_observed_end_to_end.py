"""The verdict from the ledger's own evidence, as lineage's witness tells it."""

import pytest
from django.utils import timezone

from catalog.actions import describe_topic, ensure_cluster
from catalog.models import Service, Topic
from lineage.ledger import Observation, record

pytestmark = pytest.mark.django_db


def test_the_ledgers_evidence_is_judged() -> None:
    cluster = ensure_cluster("local", "unused:1")
    writer = Service.objects.create(
        name="orders", recognised_by={"transactional_ids": ["orders-*"]}
    )
    topic = Topic.objects.create(
        cluster=cluster, name="orders", writer=writer, synchronised_at=timezone.now()
    )
    now = timezone.now()

    def wrote(name: str) -> None:
        record(
            cluster,
            [Observation("transactional_id", name, "topic", "orders", "transaction", now)],
            now,
        )

    assert describe_topic(topic).writer.verdict == "unverified"
    wrote("orders-1")
    assert describe_topic(topic).writer.verdict == "verified"
    wrote("intruder")
    view = describe_topic(topic)
    assert view.writer.verdict == "violated"
    assert view.writer.reasons[0].startswith("the unrecognised transactional id intruder wrote it")
    assert set(view.writer.observed) == {"orders", "intruder"}
