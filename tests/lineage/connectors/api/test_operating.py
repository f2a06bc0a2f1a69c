"""Connectors declared, forgotten, rolled back and mended over REST."""

from typing import Any

import pytest
from django.test import Client

from catalog.actions import ensure_cluster
from lineage.connectors.actions import declare, faults_of, find_connector
from lineage.connectors.copying import note_generation
from lineage.connectors.models import Connector, Run
from lineage.connectors.sinks.contract import Live

pytestmark = pytest.mark.django_db
PATH = "/api/v1/connectors/orders_copy"
DECLARED = {
    "topics": ["orders"],
    "target": "postgresql://me:${COPIES_PASSWORD}@db/x",
    "table": "orders",
}


@pytest.fixture(autouse=True)
def _cluster() -> None:
    ensure_cluster("local", "127.0.0.1:1")


def put(client: Client, body: Any, path: str = PATH) -> tuple[int, Any]:
    answer = client.put(path, body, content_type="application/json")
    return answer.status_code, answer.json()


def post(client: Client, path: str, body: Any = None) -> tuple[int, Any]:
    answer = client.post(f"{PATH}/{path}", body or {}, content_type="application/json")
    return answer.status_code, answer.json()


def test_put_creates_then_changes_nothing_then_what_is_declared_otherwise(client: Client) -> None:
    status, made = put(client, DECLARED)
    assert (status, made["action"], made["changes"]) == (201, "created", [])
    assert made["connector"] == client.get(PATH).json()
    assert made["connector"]["state"] == "starting"
    assert put(client, DECLARED | {"name": "orders_copy"})[1]["action"] == "unchanged"
    status, changed = put(client, DECLARED | {"table": "orders2"})
    assert (status, changed["action"]) == (200, "changed")
    assert {"field": "table", "before": "orders", "after": "orders2"} in changed["changes"]
    assert changed["connector"]["state"] == "stopped"
    assert "regenerate" in changed["connector"]["message"]


@pytest.mark.parametrize(
    "target",
    [
        "postgresql://me:hush@db/x",
        "postgresql://me:hush${COPIES_PASSWORD}@db/x",
        "postgresql://me@db/x?password=hush",
        "postgresql://me:pa@ss@db/x",
    ],
)
def test_a_password_is_refused_and_how_to_do_it_is_said(client: Client, target: str) -> None:
    status, problem = put(client, DECLARED | {"target": target})
    assert (status, problem["type"]) == (422, "urn:insideout:connector-definition-invalid")
    assert "${NAME}" in problem["detail"]
    assert "hush" not in str(problem)
    assert "pa@ss" not in str(problem)
    assert not Connector.objects.exists()


@pytest.mark.parametrize(
    "target",
    [
        "${COPIES_URL}",
        "sqlite:////srv/copy.sqlite3",
        "postgresql://db:5432/x",
        "postgresql://me@db:5432/x?sslmode=require",
        "postgresql://${COPIES_USER}:${COPIES_PASSWORD}@db/x?sslpassword=${COPIES_KEY}",
    ],
)
def test_a_target_without_a_password_is_taken(client: Client, target: str) -> None:
    assert put(client, DECLARED | {"target": target})[0] == 201


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "LOCAL_KMS_SECRET"])
def test_the_products_own_secrets_go_to_nobodys_database(client: Client, name: str) -> None:
    target = f"postgresql://me:${{{name}}}@elsewhere/x"
    status, problem = put(client, DECLARED | {"target": target})
    assert status == 422
    assert f"{name} is a setting of the product itself" in problem["detail"]


def test_another_name_than_the_addresss_is_refused(client: Client) -> None:
    assert put(client, DECLARED | {"name": "other"})[0] == 422
    assert put(client, [1])[0] == 400
    assert put(client, DECLARED, "/api/v1/connectors/a%20b")[0] == 422


def test_every_fault_is_told_at_once() -> None:
    faults = faults_of({
        "name": "x y",
        "topics": ["a", "a"],
        "target": "ftp://me",
        "table": "1",
        "mode": "odd",
        "colour": "red",
        "context": "nowhere",
    })
    assert {fault.key for fault in faults} == {
        "colour", "name", "topics", "target", "table", "mode", "context"
    }  # fmt: skip
    assert faults_of({"name": "good", **DECLARED}) == []


def test_delete_forgets_unless_a_run_is_in_progress(client: Client) -> None:
    put(client, DECLARED)
    _, run = post(client, "regenerate")
    assert client.delete(PATH).status_code == 409
    client.post(f"/api/v1/runs/{run['id']}/cancel")
    assert client.delete(PATH).status_code == 204
    assert client.get(PATH).status_code == 404
    assert client.delete(PATH).status_code == 404
    assert not Run.objects.exists()


def test_a_rollback_needs_a_generation_that_is_kept(client: Client) -> None:
    put(client, DECLARED)
    connector = find_connector("orders_copy")
    note_generation(connector, Live(1, "orders", None))
    status, problem = post(client, "rollback")
    assert (status, problem["type"]) == (409, "urn:insideout:nothing-retired")
    note_generation(connector, Live(2, "orders", None))
    status, run = post(client, "rollback")
    assert (status, run["kind"], run["state"]) == (202, "rollback", "running")
    status, problem = post(client, "regenerate")
    assert status == 409
    assert "rollback" in problem["detail"]
    # it is no regeneration, and the copy goes on
    assert client.get(PATH).json()["state"] == "live"


def test_a_replay_takes_what_is_in_quarantine(client: Client) -> None:
    put(client, DECLARED)
    assert post(client, "quarantine/replay")[0] == 404
    connector = find_connector("orders_copy")
    for offset in (3, 4):
        connector.quarantine.create(topic="orders", partition=0, offset=offset, reason="odd")
    place = {"topic": "orders", "partition": 0, "offset": 4}
    status, problem = post(client, "quarantine/replay", {"records": [place | {"offset": 9}]})
    assert (status, problem["type"]) == (404, "urn:insideout:quarantine-missing")
    assert post(client, "quarantine/replay", {"records": [{"topic": "orders"}]})[0] == 400
    # misspelt: all would be tried again
    assert post(client, "quarantine/replay", {"record": [place]})[0] == 400
    status, run = post(client, "quarantine/replay", {"records": [place]})
    assert (status, run["kind"]) == (202, "replay")
    assert Run.objects.get(pk=run["id"]).arguments == {"records": [["orders", 0, 4]]}


def test_what_stopped_it_comes_with_what_to_do(client: Client) -> None:
    put(client, DECLARED)
    Connector.objects.update(state="stopped", trouble="offset-gone", message="gone: regenerate")
    shown = client.get(PATH).json()
    assert shown["trouble"] == "offset-gone"
    assert "retention" in shown["remedy"]
    post(client, "resume")
    shown = client.get(PATH).json()
    assert (shown["trouble"], shown["remedy"]) == ("", "")


def test_a_catalog_file_may_still_hold_what_it_held() -> None:
    declare({"name": "filed", **DECLARED, "target": "postgresql://me:hush@db/x"})
    assert find_connector("filed").target == "postgresql://me:hush@db/x"
