"""`manage.py sample` as an operator runs it: a process of its own, with signals."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from broker.connection import Connection
from catalog.models import Cluster
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.kafka
@pytest.mark.django_db
def test_once_says_what_it_saw(kafka: Connection) -> None:
    Cluster.objects.create(name="here", bootstrap_servers=kafka.bootstrap_servers)
    out = StringIO()
    call_command("sample", "--once", "--cluster", "here", stdout=out)
    assert out.getvalue().startswith("here: ")


@pytest.mark.django_db
def test_once_fails_in_one_line_when_nobody_answers() -> None:
    Cluster.objects.create(name="away", bootstrap_servers=f"127.0.0.1:{free_port()}")
    with pytest.raises(CommandError, match=r"no broker of 127\.0\.0\.1"):
        call_command("sample", "--once", "--cluster", "away")
    with pytest.raises(CommandError, match="nowhere"):
        call_command("sample", "--once", "--cluster", "nowhere")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    made = {
        **os.environ,
        "VAR_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'd.sqlite3'}",
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=made, check=True)
    return made


@pytest.fixture
def sampler(environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-u", "manage.py", "sample", "--every", "0.2"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_waits_for_a_broker_that_is_away_and_ends_when_told(
    sampler: "subprocess.Popen[str]",
) -> None:
    assert sampler.stdout is not None
    assert sampler.stdout.readline() == "sampling every 0.2 s\n"
    assert "no broker of" in sampler.stdout.readline()
    time.sleep(0.5)
    assert sampler.poll() is None
    sampler.send_signal(signal.SIGTERM)
    assert sampler.wait(10) == 0
    assert sampler.stdout.read() == ""


@pytest.mark.kafka
@pytest.mark.django_db
def test_a_sample_is_taken_on_demand(kafka: Connection, client: Client) -> None:
    Cluster.objects.create(name="here", bootstrap_servers=kafka.bootstrap_servers)
    answer = client.post("/api/v1/lineage/sample")
    assert answer.status_code == 200
    (outcome,) = answer.json()
    assert (outcome["cluster"], outcome["failed"]) == ("here", {})
    samplings = client.get("/api/v1/lineage/samplings").json()["results"]
    assert all(row["succeeded_at"] for row in samplings)
