"""Audits and repairs as runs: a real Kafka, both databases, a copy that goes on meanwhile."""

import json
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.produce import RecordWriter
from catalog.actions import ensure_cluster, list_findings
from catalog.models import Topic
from lineage.connectors.actions import cancel, declare, find_connector, find_run, regenerate
from lineage.connectors.audits.actions import (
    due_audits,
    open_divergences,
    request_audit,
    request_repair,
    verdict_of,
)
from lineage.connectors.audits.models import Audit, Divergence
from lineage.connectors.building import execute
from lineage.connectors.columns import Row
from lineage.connectors.models import Connector, Run, Worker
from lineage.connectors.sessions import live_engine, opened
from lineage.connectors.sinks import open_sink
from registry.actions import Submission, register
from tests.lineage.connectors.orders import ORDER, Orders, copied, encode

pytestmark = [pytest.mark.kafka, pytest.mark.django_db(transaction=True)]
PARTITIONS = 3


class Scene:
    """A topic, a copy of it that is brought up to date when told, and edits by hand."""

    def __init__(self, kafka: Connection, target: str) -> None:
        self.target = target
        self.name = f"audited-{uuid.uuid4().hex[:8]}"
        create_topics(kafka, [NewTopic(self.name, PARTITIONS, 1, {})])
        cluster = ensure_cluster("local", kafka.bootstrap_servers)
        Topic.objects.get_or_create(cluster=cluster, name=self.name)
        declare({"name": self.name, "topics": [self.name], "target": target, "table": "orders"})
        self.schema = register(f"{self.name}-value", Submission(json.dumps(ORDER))).schema.id
        self.writer = RecordWriter(kafka)
        self.orders = Orders(self.writer, self.name, self.schema)

    def copy(self, until: Callable[[], bool] | None = None) -> None:
        """Copy live to the end of the log, or until told to stop."""
        with opened(find_connector(self.name), f"test.{uuid.uuid4()}") as session:
            engine = live_engine(session)
            while not (until() if until else len(session.reader.ended) == PARTITIONS):
                engine.step(0.1)

    def run(self, asked: Callable[[str], Run]) -> Run:
        run = asked(self.name)
        Run.objects.filter(pk=run.pk).update(worker="it")
        run.worker = ""
        execute(run, "it", threading.Event())
        return find_run(run.pk)

    def edit(self, rows: list[Row], deletes: list[str]) -> None:
        """Write to the copy as somebody does who should not."""
        sink = open_sink(self.target)
        live = sink.live(self.name)
        assert live is not None
        assert live.layout is not None
        sink.merge("orders", live.layout, rows, {(key,) for key in deletes})
        sink.close()

    def plant(self, each: int) -> dict[str, str]:
        """Damage so many keys in each of three ways."""
        keys = sorted(self.orders.fold)
        changed, missing = keys[:each], keys[each : 2 * each]
        extra = [f"stray-{number}" for number in range(each)]
        rows: list[Row] = [[key, -1, "by hand", 0] for key in [*changed, *extra]]
        self.edit(rows, missing)
        return {
            **dict.fromkeys(changed, "changed"),
            **dict.fromkeys(missing, "missing"),
            **dict.fromkeys(extra, "extra"),
        }


@pytest.fixture
def scene(kafka: Connection, target: str) -> Scene:
    made = Scene(kafka, target)
    made.orders.write(1500, keys=400)
    made.copy()
    return made


def test_a_hundred_planted_divergences_are_found_and_repaired(scene: Scene, client: Client) -> None:
    assert verdict_of(scene.name).state == "unknown"
    run = scene.run(request_audit)
    assert (run.kind, run.state, run.phase) == ("audit", "succeeded", "read log")
    first = Audit.objects.get()
    assert (first.state, first.rows, first.digest) == (
        "passed", len(scene.orders.fold), first.log_digest,
    )  # fmt: skip
    assert first.verified_through == first.to_offsets
    assert sum(first.to_offsets.values()) == 1500

    planted = scene.plant(34)
    scene.orders.write(200, keys=400)  # not copied yet: no difference
    run = scene.run(request_audit)
    assert run.state == "succeeded"
    assert "102 keys differ from the log (34 changed, 34 missing, 34 extra)" in run.message
    audit = Audit.objects.filter(state="diverged").get()
    found = {it.key: it.kind for it in open_divergences(scene.name)}
    assert found == planted
    assert audit.verified_through == first.to_offsets
    one = Divergence.objects.filter(kind="changed").order_by("key")[0]
    assert one.expected is not None
    assert one.found is not None
    assert (one.expected["amount"], one.found["amount"]) == (scene.orders.fold[one.key][0], -1)
    assert one.found["note"] == "by hand"
    assert (one.first_seen, one.equal_at) == (audit, first.finished_at)
    assert verdict_of(scene.name).state == "diverged"
    (finding,) = [it for it in list_findings() if it.rule == "diverged-copy"]
    assert (finding.subject.kind, finding.subject.name) == ("copy", scene.name)
    assert f"102 keys differ from {scene.name}" in finding.message

    shown = client.get(f"/api/v1/connectors/{scene.name}/audits/{audit.pk}?limit=10").json()
    assert (shown["audit"]["differing"], shown["count"], len(shown["divergences"])) == (
        102,
        102,
        10,
    )
    assert shown["next"]
    assert scene.orders.fold != copied(scene.target)

    run = scene.run(request_repair)
    assert (run.state, run.phase) == ("succeeded", "verify"), run.message
    assert run.message.startswith("102 keys repaired")
    scene.copy()
    assert copied(scene.target) == scene.orders.fold
    assert open_divergences(scene.name).count() == 0
    assert Divergence.objects.exclude(repaired_at=None).count() == 102
    scene.run(request_audit)
    assert verdict_of(scene.name).state == "equal"
    assert not any(it.rule == "diverged-copy" for it in list_findings())
    listed = client.get(f"/api/v1/connectors/{scene.name}/audits").json()["results"]
    assert [it["state"] for it in listed] == ["passed", "passed", "diverged", "passed"]
    assert sum(listed[0]["verified_through"].values()) == 1700


