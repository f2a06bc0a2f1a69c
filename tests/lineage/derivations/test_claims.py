from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog.actions import apply
from catalog.declaration import read
from catalog.models import Claim, Cluster, Service
from lineage.ledger import Naming, Observation, record
from lineage.models import Edge, Evidence

pytestmark = pytest.mark.django_db
CLAIMS = "/api/v1/lineage/claims"
NOW = timezone.now()


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster.objects.create(name="c", bootstrap_servers="127.0.0.1:1")
    for name in ("mailing", "billing"):
        Service.objects.create(name=name, recognised_by={"groups": [name]})
    hour = timedelta(hours=1)
    record(
        made,
        [
            Observation("topic", "orders", "group", "mail*1", "member", NOW),
            Observation("producer_id", "3", "topic", "mails", "producer", NOW),
            Observation("producer_id", "8", "topic", "stock", "producer", NOW - 2 * hour),
            Observation("producer_id", "9", "topic", "stock", "producer", NOW),
            Observation("topic", "orders", "group", "billing", "member", NOW),
        ],
        NOW,
        names=[Naming(3, "group", "mail*1", "commit")],
    )
    return made


def post(client: Client, status: int = 201, **body: str) -> dict[str, Any]:
    answer = client.post(CLAIMS, body, content_type="application/json")
    assert answer.status_code == status, answer.content
    told: dict[str, Any] = answer.json()
    return told


def node(client: Client, kind: str, name: str) -> dict[str, Any]:
    answer = client.get("/api/v1/lineage/actor", {"kind": kind, "name": name})
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told


def test_a_claim_resolves_all_names_of_an_actor_and_is_undone(
    client: Client, cluster: Cluster
) -> None:
    raw = list(Edge.objects.values()), list(Evidence.objects.values())
    before = node(client, "group", "mail*1")
    assert before["node"]["kind"] == "actor"
    assert {(it["kind"], it["name"]) for it in before["names"]} == {
        ("group", "mail*1"),
        ("producer_id", "3"),
    }
    assert [it["target"]["name"] for it in before["writes"]] == ["mails"]
    assert [it["source"]["name"] for it in before["reads"]] == ["orders"]

    told = post(client, kind="group", name="mail*1", service="mailing", by="Ada")
    assert (told["claimed_by"], told["patterns"], told["end"]) == ("Ada", ["mail[*]1"], "")
    assert node(client, "group", "mail*1")["node"]["name"] == "mailing"
    written = client.get("/api/v1/lineage/edges", {"target": "topic:mails"}).json()["results"]
    assert [it["source"]["name"] for it in written] == ["mailing"]
    assert Service.objects.get(name="mailing").recognised_by["groups"] == ["mailing", "mail[*]1"]

    undone = client.delete(f"{CLAIMS}/{told['id']}?by=Bob").json()
    assert (undone["end"], undone["ended_by"]) == ("withdrawn", "Bob")
    assert node(client, "group", "mail*1")["node"]["kind"] == "actor"
    assert Service.objects.get(name="mailing").recognised_by == {"groups": ["mailing"]}
    assert client.get(CLAIMS).json()["count"] == 0
    assert client.get(CLAIMS, {"ended": "true"}).json()["count"] == 1
    assert client.delete(f"{CLAIMS}/{told['id']}").status_code == 404
    assert (list(Edge.objects.values()), list(Evidence.objects.values())) == raw


def test_an_unnamed_producer_is_claimed_with_those_it_followed(
    client: Client, cluster: Cluster
) -> None:
    told = post(client, kind="producer_id", name="9", service="billing")
    assert told["patterns"] == ["c/8", "c/9"]
    written = client.get("/api/v1/lineage/edges", {"target": "topic:stock"}).json()["results"]
    assert [it["source"]["name"] for it in written] == ["billing"]
    other = Cluster.objects.create(name="d", bootstrap_servers="127.0.0.1:1")
    record(other, [Observation("producer_id", "9", "topic", "elsewhere", "producer", NOW)], NOW)
    written = client.get("/api/v1/lineage/edges", {"target": "topic:elsewhere"}).json()["results"]
    assert [it["source"]["kind"] for it in written] == ["actor"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"kind": "group", "name": "none", "service": "mailing"}, 404, "actor-not-observed"),
        ({"kind": "group", "name": "mail*1", "service": "none"}, 404, "not-in-catalog"),
        ({"kind": "group", "name": "billing", "service": "mailing"}, 409, "claim-refused"),
        ({"kind": "topic", "name": "orders", "service": "mailing"}, 400, "invalid"),
        ({"kind": "group", "name": "mail*1"}, 400, "invalid"),
    ],
)
def test_refuses_what_cannot_be_claimed(
    client: Client, cluster: Cluster, body: dict[str, str], status: int, code: str
) -> None:
    assert post(client, status, **body)["type"] == f"urn:insideout:{code}"
    assert not Claim.objects.exists()


def declare(tmp_path: Path, text: str, *, dry_run: bool = False) -> list[str]:
    path = tmp_path / "catalog.yaml"
    path.write_text(text)
    return [
        f"{it.kind} {it.name}: {it.fields[0]}"
        for it in apply(read(path), dry_run=dry_run)
        if it.fields and it.fields[0].field in {"service", "recognised_by"}
    ]


MAILING = "services:\n  - name: mailing\n    recognised_by: {groups: [mailing]}\n"


def test_a_file_that_does_not_know_the_actor_keeps_the_claim(
    client: Client, cluster: Cluster, tmp_path: Path
) -> None:
    post(client, kind="group", name="mail*1", service="mailing")
    assert declare(tmp_path, MAILING) == []
    assert node(client, "group", "mail*1")["node"]["name"] == "mailing"
    assert Claim.objects.get().end == ""


def test_a_file_that_says_who_it_is_ends_the_claim_and_says_so(
    client: Client, cluster: Cluster, tmp_path: Path
) -> None:
    post(client, kind="group", name="mail*1", service="mailing")
    other = "services:\n  - name: billing\n    recognised_by: {groups: ['mail?1']}\n"
    told = "claim group mail*1: service mailing (claimed) → billing (declared)"
    assert told in declare(tmp_path, other, dry_run=True)
    assert Claim.objects.get().end == ""
    assert told in declare(tmp_path, other)
    assert Claim.objects.get().end == "superseded"
    assert node(client, "group", "mail*1")["node"]["name"] == "billing"
    assert Service.objects.get(name="mailing").recognised_by == {"groups": ["mailing"]}


def test_a_file_that_agrees_takes_the_claim_over(
    client: Client, cluster: Cluster, tmp_path: Path
) -> None:
    number = post(client, kind="group", name="mail*1", service="mailing")["id"]
    declare(tmp_path, MAILING.replace("[mailing]", "[mailing, 'mail[*]1']"))
    assert Claim.objects.get().end == "declared"
    assert client.delete(f"{CLAIMS}/{number}").status_code == 404
    assert node(client, "group", "mail*1")["node"]["name"] == "mailing"
