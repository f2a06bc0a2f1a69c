"""A running registry is read over HTTP: ours, served for real, and ones that can less."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from urllib.request import Request, urlopen

import pytest

from registry.transfer.apply import import_snapshot
from registry.transfer.entries import Problem, Snapshot
from registry.transfer.errors import PeerError
from registry.transfer.peer import read_peer
from registry.transfer.session import Session
from registry.transfer.store import read_store
from tests.registry.transfer.samples import RULE, avro, essence
from tests.serving import serve

Json = dict[str, Any]


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a registry with something of everything, filled over its own protocol."""
    with serve(tmp_path_factory.mktemp("peer")) as served:
        fill_over_http(served.url)
        yield served.url


def read(url: str) -> Snapshot:
    with Session(url) as session:
        return read_peer(session)


def call(method: str, url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or b"null")


def fill_over_http(url: str) -> None:
    def register(subject: str, schema: str, **more: Any) -> None:
        path = f"{url}/subjects/{quote(subject, safe='')}/versions"
        call("POST", path, {"schema": schema, **more})

    register("orders", avro("Order", "id"))
    register("orders", avro("Order", "id", "note"))
    register("odd/é %2F", avro("Odd"))
    proto = 'syntax = "proto3";\nmessage Money { int64 cents = 1; }'
    register("money", proto, schemaType="PROTOBUF")
    register(
        "bill",
        'syntax = "proto3";\nimport "money.proto";\nmessage Bill { Money sum = 1; }',
        schemaType="PROTOBUF",
        references=[{"name": "money.proto", "subject": "money", "version": 1}],
    )
    register("ruled", avro("Ruled"), ruleSet={"domainRules": [RULE]})
    register(":.eu:orders", avro("Order", "id"))
    register("gone", avro("Gone"))
    call("DELETE", f"{url}/subjects/gone")
    register("half", avro("Half"))
    register("half", avro("Half", "x"))
    call("DELETE", f"{url}/subjects/half/versions/1")
    register("forgotten", avro("Forgotten"))
    call("DELETE", f"{url}/subjects/forgotten")
    call("DELETE", f"{url}/subjects/forgotten?permanent=true")
    call("PUT", f"{url}/config", {"compatibility": "FULL"})
    call("PUT", f"{url}/config/orders", {"compatibility": "NONE", "normalize": True})
    call("PUT", f"{url}/config/:.eu:", {"compatibility": "FORWARD"})
    call("PUT", f"{url}/mode/orders", {"mode": "READONLY"})


@pytest.mark.django_db
def test_a_registry_arrives_as_it_answers(peer: str) -> None:
    found = read(peer)
    assert found.problems == []
    report = import_snapshot(found)
    assert report.clean
    here = read_store()
    assert {(str(each), each.id, each.deleted) for each in here.versions} == {
        ("orders version 1", 1, False),
        ("orders version 2", 2, False),
        ("odd/é %2F version 1", 3, False),
        ("money version 1", 4, False),
        ("bill version 1", 5, False),
        ("ruled version 1", 6, False),
        (":.eu:orders version 1", 1, False),
        ("gone version 1", 7, True),
        ("half version 1", 8, True),
        ("half version 2", 9, False),
    }
    assert here.configs == {
        ":.:": {"compatibilityLevel": "FULL"},
        ":.eu:": {"compatibilityLevel": "FORWARD"},
        "orders": {"compatibilityLevel": "NONE", "normalize": True},
    }
    assert here.modes == {"orders": "READONLY"}
    # the forgotten one's id, too, is never given out again
    assert here.next_ids == {".": 11, ".eu": 2}


@pytest.mark.django_db
def test_every_answer_by_id_and_version_is_the_same(peer: str, client: Any) -> None:
    import_snapshot(read(peer))
    listed = "/schemas?deleted=true&subjectPrefix=:*:"
    assert client.get(listed).json() == call("GET", peer + listed)
    for number in range(1, 10):
        path = f"/schemas/ids/{number}"
        assert client.get(path).json() == call("GET", peer + path)


@pytest.mark.django_db
def test_a_second_time_everything_is_equal(peer: str) -> None:
    found = read(peer)
    import_snapshot(found)
    again = import_snapshot(read(peer))
    assert again.clean
    assert again.counts["equal"] == sum(again.counts.values())


