import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attr
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from jsonschema import Draft202012Validator, FormatChecker

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.consume import PartitionReader
from catalog.models import Cluster, Topic
from lineage import actions
from lineage.connectors.models import Run
from lineage.ledger import Observation, record
from lineage.openlineage.destinations import HttpDestination, TopicDestination
from lineage.openlineage.emit import emit_once
from lineage.openlineage.errors import ReceiverAwayError, ReceiverRefusedError
from lineage.openlineage.models import Emission
from lineage.openlineage.tasks import emit
from tests.lineage.openlineage import published
from tests.lineage.openlineage.estate import SERVICES, Kept, make_estate
from tests.ports import free_port
from tests.serving import ROOT, Served, serve

pytestmark = pytest.mark.django_db

_strict = FormatChecker(formats=("uuid",))
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@_strict.checks("date-time")
def _is_instant(value: object) -> bool:
    return not isinstance(value, str) or bool(_RFC3339.fullmatch(value))


@_strict.checks("uri", raises=ValueError)
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme)


_VALIDATOR = Draft202012Validator(published.published(), format_checker=_strict)


def check(events: list[dict[str, Any]]) -> None:
    """Each validates against the published schema, and its facets say which version they are."""
    urls = {
        one._get_schema()  # type: ignore[attr-defined]
        for kinds in published.FACETS.values()
        for one in kinds.values()
        if attr.has(one)
    }
    for event in events:
        assert [error.message for error in _VALIDATOR.iter_errors(event)] == []
        holders = [event["run"], event["job"], *event["inputs"], *event["outputs"]]
        maps = [it for one in holders for it in (one.get("facets"), one.get("outputFacets")) if it]
        for name, facet in (item for one in maps for item in one.items()):
            ours = facet["_schemaURL"].startswith("urn:insideout:openlineage:")
            assert ours if name.startswith("insideout_") else facet["_schemaURL"] in urls


def emitted(kept: Kept, job: str) -> list[dict[str, Any]]:
    return [event for event in kept.events if event["job"]["name"] == job]


def test_every_event_is_as_the_published_schema_has_it(client: Client) -> None:
    make_estate(client)
    kept = Kept()
    outcome = emit_once(kept)
    assert outcome.emitted == len(kept.events) > 10
    check(kept.events)
    assert {event["job"]["name"] for event in kept.events} == {
        "billing",
        "orders",
        "orders_copy",
        "orders_copy.regenerate",
        "group:unknown-reader",
        "producer_id:4711",
    }
    assert {event["job"]["namespace"] for event in kept.events} == {"insideout"}
    assert "s3cret" not in json.dumps(kept.events)


def test_a_service_is_told_with_what_the_rooms_know(client: Client) -> None:
    make_estate(client)
    kept = Kept()
    emit_once(kept)
    event = emitted(kept, "billing")[-1]
    assert event["job"]["facets"]["documentation"]["description"] == "Does billing."
    owners = event["job"]["facets"]["ownership"]["owners"]
    assert owners == [{"name": "team:billing"}, {"name": "team:sales"}]
    (read,) = event["inputs"]
    assert (read["namespace"], read["name"]) == ("kafka://broker.example:9092", "orders")
    assert read["facets"]["documentation"]["description"] == "Every order."
    assert [(it["name"], it["type"]) for it in read["facets"]["schema"]["fields"]] == [
        ("id", "text"),
        ("customer.name", "text"),
    ]
    assert read["facets"]["dataSource"]["uri"] == "kafka://broker.example:9092"
    (written,) = event["outputs"]
    fields = written["facets"]["columnLineage"]["fields"]
    assert fields["order_id"]["inputFields"] == [
        {
            "namespace": "kafka://broker.example:9092",
            "name": "orders",
            "field": "id",
            "transformations": [{"type": "DIRECT", "subtype": "IDENTITY"}],
        }
    ]


def test_a_copy_is_told_as_the_table_that_it_is(client: Client) -> None:
    make_estate(client)
    kept = Kept()
    emit_once(kept)
    (table,) = emitted(kept, "orders_copy")[-1]["outputs"]
    assert (table["namespace"], table["name"]) == (
        "postgres://db.example:5432",
        "shop.public.orders",
    )
    fields = table["facets"]["columnLineage"]["fields"]
    assert fields["customer_name"]["inputFields"][0]["field"] == "customer.name"


