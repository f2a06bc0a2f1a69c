"""The embedded broker resumes with its data, and says in one line what keeps it from starting."""

import os
import signal
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
from confluent_kafka import Producer

from broker import admin
from broker.embedded import EmbeddedKafka
from broker.errors import EmbeddedKafkaError
from tests.ports import free_port

pytestmark = pytest.mark.kafka


def test_records_survive_a_kill(tmp_path: Path) -> None:
    broker = EmbeddedKafka(tmp_path)
    reports: list[str] = []
    broker.start(reports.append)
    try:
        admin.create_topics(broker.connection, [admin.NewTopic("kept")])
        identity = admin.describe_cluster(broker.connection).cluster_id
        producer = Producer(broker.connection.confluent())
        producer.produce("kept", b"value")
        assert producer.flush(10) == 0
        assert broker.pid is not None
        os.killpg(broker.pid, signal.SIGKILL)
        broker.stop()
        assert broker.pid is None

        broker.start()
        assert admin.describe_cluster(broker.connection).cluster_id == identity
        assert admin.watermarks(broker.connection, ["kept"]) == {("kept", 0): (0, 1)}
    finally:
        broker.stop()
    assert "formatting its storage" in reports
    assert reports[-1].startswith("ready in")


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EmbeddedKafkaError, match=f"port {port} is taken"):
            EmbeddedKafka(tmp_path, port).start()


def test_a_broken_download_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        raise ConnectionError("maven is away\nand more")

    nothing_yet = SimpleNamespace(cache_dir=tmp_path / "cache")
    monkeypatch.setattr("jgo.GlobalSettings.load", lambda: nothing_yet)
    monkeypatch.setattr("jgo.build", refuse)
    with pytest.raises(EmbeddedKafkaError) as caught:
        EmbeddedKafka(tmp_path).start()
    assert str(caught.value) == (
        "Kafka 4.3.1 could not be fetched from Maven Central: maven is away"
    )


def test_what_kafka_complains_of_is_said(tmp_path: Path) -> None:
    broker = EmbeddedKafka(tmp_path, free_port())
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "meta.properties").write_text("version=1\ncluster.id=x\nnode.id=9\n")
    with pytest.raises(EmbeddedKafkaError, match=r"Kafka did not start: .*node"):
        broker.start()
    assert broker.pid is None
