"""A small estate for the questions: three contexts, an intruder, orphans of all sorts, a loop."""

from datetime import datetime, timedelta

from django.utils import timezone

from catalog.models import BoundedContext, Cluster, Service, Topic
from lineage.ledger import Naming, Observation, record
from lineage.models import Sampling

CONTEXTS = {"orders": "sales", "payments": "finance", "mail": "notices"}
DAY = timedelta(days=1)


def build(now: datetime | None = None) -> Cluster:
    """Declare and observe it: a day ago `left` still read, and `newcomer` did not."""
    now = now or timezone.now()
    cluster = Cluster.objects.create(name="main", bootstrap_servers="127.0.0.1:1")
    for service, context in CONTEXTS.items():
        Service.objects.create(
            name=service,
            context=BoundedContext.objects.create(name=context),
            recognised_by={"groups": [f"{service}-*"], "transactional_ids": [f"{service}-*"]},
        )
    for topic, writer in {"ordered": "orders", "paid": "payments", "unused": "orders"}.items():
        owner = Service.objects.get(name=writer)
        Topic.objects.create(
            cluster=cluster,
            name=topic,
            context=owner.context,
            writer=owner,
            declared=True,
            synchronised_at=now,
            first_seen_at=now - 9 * DAY,
        )
    for topic in ("silent", "fresh", "app-state-changelog"):
        Topic.objects.create(
            cluster=cluster,
            name=topic,
            synchronised_at=now,
            first_seen_at=now + DAY if topic == "fresh" else now - 9 * DAY,
        )
    Topic.objects.filter(name="fresh").update(first_seen_at=now)
    Sampling.objects.create(
        cluster=cluster, kind="members", sampled_at=now, succeeded_at=now - timedelta(seconds=1)
    )
    _observe(cluster, now)
    return cluster


def _observe(cluster: Cluster, now: datetime) -> None:
    told = {"client_ids": ["payments-1"], "hosts": ["/10.0.0.7"]}
    record(
        cluster,
        [
            Observation("transactional_id", "orders-tx", "topic", "ordered", "transaction", now),
            Observation("topic", "ordered", "group", "payments-g", "member", now, told),
            Observation("transactional_id", "payments-tx", "topic", "paid", "producer", now),
            Observation("transactional_id", "intruder-tx", "topic", "paid", "producer", now),
            Observation("topic", "paid", "group", "mail-g", "member", now),
            Observation("topic", "paid", "group", "orders-g", "member", now),
            Observation("topic", "ordered", "copy", "orders_pg", "connector", now),
            Observation("topic", "ordered", "group", "newcomer", "member", now),
            Observation("topic", "ordered", "group", "left", "member", now - DAY),
            Observation("transactional_id", "orders-tx", "topic", "unused", "producer", now),
            Observation("topic", "silent", "group", "left", "member", now - DAY),
            Observation("group", "app", "topic", "app-state-changelog", "topology", now),
        ],
        now,
        names=[Naming(7, "transactional_id", "payments-tx", "transaction")],
    )