def test_each_run_of_a_connector_begins_and_ends(client: Client) -> None:
    make_estate(client)
    kept = Kept()
    emit_once(kept)
    ends: dict[str, list[str]] = {}
    for event in emitted(kept, "orders_copy.regenerate"):
        ends.setdefault(event["run"]["runId"], []).append(event["eventType"])
    told = {Run.objects.get(pk=run).state: states for run, states in ends.items()}
    assert told == {
        "succeeded": ["START", "COMPLETE"],
        "failed": ["START", "FAIL"],
        "cancelled": ["START", "ABORT"],
    }
    by_state = {event["eventType"]: event for event in emitted(kept, "orders_copy.regenerate")}
    statistics = by_state["COMPLETE"]["outputs"][0]["outputFacets"]["outputStatistics"]
    assert statistics["rowCount"] == 7
    assert by_state["FAIL"]["run"]["facets"]["errorMessage"]["message"] == "the target is full"
    assert by_state["COMPLETE"]["run"]["facets"]["insideout_generation"]["number"] == 1


def test_a_table_as_of_a_time_is_told_as_a_table_of_its_own(client: Client) -> None:
    make_estate(client)
    connector = Run.objects.filter(state="succeeded").get().connector
    instant = datetime(2026, 1, 31, 12, tzinfo=UTC)
    made = connector.generations.create(
        as_of=instant, table="orders__asof_20260131T120000Z", state="built", rows=3, digest="d"
    )
    common = {"connector": connector, "state": "succeeded", "finished_at": timezone.now()}
    said = {"as_of": instant.isoformat()}
    Run.objects.create(kind="as-of", generation=made, arguments=said, **common)
    Run.objects.create(kind="drop", generation=made, arguments={"table": made.table}, **common)
    kept = Kept()
    emit_once(kept)
    assert not emitted(kept, "orders_copy.drop")
    for event in emitted(kept, "orders_copy.as-of"):
        (table,) = event["outputs"]
        assert table["name"] == "shop.public.orders__asof_20260131T120000Z"
        assert "insideout_node" not in table["facets"]
        assert "number" not in event["run"]["facets"]["insideout_generation"]
        assert event["run"]["facets"]["insideout_generation"]["asOf"] == instant.isoformat()


def test_a_run_that_goes_on_is_told_again_when_it_ends(client: Client) -> None:
    make_estate(client)
    kept = Kept()
    emit_once(kept)
    run = Run.objects.filter(state="succeeded").get()
    going_on = Run.objects.create(connector=run.connector, generation=run.generation)
    kept.events.clear()
    emit_once(kept)
    assert [(it["eventType"], it["run"]["runId"]) for it in kept.events] == [
        ("START", str(going_on.pk))
    ]
    going_on.state, going_on.finished_at = Run.State.SUCCEEDED, timezone.now()
    going_on.save()
    kept.events.clear()
    emit_once(kept)
    assert [it["eventType"] for it in kept.events] == ["COMPLETE"]


def test_what_was_told_is_not_told_again_and_what_changed_is(client: Client) -> None:
    make_estate(client)
    kept = Kept()
    emit_once(kept)
    kept.events.clear()
    assert emit_once(kept).emitted == 0
    Topic.objects.update(description="Every order, paid or not.")
    emit_once(kept)
    assert {event["job"]["name"] for event in kept.events} == {
        "billing",
        "orders",
        "orders_copy",
        "group:unknown-reader",
    }


def test_received_lineage_is_not_passed_on(client: Client) -> None:
    cluster = make_estate(client)
    now = timezone.now()
    record(cluster, [Observation("topic", "orders", "job", "x/y", "openlineage", now)], now)
    kept = Kept()
    emit_once(kept)
    assert emitted(kept, "x/y") == emitted(kept, "job:x/y") == []


