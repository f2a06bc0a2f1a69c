"""Runs carried out for real: a rollback, and records of the quarantine tried again."""

import json
import threading
import uuid

import pytest

from broker.connection import Connection
from lineage.connectors.actions import (
    find_connector,
    find_run,
    regenerate,
    replay,
    roll_back,
)
from lineage.connectors.building import execute
from lineage.connectors.columns import Column, Layout
from lineage.connectors.errors import TopicRecreatedError
from lineage.connectors.models import Connector, Run
from lineage.connectors.sinks import open_sink
from registry.actions import Submission, register
from registry.actions.mode import set_mode
from registry.naming import SubjectName
from tests.lineage.connectors.orders import ORDER
from tests.lineage.connectors.scene import Scene, carried_out

pytestmark = [pytest.mark.kafka, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def scene(kafka: Connection, base_target: str) -> Scene:
    made = Scene(kafka, base_target)
    made.know()
    return made


def test_a_rollback_brings_the_generation_before_back_and_it_goes_on(scene: Scene) -> None:
    scene.write("a", 1)
    scene.copy()
    scene.write("a", 2)
    run = carried_out(regenerate(scene.topic))
    assert (run.state, scene.rows()) == ("succeeded", {"a": 2})
    scene.copy()
    back = carried_out(roll_back(scene.topic))
    assert (back.state, back.phase) == ("succeeded", "swap"), back.message
    assert scene.rows() == {"a": 1}
    states = find_connector(scene.topic).generations.order_by("number")
    assert [(it.number, it.state, it.restored, it.table_exists) for it in states] == [
        (1, "retired", None, False),
        (2, "retired", None, True),
        (3, "live", 1, True),
    ]
    # it is behind now, as it was left, and catches up
    scene.write("b", 3)
    scene.copy()
    assert scene.rows() == {"a": 2, "b": 3}
    assert carried_out(roll_back(scene.topic)).state == "succeeded"
    assert scene.rows() == {"a": 2}
    scene.copy()
    run = carried_out(regenerate(scene.topic))
    assert (run.state, scene.rows()) == ("succeeded", {"a": 2, "b": 3})


def test_records_become_readable_and_are_merged_unless_superseded(scene: Scene) -> None:
    soon = 900_000 + int(uuid.uuid4().hex[:4], 16)
    scene.write("kept", 1)
    scene.write("newest", 10, frame=soon)
    scene.write("superseded", 20, frame=soon)
    scene.write("superseded", 21)
    scene.write("deleted", 30, frame=soon)
    scene.write("deleted", None)
    scene.write("never", 40, frame=soon + 1)
    scene.copy()
    assert scene.rows() == {"kept": 1, "superseded": 21}
    assert set(scene.left_out()) == {1, 6}
    # as a smaller batch would have left them out
    for offset, key in ((2, "superseded"), (4, "deleted")):
        find_connector(scene.topic).quarantine.create(
            topic=scene.topic, partition=0, offset=offset, key=key, reason="unread"
        )
    run = carried_out(replay(scene.topic))
    assert (run.state, set(scene.left_out())) == ("succeeded", {1, 2, 4, 6})
    register_under(scene, soon)
    run = carried_out(replay(scene.topic))
    assert run.state == "succeeded", run.message
    assert scene.rows() == {"kept": 1, "newest": 10, "superseded": 21}
    assert set(scene.left_out()) == {6}
    assert "1 record is still in quarantine: " in run.message


def test_a_value_that_the_database_refuses_stays_with_the_reason(
    kafka: Connection, postgres_target: str
) -> None:
    scene = Scene(kafka, postgres_target)
    scene.know()
    scene.write("good", 1)
    scene.write("bad", 2, "a\x00b")
    scene.copy()
    assert scene.rows() == {"good": 1}
    run = carried_out(replay(scene.topic, [(scene.topic, 0, 1)]))
    assert run.state == "succeeded"
    assert scene.left_out()[1].startswith("refused by the database: ")
    scene.write("bad", 3)
    scene.copy()
    assert carried_out(replay(scene.topic)).state == "succeeded"
    assert (scene.rows(), scene.left_out()) == ({"good": 1, "bad": 3}, {})


def test_a_regeneration_lets_go_of_what_it_could_read(scene: Scene) -> None:
    soon = 800_000 + int(uuid.uuid4().hex[:4], 16)
    scene.write("a", 1, frame=soon)
    scene.write("b", 2)
    scene.write("never", 3, frame=soon + 1)
    scene.copy()
    assert set(scene.left_out()) == {0, 2}
    register_under(scene, soon)
    assert carried_out(regenerate(scene.topic)).state == "succeeded"
    assert scene.rows() == {"a": 1, "b": 2}
    assert set(scene.left_out()) == {2}


def register_under(scene: Scene, schema_id: int) -> None:
    """Register the schema of orders under an id, as an import does."""
    name = SubjectName(".", f"late-{uuid.uuid4().hex[:8]}")
    set_mode(name, "IMPORT")
    text = json.dumps(ORDER | {"doc": f"of {schema_id}"})
    register(str(name), Submission(text, id=schema_id, version=1))


def test_a_topic_made_anew_stops_the_copy_that_it_would_spoil(scene: Scene) -> None:
    scene.write("a", 1)
    scene.copy()
    # as if the topic had been another when the copy was begun
    Connector.objects.update(topic_ids={scene.topic: "AAAAAAAAAAAAAAAAAAAAAA"})
    with pytest.raises(TopicRecreatedError, match="made anew"):
        scene.copy()
    assert carried_out(regenerate(scene.topic)).state == "succeeded"
    scene.copy()


def test_a_run_that_another_worker_took_meanwhile_is_left_to_it(scene: Scene) -> None:
    scene.write("a", 1)
    scene.copy()
    run = regenerate(scene.topic)
    Run.objects.filter(pk=run.pk).update(worker="the other", phase="load")
    sink = open_sink(scene.target)
    sink.load("orders__new", Layout((Column("of_the_other", "text"),), 1), [["its row"]])
    execute(run, "thawed", threading.Event())
    assert sink.count("orders__new") == 1
    sink.close()
    after = find_run(run.pk)
    assert (after.state, after.worker, after.phase) == ("running", "the other", "load")
    assert carried_out(run).state == "succeeded"
