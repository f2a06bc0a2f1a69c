"""Registrations from 32 threads of four processes, while the server is killed again and again."""

import json
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.registry.faults.server import Server, running
from tests.serving import ROOT

PROCESSES = 4
Made = list[dict[str, Any]]


def _write_and_kill(server: Server, folder: Path, kills: int) -> Made:
    stop = folder / "stop"
    command = [sys.executable, "-m", "tests.registry.faults.writer", str(server.port)]
    outputs = [(folder / f"writer{at}").open("w+") for at in range(PROCESSES)]
    writers = [
        subprocess.Popen([*command, str(at), str(stop)], cwd=ROOT, stdout=output)
        for at, output in enumerate(outputs)
    ]
    try:
        for _ in range(kills):
            time.sleep(1)
            server.kill()
            server.start()
        time.sleep(1)
    finally:
        stop.touch()
        for writer in writers:
            writer.wait(400)
    made = []
    for output in outputs:
        with output:
            output.seek(0)
            made += [json.loads(line) for line in output]
    return made


def _check(server: Server, made: Made) -> None:
    assert [each for each in made if "wrong" in each] == []
    stored: dict[tuple[str, int], tuple[int, Any]] = {}
    numbers = defaultdict(list)
    for each in server.call("GET", "/schemas?limit=-1")[1]:
        stored[each["subject"], each["version"]] = (each["id"], json.loads(each["schema"]))
        numbers[each["subject"]].append(each["version"])
    for each in made:
        assert stored[each["subject"], each["version"]] == (each["id"], json.loads(each["text"]))
    texts, ids = defaultdict(set), defaultdict(set)
    for number, value in stored.values():
        texts[number].add(json.dumps(value))
        ids[json.dumps(value)].add(number)
    assert all(len(found) == 1 for found in texts.values()), "two schemas under one id"
    assert all(len(found) == 1 for found in ids.values()), "one schema under two ids"
    assert sorted(texts) == list(range(1, len(texts) + 1)), "gaps in the ids"
    for found in numbers.values():
        assert sorted(found) == list(range(1, len(found) + 1)), "gaps in the versions"
    kept = {(subject, json.dumps(value)) for (subject, _), (_, value) in stored.items()}
    assert len(kept) == len(stored), "one schema registered twice"


def _run(folder: Path, database: str, kills: int) -> None:
    with running(folder, database) as server:
        made = _write_and_kill(server, folder, kills)
        assert len(made) > 10 * kills
        _check(server, made)


def _database(url: str, name: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def test_once_on_sqlite(tmp_path: Path) -> None:
    _run(tmp_path, f"sqlite:///{tmp_path / 'killed.sqlite3'}", 1)


@pytest.mark.faults
@pytest.mark.timeout(1200)
def test_twenty_times_on_sqlite(tmp_path: Path) -> None:
    _run(tmp_path, f"sqlite:///{tmp_path / 'killed.sqlite3'}", 20)


@pytest.mark.faults
@pytest.mark.postgres
@pytest.mark.timeout(1200)
def test_twenty_times_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    _run(tmp_path, _database(postgres_url, "killed"), 20)
