import pytest
from django.test import Client

from catalog.models import Claim, Cluster, Topic
from tests.lineage.derivations.test_claims import cluster

__all__ = ["cluster"]
pytestmark = pytest.mark.django_db
ACTOR = "/lineage/actor?kind=group&name=mail*1"


def test_an_actor_is_claimed_from_its_page_and_the_claim_undone(
    client: Client, cluster: Cluster
) -> None:
    page = client.get(ACTOR).content.decode()
    assert "Unrecognised group" in page
    assert "Claim for service" in page
    assert "mails" in page
    assert "<td>producer_id</td>" in page
    body = {"kind": "group", "name": "mail*1", "service": "mailing", "by": "Ada"}
    claimed = client.post("/lineage/claims", body, follow=True).content.decode()
    assert "Claimed for mailing." in claimed
    assert "by Ada" in claimed
    assert "Claim for service" not in claimed
    service = client.get("/services/mailing").content.decode()
    number = Claim.objects.get().pk
    assert f"/lineage/claims/{number}/withdraw" in service
    undone = client.post(f"/lineage/claims/{number}/withdraw", follow=True).content.decode()
    assert "No longer claimed for mailing." in undone
    assert "withdrawn" in undone


def test_what_is_refused_is_said_on_the_page(client: Client, cluster: Cluster) -> None:
    body = {"kind": "group", "name": "billing", "service": "mailing"}
    page = client.post("/lineage/claims", body, follow=True).content.decode()
    assert "is recognised as &#x27;billing&#x27; already" in page
    assert (
        client.get("/lineage/actor?kind=group&name=x", headers={"accept": "text/html"}).status_code
        == 404
    )


def test_a_topic_leads_to_its_unrecognised_actors(client: Client, cluster: Cluster) -> None:
    Topic.objects.create(cluster=cluster, name="orders")
    page = client.get("/topics/c/orders").content.decode()
    assert 'href="/lineage/actor?kind=group&amp;name=mail%2A1"' in page
