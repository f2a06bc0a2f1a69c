"""A copy handed to a real Kafka Connect and back: it equals the fold of the log throughout."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.test import Client

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.produce import RecordWriter
from catalog.actions import ensure_cluster
from catalog.models import Cluster
from lineage import actions as lineage
from lineage.connectors.actions import declare, describe_connector, regenerate
from lineage.connectors.definition import check
from lineage.connectors.deployment import watching
from lineage.connectors.deployment.actions import find_deployment
from lineage.connectors.deployment.client import ConnectCluster
from lineage.connectors.deployment.errors import ConnectUnavailableError
from lineage.connectors.deployment.jdbc import jdbc_target
from lineage.connectors.deployment.rendering import Workers, render
from lineage.connectors.deployment.schemas import shape_of
from lineage.connectors.models import Quarantine
from lineage.sampling.run import Watch
from registry.actions import Submission, register
from tests.lineage.connectors.deployment.connect_worker import connect_worker
from tests.lineage.connectors.orders import (
    ORDER,
    WIDER_ORDER,
    Orders,
    copied,
    encode,
    query,
)
from tests.lineage.connectors.scene import carried_out

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.postgres,
    pytest.mark.faults,
    pytest.mark.timeout(900),
    pytest.mark.django_db(transaction=True),
]
SECRET = "COPIES_PASSWORD"


def eventually(condition: Callable[[], object], seconds: float = 240.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.3)


class Scene:
    """A topic of orders, a worker, and a copy that is declared now for one, now for the other."""

    def __init__(self, kafka: Connection, target: str, worker: str) -> None:
        self.worker = worker
        self.topic = f"orders-{uuid.uuid4().hex[:8]}"
        self.name = f"copy-{self.topic}"
        self.target = target
        create_topics(kafka, [NewTopic(self.topic, 3, 1, {})])
        self.schema = register(f"{self.topic}-value", Submission(json.dumps(ORDER))).schema.id
        self.writer = RecordWriter(kafka)
        self.orders = Orders(self.writer, self.topic, self.schema)
        self.cluster: Cluster = ensure_cluster("local", kafka.bootstrap_servers)
        self.client = Client()
        parts = urlsplit(target)
        hidden = parts.netloc.replace(f":{parts.password}@", f":${{{SECRET}}}@")
        self.declared = {
            "name": self.name,
            "topics": [self.topic],
            "target": parts._replace(netloc=hidden).geturl(),
            "table": "orders",
        }

    def post(self, verb: str, **body: Any) -> Any:
        answer = self.client.post(
            f"/api/v1/connectors/{self.name}/{verb}", body, content_type="application/json"
        )
        return answer.status_code, answer.json()

    def deploy(self) -> Any:
        """Deploy; our own worker is let go of by Kafka within ten seconds."""
        said: list[Any] = []

        def accepted() -> bool:
            said.append(self.post("deploy"))
            return said[-1][0] not in {409, 503}

        eventually(accepted, 30)
        assert said[-1][0] == 200, said[-1]
        return said[-1][1]

    def rebuild(self) -> None:
        run = carried_out(regenerate(self.name))
        assert run.state == "succeeded", run.message

    def equal(self) -> bool:
        return copied(self.target) == self.orders.fold

    def look(self) -> Any:
        return watching.look(find_deployment(self.name))

    def looks(self, state: str, lag: int | None = None) -> Callable[[], bool]:
        return lambda: self.look().state == state and lag in {None, self.look().lag}

    def edges(self) -> list[Any]:
        return [edge for edge in lineage.list_edges() if edge.source.key == f"topic:{self.topic}"]


@pytest.fixture
def scene(
    kafka: Connection,
    tmp_path: Path,
    postgres_target: str,
    live_server: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    password = urlsplit(postgres_target).password or ""
    monkeypatch.setenv(SECRET, password)
    with connect_worker(kafka.bootstrap_servers, tmp_path, {SECRET: password}) as (url, _):
        settings.KAFKA_CONNECT_URLS = [url]
        settings.KAFKA_CONNECT_REGISTRY_URL = live_server.url
        yield Scene(kafka, postgres_target, url)


def test_several_tasks_into_a_table_that_is_not_there_yet(scene: Scene) -> None:
    """One makes the table, then all share it; a column that all bring at once stops none."""
    declare(scene.declared | {"engine": "connect"})
    scene.orders.write(3000)
    status, told = scene.post("deploy", tasks=3)
    assert status == 200, told
    assert told["config"]["tasks.max"] == "3"
    config = f"{scene.worker}/connectors/{told['name']}/config"
    # a worker that is still joining its group answers with an error
    eventually(lambda: requests.get(config, timeout=10).json().get("tasks.max") == "1", 60)
    assert find_deployment(scene.name).alone
    eventually(lambda: not scene.look().alone)
    assert not scene.client.get(f"/api/v1/connectors/{scene.name}/deployment").json()["outdated"]
    eventually(lambda: [it["state"] for it in scene.look().task_states] == ["RUNNING"] * 3)
    eventually(scene.equal)
    _a_column_that_all_bring_at_once(scene)
    # raised later, or again the same: no task stops for it
    assert scene.post("deploy", tasks=3)[0] == 200
    assert not scene.look().alone
    eventually(lambda: scene.post("undeploy")[0] == 200)


def _a_column_that_all_bring_at_once(scene: Scene) -> None:
    wider = register(f"{scene.topic}-value", Submission(json.dumps(WIDER_ORDER))).schema.id
    for number in range(300):
        value = {"amount": number, "note": None, "at": 1_700_000_000_000, "gift": True}
        key = f"gift-{number}"
        scene.writer.write(scene.topic, key.encode(), encode(WIDER_ORDER, wider, value))
        scene.orders.fold[key] = (number, None)
    scene.writer.flush()
    eventually(lambda: scene.look().state in {"RUNNING", "RESTARTING"} and scene.equal(), 400)
    (given,) = query(scene.target, "SELECT count(*) FROM orders WHERE gift")
    assert given == (300,)


def test_handed_over_watched_and_taken_back(scene: Scene) -> None:
    _our_own_first(scene)
    _then_connect(scene)
    _other_shapes(scene)
    _seen_in_lineage_once(scene)
    _paused_and_resumed(scene)
    _into_another_table(scene)
    _stopped_by_a_record_that_the_database_refuses(scene)
    _and_back(scene)


def _our_own_first(scene: Scene) -> None:
    declare(scene.declared)
    scene.orders.write(3000)
    assert scene.post("deploy")[1]["type"] == "urn:insideout:engine-mismatch"
    scene.rebuild()
    assert scene.equal()


def _then_connect(scene: Scene) -> None:
    declare(scene.declared | {"engine": "connect"})
    told = scene.deploy()
    password = urlsplit(scene.target).password or "?"
    assert password not in json.dumps(told)
    assert told["config"]["connection.password"] == f"${{env:{SECRET}}}"
    assert told["secrets"] == [SECRET]
    config = f"{scene.worker}/connectors/{told['name']}/config"
    eventually(lambda: requests.get(config, timeout=10).json() == told["config"])
    assert scene.deploy()["config"] == told["config"]
    assert scene.post("regenerate")[1]["type"] == "urn:insideout:kept-by-connect"
    scene.writer.write(scene.topic, b"o-unreadable", b"no frame at all")
    scene.orders.write(2000)
    eventually(scene.equal)
    # instants stay instants in a table that our own engine made
    (at,) = query(scene.target, "SELECT DISTINCT pg_typeof(at)::text FROM orders")
    assert at == ("timestamp with time zone",)
    eventually(scene.looks("RUNNING", 0))
    view = describe_connector(scene.name)
    assert (view.engine, view.state, view.lag) == ("connect", "live", 0)


def _other_shapes(scene: Scene) -> None:
    """Events by their place in the log; renamed, dropped, constant columns; tables made there."""
    connect = ConnectCluster(scene.worker)
    written = scene.orders.written
    log = scene.declared | {"name": f"{scene.name}-log", "table": "orders_log", "mode": "events"}
    shaped = scene.declared | {"name": f"{scene.name}-shaped", "table": "Shaped"}
    columns = {"remark": {"from": "note"}, "at": "drop", "source": {"constant": "shop"}}
    for declared, extra in ((log, {}), (shaped, {"columns": columns})):
        definition = check(declared | extra)
        target = jdbc_target(
            definition.name, definition.target, lambda text: text.replace(f"${{{SECRET}}}", "x")
        )
        workers = Workers(_registry(scene), converters=connect.plugins())
        made = render(definition, declared | extra, target, shape_of(definition), workers)
        assert made.refusals == []
        assert connect.validate(made.config) == {}
        eventually(partial(_is_put, connect, made.config))
    name = f"insideout.connector.{scene.name}-shaped"
    eventually(lambda: _count(scene, "Shaped") > 0 or _failed(scene, name))
    chosen = 'SELECT record_key, amount, remark, source FROM "Shaped"'
    eventually(
        lambda: {row[0]: row[1:3] for row in query(scene.target, chosen)} == scene.orders.fold
    )
    assert {row[3] for row in query(scene.target, chosen)} == {"shop"}
    assert len(query(scene.target, 'SELECT * FROM "Shaped" LIMIT 1')[0]) == 4
    values = "SELECT count(*), count(DISTINCT (kafka_partition, kafka_offset)) FROM orders_log"
    eventually(lambda: written * 0.8 < query(scene.target, values)[0][0])
    count, places = query(scene.target, values)[0]
    assert count == places
    for name in (f"{scene.name}-log", f"{scene.name}-shaped"):
        requests.delete(f"{scene.worker}/connectors/insideout.connector.{name}", timeout=30)


def _is_put(connect: ConnectCluster, config: dict[str, str]) -> bool:
    try:
        connect.put(config["name"], config)
    except ConnectUnavailableError:
        return False
    return True


def _failed(scene: Scene, name: str) -> bool:
    told = requests.get(f"{scene.worker}/connectors/{name}/status", timeout=30).text
    if "getCreateTableStatement" in told:
        # the first record was a deletion; the watch restarts what it deployed, which this is not
        restart = f"{scene.worker}/connectors/{name}/restart?includeTasks=true"
        requests.post(restart, timeout=30)
        return False
    assert "FAILED" not in told, told
    return False


def _registry(scene: Scene) -> str:
    config = find_deployment(scene.name).config
    return str(config["value.converter.apicurio.registry.url"]).removesuffix("/apis/registry/v2")


def _count(scene: Scene, table: str) -> int:
    there = query(scene.target, f"SELECT to_regclass('\"{table}\"') IS NOT NULL")[0][0]
    return int(query(scene.target, f'SELECT count(*) FROM "{table}"')[0][0]) if there else 0


def _seen_in_lineage_once(scene: Scene) -> None:
    with Watch(scene.cluster) as watch:
        watch.sample()
    scene.look()
    to_copy = [edge for edge in scene.edges() if edge.target.key == f"copy:{scene.name}"]
    (edge,) = to_copy
    assert {proof.kind for proof in edge.evidence} >= {"connect", "connector", "member"}


def _paused_and_resumed(scene: Scene) -> None:
    scene.post("pause")
    eventually(scene.looks("PAUSED"))
    assert describe_connector(scene.name).state == "paused"
    scene.post("resume")
    eventually(scene.looks("RUNNING"))


def _into_another_table(scene: Scene) -> None:
    """The whole log goes into it, though the group had read it to its end."""
    declare(scene.declared | {"engine": "connect", "table": "moved"})
    told = scene.client.get(f"/api/v1/connectors/{scene.name}/deployment").json()
    assert told["outdated"]
    assert not scene.deploy()["outdated"]
    eventually(lambda: copied(scene.target, "moved") == scene.orders.fold)
    declare(scene.declared | {"engine": "connect"})
    scene.deploy()
    eventually(scene.looks("RUNNING", 0))
    eventually(scene.equal)


def _stopped_by_a_record_that_the_database_refuses(scene: Scene) -> None:
    scene.writer.write(
        scene.topic,
        b"o-nul",
        encode(ORDER, scene.schema, {"amount": 1, "note": "a\x00b", "at": 1_700_000_000_000}),
    )
    scene.writer.flush()
    eventually(scene.looks("FAILED"))
    view = describe_connector(scene.name)
    assert view.state == "stopped"
    assert "0x00" in view.message
    told = scene.client.get(f"/api/v1/connectors/{scene.name}/deployment").json()
    assert "java" in told["tasks"][0]["trace"] + "".join(it["trace"] for it in told["tasks"])
    eventually(lambda: scene.post("deployment/restart")[0] == 200)


def _and_back(scene: Scene) -> None:
    declare(scene.declared)
    assert "undeploy" in describe_connector(scene.name).message
    assert scene.post("regenerate")[1]["type"] == "urn:insideout:kept-by-connect"
    eventually(lambda: scene.post("undeploy")[0] == 200)
    assert not scene.client.get(f"/api/v1/connectors/{scene.name}/deployment").json()["deployed"]
    listed = requests.get(f"{scene.worker}/connectors", timeout=10).json()
    assert f"insideout.connector.{scene.name}" not in listed
    scene.orders.write(1000)
    scene.rebuild()
    assert scene.equal()
    # what Connect stopped at, and what it put aside, with their causes
    assert Quarantine.objects.filter(connector__name=scene.name).count() == 2
