"""Environment variables are read strictly."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config import env


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "DECLARED", {})


@pytest.mark.parametrize(
    ("raw", "value"), [("1", True), ("Yes", True), ("off", False), ("", False)]
)
def test_booleans(monkeypatch: pytest.MonkeyPatch, raw: str, value: bool) -> None:
    monkeypatch.setenv("FLAG", raw)
    assert env.boolean("FLAG", default=not value, help="a flag") is value


def test_a_value_that_cannot_be_read_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNT", "many")
    with pytest.raises(env.SettingInvalidError, match="COUNT='many': expected a whole number"):
        env.integer("COUNT", 1, "a count")


def test_a_postgresql_url_keeps_its_host_option() -> None:
    entry = env.database("postgresql://me:p%40ss@/shop?host=/run/pg&sslmode=disable")
    assert entry["HOST"] == "/run/pg"
    assert entry["PASSWORD"] == "p@ss"
    assert entry["OPTIONS"] == {"sslmode": "disable"}


def test_sqlite_takes_its_lock_at_begin_and_syncs() -> None:
    entry = env.database("sqlite:////srv/x.sqlite3")
    assert entry["NAME"] == "/srv/x.sqlite3"
    options = entry["OPTIONS"]
    assert isinstance(options, dict)
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "synchronous=FULL" in options["init_command"]


def test_another_database_is_refused() -> None:
    with pytest.raises(env.SettingInvalidError, match="DATABASE_URL"):
        env.database("oracle://somewhere")


def test_a_folder_that_cannot_be_made_is_one_line() -> None:
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, root / "manage.py", "check"],
        env={**os.environ, "VAR_DIR": os.devnull + "/var", "SECRET_KEY": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    (line,) = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert line.startswith("insideout: VAR_DIR='/dev/null/var': cannot keep files there")
