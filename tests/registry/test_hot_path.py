"""Answers given again are those that Django gives, to the letter, and never older than a commit."""

import http.client
import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db.utils import ConnectionHandler

from config.env import database
from registry.api.hot import UNKEPT, HotPath
from registry.api.unchanged import Witness
from tests.registry.conftest import record
from tests.serving import serve

V1 = "application/vnd.schemaregistry.v1+json"
Response = tuple[int, list[tuple[str, str]], bytes]


# -- the callable, over an application that counts -------------------------------------------------
class Counting:
    """An application that tells how often it was asked, and what was posted."""

    def __init__(self, status: str = "200 OK", size: int = 0) -> None:
        self.asked = 0
        self.status = status
        self.size = size
        self.marks: dict[str, Any] = {}
        self.headers: list[tuple[str, str]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked += 1
        environ.update(self.marks)
        body = environ["wsgi.input"].read() + b"." * self.size
        length = ("Content-Length", str(len(body)))
        start_response(self.status, [("X-Turn", str(self.asked)), length, *self.headers])
        return [body]


class Still:
    """A database that changes when it is told to."""

    def __init__(self) -> None:
        self.now: object = 1

    def token(self) -> object:
        return self.now


def ask(app: HotPath, method: str = "GET", path: str = "/schemas/ids/1", **more: Any) -> str:
    """The turn in which the application gave the answer."""
    body = more.pop("body", b"")
    started: list[Any] = []
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.input": BytesIO(body)}
    environ |= {"CONTENT_LENGTH": str(len(body))} if body else {}
    given = b"".join(app({**environ, **more}, lambda *parts: started.append(parts)))
    assert body in given
    ((_, headers),) = started
    return str(dict(headers)["X-Turn"])


def test_an_answer_is_given_again_until_something_changes() -> None:
    still = Still()
    app = HotPath(Counting(), still, 10**6)
    assert [ask(app) for _ in range(3)] == ["1", "1", "1"]
    still.now = 2
    assert [ask(app) for _ in range(2)] == ["2", "2"]
    still.now = None
    assert [ask(app) for _ in range(2)] == ["3", "4"]


@pytest.mark.parametrize(
    "other",
    [
        {"path": "/schemas/ids/2"},
        {"QUERY_STRING": "subject=a"},
        {"HTTP_ACCEPT": "application/json"},
        {"HTTP_HOST": "elsewhere"},
        {"HTTP_IF_NONE_MATCH": '"x"'},
        {"HTTP_AUTHORIZATION": "Basic x"},
        {"HTTP_X_FORWARDED_PROTO": "https"},
        {"HTTP_CONTENT_ENCODING": "gzip"},
        {"method": "POST", "path": "/subjects/a", "body": b"1"},
        {"method": "POST", "path": "/subjects/a", "body": b"2"},
    ],
)
def test_another_request_has_another_answer(other: dict[str, Any]) -> None:
    app = HotPath(Counting(), Still(), 10**6)
    assert [ask(app), ask(app, **other), ask(app, **other), ask(app)] == ["1", "2", "2", "1"]


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "HEAD"},
        {"method": "PUT", "path": "/config", "body": b"{}"},
        {"method": "DELETE", "path": "/subjects/a"},
        {"method": "POST", "path": "/subjects/a"},
        {"method": "POST", "path": "/subjects/a", "body": b"x", "CONTENT_LENGTH": "2"},
        {"method": "POST", "path": "/subjects/a", "body": b"x", "CONTENT_LENGTH": "one"},
        {"method": "POST", "path": "/subjects/a", "body": b"x" * (2**20 + 1)},
        {"method": "POST", "path": "/dek-registry/v1/keks", "body": b"x"},
        {"path": "/registry"},
        {"path": "/dek-registry/v1/keks"},
        {"HTTP_COOKIE": "a=b"},
        {"HTTP_TRANSFER_ENCODING": "chunked"},
    ],
)
def test_what_is_asked_every_time(request_: dict[str, Any]) -> None:
    app = HotPath(Counting(), Still(), 10**8)
    assert [ask(app, **request_) for _ in range(2)] == ["1", "2"]


@pytest.mark.parametrize("status", ["404 Not Found", "409 Conflict", "503 Service Unavailable"])
def test_what_is_missing_or_wrong_is_never_kept(status: str) -> None:
    app = HotPath(Counting(status), Still(), 10**6)
    assert [ask(app) for _ in range(2)] == ["1", "2"]


