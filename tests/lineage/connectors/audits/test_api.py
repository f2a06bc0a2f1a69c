"""Audits and repairs over REST, without a worker."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog.actions import ensure_cluster
from lineage.connectors.actions import declare
from lineage.connectors.audits.models import Audit, Divergence
from lineage.connectors.models import Connector, Run

pytestmark = pytest.mark.django_db
HERE = "/api/v1/connectors/orders_copy"


@pytest.fixture(autouse=True)
def _declared() -> None:
    ensure_cluster("local", "127.0.0.1:1")
    declare({
        "name": "orders_copy",
        "topics": ["orders"],
        "target": "sqlite:////srv/x.db",
        "table": "orders",
    })


def post(client: Client, path: str) -> tuple[int, Any]:
    answer = client.post(f"{HERE}/{path}")
    return answer.status_code, answer.json()


@pytest.mark.parametrize("kind", ["audit", "repair"])
def test_a_run_is_asked_for_one_at_a_time(client: Client, kind: str) -> None:
    status, run = post(client, kind)
    assert (status, run["kind"], run["state"], run["phase"]) == (202, kind, "running", "waiting")
    status, problem = post(client, "audit")
    assert (status, problem["type"]) == (409, "urn:insideout:run-in-progress")
    assert kind in problem["detail"]
    assert client.get(HERE).json()["state"] != "regenerating"
    page = client.get(f"/runs/{run['id']}", headers={"Accept": "text/html"}).content.decode()
    for phase in ("hash copy", "read log", "compare"):
        assert phase in page
    assert ("verify" in page) is (kind == "repair")


def test_audits_with_their_divergences_page_by_page(client: Client) -> None:
    connector = Connector.objects.get()
    now = timezone.now()
    audits = [
        Audit.objects.create(
            connector=connector, state=state, changed=3, to_offsets={"orders/0": 9}, finished_at=now
        )
        for state in ("passed", "diverged")
    ]
    for number in range(3):
        Divergence.objects.create(
            connector=connector,
            first_seen=audits[1],
            last_seen=audits[1],
            key_hash=str(number),
            key=f"k{number}",
            kind="changed",
            columns=["n"],
            expected={"n": number},
            found={"n": -1},
        )
    listed = client.get(f"{HERE}/audits").json()
    assert [it["state"] for it in listed["results"]] == ["diverged", "passed"]
    assert listed["results"][0]["differing"] == 3
    one = client.get(f"{HERE}/audits/{audits[1].pk}?limit=2").json()
    assert one["audit"]["to_offsets"] == {"orders/0": 9}
    assert (one["count"], [it["key"] for it in one["divergences"]]) == (3, ["k0", "k1"])
    assert one["divergences"][0]["expected"] == {"n": 0}
    assert one["divergences"][0]["open"] is True
    assert [it["key"] for it in client.get(one["next"]).json()["divergences"]] == ["k2"]
    assert client.get(f"{HERE}/audits/{audits[0].pk}").json()["count"] == 0
    findings = client.get("/api/v1/findings?rule=diverged-copy").json()["results"]
    assert [it["subject"]["name"] for it in findings] == ["orders_copy"]
    page = client.get("/findings?rule=diverged-copy", headers={"Accept": "text/html"})
    assert 'href="/copies/orders_copy"' in page.content.decode()


def test_what_is_not_there(client: Client) -> None:
    missing = client.get(f"{HERE}/audits/{uuid.uuid4()}")
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:insideout:audit-not-found")
    assert client.get("/api/v1/connectors/none/audits").status_code == 404
    assert client.post("/api/v1/connectors/none/audit").status_code == 404
    page = client.get("/copies/orders_copy", headers={"Accept": "text/html"}).content.decode()
    assert "No audit yet" in page


def test_buttons_start_runs_and_show_the_one_in_progress(client: Client) -> None:
    first = client.post("/copies/orders_copy/audit", headers={"Accept": "text/html"})
    run = Run.objects.get()
    assert first.headers["Location"] == f"/runs/{run.pk}"
    again = client.post("/copies/orders_copy/repair", follow=True, headers={"Accept": "text/html"})
    assert again.redirect_chain[-1][0] == f"/runs/{run.pk}"
    assert "in progress already" in again.content.decode()
