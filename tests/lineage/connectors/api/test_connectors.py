"""Connectors and runs over REST, and from a catalog file."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from catalog.actions import apply, ensure_cluster
from catalog.declaration import read
from catalog.errors import DeclarationInvalidError
from lineage.connectors.actions import declare
from lineage.connectors.copying import note_generation
from lineage.connectors.models import Connector, Run
from lineage.connectors.sinks.contract import Live

pytestmark = pytest.mark.django_db
DECLARED = {
    "name": "orders_copy",
    "topics": ["orders"],
    "target": "postgresql://me:hush@db/x",
    "table": "orders",
}


@pytest.fixture(autouse=True)
def _declared() -> None:
    ensure_cluster("local", "127.0.0.1:1")
    declare(DECLARED)


def post(client: Client, path: str) -> tuple[int, Any]:
    answer = client.post(f"/api/v1/{path}")
    return answer.status_code, answer.json()


def test_the_list_shows_state_and_hides_credentials(client: Client) -> None:
    listed = client.get("/api/v1/connectors").json()
    assert listed["count"] == 1
    (one,) = listed["results"]
    assert (one["name"], one["topics"], one["state"]) == ("orders_copy", ["orders"], "starting")
    assert one["target"] == "postgresql://me:•••@db/x"
    assert one["lag"] is None
    assert client.get("/api/v1/connectors/orders_copy").json() == one


def test_a_run_at_a_time(client: Client) -> None:
    status, run = post(client, "connectors/orders_copy/regenerate")
    assert (status, run["state"], run["phase"]) == (202, "running", "waiting")
    status, problem = post(client, "connectors/orders_copy/regenerate")
    assert (status, problem["type"]) == (409, "urn:insideout:run-in-progress")
    assert client.get("/api/v1/connectors/orders_copy").json()["state"] == "regenerating"
    assert client.get(f"/api/v1/runs/{run['id']}").json()["id"] == run["id"]


def test_a_waiting_run_is_cancelled_at_once_a_running_one_is_asked(client: Client) -> None:
    _, run = post(client, "connectors/orders_copy/regenerate")
    assert post(client, f"runs/{run['id']}/cancel")[1]["state"] == "cancelled"
    _, run = post(client, "connectors/orders_copy/regenerate")
    Run.objects.filter(pk=run["id"]).update(worker="busy")
    assert post(client, f"runs/{run['id']}/cancel")[1]["state"] == "running"
    assert Run.objects.get(pk=run["id"]).cancel_requested


def test_runs_are_listed_newest_first_and_filtered(client: Client) -> None:
    _, first = post(client, "connectors/orders_copy/regenerate")
    post(client, f"runs/{first['id']}/cancel")
    declare(DECLARED | {"name": "other"})
    _, second = post(client, "connectors/other/regenerate")

    def listed(query: str = "") -> list[str]:
        answer = client.get(f"/api/v1/runs{query}").json()
        assert answer["count"] == len(answer["results"])
        return [run["id"] for run in answer["results"]]

    assert listed() == [second["id"], first["id"]]
    assert listed("?connector=orders_copy") == [first["id"]]
    assert listed("?state=running") == [second["id"]]
    assert listed("?connector=orders_copy&state=running") == []
    assert client.get("/api/v1/runs?state=odd").status_code == 400
    assert client.get("/api/v1/runs?limit=1").json()["next"]


def test_a_run_tells_the_rows_of_what_it_made_live_and_no_other(client: Client) -> None:
    connector = Connector.objects.get()
    made = connector.generations.create(number=1, state="live", table="orders", rows=400)
    for state, rows in (("failed", None), ("succeeded", 400)):
        run = connector.runs.create(state=state, generation=made, phase="swap", done=1, total=1)
        shown = client.get(f"/api/v1/runs/{run.pk}").json()
        assert (shown["done"], shown["total"], shown["rows"]) == (1, 1, rows)


def test_generations_with_offsets_and_which_tables_are_left(client: Client) -> None:
    connector = Connector.objects.get()
    for number in (1, 2, 3):
        note_generation(connector, Live(number, "orders", None))
    connector.generations.filter(number=3).update(
        rows=7, digest="7:abc", from_offsets={"orders/0": 0}, to_offsets={"orders/0": 9}
    )
    answer = client.get("/api/v1/connectors/orders_copy/generations").json()
    assert answer["count"] == 3
    assert [
        (it["number"], it["state"], it["table"], it["table_exists"]) for it in answer["results"]
    ] == [
        (3, "live", "orders", True),
        (2, "retired", "orders__g2", True),
        (1, "retired", "orders__g1", False),
    ]
    live, _, first = answer["results"]
    assert (live["rows"], live["digest"]) == (7, "7:abc")
    assert (live["from_offsets"], live["to_offsets"]) == ({"orders/0": 0}, {"orders/0": 9})
    assert first["retired_at"]
    assert first["dropped_at"]
    page = client.get("/copies/orders_copy", headers={"Accept": "text/html"}).content.decode()
    assert page.count(">dropped</span>") == 1
    assert client.get("/api/v1/connectors/none/generations").status_code == 404


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_what_has_ended_cannot_be_cancelled(client: Client, state: str) -> None:
    _, run = post(client, "connectors/orders_copy/regenerate")
    Run.objects.filter(pk=run["id"]).update(state=state)
    status, problem = post(client, f"runs/{run['id']}/cancel")
    assert (status, problem["type"]) == (409, "urn:insideout:run-ended")
    assert state in problem["detail"]
    assert not Run.objects.get(pk=run["id"]).cancel_requested
    page = client.post(f"/runs/{run['id']}/cancel", follow=True, headers={"Accept": "text/html"})
    assert "has ended already" in page.content.decode()


def test_pause_and_resume(client: Client) -> None:
    assert post(client, "connectors/orders_copy/pause")[1]["state"] == "paused"
    assert post(client, "connectors/orders_copy/resume")[1]["state"] == "starting"


def test_live_is_only_what_has_a_generation_and_is_copied(client: Client) -> None:
    connector = Connector.objects.get()
    connector.generations.create(number=1, state="live", table="orders")
    assert client.get("/api/v1/connectors/orders_copy").json()["state"] == "live"
    Connector.objects.update(retrying=True, message="no answer (trying again)")
    shown = client.get("/api/v1/connectors/orders_copy").json()
    assert (shown["state"], shown["message"]) == ("starting", "no answer (trying again)")


def test_the_target_is_shown_as_far_as_it_is_known(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(DECLARED | {"name": "other", "target": "${COPIES_AT}"})
    assert client.get("/api/v1/connectors/other").json()["target"] == "${COPIES_AT}"
    monkeypatch.setenv("COPIES_AT", "postgresql://io:hush@127.0.0.1:5433/copies?sslpassword=hush")
    answer = client.get("/api/v1/connectors/other")
    shown = "postgresql://io:•••@127.0.0.1:5433/copies?sslpassword=•••"
    assert answer.json()["target"] == shown
    page = client.get("/copies/other", headers={"Accept": "text/html"})
    for text in (answer.content.decode(), page.content.decode()):
        assert "hush" not in text


def test_what_is_not_there(client: Client) -> None:
    assert client.get("/api/v1/connectors/none").status_code == 404
    assert client.get(f"/api/v1/runs/{uuid.uuid4()}").status_code == 404
    assert client.get("/api/v1/connectors/orders_copy/quarantine").json()["count"] == 0


def test_a_catalog_file_with_a_target_of_no_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "catalog.yaml"
    file.write_text(
        "connectors:\n- name: two\n  topics: [orders]\n"
        "  target: oracle://me:hush@x\n  table: orders\n"
    )
    with pytest.raises(DeclarationInvalidError) as refused:
        apply(read(file))
    said = str(refused.value)
    assert f"{file}:4: " in said
    assert "'oracle'; known are sqlite, sqlite3, postgresql, postgres" in said
    assert "hush" not in said
    assert not Connector.objects.filter(name="two").exists()


def test_a_catalog_file_declares_and_is_idempotent(tmp_path: Path) -> None:
    file = tmp_path / "catalog.yaml"
    file.write_text(
        "connectors:\n- name: two\n  topics: [orders]\n"
        "  target: sqlite:////srv/x.db\n  table: orders\n"
    )
    assert [change.action for change in apply(read(file))] == ["created"]
    assert [change.action for change in apply(read(file))] == ["unchanged"]
    file.write_text(file.read_text().replace("table: orders", "table: orders2"))
    assert [change.action for change in apply(read(file))] == ["changed"]
    assert Connector.objects.get(name="two").state == "stopped"