def test_what_the_database_was_not_asked_for_is_not_kept() -> None:
    counting = Counting()
    app = HotPath(counting, Still(), 10**6)
    counting.marks = {UNKEPT: True}
    assert [ask(app) for _ in range(2)] == ["1", "2"]
    counting.marks, counting.headers = {}, [("Set-Cookie", "a=b")]
    assert [ask(app) for _ in range(2)] == ["3", "4"]


def test_an_answer_during_which_something_changed_is_not_kept() -> None:
    still = Still()
    counting = Counting()

    def changing(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        still.now = object()
        return counting(environ, start_response)

    app = HotPath(changing, still, 10**6)
    assert [ask(app) for _ in range(2)] == ["1", "2"]


def test_memory_is_bounded_and_what_was_used_last_stays() -> None:
    counting = Counting(size=1000)
    app = HotPath(counting, Still(), 50_000)
    for number in range(500):
        ask(app, path=f"/schemas/ids/{number}")
        ask(app, path="/schemas/ids/0")
    assert counting.asked == 500
    kept = sum(len(answer.body) for answer in app._answers.values())
    assert 15_000 < kept < 50_000
    counting.size = 10_000
    assert [ask(app, path="/schemas/types") for _ in range(2)] == ["501", "502"]


def test_without_memory_nothing_is_kept() -> None:
    app = HotPath(Counting(), Still(), 0)
    assert [ask(app) for _ in range(2)] == ["1", "2"]


# -- the witness -----------------------------------------------------------------------------------
def test_a_commit_to_sqlite_is_seen_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "odd #1?%.sqlite3"
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("CREATE TABLE t (n)")
    settings = database("sqlite:///x") | {"NAME": str(file)}
    witness = Witness(ConnectionHandler({"default": settings})["default"])
    first = witness.token()
    assert first is not None
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO t VALUES (1)")
    assert witness.token() == first
    writer.execute("ROLLBACK")
    writer.execute("SELECT * FROM t").fetchall()
    assert witness.token() == first
    writer.execute("INSERT INTO t VALUES (2)")
    second = witness.token()
    assert second not in {first, None}
    writer.close()
    file.rename(tmp_path / "before")
    assert witness.token() is None
    sqlite3.connect(file).close()
    assert witness.token() not in {first, second, None}
    witness.close()


def test_a_database_in_memory_cannot_be_watched() -> None:
    settings = database("sqlite:///")
    assert Witness(ConnectionHandler({"default": settings})["default"]).token() is None


@pytest.mark.postgres
def test_a_commit_to_postgresql_is_seen(postgres_url: str) -> None:
    witness = Witness(ConnectionHandler({"default": database(postgres_url)})["default"])
    with psycopg.connect(postgres_url, autocommit=True) as writer:
        writer.execute("CREATE TABLE IF NOT EXISTS watched (n int)")
        first = settled(witness.token)
        with writer.transaction():
            writer.execute("INSERT INTO watched VALUES (1)")
            during = witness.token()
        after = witness.token()
        assert first is not None
        assert after not in {first, during, None}
        writer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE query LIKE '%pg_current_snapshot%' AND pid <> pg_backend_pid()"
        )
        assert witness.token() is None
        # another connection's counts say nothing of the first one's
        assert witness.token() not in {after, None}
        witness.close()


def settled(read: Callable[[], object]) -> object:
    """What is read twice: a server starting up has work of its own."""
    end = time.monotonic() + 30
    found = read()
    while read() != found and time.monotonic() < end:
        found = read()
        time.sleep(0.1)
    return found


# -- two servers over one database -----------------------------------------------------------------
@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def servers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """Two servers over one database: one remembers, the other asks Django every time."""
    folder = tmp_path_factory.mktemp("hot")
    (folder / "plain").mkdir()
    url = f"sqlite:///{folder}/shared.sqlite3"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    with (
        serve(folder, DATABASE_URL=url) as hot,
        serve(folder / "plain", DATABASE_URL=url, REGISTRY_CACHE_BYTES="0") as plain,
    ):
        yield hot.url, plain.url


def send(url: str, method: str, path: str, body: Any = None, **headers: str) -> Response:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    # the port differs between the two
    sent = {"Host": "localhost", "Content-Type": V1, **headers}
    connection.request(method, path, data, sent)
    answer = connection.getresponse()
    # each process orders a policy's directives in its own way
    found = sorted(
        (name.lower(), "; ".join(sorted(value.split("; ")))) for name, value in answer.getheaders()
    )
    shown = [each for each in found if each[0] != "date"]
    response = answer.status, shown, answer.read()
    connection.close()
    return response


