"""Ids and versions stay exact when processes and threads register at once."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

ROOT = Path(__file__).parents[3]
PROCESSES = 3


def _environment(url: str, folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": url,
        "VAR_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


def _run(url: str, folder: Path) -> list[dict[str, Any]]:
    environment = _environment(url, folder)
    subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "migrate", "-v0"], env=environment, check=True
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.registry.concurrency.writer", str(first * 10 + 1)],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for first in range(PROCESSES)
    ]
    outputs = [writer.communicate(timeout=150)[0] for writer in writers]
    assert all(writer.returncode == 0 for writer in writers)
    return [json.loads(line) for output in outputs for line in output.splitlines()]


def _check(done: list[dict[str, Any]]) -> None:
    made = [each for each in done if "id" in each]
    texts, ids = defaultdict(set), defaultdict(set)
    versions, numbers = defaultdict(set), defaultdict(set)
    for each in made:
        texts[each["id"]].add(each["text"])
        ids[each["text"]].add(each["id"])
        versions[each["subject"], each["text"]].add(each["version"])
        numbers[each["subject"]].add(each["version"])
    assert all(len(found) == 1 for found in texts.values()), "two schemas under one id"
    assert all(len(found) == 1 for found in ids.values()), "one schema under two ids"
    assert all(len(found) == 1 for found in versions.values()), "one schema registered twice"
    assert sorted(texts) == list(range(1, len(texts) + 1)), "gaps in the ids"
    for found in numbers.values():
        assert sorted(found) == list(range(1, len(found) + 1)), "gaps in the versions"
    for at in range(3):
        rivals = [each for each in done if each["subject"] == f"rivals{at}"]
        assert len({each["text"] for each in rivals if "text" in each}) == 1
        assert {each["error"] for each in rivals if "error" in each} == {40901}
    assert {each["error"] for each in done if "error" in each} == {40901}


def test_on_sqlite(tmp_path: Path) -> None:
    _check(_run(f"sqlite:///{tmp_path / 'ids.sqlite3'}", tmp_path))


@pytest.mark.postgres
def test_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE registry_ids")
    parts = urlsplit(postgres_url)
    _check(_run(urlunsplit(parts._replace(path="/registry_ids")), tmp_path))
