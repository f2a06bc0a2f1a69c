"""The database stopped, locked, or without a place to write: 503 and never 500, and then on."""

import json
import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from config.postgres import EmbeddedPostgres
from tests.registry.faults.server import Server, running

BODY = {"schema": '"int"'}
OTHER = {"schema": '{"type":"string"}'}


def _warm(server: Server) -> None:
    """Both workers have answered the id."""
    assert server.call("POST", "/subjects/first/versions", BODY)[0] == 200
    for _ in range(60):
        assert server.call("GET", "/schemas/ids/1")[0] == 200


@pytest.fixture
def postgres() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL that the test may stop."""
    with TemporaryDirectory(prefix="insideout-test-stopped-") as folder:
        made = EmbeddedPostgres(Path(folder))
        made.start()
        yield made
        made.stop()


def _stop_at_once(postgres: EmbeddedPostgres) -> None:
    """As `pg_ctl stop -m immediate` does: no goodbye to clients, recovery at the next start."""
    postmaster = int((postgres.folder / "data" / "postmaster.pid").read_text().split("\n")[0])
    os.kill(postmaster, signal.SIGQUIT)
    end = time.monotonic() + 10
    while postgres.pid is not None and time.monotonic() < end:
        time.sleep(0.05)


def _stop_and_start(folder: Path, postgres: EmbeddedPostgres, seconds: float) -> None:
    with running(folder, postgres.url()) as server:
        _warm(server)
        before = {each.pid for each in server.processes()}
        _stop_at_once(postgres)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            status, body, headers = server.call("POST", "/subjects/second/versions", OTHER)
            assert (status, body["error_code"]) == (503, 50001), server.log()
            assert int(headers["retry-after"]) >= 1
            assert server.call("GET", "/subjects/first/versions/1")[0] in {200, 503}
            assert server.call("GET", "/schemas/ids/1")[0] == 200
            assert server.call("GET", "/health/live")[0] == 200
            assert server.call("GET", "/health/ready")[0] == 503
        postgres.start()
        back = time.monotonic()
        while server.call("POST", "/subjects/second/versions", OTHER)[0] != 200:
            assert time.monotonic() - back < 2
        assert server.call("GET", "/subjects/first/versions")[1] == [1]
        for _ in range(20):
            assert server.call("GET", "/subjects")[1] == ["first", "second"]
        assert {each.pid for each in server.processes()} == before


@pytest.mark.postgres
def test_postgresql_stopped_for_a_moment(tmp_path: Path, postgres: EmbeddedPostgres) -> None:
    _stop_and_start(tmp_path, postgres, 1)


@pytest.mark.faults
@pytest.mark.postgres
def test_postgresql_stopped_for_long(tmp_path: Path, postgres: EmbeddedPostgres) -> None:
    _stop_and_start(tmp_path, postgres, 30)


def _hold(file: str, seconds: float, held: str) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    Path(held).touch()
    time.sleep(seconds)
    connection.execute("ROLLBACK")
    connection.close()


@pytest.mark.faults
def test_another_process_writes_for_long(tmp_path: Path) -> None:
    file = tmp_path / "held.sqlite3"
    with running(tmp_path, f"sqlite:///{file}") as server:
        _warm(server)
        holder = multiprocessing.get_context("spawn").Process(
            target=_hold, args=(str(file), 5.0, str(tmp_path / "held"))
        )
        holder.start()
        while not (tmp_path / "held").exists():
            time.sleep(0.05)
        began = time.monotonic()
        assert server.call("GET", "/subjects/first/versions/latest")[0] == 200
        assert time.monotonic() - began < 1
        status = server.call("POST", "/subjects/second/versions", OTHER)[0]
        assert status in {200, 503}
        holder.join()
        assert server.call("POST", "/subjects/second/versions", OTHER)[0] == 200


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with a few megabytes."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if (
        not shutil.which("mount")
        or subprocess.run(mount, check=False, capture_output=True).returncode
    ):
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as written, suppress(OSError):
        while written.write(b"x" * 4096):
            pass


@pytest.mark.faults
def test_a_full_disk(tmp_path: Path, small_disk: Path) -> None:
    (tmp_path / "var").mkdir()
    with running(tmp_path / "var", f"sqlite:///{small_disk / 'full.sqlite3'}") as server:
        _warm(server)
        filler = small_disk / "filler"
        _fill(filler)
        refused = 0
        for at in range(20):
            fixed = {"type": "fixed", "name": "F", "size": at, "doc": "x" * 20_000}
            body = {"schema": json.dumps(fixed)}
            status, _, headers = server.call("POST", f"/subjects/full{at}/versions", body)
            assert status in {200, 503}, server.log()
            refused += status == 503 and headers["retry-after"] >= "1"
        assert refused
        assert server.call("GET", "/schemas/ids/1")[0] == 200
        filler.unlink()
        assert server.call("POST", "/subjects/second/versions", OTHER)[0] == 200
        assert server.call("GET", "/subjects/second/versions")[1] == [1]
