"""Tables as of a time: asked for by REST, command and page, built, shown, cancelled, dropped."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from django.core.management import CommandError, call_command
from django.test import Client

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from catalog.actions import ensure_cluster
from lineage.connectors.actions import (
    cancel,
    declare,
    drop_as_of,
    find_connector,
    find_run,
    regenerate,
    regenerate_as_of,
)
from lineage.connectors.as_of import table_as_of
from lineage.connectors.models import Connector, Run
from tests.lineage.connectors.orders import ORDER, copied, encode
from tests.lineage.connectors.scene import Scene, carried_out


class Dated(Scene):
    """Writes records of chosen times: minutes after an hour ago."""

    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)

    def at(self, minutes: float) -> datetime:
        return self.begin + timedelta(minutes=minutes)

    def put(self, minutes: float, key: str, amount: int | None, frame: int = 0) -> None:
        value = {"amount": amount, "note": None, "at": 1_700_000_000_000}
        raw = None if amount is None else encode(ORDER, frame or self.schema_id, value)
        milliseconds = int(self.at(minutes).timestamp() * 1000)
        self.writer.write(self.topic, key.encode(), raw, timestamp=milliseconds)
        self.writer.flush()

    def table(self, minutes: float) -> str:
        return table_as_of("orders", self.at(minutes))

    def held(self, minutes: float) -> dict[str, int]:
        return {key: row[0] for key, row in copied(self.target, self.table(minutes)).items()}


@pytest.fixture
def dated(kafka: Connection, base_target: str) -> Dated:
    made = Dated(kafka, base_target)
    made.know()
    made.put(0, "a", 1)
    made.put(1, "b", 2)
    made.put(2, "a", 3)
    made.put(3, "b", None)
    return made


@pytest.fixture
def on_sqlite(kafka: Connection, sqlite_target: str) -> Dated:
    made = Dated(kafka, sqlite_target)
    made.know()
    return made


def ask(client: Client, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    answer = getattr(client, method)(path, body or {}, content_type="application/json")
    return answer.status_code, answer.json()


def page(client: Client, path: str) -> str:
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.kafka
@pytest.mark.django_db(transaction=True)
def test_built_beside_the_live_copy_shown_and_dropped(dated: Dated, client: Client) -> None:
    path = f"/api/v1/connectors/{dated.topic}"
    dated.put(4, "c", 4, frame=987_654)  # unreadable: no affair of the live copy's quarantine
    dated.copy()
    find_connector(dated.topic).quarantine.all().delete()
    instant = dated.at(2.5).isoformat()
    status, asked = ask(client, "post", f"{path}/regenerate", {"as_of": instant})
    assert (status, asked["kind"], asked["table"]) == (202, "as-of", None)
    run = carried_out(find_run(asked["id"]))
    assert run.state == "succeeded", run.message
    assert dated.held(2.5) == {"a": 3, "b": 2}
    assert dated.rows() == {"a": 3}

    told = client.get(f"/api/v1/runs/{run.pk}").json()
    assert (told["table"], told["rows"], told["generation"]) == (dated.table(2.5), 2, None)
    assert datetime.fromisoformat(told["as_of"]) == dated.at(2.5)
    later = carried_out(regenerate_as_of(dated.topic, datetime.now(UTC)))
    assert "left out, as they cannot be copied: 1 record" in later.message
    assert not dated.left_out()
    listed = client.get(f"{path}/generations").json()["results"]
    assert [(it["number"], it["state"], it["table"]) for it in listed][-1] == (
        None, "built", dated.table(2.5)
    )  # fmt: skip
    assert listed[-1]["digest"] == told["digest"] != ""
    assert listed[-1]["to_offsets"] == {f"{dated.topic}/0": 3}
    assert carried_out(regenerate(dated.topic)).state == "succeeded"
    assert dated.held(2.5) == {"a": 3, "b": 2}

    for shown in (page(client, f"/runs/{run.pk}"), page(client, f"/copies/{dated.topic}")):
        assert dated.table(2.5) in shown
        assert told["digest"] in shown
    status, dropping = ask(client, "delete", f"{path}/generations/{dated.table(2.5)}")
    assert (status, dropping["kind"]) == (202, "drop")
    assert carried_out(find_run(dropping["id"])).message == f"{dated.table(2.5)} is dropped"
    assert dated.held(2.5) == {}
    assert ask(client, "delete", f"{path}/generations/{dated.table(2.5)}")[0] == 404
    listed = client.get(f"{path}/generations").json()["results"]
    assert listed[-1]["table_exists"] is False


@pytest.mark.kafka
@pytest.mark.django_db(transaction=True)
def test_an_instant_before_the_log_says_when_it_begins(dated: Dated) -> None:
    run = carried_out(regenerate_as_of(dated.topic, dated.at(0)))
    assert run.state == "failed"
    assert "Name a later instant" in run.message
    assert f"{dated.at(0):%Y-%m-%dT%H:%M:%SZ}, at its earliest record" in run.message
    old = carried_out(regenerate_as_of(dated.topic, datetime(1960, 1, 1, tzinfo=UTC)))
    assert "Name a later instant" in old.message
    assert dated.held(0) == {}
    dated.copy()
    assert dated.rows() == {"a": 3}


@pytest.mark.kafka
@pytest.mark.django_db(transaction=True)
def test_a_log_that_is_compacted_or_lost_its_head_is_refused(
    on_sqlite: Dated, kafka: Connection
) -> None:
    scene = on_sqlite
    for minutes in range(4):
        scene.put(minutes, "a", minutes)
    admin = AdminClient(kafka.confluent())
    head = TopicPartition(scene.topic, 0, 2)
    for future in admin.delete_records([head]).values():
        future.result()
    run = carried_out(regenerate_as_of(scene.topic, scene.at(3)))
    assert (run.state, "offsets 0 to 1" in run.message) == ("failed", True), run.message
    # a copy that starts where the log still is whole has a past from there on
    shaped = find_connector(scene.topic).definition | {"start": scene.at(2.5).isoformat()}
    declare(shaped)
    run = carried_out(regenerate_as_of(scene.topic, scene.at(3.5)))
    assert (run.state, scene.held(3.5)) == ("succeeded", {"a": 3}), run.message
    declare(shaped | {"start": scene.at(1).isoformat()})
    run = carried_out(regenerate_as_of(scene.topic, scene.at(3.5)))
    assert (run.state, "offsets 0 to 1" in run.message) == ("failed", True), run.message

    compacted = f"{scene.topic}-compacted"
    create_topics(kafka, [NewTopic(compacted, 1, 1, {"cleanup.policy": "compact"})])
    declare(shaped | {"topics": [compacted], "start": "beginning"})
    run = carried_out(regenerate_as_of(scene.topic, scene.at(3)))
    assert (run.state, f"{compacted} is compacted" in run.message) == ("failed", True)


@pytest.mark.kafka
@pytest.mark.django_db(transaction=True)
def test_it_is_dropped_where_it_was_built_and_cancelled_without_a_trace(
    on_sqlite: Dated, tmp_path: Any
) -> None:
    scene = on_sqlite
    scene.put(0, "a", 1)
    run = regenerate_as_of(scene.topic, scene.at(1))
    Run.objects.filter(pk=run.pk).update(worker="test")
    cancel(run)
    assert carried_out(run).state == "cancelled"
    assert scene.held(1) == {}
    assert carried_out(regenerate_as_of(scene.topic, scene.at(1))).state == "succeeded"
    (built,) = find_connector(scene.topic).generations.all()
    assert (built.state, built.as_of, built.rows) == ("built", scene.at(1), 1)
    other = find_connector(scene.topic).definition | {"target": f"sqlite:///{tmp_path / 'other'}"}
    declare(other)
    assert scene.held(1) == {"a": 1}
    assert carried_out(drop_as_of(scene.topic, scene.table(1))).state == "succeeded"
    assert scene.held(1) == {}


# -- what is refused at once ----------------------------------------------------------------------
@pytest.fixture
def _declared(db: None) -> None:
    ensure_cluster("local", "127.0.0.1:1")
    declare({"name": "c", "topics": ["t"], "target": "sqlite:///c.db", "table": "t"})


def refused(*words: str) -> CommandError:
    with pytest.raises(CommandError) as found:
        call_command("connectors", *words, stdout=StringIO())
    return found.value


@pytest.mark.usefixtures("_declared")
def test_what_cannot_be_is_refused_at_once(client: Client) -> None:
    path = "/api/v1/connectors/c"
    soon = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    status, problem = ask(client, "post", f"{path}/regenerate", {"as_of": soon})
    assert (status, problem["type"]) == (422, "urn:insideout:instant-in-future")
    assert "has passed" in problem["detail"]
    status, problem = ask(client, "post", f"{path}/regenerate", {"as_of": "noon"})
    assert (status, problem["type"]) == (400, "urn:insideout:instant-invalid")
    assert ask(client, "post", f"{path}/regenerate", {"as_of": [1]})[0] == 400
    assert ask(client, "post", f"{path}/regenerate", {"asof": "2020-01-01T00:00:00Z"})[0] == 400
    status, problem = ask(client, "delete", f"{path}/generations/t")
    assert (status, problem["type"]) == (404, "urn:insideout:table-not-found")
    assert refused("regenerate", "c", "--as-of", soon).returncode == 2
    assert refused("regenerate", "c", "--as-of", "noon").returncode == 2
    assert refused("drop", "c", "t").returncode == 2
    for body in ({"as_of": soon}, {"as_of": "noon"}, {"as_of": ""}):
        answer = client.post("/copies/c/regenerate", body, follow=True)
        assert answer.redirect_chain[-1][0] == "/copies/c"
        assert "instant" in answer.content.decode()
    assert not Run.objects.exists()
    Connector.objects.update(definition={"engine": "connect"})
    status, problem = ask(client, "post", f"{path}/regenerate", {"as_of": "2020-01-01T00:00:00Z"})
    assert (status, problem["type"]) == (409, "urn:insideout:kept-by-connect")


@pytest.mark.usefixtures("_declared")
def test_the_page_and_the_command_ask_for_it(client: Client) -> None:
    client.post("/copies/c/regenerate", {"as_of": "2026-01-31T12:00:01"})
    run = Run.objects.get()
    assert (run.kind, run.arguments) == ("as-of", {"as_of": "2026-01-31T12:00:01+00:00"})
    assert client.get("/api/v1/connectors/c").json()["state"] == "starting"
    assert 'name="as_of"' in page(client, "/copies/c")
    Run.objects.all().delete()
    out = StringIO()
    moment = "2026-01-31T13:00:01.5+01:00"
    call_command(
        "connectors", "regenerate", "c", "--as-of", moment, "--no-wait", "--json", stdout=out
    )
    assert json.loads(out.getvalue())["kind"] == "as-of"
    assert Run.objects.get().arguments == {"as_of": "2026-01-31T12:00:01.500000+00:00"}
