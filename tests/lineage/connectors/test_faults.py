"""Faults of the log, the short forms: the copy equals the fold, or a state says why not."""

import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from django.db import OperationalError

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from lineage.connectors.actions import (
    ConnectorView,
    describe_connector,
    find_connector,
    pause,
    regenerate,
    roll_back,
)
from lineage.connectors.copying import Copier
from lineage.connectors.models import Connector
from tests.lineage.connectors.log_fold import fold, hashed
from tests.lineage.connectors.orders import copied
from tests.lineage.connectors.outages import Transactions
from tests.lineage.connectors.scene import Scene, carried_out

pytestmark = [pytest.mark.kafka, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def scene(kafka: Connection, target: str) -> Scene:
    made = Scene(kafka, target)
    made.know()
    return made


def admin(scene: Scene) -> AdminClient:
    return AdminClient(scene.kafka.confluent())


def equal(scene: Scene) -> bool:
    return hashed(copied(scene.target)) == hashed(fold(scene.kafka, scene.topic))


def delete_head(scene: Scene, before: int) -> None:
    client = admin(scene)
    for future in client.delete_records([TopicPartition(scene.topic, 0, before)]).values():
        future.result(20)


def recreate(scene: Scene) -> None:
    client = admin(scene)
    for future in client.delete_topics([scene.topic]).values():
        future.result(20)
    end = time.monotonic() + 20
    while scene.topic in client.list_topics(timeout=10).topics:
        assert time.monotonic() < end
        time.sleep(0.05)
    create_topics(scene.kafka, [NewTopic(scene.topic, 1, 1, {})])


def stopped(scene: Scene) -> ConnectorView:
    """Let a worker's thread copy until it stops by itself; return what it then says."""
    copier = Copier(find_connector(scene.topic), "test")
    copier.start()
    copier.join(90)
    copier.stop()
    assert not copier.is_alive()
    view = describe_connector(scene.topic)
    assert view.state == "stopped", view
    return view


def level(scene: Scene) -> ConnectorView:
    """Let a worker's thread copy until it says that it is level with the log."""
    copier = Copier(find_connector(scene.topic), "test")
    copier.start()
    end = time.monotonic() + 60
    view = None
    while view is None or view.lag != 0:
        assert time.monotonic() < end, view
        time.sleep(0.2)
        # the tests' database is in memory, where readers and writers shut each other out
        with suppress(OperationalError):
            view = describe_connector(scene.topic)
    copier.stop()
    copier.join(30)
    return view


def test_null_value_null_and_deleted_and_made_again_in_one_batch(scene: Scene) -> None:
    for note in (None, "there", None):
        scene.write("nullable", 1, note)
    for amount in (1, None, 2):
        scene.write("again", amount)
    for amount in (1, None, 2, None):
        scene.write("gone", amount)
    scene.copy()
    assert copied(scene.target) == {"nullable": (1, None), "again": (2, None)}
    assert equal(scene)
    scene.write("nullable", 1, "there")
    scene.write("again", None)
    scene.copy()
    assert copied(scene.target) == {"nullable": (1, "there")}
    scene.write("nullable", 1, None)
    scene.copy()
    assert copied(scene.target) == {"nullable": (1, None)}


def test_what_was_aborted_is_in_no_copy(scene: Scene) -> None:
    transactions = Transactions(scene.kafka, scene.topic, scene.schema_id)
    for amount in range(6):
        transactions.write(amount, commit=amount % 2 == 0)
        scene.write(f"between-{amount}", amount)
    # markers and aborted records stand at the very end
    transactions.write(99, commit=False)
    scene.copy()
    assert equal(scene)
    assert {amount for amount, _ in copied(scene.target).values()} <= {0, 1, 2, 3, 4, 5}
    assert carried_out(regenerate(scene.topic)).state == "succeeded"
    assert equal(scene)


def test_a_head_that_is_gone_is_never_skipped_silently(scene: Scene) -> None:
    for number in range(6):
        scene.write(f"k{number}", number)
    scene.copy()
    before = copied(scene.target)
    for number in range(6):
        scene.write(f"k{number}", 10 + number)
    delete_head(scene, 9)
    view = stopped(scene)
    assert view.trouble == "offset-gone"
    assert "6 to 8 were deleted before they were copied" in view.message
    assert view.remedy
    assert copied(scene.target) == before
    run = carried_out(regenerate(scene.topic))
    assert (run.state, run.message.split(";")[0]) == (
        "failed", "the log no longer reaches back to its beginning"
    )  # fmt: skip
    assert f"{scene.topic}/0: offsets 0 to 8" in run.message
    assert copied(scene.target) == before


def test_a_topic_made_anew_is_noticed_though_it_is_longer_than_before(scene: Scene) -> None:
    for number in range(3):
        scene.write(f"old-{number}", number)
    scene.copy()
    before = copied(scene.target)
    recreate(scene)
    for number in range(8):
        scene.write(f"new-{number}", number)
    assert stopped(scene).trouble == "topic-recreated"
    assert copied(scene.target) == before
    assert carried_out(regenerate(scene.topic)).state == "succeeded"
    assert describe_connector(scene.topic).message == ""
    assert equal(scene)
    scene.write("new-0", 100)
    scene.copy()
    assert equal(scene)
    # the generation before is one of the old topic: it can be shown, and never be followed
    assert carried_out(roll_back(scene.topic)).state == "succeeded"
    assert copied(scene.target) == before
    assert stopped(scene).trouble == "topic-recreated"
    assert copied(scene.target) == before
    assert carried_out(roll_back(scene.topic)).state == "succeeded"
    scene.copy()
    assert equal(scene)


def test_behind_and_level_again_is_told(scene: Scene) -> None:
    for number in range(40):
        scene.write(f"k{number}", number)
    told = level(scene)
    assert (told.state, told.lag_at_worst, told.level_in_seconds) == ("live", 0, None)
    assert told.measured_at
    assert told.measured_at <= datetime.now(UTC)


def test_a_pause_during_the_trouble_is_kept(scene: Scene) -> None:
    scene.write("a", 1)
    scene.copy()
    pause(scene.topic)
    Connector.objects.update(topic_ids={scene.topic: "another"})
    copier = Copier(find_connector(scene.topic), "test")
    copier.start()
    copier.join(30)
    assert describe_connector(scene.topic).state == "paused"
