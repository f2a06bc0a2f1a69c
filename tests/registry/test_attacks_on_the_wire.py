"""Connections that dawdle, flood or lie: others are served meanwhile, and nothing is mistaken."""

import gzip
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import pytest

from tests.registry.attacker import Attacker, attacked, others_are_served, watched

POST = (
    b"POST /subjects/wire/versions HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\n"
)
GET = b"GET /schemas/types HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def attacker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacker]:
    """A served registry."""
    with attacked(tmp_path_factory.mktemp("wire")) as made:
        yield made


def _connect(attacker: Attacker) -> socket.socket:
    address = urlsplit(attacker.served.url)
    return socket.create_connection((address.hostname or "", address.port or 80), 10)


def _exchange(attacker: Attacker, sent: bytes, *, until: int = 1) -> bytes:
    """Send bytes as they are; answer what comes: so many answers, or for three seconds."""
    found = b""
    with _connect(attacker) as raw, suppress(ConnectionError, TimeoutError):
        raw.settimeout(3)
        raw.sendall(sent)
        while found.count(b"HTTP/1.1 ") < until or b"\r\n\r\n" not in found:
            if not (part := raw.recv(65_536)):
                break
            found += part
    return found


def _status(found: bytes) -> int | None:
    return int(found.split(b" ", 2)[1]) if found.startswith(b"HTTP/1.1 ") else None


DAWDLERS = {
    "bodies": (150, POST + b"Content-Length: 100\r\n\r\n{"),
    "chunks": (150, POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"),
    "silent": (400, b""),
    "headers": (400, b"GET / HTTP/1.1\r\nHost: local"),
    "idle": (400, GET + b"\r\n"),
}


@pytest.mark.parametrize("name", DAWDLERS)
def test_dawdlers_hold_nobody_up(attacker: Attacker, name: str) -> None:
    number, sent = DAWDLERS[name]
    with ExitStack() as opened, watched(attacker), others_are_served(attacker):
        for _ in range(number):
            raw = opened.enter_context(_connect(attacker))
            raw.sendall(sent)
        time.sleep(1)
        began = time.monotonic()
        assert attacker.post("/subjects/beside/versions", schema='"int"')[0] == 200
        assert time.monotonic() - began < 2


def test_a_body_that_comes_late_is_read(attacker: Attacker) -> None:
    body = json.dumps({"schema": '"long"'}).encode()
    head = POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    with _connect(attacker) as raw:
        raw.sendall(head)
        for at in range(0, len(body), 4):
            raw.sendall(body[at : at + 4])
            time.sleep(0.02)
        raw.settimeout(5)
        assert _status(raw.recv(65_536)) == 200


def test_a_body_cut_short_registers_nothing(attacker: Attacker) -> None:
    head = POST.replace(b"wire", b"cut") + b"Content-Length: 100\r\n\r\n"
    with _connect(attacker) as raw:
        raw.sendall(head + b'{"schema":"\\"int\\""}')
    time.sleep(0.3)
    assert attacker.send("GET", "/subjects/cut/versions")[0] == 404


def test_chunks_without_end_are_cut_off(attacker: Attacker) -> None:
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    with watched(attacker), others_are_served(attacker):
        found = _exchange(attacker, POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 800)
    assert _status(found) in {413, None}


def test_what_was_packed_is_not_unpacked(attacker: Attacker) -> None:
    body = gzip.compress(b" " * 200_000_000)
    with watched(attacker):
        head = POST + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
        assert _status(_exchange(attacker, head + body)) in {400, 413, 415}


def test_requests_in_a_row_are_answered_in_order(attacker: Attacker) -> None:
    paths = [b"/schemas/types", b"/subjects/none/versions", b"/contexts"] * 20
    sent = b"".join(b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % path for path in paths)
    found = _exchange(attacker, sent, until=len(paths))
    statuses = [int(part[:3]) for part in found.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [200, 404, 200] * 20


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /subjects/" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        GET + b"".join(b"X-%d: a\r\n" % at for at in range(10_000)) + b"\r\n",
        GET + b"X: " + b"a" * 1_000_000 + b"\r\n\r\n",
        POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}    ",
        POST + b"Content-Length: -1\r\n\r\n{}",
        POST + b"Content-Length: 99999999999999999999\r\n\r\n{}",
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\r\n" * 10_000,
    ],
    ids=[
        "line of a megabyte", "ten thousand headers", "header of a megabyte", "two lengths",
        "length below zero", "length beyond counting", "no chunk", "no version", "TLS", "HTTP/2",
        "empty lines",
    ],
)  # fmt: skip
def test_what_is_no_request(attacker: Attacker, sent: bytes) -> None:
    with watched(attacker), others_are_served(attacker):
        status = _status(_exchange(attacker, sent))
    assert status is None or 400 <= status < 500


def test_a_length_and_chunks_are_no_two_requests(attacker: Attacker) -> None:
    hidden = b"DELETE /subjects/warm-avro HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = POST + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    _exchange(attacker, head % (5 + len(hidden)) + hidden, until=2)
    assert attacker.send("GET", "/subjects/warm-avro/versions/2")[0] == 404
    sent = head.replace(b"chunked", b"x, chunked") % (5 + len(hidden)) + hidden
    _exchange(attacker, sent)


@pytest.mark.parametrize("name", ["a%0d%0aSet-Cookie:%20a=b", "a%0aX: b", "a%00b"])
def test_no_header_is_split(attacker: Attacker, name: str) -> None:
    line = b"GET /subjects/%b/versions HTTP/1.1" % name.encode()
    found = _exchange(attacker, line + b"\r\nHost: localhost\r\n\r\n")
    head = found.split(b"\r\n\r\n", 1)[0].lower()
    assert b"set-cookie" not in head
    assert b"\r\nx:" not in head
    assert (_status(found) or 400) < 500
