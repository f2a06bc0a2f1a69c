from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import Cluster, Topic
from tests.lineage.derivations.test_fields_api import ORDER, avro, cluster

__all__ = ["cluster"]
pytestmark = pytest.mark.django_db


def test_a_topic_tells_who_derives_it_and_from_what(client: Client, cluster: Cluster) -> None:
    Topic.objects.create(cluster=cluster, name="invoices")
    page = client.get("/topics/c/invoices").content.decode()
    assert "Derived by" in page
    assert "<strong>billing</strong>" in page
    assert "<strong>orders</strong>" in page
    assert "invoices_pg" in page
    assert "/lineage/impact?of=topic%3Ainvoices" in page
    assert "same name" in page
    assert "inferred" in page
    before = (timezone.now() - timedelta(days=1)).isoformat()
    assert "Derived by" not in client.get("/topics/c/invoices", {"as_of": before}).content.decode()


def test_a_copy_and_a_service_tell_theirs(client: Client, cluster: Cluster) -> None:
    copy = client.get("/copies/orders_pg").content.decode()
    assert "Derived by its connector from" in copy
    assert "flattened" in copy
    assert "Derives" in client.get("/services/billing").content.decode()


def test_the_page_of_impact_asks_and_answers(client: Client, cluster: Cluster) -> None:
    assert "Show what it reaches" in client.get("/lineage/impact").content.decode()
    page = client.get("/lineage/impact", {"of": "topic:orders", "field": "amount"})
    assert "orders_pg" in page.content.decode()
    assert "Whom to ask" in page.content.decode()
    assert "nothing observed" in client.get("/lineage/impact", {"of": "x"}).content.decode()
    assert "is no instant" in client.get("/lineage/impact", {"as_of": "soon"}).content.decode()
    candidate = avro("Order", [*ORDER, {"name": "must", "type": "string"}]).text
    judged = client.post("/lineage/impact", {"of": "topic:orders", "schema": candidate})
    assert judged.status_code == 200
    assert "breaking" in judged.content.decode()
    assert client.post("/lineage/impact", {"of": "orders", "schema": "{"}).status_code == 400


def test_a_subject_leads_to_its_impact(client: Client, cluster: Cluster) -> None:
    page = client.get("/registry/subjects/orders-value").content.decode()
    assert "/lineage/impact?subject=orders-value&amp;version=1" in page
