"""Requests a second of the served registry, and the CPU that each costs its server.

    make bench
    python -m bench.registry

What was asked before is answered from memory; a call named new is another each time, and
`REGISTRY_CACHE_BYTES=0` measures every call as if it were. The generator is a Python process on
the same machine: read the CPU column, which counts the server's processes alone, before the rates,
which both share.
"""

import http.client
import json
import statistics
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psutil

from tests.serving import serve

CONNECTIONS = (1, 8)
SECONDS = 3.0
FIELDS = 57
CONTENT = {"Content-Type": "application/vnd.schemaregistry.v1+json"}


@dataclass(frozen=True)
class Call:
    """One request, made anew for each turn."""

    name: str
    method: str
    path: str
    body: Callable[[int], str | None]


def _schema(extra: int = 0) -> str:
    fields = [
        {"name": f"f{at}", "type": ["null", "string"], "default": None} for at in range(FIELDS)
    ]
    if extra:
        fields.append({"name": f"x{extra}", "type": ["null", "long"], "default": None})
    return json.dumps({"type": "record", "name": "Order", "doc": str(extra), "fields": fields})


def _body(extra: int = 0) -> str:
    return json.dumps({"schema": _schema(extra)})


CALLS = (
    Call("GET schema by id", "GET", "/schemas/ids/1", lambda _: None),
    Call("GET latest version", "GET", "/subjects/orders-value/versions/latest", lambda _: None),
    Call("POST existing schema", "POST", "/subjects/orders-value/versions", lambda _: _body()),
    Call("POST look-up", "POST", "/subjects/orders-value", lambda _: _body()),
    Call(
        "POST compatibility",
        "POST",
        "/compatibility/subjects/orders-value/versions/latest",
        lambda _: _body(1),
    ),
    Call(
        "POST compatibility, new",
        "POST",
        "/compatibility/subjects/orders-value/versions/latest",
        lambda turn: _body(turn + 1),
    ),
    Call(
        "POST new version", "POST", "/subjects/growing-value/versions", lambda turn: _body(turn + 1)
    ),
)


def _cpu(server: psutil.Process) -> float:
    """Seconds of user and system time of the server and its workers."""
    times = [each.cpu_times() for each in (server, *server.children(recursive=True))]
    return sum(each.user + each.system for each in times)


class Load:
    """Keeps some connections busy with one call for some seconds."""

    def __init__(self, url: str, call: Call, connections: int) -> None:
        self._host, self._call, self._connections = urlsplit(url).netloc, call, connections
        self._turn = iter(range(10_000_000))
        self.latencies: list[float] = []
        self.failures = 0

    def run(self) -> float:
        """Return the requests a second."""
        until = time.perf_counter() + SECONDS
        threads = [
            threading.Thread(target=self._drive, args=(until,)) for _ in range(self._connections)
        ]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(self.latencies) / (time.perf_counter() - began)

    def _drive(self, until: float) -> None:
        connection = http.client.HTTPConnection(self._host)
        while time.perf_counter() < until:
            body = self._call.body(next(self._turn))
            began = time.perf_counter()
            connection.request(self._call.method, self._call.path, body, CONTENT)
            answer = connection.getresponse()
            answer.read()
            self.latencies.append(time.perf_counter() - began)
            self.failures += answer.status >= 400
        connection.close()


def _measure(url: str, server: psutil.Process, call: Call, connections: int) -> None:
    load = Load(url, call, connections)
    before = _cpu(server)
    rate = load.run()
    cost = (_cpu(server) - before) / len(load.latencies) * 1e6
    ordered = sorted(load.latencies)
    print(
        f"{call.name:<24}{connections:>3} conn {rate:>8,.0f} req/s"
        f"   p50 {statistics.median(ordered) * 1000:6.2f} ms"
        f"   p99 {ordered[int(len(ordered) * 0.99)] * 1000:7.2f} ms   {cost:7,.0f} us CPU a request"
        + (f"   {load.failures} FAILED" if load.failures else "")
    )


def main() -> None:
    """Print a line for each call and number of connections."""
    with TemporaryDirectory() as folder, serve(Path(folder), LOG_LEVEL="ERROR") as served:
        url, server = served.url, psutil.Process(served.process.pid)
        for subject in ("orders-value", "growing-value"):
            _post(f"{url}/subjects/{subject}/versions", _body())
        for call in CALLS:
            for connections in CONNECTIONS if "new" not in call.name else (1,):
                _measure(url, server, call, connections)
        resident = sum(p.memory_info().rss for p in (server, *server.children(recursive=True)))
        print(f"resident memory of the server's processes: {resident // 1024 // 1024} MiB")


def _post(url: str, body: str) -> None:
    request = urllib.request.Request(url, body.encode(), CONTENT)  # noqa: S310  (our own address)
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310
        pass


if __name__ == "__main__":
    main()
