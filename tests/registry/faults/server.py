"""A served registry that can be killed and started again at the same address."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.ports import free_port
from tests.serving import ROOT

V1 = "application/vnd.schemaregistry.v1+json"
Answer = tuple[int, Any, dict[str, str]]


def call(port: int, method: str, path: str, body: Any = None) -> Answer:
    """One request over a connection of its own, so that any worker may answer it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(method, path, sent, {"Content-Type": V1})
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if content else None, dict(answer.getheaders())
    finally:
        connection.close()


class Server:
    """`manage.py serve` with two workers over one database."""

    def __init__(self, folder: Path, database: str) -> None:
        self.port = free_port()
        self._folder = folder
        self._environment = {
            **os.environ,
            "VAR_DIR": str(folder),
            "DATABASE_URL": database,
            "WEB_WORKERS": "2",
            "LOG_LEVEL": "WARNING",
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._manage("migrate", "--verbosity", "0").wait()

    def _manage(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self._folder / "serve.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), *arguments],
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def start(self) -> None:
        """Start it, and return when it answers."""
        self._process = self._manage("serve", "--port", str(self.port))
        end = time.monotonic() + 90
        while not self._answers():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < end, "not ready after 90 s"
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return self.call("GET", "/health/ready")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def processes(self) -> list[psutil.Process]:
        """The server and its workers."""
        assert self._process is not None
        server = psutil.Process(self._process.pid)
        return [server, *server.children(recursive=True)]

    def kill(self) -> None:
        """End all of it at once (SIGKILL)."""
        for each in self.processes():
            each.kill()
        assert self._process is not None
        self._process.wait(10)

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """One request to it."""
        return call(self.port, method, path, body)

    def log(self) -> str:
        """What it said."""
        return (self._folder / "serve.log").read_text(errors="replace")[-5_000:]


@contextmanager
def running(folder: Path, database: str) -> Iterator[Server]:
    """A started server, killed at the end."""
    server = Server(folder, database)
    server.start()
    try:
        yield server
    finally:
        server.kill()
