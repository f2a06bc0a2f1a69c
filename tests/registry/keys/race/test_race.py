"""A key is created once, and a KEK is never deleted from under a live DEK, however many write."""

import json
import os
import sqlite3
import subprocess
import sys
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

ROOT = Path(__file__).parents[4]
PROCESSES = 2
ORPHANS = (
    "SELECT count(*) FROM registry_dek JOIN registry_kek ON registry_kek.id = kek_id "
    "WHERE registry_dek.deleted_at IS NULL AND registry_kek.deleted_at IS NOT NULL"
)


def _run(url: str, folder: Path) -> dict[str, list[object]]:
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "VAR_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "migrate", "-v0"], env=environment, check=True
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.registry.keys.race.writer"],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    outputs = [writer.communicate(timeout=120)[0] for writer in writers]
    assert all(writer.returncode == 0 for writer in writers)
    done: dict[str, list[object]] = defaultdict(list)
    for output in outputs:
        for line in output.splitlines():
            what, outcome = json.loads(line)
            done[what].append(outcome)
    return done


def _check(done: dict[str, list[object]]) -> None:
    for what, outcomes in done.items():
        if what.startswith("kek"):
            assert outcomes.count("made") == 1, what
            assert set(outcomes) <= {"made", 40971}, what
        if what.startswith("delete "):
            added = done[what.replace("delete", "dek")]
            assert set(outcomes) <= {"made", 42272}, what
            assert set(added) <= {"made", 40470, 40971}, what
            assert "made" in added or "made" in outcomes, what


def test_on_sqlite(tmp_path: Path) -> None:
    file = tmp_path / "keys.sqlite3"
    _check(_run(f"sqlite:///{file}", tmp_path))
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute(ORPHANS).fetchone() == (0,)


@pytest.mark.postgres
def test_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE registry_keys")
    parts = urlsplit(postgres_url)
    url = urlunsplit(parts._replace(path="/registry_keys"))
    _check(_run(url, tmp_path))
    with psycopg.connect(url) as connection:
        assert connection.execute(ORPHANS).fetchone() == (0,)
