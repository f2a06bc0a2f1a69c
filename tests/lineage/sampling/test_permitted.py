"""What entries amount to: denials come first, prefixes and hosts are told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import Cluster
from lineage.sampling.models import Permission
from lineage.sampling.permitted import list_permissions

pytestmark = pytest.mark.django_db


@pytest.fixture
def cluster() -> Cluster:
    return Cluster.objects.create(name="c", bootstrap_servers="x:1")


def entry(
    cluster: Cluster,
    topic: str,
    *,
    principal: str = "User:a",
    operation: str = "read",
    allowed: bool = True,
    pattern: str = "literal",
) -> None:
    Permission.objects.create(
        cluster=cluster, principal=principal, host="*", operation=operation, allowed=allowed,
        pattern=pattern, topic=topic, first_seen=timezone.now() - timedelta(minutes=1),
    )  # fmt: skip


def told(topic: str | None = None) -> list[tuple[str, str, str, tuple[str, ...]]]:
    return [
        (it.principal, it.operation, it.topic, it.denied) for it in list_permissions(topic=topic)
    ]


def test_all_is_reading_and_writing(cluster: Cluster) -> None:
    entry(cluster, "orders", operation="all")
    assert [it[1] for it in told("orders")] == ["read", "write"]
    assert told("other") == []


def test_a_prefix_covers_what_begins_so(cluster: Cluster) -> None:
    entry(cluster, "orders.", pattern="prefixed")
    assert len(told("orders.eu")) == 1
    assert told("orders") == []


def test_a_denial_comes_first(cluster: Cluster) -> None:
    entry(cluster, "*")
    entry(cluster, "secret", allowed=False)
    entry(cluster, "secret", principal="User:b")
    assert told() == [
        ("User:a", "read", "*", ("secret",)),
        ("User:b", "read", "secret", ()),
    ]
    assert [it[0] for it in told("secret")] == ["User:b"]
    entry(cluster, "*", principal="User:*", allowed=False)
    assert told() == []
