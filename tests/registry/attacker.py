"""Sends hostile requests to a served registry, and holds it to its limits meanwhile."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from tests.serving import Served, serve

SECONDS = 2.0
GROWTH = 200 * 1024 * 1024
V1 = "application/vnd.schemaregistry.v1+json"
Json = dict[str, Any]


@dataclass
class Attacker:
    """Sends requests as they are, and watches the server's processor time and memory."""

    served: Served
    most_seconds: float = 0.0
    waited: list[float] = field(default_factory=list)

    def send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, Any, dict[str, str]]:
        """One request; the answer must come within the limit, counted in the server's own time."""
        connection = http.client.HTTPConnection(urlsplit(self.served.url).netloc, timeout=30)
        began, busy = time.monotonic(), self._busy()
        try:
            connection.request(method, path, body or None, {"Content-Type": V1, **(headers or {})})
            answer = connection.getresponse()
            content, sent = answer.read(), dict(answer.getheaders())
        finally:
            connection.close()
        self.waited.append(time.monotonic() - began)
        self.most_seconds = max(self.most_seconds, self._busy() - busy)
        assert answer.status < 500, (path[:100], content[:500])
        assert "Set-Cookie" not in sent
        try:
            return answer.status, json.loads(content) if content else None, sent
        except ValueError:
            return answer.status, content, sent

    def post(self, path: str, **body: Any) -> tuple[int, Any]:
        """A JSON body."""
        status, answer, _ = self.send("POST", path, json.dumps(body).encode())
        return status, answer

    def submit(self, subject: str, text: str, kind: str = "AVRO", **more: Any) -> tuple[int, Any]:
        """Register a schema, and ask whether it is compatible with what is there."""
        body = {"schema": text, "schemaType": kind, **more}
        found = self.post(f"/subjects/{subject}/versions", **body)
        status, _ = self.post(f"/compatibility/subjects/{subject}/versions?verbose=true", **body)
        assert status in {200, 422}
        return found

    def memory(self) -> int:
        """Bytes resident in the server's processes."""
        return sum(each.memory_info().rss for each in self._processes())

    def _busy(self) -> float:
        return sum(sum(each.cpu_times()[:2]) for each in self._processes())

    def _processes(self) -> list[psutil.Process]:
        server = psutil.Process(self.served.process.pid)
        return [server, *server.children(recursive=True)]


@contextmanager
def attacked(folder: Path) -> Iterator[Attacker]:
    """A registry served by two workers, which have parsed each format."""
    with serve(folder, WEB_WORKERS="2", WEB_THREADS="5") as served:
        made = Attacker(served)
        for _ in range(6):
            made.submit("warm-avro", '"int"')
            made.submit("warm-json", '{"type": "object"}', "JSON")
            made.submit("warm-proto", 'syntax = "proto3"; message A { int32 a = 1; }', "PROTOBUF")
        yield made


@contextmanager
def watched(attacker: Attacker) -> Iterator[None]:
    """Hold the attack to the limits."""
    before = peak = attacker.memory()
    attacker.most_seconds = 0.0
    over = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.05):
            peak = max(peak, attacker.memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
    assert attacker.most_seconds <= SECONDS
    assert peak - before <= GROWTH, f"{(peak - before) >> 20} MiB"


@contextmanager
def others_are_served(attacker: Attacker) -> Iterator[None]:
    """Read as another client does, all the while: 99 of 100, and all but one, within 250 ms."""
    netloc = urlsplit(attacker.served.url).netloc
    over = threading.Event()
    took: list[float] = []
    wrong: list[object] = []

    def read() -> None:
        while not over.wait(0.02):
            began = time.monotonic()
            connection = http.client.HTTPConnection(netloc, timeout=30)
            try:
                connection.request("GET", "/schemas/ids/1")
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    wrong.append(answer.status)
            except OSError as error:
                wrong.append(error)
            finally:
                connection.close()
            took.append(time.monotonic() - began)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield
        while len(took) < 20 and reader.is_alive():
            time.sleep(0.05)
    finally:
        over.set()
        reader.join()
    took.sort()
    assert not wrong, wrong[:5]
    assert took[-2 - len(took) // 100] < 0.25, took[-20:]
