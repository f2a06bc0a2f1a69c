"""The commands in processes of their own, on databases of their own."""

import os
import subprocess
import sys
import uuid
from pathlib import Path

import psycopg

ROOT = Path(__file__).parents[3]


def manage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py` to its end."""
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def on_new_database(postgres_url: str, folder: Path) -> dict[str, str]:
    """The environment of a registry on a new, migrated database of the server."""
    name = f"moved_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    base, slash, options = postgres_url.rpartition("?")
    base = base if slash else postgres_url
    url = base.rsplit("/", 1)[0] + f"/{name}" + (f"?{options}" if slash else "")
    environment = {**os.environ, "VAR_DIR": str(folder / "var"), "DATABASE_URL": url}
    migrated = manage(environment, "migrate", "-v0")
    assert migrated.returncode == 0, migrated.stderr
    return environment
