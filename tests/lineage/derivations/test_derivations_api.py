from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import BoundedContext, Cluster, Service, Topic
from lineage.ledger import Naming, Observation, record

pytestmark = pytest.mark.django_db
DERIVATIONS = "/api/v1/lineage/derivations"


@pytest.fixture
def cluster() -> Cluster:
    """billing writes in transactions; mailing reads and writes; a Streams app enriches."""
    for context in ("sales", "money", "post"):
        BoundedContext.objects.create(name=context)
    made = Cluster.objects.create(name="c", bootstrap_servers="127.0.0.1:1")
    for topic, context in (("orders", "sales"), ("invoices", "money"), ("mails", "post")):
        Topic.objects.create(
            cluster=made, name=topic, context=BoundedContext.objects.get(name=context)
        )
    Service.objects.create(
        name="billing",
        context=BoundedContext.objects.get(name="money"),
        recognised_by={"transactional_ids": ["billing-tx-*"]},
    )
    Service.objects.create(
        name="mailing",
        context=BoundedContext.objects.get(name="post"),
        recognised_by={"groups": ["mailing"], "client_ids": ["mailing"]},
    )
    now = timezone.now()
    changelog = "enricher-store-changelog"
    record(
        made,
        [
            Observation("topic", "orders", "group", "g-billing", "commit", now),
            Observation("topic", "rates", "group", "g-billing", "offset", now),
            Observation("producer_id", "3", "topic", "invoices", "producer", now),
            Observation("topic", "invoices", "group", "mailing", "member", now),
            Observation("client_id", "mailing", "topic", "mails", "telemetry", now),
            Observation("topic", "invoices", "copy", "invoices_pg", "connector", now),
            Observation("topic", "orders", "group", "enricher", "topology", now),
            Observation("group", "enricher", "topic", changelog, "topology", now),
        ],
        now,
        names=[
            Naming(3, "group", "g-billing", "commit"),
            Naming(3, "transactional_id", "billing-tx-1", "transaction"),
        ],
    )
    return made


def found(client: Client, **query: str) -> list[dict[str, Any]]:
    answer = client.get(DERIVATIONS, query)
    assert answer.status_code == 200, answer.content
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def test_one_producer_id_ties_what_it_commits_to_what_it_writes(
    client: Client, cluster: Cluster
) -> None:
    (one,) = found(client, view="topic:invoices")
    assert one["deriver"]["name"] == "billing"
    assert one["certainty"] == "certain"
    certainty = {it["node"]["name"]: it["certainty"] for it in one["inputs"]}
    assert certainty == {"orders": "certain", "rates": "likely"}
    (orders,) = [it for it in one["inputs"] if it["node"]["name"] == "orders"]
    assert orders["because"] == "producer 3 writes it and commits the offsets of g-billing"
    assert orders["evidence"][0]["kind"] == "commit"
    assert one["evidence"][0]["kind"] == "producer"
    assert one["crosses"] == [{"source": "sales", "target": "money"}]


def test_reading_and_writing_without_a_tie_is_likely(client: Client, cluster: Cluster) -> None:
    (one,) = found(client, service="mailing")
    assert (one["view"]["name"], one["certainty"]) == ("mails", "likely")
    assert one["confidence"] < 0.5


def test_copies_and_changelogs_are_certain(client: Client, cluster: Cluster) -> None:
    (copy,) = found(client, view="copy:invoices_pg")
    assert (copy["deriver"]["kind"], copy["certainty"]) == ("copy", "certain")
    (changelog,) = found(client, service="enricher")
    assert changelog["view"]["name"] == "enricher-store-changelog"
    assert changelog["deriver"]["known_by"] == "group"
    assert changelog["certainty"] == "certain"
    assert changelog["inputs"][0]["because"] == (
        "a topology of the Streams application enricher joins them"
    )


def test_chains_are_followed(client: Client, cluster: Cluster) -> None:
    upstream = found(client, view="mails", depth="5")
    assert [(it["view"]["name"], it["distance"]) for it in upstream] == [
        ("mails", 1),
        ("invoices", 2),
    ]
    downstream = {it["view"]["name"] for it in found(client, stream="orders", depth="5")}
    assert downstream == {"invoices", "invoices_pg", "mails", "enricher-store-changelog"}
    direct = {it["view"]["name"] for it in found(client, stream="orders")}
    assert direct == {"invoices", "enricher-store-changelog"}


def test_the_past_and_the_unknown_have_none(client: Client, cluster: Cluster) -> None:
    before = (timezone.now() - timedelta(days=1)).isoformat()
    assert found(client, as_of=before) == []
    assert found(client, view="nothing") == []
    assert client.get(DERIVATIONS, {"cluster": "x"}).status_code == 404
    assert client.get(DERIVATIONS, {"as_of": "soon"}).status_code == 400
    assert client.get(DERIVATIONS, {"depth": "0"}).status_code == 400
