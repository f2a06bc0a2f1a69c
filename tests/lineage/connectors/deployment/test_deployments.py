"""Deployments over REST, pages and commands, on a database alone, and Connect's ways to fail."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from catalog.actions import ensure_cluster
from lineage.connectors.actions import declare, describe_connector
from lineage.connectors.building import take_run
from lineage.connectors.deployment import watching
from lineage.connectors.deployment.client import ConnectCluster
from lineage.connectors.deployment.errors import (
    ConnectRefusedError,
    ConnectUnavailableError,
    DeploymentMissingError,
)
from lineage.connectors.deployment.models import Deployment
from lineage.connectors.models import Connector, Run
from lineage.connectors.worker import ConnectorsWorker
from registry.actions import Submission, register
from tests.ports import free_port

pytestmark = pytest.mark.django_db
DECLARED = {
    "name": "orders_pg",
    "topics": ["orders"],
    "target": "postgresql://me:hush@db/x",
    "table": "orders",
    "engine": "connect",
}
ORDER = {"type": "record", "name": "Order", "fields": [{"name": "id", "type": "string"}]}


@pytest.fixture
def declared() -> Connector:
    ensure_cluster("local", "127.0.0.1:1")
    declare(DECLARED)
    register("orders-value", Submission(json.dumps(ORDER)))
    return Connector.objects.get()


@pytest.fixture
def deployed(declared: Connector, settings: Any) -> Deployment:
    settings.KAFKA_CONNECT_URLS = [f"http://me:hush@127.0.0.1:{free_port()}"]
    return Deployment.objects.create(
        connector=declared,
        connect=settings.KAFKA_CONNECT_URLS[0].replace("me:hush@", ""),
        config={"connection.password": "${env:X}"},
        deployed_at=timezone.now(),
        state="RUNNING",
        task_states=[{"id": 0, "state": "RUNNING", "worker": "w:1", "trace": ""}],
        lag=3,
    )


def ask(client: Client, verb: str, body: Any = None) -> tuple[int, Any]:
    url = f"/api/v1/connectors/orders_pg/{verb}"
    if verb == "deployment":
        answer = client.get(url)
    else:
        answer = client.post(url, body or {}, content_type="application/json")
    return answer.status_code, answer.json()


def test_what_would_be_deployed_is_shown_before(client: Client, declared: Connector) -> None:
    status, told = ask(client, "deployment")
    assert status == 200
    assert (told["deployed"], told["engine"], told["state"]) == (False, "connect", None)
    assert told["refusals"] == []
    assert told["secrets"] == ["ORDERS_PG_PASSWORD"]
    assert "hush" not in json.dumps(told)
    view = client.get("/api/v1/connectors/orders_pg").json()
    assert (view["engine"], view["state"]) == ("connect", "stopped")
    assert "not deployed" in view["message"]


def test_a_deployed_copy_is_shown_like_our_own(client: Client, deployed: Deployment) -> None:
    view = client.get("/api/v1/connectors/orders_pg").json()
    assert (view["state"], view["lag"]) == ("live", 3)
    told = ask(client, "deployment")[1]
    assert told["tasks"][0]["state"] == "RUNNING"
    assert told["outdated"]
    page = client.get("/copies/orders_pg").content.decode()
    assert "insideout.connector.orders_pg" in page
    assert "at least once" in page
    assert 'action="/copies/orders_pg/undeploy"' in page
    assert 'action="/copies/orders_pg/regenerate"' not in page
    assert "hush" not in page
    assert "on Connect" in client.get("/copies").content.decode()


@pytest.mark.parametrize(
    ("state", "shown"),
    [("FAILED", "stopped"), ("MISSING", "stopped"), ("PAUSED", "paused"), ("UNKNOWN", "starting")],
)
def test_states_of_connect_in_our_words(deployed: Deployment, state: str, shown: str) -> None:
    Deployment.objects.update(state=state)
    assert describe_connector("orders_pg").state == shown


def test_one_engine_at_a_time(client: Client, deployed: Deployment) -> None:
    worker = ConnectorsWorker("w")
    worker._follow()
    assert not worker._copiers
    assert ask(client, "regenerate")[1]["type"] == "urn:insideout:kept-by-connect"
    # declared back, it is ours only when Connect has let go of it
    declare(DECLARED | {"engine": "own"})
    worker._follow()
    assert not worker._copiers
    assert "undeploy" in describe_connector("orders_pg").message
    Run.objects.create(connector=deployed.connector)
    assert take_run("w") is None
    deployed.delete()
    assert take_run("w") is not None
    worker._follow()
    assert len(worker._copiers) == 1
    worker._end()


def test_our_engines_copy_is_not_deployed(client: Client, declared: Connector) -> None:
    declare(DECLARED | {"engine": "own"})
    status, problem = ask(client, "deploy")
    assert (status, problem["type"]) == (409, "urn:insideout:engine-mismatch")


def test_no_connect_another_one_and_one_that_is_away(
    client: Client, declared: Connector, settings: Any
) -> None:
    settings.KAFKA_CONNECT_URLS = []
    assert ask(client, "deploy")[1]["type"] == "urn:insideout:connect-unset"
    settings.KAFKA_CONNECT_URLS = [f"http://me:hush@127.0.0.1:{free_port()}"]
    status, problem = ask(client, "deploy", {"connect": "elsewhere:8083"})
    assert (status, problem["type"]) == (409, "urn:insideout:connect-unset")
    status, problem = ask(client, "deploy")
    assert (status, problem["type"]) == (503, "urn:insideout:connect-unavailable")
    assert "hush" not in json.dumps(problem)
    assert not Deployment.objects.exists()
    assert ask(client, "undeploy")[1]["type"] == "urn:insideout:deployment-not-found"
    assert ask(client, "deploy", {"tasks": -1})[0] == 400
    with pytest.raises(CommandError, match="cannot be reached"):
        call_command("connect", "deploy", "orders_pg")
    page = client.post("/copies/orders_pg/deploy", follow=True)
    assert "cannot be reached" in page.content.decode()


def test_while_connect_is_away_the_copy_is_in_doubt(deployed: Deployment) -> None:
    watching.watch()
    view = describe_connector("orders_pg")
    assert view.state == "starting"
    assert "cannot be reached" in view.message


def test_the_command_renders(declared: Connector, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("connect", "render", "orders_pg")
    told = json.loads(capsys.readouterr().out)
    assert told["config"]["insert.mode"] == "upsert"
    with pytest.raises(CommandError, match="missing"):
        call_command("connect", "deploy")


def test_apicurios_converter_finds_a_schema(client: Client) -> None:
    address = {"type": "record", "name": "Address", "fields": [{"name": "city", "type": "string"}]}
    register("address", Submission(json.dumps(address)))
    order = ORDER | {"fields": [{"name": "to", "type": "Address"}]}
    from registry.identity import Reference

    made = register(
        "orders-value",
        Submission(json.dumps(order), references=(Reference("Address", "address", 1),)),
    )
    path = f"/apis/registry/v2/ids/contentIds/{made.schema.id}"
    answer = client.get(path)
    assert answer["X-Registry-ArtifactType"] == "AVRO"
    assert answer.json()["fields"][0]["type"]["name"] == "Address"
    assert client.get(f"{path}/references").json() == []
    assert client.get("/apis/registry/v2/ids/contentIds/999").status_code == 404


# -- how Connect fails ----------------------------------------------------------------------------
class Answers(BaseHTTPRequestHandler):
    """Answers as the path says: /STATUS, with a message."""

    def do_GET(self) -> None:
        status = int(self.path.split("/")[2].partition("?")[0].rpartition("-")[2] or 200)
        body = b"[]" if status == 206 else json.dumps({"message": "because"}).encode()
        body = b"<html>" if status == 203 else body
        self.send_response(status)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def connect() -> Iterator[ConnectCluster]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    yield ConnectCluster(f"http://me:hush@127.0.0.1:{server.server_port}/")
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, DeploymentMissingError),
        (409, ConnectUnavailableError),
        (503, ConnectUnavailableError),
        (400, ConnectRefusedError),
        (500, ConnectUnavailableError),
        (302, ConnectRefusedError),
        (203, ConnectUnavailableError),
        (206, ConnectRefusedError),
    ],
)
def test_each_failure_is_an_error_that_says_what_to_do(
    connect: ConnectCluster, status: int, error: type[Exception]
) -> None:
    with pytest.raises(error) as raised:
        connect.status(f"name-{status}")
    assert "hush" not in str(raised.value)


def test_a_connect_that_does_not_answer_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        one = ConnectCluster(f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=0.2)
        with pytest.raises(ConnectUnavailableError, match="did not answer"):
            one.plugins()


@pytest.mark.parametrize(
    ("trace", "restarted"),
    [
        ('x\nCaused by: o.p.PSQLException: ERROR: relation "orders" already exists', True),
        ('x\nCaused by: ERROR: column "gift" of relation "orders" already exists', True),
        ('duplicate key value violates unique constraint "pg_type_typname_nsp_index"', True),
        ('duplicate key value violates unique constraint "orders_pkey"', False),
        ("java.sql.SQLSyntaxErrorException: Duplicate column name 'gift'", True),
        (
            'Cannot invoke "S.schema()" because "data" is null\n\tat D.getCreateTableStatement',
            True,
        ),
        ('NullPointerException: because "data" is null\n\tat Dialect.getUpsertStatement', False),
        ("x\nCaused by: invalid byte sequence", False),
    ],
)
def test_a_task_that_failed_of_what_passes_is_restarted_once(
    deployed: Deployment, settings: Any, trace: str, restarted: bool
) -> None:
    failed = {"id": 0, "state": "FAILED", "worker_id": "w:1", "trace": trace}
    with answering({"connector": {"state": "RUNNING"}, "tasks": [failed]}) as (url, asked):
        settings.KAFKA_CONNECT_URLS = [url]
        Deployment.objects.update(connect=url)
        deployed.refresh_from_db()
        seen = watching.look(deployed)
        assert (seen.state == "RESTARTING") is restarted
        seen = watching.look(deployed)
        assert seen.state == "FAILED"
    restarts = [path for method, path in asked if method == "POST"]
    assert len(restarts) == int(restarted)


def test_one_task_alone_is_told(deployed: Deployment, settings: Any) -> None:
    status = {"connector": {"state": "RUNNING"}, "tasks": [{"id": 0, "state": "RUNNING"}]}
    with answering(status) as (url, asked):
        settings.KAFKA_CONNECT_URLS = [url]
        Deployment.objects.update(connect=url, alone=True, tasks=3)
        deployed.refresh_from_db()
        seen = watching.look(deployed)
    # nothing is known to be written, as Kafka is away: it stays alone
    assert (seen.alone, seen.state) == (True, "RUNNING")
    assert "up to 3 share it" in describe_connector("orders_pg").message
    assert all(method == "GET" for method, _ in asked)


@contextmanager
def answering(status: Any) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A Connect that answers this to all that it is asked; with what it was asked."""
    asked: list[tuple[str, str]] = []

    class Told(Answers):
        def do_GET(self) -> None:
            asked.append((self.command, self.path))
            body = json.dumps(status).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Told)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def test_the_deepest_cause_of_a_trace_is_told() -> None:
    trace = "a.B: first\n\tat x\nCaused by: c.D: second\n\tat y\n\t... 3 more\n"
    assert watching.cause(trace) == "c.D: second"
    assert watching.cause("") == ""