def test_lists_are_read_whole_however_the_server_pages_them(
    peer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read(peer)
    monkeypatch.setattr("registry.transfer.peer._PAGE", 2)
    assert essence(read(peer)) == essence(whole)


# -- servers that can less -------------------------------------------------------------------------
class Modest:
    """A server of the oldest operations: no contexts, no list of schemas, modes for anybody."""

    def __init__(self) -> None:
        self.schemas = {("a", 1): 1, ("a", 2): 2, ("b", 1): 3}
        self.deleted = {("a", 1)}
        self.failures = 0
        self.seen: list[str] = []

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        if self.failures:
            self.failures -= 1
            return 503, {"error_code": 50003, "message": "no leader yet"}
        wanted = {
            key
            for key in self.schemas
            if query.get("deleted") == ["true"] or key not in self.deleted
        }
        match unquote(path).strip("/").split("/"):
            case ["subjects"]:
                return 200, sorted({name for name, _ in wanted})
            case ["subjects", name, "versions"]:
                return 200, sorted(number for each, number in wanted if each == name)
            case ["subjects", name, "versions", number] if (name, int(number)) in wanted:
                schema_id = self.schemas[name, int(number)]
                schema = avro(f"R{schema_id}")
                place = {"subject": name, "version": int(number)}
                return 200, {**place, "id": schema_id, "schema": schema}
            case ["config"]:
                return 200, {"compatibilityLevel": "NONE"}
            case ["config", "a"]:
                return 200, {"compatibilityLevel": "FULL"}
            case ["mode", *_]:
                return 200, {"mode": "READWRITE"}
        return 404, "404: Not Found"


class Terse(Modest):
    """A server that lists texts without their versions, and answers NONE where nothing is set.

    Apicurio Registry 3.3 does both; it lists a deleted subject, but does not show its versions.
    """

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        match unquote(path).strip("/").split("/"):
            case ["schemas"]:
                # a prefix is taken to the letter
                return 200, [] if "subjectPrefix" in query else [{"schema": '"string"'}]
            case ["subjects", "b", "versions", _] if query["deleted"] == ["true"]:
                return 404, {"error_code": 40401, "message": "Subject 'b' not found."}
            case ["config", "b"]:
                applied = query.get("defaultToGlobal") == ["true"]
                return 200, {"compatibilityLevel": "FULL" if applied else "NONE"}
            case ["config"]:
                return 200, {"compatibilityLevel": "FULL"}
            case ["mode", "a"]:
                return 200, {"mode": "READONLY"}
        return super().answer(path, query)


@contextmanager
def serving(modest: Modest) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            modest.seen.append(self.headers.get("Authorization", ""))
            status, body = modest.answer(parts.path, parse_qs(parts.query))
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_server_of_few_operations_is_read_all_the_same() -> None:
    with serving(Modest()) as url:
        found = read(url)
    assert [(str(each), each.id, each.deleted) for each in found.versions] == [
        ("a version 1", 1, True),
        ("a version 2", 2, False),
        ("b version 1", 3, False),
    ]
    assert found.configs == {
        ":.:": {"compatibilityLevel": "NONE"},
        "a": {"compatibilityLevel": "FULL"},
    }
    # it says READWRITE of everybody, so nothing is set for its subjects
    assert found.modes == {":.:": "READWRITE"}
    assert found.next_ids == {".": 4}


def test_a_server_whose_list_names_no_versions_is_read_one_by_one() -> None:
    terse = Terse()
    terse.deleted.add(("b", 1))
    with serving(terse) as url:
        found = read(url)
    assert [(str(each), each.id, each.deleted) for each in found.versions] == [
        ("a version 1", 1, True),
        ("a version 2", 2, False),
    ]
    assert found.problems == [Problem("b version 1", "listed there, but not shown")]
    assert found.modes == {":.:": "READWRITE", "a": "READONLY"}


def test_an_answer_of_none_where_nothing_is_set_loosens_nothing() -> None:
    terse = Terse()
    terse.schemas["c", 1] = 4
    with serving(terse) as url, Session(url) as session:
        assert session.get("/config/b") == {"compatibilityLevel": "NONE"}
    with serving(terse) as url:
        found = read(url)
    assert found.configs == {
        ":.:": {"compatibilityLevel": "FULL"},
        "a": {"compatibilityLevel": "FULL"},
    }


def test_a_server_that_fails_for_a_while_is_asked_again() -> None:
    modest = Modest()
    modest.failures = 2
    with serving(modest) as url:
        assert len(read(url).versions) == 3


def test_what_cannot_be_read_of_a_server_is_a_problem() -> None:
    modest = Modest()
    modest.schemas["bad\x07", 1] = 9
    with serving(modest) as url:
        found = read(url)
    assert len(found.versions) == 3
    assert len(found.problems) == 1
    assert "is not a valid subject" in found.problems[0].reason


@pytest.mark.parametrize(
    ("credentials", "userinfo", "header"),
    [
        ("anna:se:cret\n", "", "Basic YW5uYTpzZTpjcmV0"),
        ("abc.def", "", "Bearer abc.def"),
        ("Bearer abc.def", "", "Bearer abc.def"),
        ("", "anna:p%40ss@", "Basic YW5uYTpwQHNz"),
        ("", "", ""),
    ],
)
def test_credentials_are_sent_and_never_named(credentials: str, userinfo: str, header: str) -> None:
    modest = Modest()
    with (
        serving(modest) as url,
        Session(url.replace("//", f"//{userinfo}"), credentials) as session,
    ):
        assert session.get("/subjects") == ["a", "b"]
        assert "anna" not in session.name
    assert modest.seen == [header]


@pytest.mark.parametrize("url", ["ftp://host", "file:///etc/passwd", "host:8081", "http://h:99999"])
def test_only_web_addresses_are_called(url: str) -> None:
    with pytest.raises(PeerError):
        Session(url)


def test_a_server_that_is_away_or_no_registry_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(PeerError, match="cannot be reached"):
        read("http://127.0.0.1:9")
    modest = Modest()
    modest.failures = 100
    with serving(modest) as url, pytest.raises(PeerError, match="answered 503: no leader yet"):
        read(url)
    with serving(Modest()) as url, pytest.raises(PeerError, match="has no /subjects"):
        read(f"{url}/elsewhere")