def body_of(*fields: str, **more: Any) -> dict[str, Any]:
    made = record("Order", **dict.fromkeys(fields, ("string", "")))
    return {"schema": json.dumps(made), **more}


def test_both_ways_give_the_same_bytes_and_headers(servers: tuple[str, str]) -> None:
    hot, plain = servers
    for subject in ("orders", ":.eu:orders"):
        send(plain, "POST", f"/subjects/{subject}/versions", body_of("a"))
        send(plain, "POST", f"/subjects/{subject}/versions", body_of("a", "b"))
    guid = json.loads(send(plain, "GET", "/subjects/orders/versions/1")[2])["guid"]
    tag = dict(send(plain, "GET", "/schemas/ids/1")[1])["etag"]
    requests: list[tuple[str, str, Any, dict[str, str]]] = [
        *(
            (method, path, None, {})
            for method in ("GET", "HEAD", "OPTIONS")
            for path in (
                "/schemas/ids/1",
                "/schemas/ids/1?subject=orders",
                "/schemas/ids/1?subject=:.eu:orders",
                "/contexts/.eu/schemas/ids/1",
                "/schemas/ids/99",
                "/schemas/ids/one",
                f"/schemas/guids/{guid}",
                "/subjects",
                "/subjects/orders/versions",
                "/subjects/orders/versions/latest",
                "/subjects/none/versions/latest",
                "/subjects/orders/versions/1/schema",
                "/contexts",
                "/config",
                "/config/orders",
                "/mode",
                "/schemas/types",
            )
        ),
        ("GET", "/schemas/ids/1", None, {"If-None-Match": tag}),
        ("GET", "/schemas/ids/1", None, {"If-None-Match": '"other"'}),
        ("GET", "/schemas/ids/1", None, {"Accept": "application/json"}),
        ("GET", "/schemas/ids/1", None, {"Accept": "text/html"}),
        ("GET", "/schemas/ids/1", None, {"Accept": "*/*;q=0.1"}),
        ("GET", "/schemas/ids/1", None, {"Host": "evil.example"}),
        ("POST", "/subjects/orders/versions", body_of("a"), {}),
        ("POST", "/subjects/orders", body_of("a", "b"), {}),
        ("POST", "/subjects/orders", body_of("z"), {}),
        ("POST", "/subjects/orders", b"{", {}),
        ("POST", "/subjects/orders", body_of("a"), {"Content-Type": "text/plain"}),
        ("POST", "/compatibility/subjects/orders/versions/latest", body_of("a", "c"), {}),
        ("POST", "/compatibility/subjects/orders/versions?verbose=true", {"schema": '"int"'}, {}),
        ("POST", "/contexts/.eu/subjects/orders/versions", body_of("a"), {}),
    ]
    for method, path, body, headers in requests:
        wanted = send(plain, method, path, body, **headers)
        for _ in range(3):
            assert send(hot, method, path, body, **headers) == wanted, (method, path, headers)


def test_what_another_worker_wrote_is_read_at_once(servers: tuple[str, str]) -> None:
    hot, plain = servers
    fields: list[str] = []
    path = "/subjects/growing/versions"
    for turn in range(25):
        fields.append(f"f{turn}")
        writer = servers[turn % 2]
        status, _, made = send(writer, "POST", path, body_of(*fields))
        assert status == 200, made
        for reader in (hot, hot, plain):
            latest = json.loads(send(reader, "GET", f"{path}/latest")[2])
            assert latest["version"] == turn + 1
            assert send(reader, "POST", path, body_of(*fields))[2] == made
    level = {"compatibility": "NONE"}
    probe = "/compatibility/subjects/growing/versions/latest", {"schema": '"int"'}
    assert json.loads(send(hot, "POST", *probe)[2]) == {"is_compatible": False}
    send(plain, "PUT", "/config/growing", level)
    assert json.loads(send(hot, "POST", *probe)[2]) == {"is_compatible": True}
    schema_id = json.loads(send(hot, "GET", f"{path}/1")[2])["id"]
    assert send(hot, "GET", f"/schemas/ids/{schema_id}")[0] == 200
    for query in ("", "?permanent=true"):
        assert send(plain, "DELETE", f"{path}/1{query}")[0] == 200
    assert send(hot, "GET", f"/schemas/ids/{schema_id}")[0] == 404
    assert send(hot, "GET", f"{path}/1")[0] == 404