def test_repaired_while_the_copy_goes_on_nothing_newer_is_lost(scene: Scene) -> None:
    finished = threading.Event()
    failures: list[BaseException] = []

    def keep(work: Callable[[], None]) -> Callable[[], None]:
        def guarded() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001  (told by the test)
                failures.append(error)

        return guarded

    def write() -> None:
        while not finished.wait(0.02):
            scene.orders.write(40, keys=400)

    scene.plant(30)
    threads = [
        threading.Thread(target=keep(write)),
        threading.Thread(target=keep(lambda: scene.copy(finished.is_set))),
    ]
    for thread in threads:
        thread.start()
    try:
        runs = [scene.run(asked) for asked in (request_audit, request_repair, request_audit)]
    finally:
        finished.set()
        for thread in threads:
            thread.join()
    assert [run.state for run in runs] == ["succeeded"] * 3, [run.message for run in runs]
    assert runs[2].message.startswith("equal to the log"), runs[2].message
    # taken over at worst, as the fence allows: it claims its partitions back
    assert all(type(error).__name__ == "FencedError" for error in failures), failures
    scene.copy()
    assert copied(scene.target) == scene.orders.fold


def test_a_cancelled_and_a_failed_audit_are_no_verdict(scene: Scene) -> None:
    run = request_audit(scene.name)
    Run.objects.filter(pk=run.pk).update(worker="it")
    cancel(run)
    execute(run, "it", threading.Event())
    assert find_run(run.pk).state == "cancelled"
    assert Audit.objects.get().state == "stopped"
    sink = open_sink(scene.target)
    sink.drop("orders")
    sink.close()
    run = scene.run(request_audit)
    assert run.state == "failed"
    assert "regenerate" in run.message
    assert [it.state for it in Audit.objects.all()] == ["failed", "stopped"]
    assert verdict_of(scene.name).state == "unknown"


def test_what_a_regeneration_proved_is_verified(scene: Scene) -> None:
    scene.plant(3)
    scene.run(request_audit)
    run = scene.run(regenerate)
    assert run.state == "succeeded", run.message
    verdict = verdict_of(scene.name)
    assert (verdict.state, sum(verdict.verified_through.values())) == ("equal", 1500)
    scene.run(request_audit)
    assert verdict_of(scene.name).state == "equal"
    assert Divergence.objects.filter(vanished_at=None).count() == 0


def test_quarantine_is_no_difference(scene: Scene) -> None:
    key = min(scene.orders.fold)
    scene.writer.write(scene.name, key.encode(), b"no schema")
    scene.writer.write(scene.name, b"never-readable", b"\x00\x00\x00\x00\x00")
    scene.writer.flush()
    scene.copy()
    assert find_connector(scene.name).quarantine.count() == 2
    assert "equal to the log" in scene.run(request_audit).message
    assert find_connector(scene.name).quarantine.count() == 2


def test_long_values_are_cut(scene: Scene) -> None:
    key = min(scene.orders.fold)
    scene.edit([[key, -1, "secret" * 1000, 0]], [])
    scene.run(request_audit)
    found = Divergence.objects.get().found
    assert found is not None
    assert len(found["note"]) == 300


def test_the_commands_tell_by_their_exit_code(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    out = StringIO()
    call_command("connectors", "audit", scene.name, stdout=out)
    assert "equal to the log" in out.getvalue()
    scene.plant(2)
    out = StringIO()
    with pytest.raises(CommandError, match="6 keys differ") as failed:
        call_command("connectors", "audit", scene.name, "--json", stdout=out)
    assert failed.value.returncode == 1
    told = json.loads(out.getvalue())
    assert (told["state"], told["differing"], len(told["divergences"])) == ("diverged", 6, 6)
    out = StringIO()
    call_command("connectors", "repair", scene.name, stdout=out)
    assert "6 keys repaired" in out.getvalue()
    call_command("connectors", "audit", scene.name, stdout=StringIO())
    with pytest.raises(CommandError, match="no connector"):
        call_command("connectors", "audit", "none")
    assert Worker.objects.count() == 0


def test_an_audit_is_due_as_scheduled(tmp_path: Path) -> None:
    ensure_cluster("local", "127.0.0.1:1")
    declare({
        "name": "c",
        "topics": ["t"],
        "target": f"sqlite:///{tmp_path / 'c.db'}",
        "table": "t",
    })
    connector = Connector.objects.get()
    Connector.objects.update(definition={**connector.definition, "schedule": {"audit": "1h"}})
    now = timezone.now()
    assert due_audits(now) == []
    assert due_audits(now + timedelta(hours=2)) == ["c"]
    run = request_audit("c", scheduled=True)
    assert (run.kind, run.scheduled) == ("audit", True)


def test_a_newer_value_stands_and_the_older_damage_is_forgotten(scene: Scene) -> None:
    key = min(scene.orders.fold)
    scene.plant(1)
    value = {"amount": 77, "note": None, "at": 1_700_000_000_000}
    scene.writer.write(scene.name, key.encode(), encode(ORDER, scene.schema, value))
    scene.writer.flush()
    scene.copy()
    scene.run(request_repair)
    assert copied(scene.target)[key] == (77, None)
