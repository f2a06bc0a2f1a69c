"""Two clients at once, and one that reads what it wrote, over two workers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.registry.faults.server import Server, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A registry of two workers."""
    folder = tmp_path_factory.mktemp("raced")
    with running(folder, f"sqlite:///{folder / 'raced.sqlite3'}") as made:
        yield made


def _race(server: Server, rounds: int) -> None:
    def register(subject: str, kind: str) -> tuple[int, Any]:
        body = {"schema": f'"{kind}"'}
        return server.call("POST", f"/subjects/{subject}/versions", body)[:2]

    with ThreadPoolExecutor(2) as pool:
        for at in range(rounds):
            subject = f"rivals-{at}"
            both = [pool.submit(register, subject, kind) for kind in ("int", "boolean")]
            statuses = sorted(each.result()[0] for each in both)
            assert statuses == [200, 409], (at, [each.result() for each in both])
            assert server.call("GET", f"/subjects/{subject}/versions")[1] == [1]


def test_one_of_two_rivals_wins(server: Server) -> None:
    _race(server, 20)


@pytest.mark.faults
@pytest.mark.timeout(1200)
def test_one_of_two_rivals_wins_a_thousand_times(server: Server) -> None:
    _race(server, 1_000)


def _read_own_writes(server: Server, turns: int, name: str) -> None:
    """Five reads a turn, each over a connection of its own, so that both workers are asked."""
    for at in range(turns):
        text = f'{{"type":"enum","name":"E","symbols":["A{at}"],"default":"A{at}"}}'
        subject = f"{name}-{at % 7}"
        status, made, _ = server.call("POST", f"/subjects/{subject}/versions", {"schema": text})
        assert status == 200, made
        for _ in range(2):
            assert server.call("GET", f"/schemas/ids/{made['id']}")[1]["schema"] == text
        for _ in range(2):
            latest = server.call("GET", f"/subjects/{subject}/versions/latest")[1]
            assert (latest["id"], latest["version"]) == (made["id"], made["version"])
        level = ("NONE", "BACKWARD", "FULL")[at % 3]
        put = server.call("PUT", f"/config/{name}", {"compatibility": level})
        assert put[0] == 200
        assert server.call("GET", f"/config/{name}")[1] == {"compatibilityLevel": level}


def test_every_worker_knows_what_was_written(server: Server) -> None:
    _read_own_writes(server, 20, "few")


@pytest.mark.faults
@pytest.mark.timeout(1200)
def test_every_worker_knows_what_was_written_ten_thousand_times(server: Server) -> None:
    _read_own_writes(server, 2_000, "many")
