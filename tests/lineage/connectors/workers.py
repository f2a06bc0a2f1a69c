"""A connectors worker as a process of its own, on a database that tests and worker share."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


class Workspace:
    """The product's database (SQLite in a folder) and the processes that work on it."""

    def __init__(self, folder: Path, kafka: str, variables: dict[str, str]) -> None:
        self.folder = folder
        self._environment = os.environ | {
            "VAR_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{folder / 'product.sqlite3'}",
            "KAFKA_BOOTSTRAP_SERVERS": kafka,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            **variables,
        }
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start `manage.py WORDS`."""
        number = len(self._running)
        with (self.folder / f"process-{number}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", *words],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        self._running.append(process)
        return process

    def call(self, code: str) -> str:
        """Run Python in the product and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", f"import django\ndjango.setup()\n{code}"],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Read the product's own database."""
        with closing(sqlite3.connect(self.folder / "product.sqlite3", timeout=20)) as db:
            return db.execute(statement, values).fetchall()

    def logs(self) -> str:
        """What all processes said."""
        return "\n".join(file.read_text() for file in sorted(self.folder.glob("process-*.log")))

    def stop(self) -> None:
        """End what still runs."""
        for process in self._running:
            if process.poll() is None:
                process.kill()
            process.wait()


def eventually(
    condition: Callable[[], bool], seconds: float = 60.0, said: Callable[[], str] = str
) -> None:
    """Wait until a condition holds; otherwise fail with what the processes said."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s\n{said()[-4000:]}")
        time.sleep(0.05)
