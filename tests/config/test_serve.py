"""`manage.py serve`: the web alone, on either database, without Kafka; and what cannot start."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
MANAGE = [sys.executable, str(ROOT / "manage.py")]


@contextmanager
def served(environment: dict[str, str], said: Path = Path(os.devnull)) -> Iterator[str]:
    subprocess.run([*MANAGE, "migrate", "-v0"], env=environment, check=True)
    port = free_port()
    with said.open("w") as output:
        process = subprocess.Popen(
            [*MANAGE, "serve", "--port", str(port), "--workers", "1"],
            env=environment,
            stdout=output,
            stderr=output,
        )
    base = f"http://127.0.0.1:{port}"
    try:
        await_ready(base)
        yield base
    finally:
        process.terminate()
        assert process.wait(10) == 0


def await_ready(base: str) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{base}/health/ready", timeout=5) as answer:
                assert answer.status == 200
                return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError("not ready")


def register_and_read(base: str) -> None:
    request = urllib.request.Request(
        f"{base}/subjects/a%2Fb%20%C3%A4-value/versions",
        data=json.dumps({"schema": '"string"'}).encode(),
        headers={"Content-Type": "application/vnd.schemaregistry.v1+json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        schema_id = json.load(answer)["id"]
    with urllib.request.urlopen(f"{base}/subjects", timeout=10) as answer:
        assert json.load(answer) == ["a/b ä-value"]
    with urllib.request.urlopen(f"{base}/schemas/ids/{schema_id}", timeout=10) as answer:
        assert json.load(answer)["schema"] == '"string"'


def test_a_registry_by_itself_on_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'own.sqlite3'}"
    environment = {**os.environ, "VAR_DIR": str(tmp_path), "DATABASE_URL": url}
    said = tmp_path / "said"
    with served(environment, said) as base:
        register_and_read(base)
        assert said.read_text() == f"serving on {base}/\n"
        with urllib.request.urlopen(f"{base}/static/vendor/htmx/htmx.min.js", timeout=5) as answer:
            assert answer.headers["Content-Type"].startswith("text/javascript")


@pytest.mark.postgres
def test_a_registry_by_itself_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE served")
    url = postgres_url.rpartition("/")[0] + "/served"
    with served({**os.environ, "VAR_DIR": str(tmp_path), "DATABASE_URL": url}) as base:
        register_and_read(base)


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*MANAGE, "serve", "--port", str(port)],
            env={**os.environ, "VAR_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith(f"insideout: port {port} of 127.0.0.1 cannot be used")
    assert len(done.stderr.splitlines()) == 1


def test_an_unreachable_database_is_one_line_before_kafka_starts(tmp_path: Path) -> None:
    url = f"postgresql://ann:secret@127.0.0.1:{free_port()}/own"
    done = subprocess.run(
        [*MANAGE, "run"],
        env={
            **os.environ,
            "VAR_DIR": str(tmp_path),
            "DATABASE_URL": url,
            "PORT": str(free_port()),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("insideout: no database at 127.0.0.1:")
    assert "DATABASE_URL" in done.stderr
    assert "secret" not in done.stderr
    assert not (tmp_path / "kafka").exists()
