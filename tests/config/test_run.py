"""`manage.py run`: starts, resumes, says what keeps it from starting, leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.ports import free_port

pytestmark = pytest.mark.kafka
ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 90
STOP_SECONDS = 15


class Running:
    """One `manage.py run` over a folder, watched from outside."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.port = free_port()
        own = {"VAR_DIR": str(folder), "PORT": str(self.port), "DEMO": "0"}
        # a child of a child inherits this mark, whatever becomes of its parents
        self.mark = f"{folder}/{self.port}"
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "run"],
            env={**os.environ, **own, "INSIDEOUT_TEST_MARK": self.mark, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder.parent,
        )
        self.lines: list[str] = []

    def await_line(self, wanted: str) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if wanted in line:
                return
        raise AssertionError("\n".join(self.lines))

    def await_ready(self) -> None:
        self.await_line("programs")

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return json.load(answer)

    def offspring(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.status() == psutil.STATUS_ZOMBIE:
                    continue
                if process.environ().get("INSIDEOUT_TEST_MARK") == self.mark:
                    found.append(process)
        return found

    def await_nothing_left(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := self.offspring()) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert [" ".join(process.cmdline()) for process in left] == []

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        self.lines += (self.process.communicate(timeout=STOP_SECONDS)[0] or "").splitlines()
        return self.process.returncode

    def end(self) -> None:
        for process in self.offspring():
            with suppress(psutil.Error):
                process.kill()
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def runs() -> Iterator[list[Running]]:
    started: list[Running] = []
    yield started
    for running in started:
        running.end()


@pytest.mark.timeout(240)
def test_it_runs_stops_without_orphans_and_resumes(tmp_path: Path, runs: list[Running]) -> None:
    folder = tmp_path / "var"
    first = Running(folder)
    runs.append(first)
    first.await_ready()
    assert first.get("/health/ready")["status"] in {"ready", "degraded"}
    assert any(f"http://localhost:{first.port}/" in line for line in first.lines)
    names = {" ".join(process.cmdline()) for process in first.offspring()}
    assert any("kafka.Kafka" in name for name in names)
    request = urllib.request.Request(
        f"http://127.0.0.1:{first.port}/subjects/kept-value/versions",
        data=json.dumps({"schema": '"string"'}).encode(),
        headers={"Content-Type": "application/vnd.schemaregistry.v1+json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        registered = json.load(answer)["id"]

    begun = time.monotonic()
    assert first.stop() == 0, "\n".join(first.lines)
    assert time.monotonic() - begun < STOP_SECONDS
    first.await_nothing_left(1)

    second = Running(folder)
    runs.append(second)
    second.await_ready()
    assert second.get("/subjects/kept-value/versions/1")["id"] == registered

    crowd = Running(folder)
    runs.append(crowd)
    assert crowd.process.wait(30) == 1
    said = crowd.process.stdout.read() if crowd.process.stdout else ""
    assert f"already runs on {folder} (process {second.process.pid}" in said
    assert "Traceback" not in said

    # the supervisor itself is killed: the rest ends by itself, and the folder is free again
    second.process.kill()
    second.process.wait()
    second.await_nothing_left(STOP_SECONDS)


@pytest.mark.timeout(240)
def test_a_crashed_program_is_started_again(tmp_path: Path, runs: list[Running]) -> None:
    running = Running(tmp_path / "var")
    runs.append(running)
    running.await_ready()
    beat = next(process for process in running.offspring() if "beat" in process.cmdline())
    beat.kill()
    running.await_line("beat         ended (SIGKILL)")
    running.await_line("beat         started again")
    assert running.stop() == 0
    running.await_nothing_left(1)


def run_to_end(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "run"],
        env={**os.environ, "VAR_DIR": str(folder), "DEMO": "0", **environment},
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_to_end(tmp_path / "var", PORT=str(port))
    assert done.returncode == 1
    assert done.stderr == (
        f"insideout: port {port} of 127.0.0.1 cannot be used: Address already in use; "
        "choose another with PORT=…\n"
    )


def test_an_unreachable_broker_is_one_line(tmp_path: Path) -> None:
    away = f"127.0.0.1:{free_port()}"
    done = run_to_end(tmp_path / "var", PORT=str(free_port()), KAFKA_BOOTSTRAP_SERVERS=away)
    assert done.returncode == 1
    assert done.stderr == f"insideout: no broker of {away} answered within 5 s\n"


def test_a_broken_download_is_one_line(tmp_path: Path) -> None:
    # an empty home has no jars, and nobody answers at the proxy
    nobody = f"http://127.0.0.1:{free_port()}"
    done = run_to_end(
        tmp_path / "var",
        PORT=str(free_port()),
        HOME=str(tmp_path),
        HTTPS_PROXY=nobody,
        https_proxy=nobody,
        HTTP_PROXY=nobody,
        http_proxy=nobody,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(
        "insideout: Kafka 4.3.1 could not be fetched from Maven Central: "
    )
    assert len(done.stderr.splitlines()) == 1


def test_a_setting_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    done = run_to_end(tmp_path / "var", PORT="http")
    assert done.returncode == 1
    assert done.stderr == "insideout: PORT='http': expected a whole number\n"