class Failing(Kept):
    """Takes some events and is then away."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def send(self, event: Any) -> None:
        if not self.left:
            raise ReceiverAwayError("away")
        self.left -= 1
        super().send(event)


def identity(event: dict[str, Any]) -> tuple[str, str, str]:
    return event["run"]["runId"], event["eventType"], event["eventTime"]


def test_an_interrupted_round_is_resumed_without_loss(client: Client) -> None:
    make_estate(client)
    whole = Kept()
    emit_once(whole)
    Emission.objects.all().delete()
    failing = Failing(3)
    with pytest.raises(ReceiverAwayError):
        emit_once(failing)
    failing.left = -1
    emit_once(failing)
    # told again are only events of the job that was interrupted, and they are the same events
    assert {identity(event) for event in failing.events} == {
        identity(event) for event in whole.events
    }
    assert len(failing.events) <= len(whole.events) + 1


def test_a_round_ends_when_its_time_is_over_and_the_next_goes_on(client: Client) -> None:
    make_estate(client)
    kept = Kept()
    assert not emit_once(kept, seconds=0).finished
    assert emit_once(kept, seconds=60).finished
    assert len(kept.events) > 10


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("second")
    with serve(folder, OPENLINEAGE_RECEIVE_KEY="k3y") as found:
        declared = [{"name": name, "recognised_by": by} for name, by in SERVICES.items()]
        catalog = folder / "catalog.yaml"
        # JSON is YAML
        catalog.write_text(json.dumps({"services": declared}))
        apply = [sys.executable, str(ROOT / "manage.py"), "apply", str(catalog)]
        subprocess.run(apply, env=dict(found.environment), check=True, capture_output=True)
        yield found


def _edges(answer: Any) -> dict[tuple[str, str], list[str]]:
    def key(node: dict[str, Any]) -> str:
        return f"{node['known_by'] or node['kind']}:{node['name']}"

    return {
        (key(it["source"]), key(it["target"])): [proof["kind"] for proof in it["evidence"]]
        for it in answer["results"]
    }


def test_a_second_instance_has_the_same_edges(client: Client, second: Served) -> None:
    make_estate(client)
    emit_once(HttpDestination(second.url, "api/v1/lineage", "k3y"))
    with urllib.request.urlopen(f"{second.url}/api/v1/lineage/edges", timeout=10) as answer:
        theirs = _edges(json.load(answer))
    ours = {(edge.source.key, edge.target.key) for edge in actions.list_edges()}
    assert set(theirs) == ours
    assert {kind for kinds in theirs.values() for kind in kinds} == {"openlineage"}
    seen = {
        (edge.source.key, edge.target.key): (edge.first_seen, edge.last_seen)
        for edge in actions.list_edges()
    }
    for pair in theirs:
        begun, ended = seen[pair]
        assert ended - begun < timedelta(seconds=1)


def test_the_job_of_the_schedule_emits(client: Client, second: Served, settings: Any) -> None:
    make_estate(client)
    emit()
    assert not Emission.objects.exists()
    settings.OPENLINEAGE_URL = second.url
    settings.OPENLINEAGE_API_KEY = "another"
    emit()
    assert not Emission.objects.exists()
    settings.OPENLINEAGE_API_KEY = "k3y"
    emit()
    assert set(Emission.objects.values_list("destination", flat=True)) == {
        f"{second.url}/api/v1/lineage"
    }


def test_a_server_that_refuses_and_one_that_is_away_are_told_apart(second: Served) -> None:
    with pytest.raises(ReceiverRefusedError, match="422"):
        HttpDestination(second.url, "/api/v1/lineage", "k3y").send({"x": 1})
    with pytest.raises(ReceiverAwayError, match="401"):
        HttpDestination(second.url, "/api/v1/lineage").send({"x": 1})
    with pytest.raises(ReceiverAwayError):
        HttpDestination(f"http://127.0.0.1:{free_port()}", "x").send({"x": 1})


def test_the_name_of_a_destination_holds_no_secret() -> None:
    found = HttpDestination("http://me:pw@host:1/base/", "/api/v1/lineage", "k")
    assert found.name == "http://host:1/base/api/v1/lineage"


@pytest.mark.kafka
def test_a_topic_is_written_and_each_record_validates(
    client: Client, kafka: Connection, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    topic = f"openlineage-{uuid.uuid4().hex[:8]}"
    create_topics(kafka, [NewTopic(topic)])
    make_estate(client)
    Cluster.objects.update(bootstrap_servers=kafka.bootstrap_servers)
    settings.OPENLINEAGE_TOPIC = topic
    call_command("openlineage", "emit")
    count = int(capsys.readouterr().out.split()[1])
    reader = PartitionReader(kafka, topic)
    reader.assign(dict.fromkeys(reader.partitions([topic]), 0))
    records: list[Any] = []
    end = time.monotonic() + 30
    while len(records) < count and time.monotonic() < end:
        records += reader.poll(500, 1.0)
    reader.close()
    events = [json.loads(one.value) for one in records]
    assert len(events) == count > 10
    check(events)
    assert records[0].key == f"run:insideout/{events[0]['job']['name']}".encode()
    assert emit_once(TopicDestination(topic, kafka)).emitted == 0


def test_a_topic_of_a_broker_that_is_away_is_asked_again(client: Client) -> None:
    make_estate(client)
    away = TopicDestination("t", Connection(f"127.0.0.1:{free_port()}"), timeout=1.0)
    with pytest.raises(ReceiverAwayError):
        emit_once(away)
    assert not Emission.objects.exists()


def test_the_command_says_what_it_needs(settings: Any) -> None:
    with pytest.raises(CommandError, match="OPENLINEAGE_URL or OPENLINEAGE_TOPIC"):
        call_command("openlineage", "emit")
    settings.OPENLINEAGE_URL = "ftp://host"
    with pytest.raises(CommandError, match="http"):
        call_command("openlineage", "emit")


def test_following_goes_on_until_it_is_told_to_stop(second: Served, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        **second.environment,
        "OPENLINEAGE_URL": second.url,
        "OPENLINEAGE_API_KEY": "k3y",
    }
    command = [sys.executable, str(ROOT / "manage.py"), "openlineage", "emit", "--follow"]
    process = subprocess.Popen(
        [*command, "--every", "0.2"], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("emitting every 0.2 s to http://127.0.0.1")
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0
    process.stdout.close()
