"""The HTTP side: content types, errors of the request itself, hostile input."""

import gzip
import json
import zlib
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client, override_settings

from tests.registry.conftest import V1, Registry

PATH = "/subjects/s/versions"


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("", V1),
        ("*/*", V1),
        (V1, V1),
        ("application/vnd.schemaregistry+json", "application/vnd.schemaregistry+json"),
        ("application/json", "application/json"),
        ("application/json, text/plain, */*", "application/json"),
        (
            f"{V1},application/vnd.schemaregistry+json;q=0.9,application/json;q=0.5",
            V1,
        ),
        ("text/html,application/xhtml+xml,*/*;q=0.8", V1),
        ("application/json;q=0.1, application/*;q=0.05", "application/json"),
    ],
)
def test_content_negotiation(registry: Registry, accept: str, answered: str) -> None:
    response = registry.client.get("/subjects", headers={"Accept": accept} if accept else None)
    assert (response.status_code, response["Content-Type"]) == (200, answered)


def test_nothing_acceptable(registry: Registry) -> None:
    response = registry.client.get("/subjects", headers={"Accept": "text/css"})
    assert (response.status_code, response.json()["error_code"]) == (406, 406)


def test_nothing_is_done_when_the_answer_is_not_acceptable(registry: Registry) -> None:
    assert registry.call("POST", PATH, {"schema": '"int"'}, Accept="text/css")[0] == 406
    assert registry.get("/subjects") == []


def test_a_clients_daily_404_is_no_warning(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    registry.call("GET", "/associations/resources/-/orders?resourceType=topic")
    registry.call("GET", "/config/s")
    assert [each for each in caplog.records if each.levelname != "DEBUG"] == []


@pytest.mark.parametrize(
    "sent",
    [V1, "application/vnd.schemaregistry+json", "application/json; charset=utf-8",
     "application/octet-stream"],
)  # fmt: skip
def test_content_types_read(registry: Registry, sent: str) -> None:
    response = registry.client.post(PATH, '{"schema": "\\"int\\""}', content_type=sent)
    assert response.status_code == 200


def test_a_content_type_not_read(registry: Registry) -> None:
    response = registry.client.post(PATH, "schema=int", content_type="text/plain")
    assert (response.status_code, response.json()["error_code"]) == (415, 415)


@pytest.mark.parametrize(
    "path",
    [
        "/subjects/s/version",
        "/schemas/x",
        "/schemas/ids",
        "/config/",
        "/v1/nothing",
        "/contexts/a/b",
    ],
)
def test_unrouted(registry: Registry, path: str) -> None:
    status, body = registry.call("GET", path)
    if path == "/config/":
        assert status == 200
    elif path.startswith("/subjects"):
        assert (status, body["error_code"]) == (405, 405)
    else:
        assert (status, body) == (404, {"error_code": 404, "message": "HTTP 404 Not Found"})


def test_a_method_that_is_not_there(registry: Registry) -> None:
    response = registry.client.patch("/subjects")
    assert (response.status_code, response.json()["error_code"]) == (405, 405)
    assert response["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("body", ["{", "[]", '"x"', '{"schema": 5}', '{"id": "x"}', "\ud800"])
def test_unreadable_bodies(registry: Registry, body: str) -> None:
    response = registry.client.post(
        PATH, body.encode(errors="surrogatepass"), content_type="application/json"
    )
    assert (response.status_code, response.json()["error_code"]) == (400, 400)


def test_a_body_too_large(registry: Registry) -> None:
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1000):
        assert registry.error("POST", PATH, {"schema": "x" * 2000}) == (413, 413)


@pytest.mark.parametrize(("most", "status"), [(1000, 200), (10, 413)])
def test_a_body_in_chunks(registry: Registry, most: int, status: int) -> None:
    chunked: Any = {"wsgi.input": BytesIO(b'{"schema": "\\"int\\""}')}
    chunked["HTTP_TRANSFER_ENCODING"] = "chunked"
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=most):
        response = registry.client.generic(
            "POST", PATH, b"", content_type="application/json", **chunked
        )
    assert response.status_code == status


def _compressed(registry: Registry, sent: bytes, coding: str) -> int:
    response = registry.client.generic(
        "POST", PATH, sent, content_type="application/json", headers={"Content-Encoding": coding}
    )
    assert response.status_code == 200 or set(response.json()) == {"error_code", "message"}
    return response.status_code


def test_a_compressed_body(registry: Registry) -> None:
    body = b'{"schema": "\\"int\\""}'
    assert _compressed(registry, gzip.compress(body), "gzip") == 200
    assert _compressed(registry, zlib.compress(body), "deflate") == 200
    assert _compressed(registry, body, "identity") == 200
    assert _compressed(registry, body, "br") == 415
    assert _compressed(registry, body, "gzip") == 400
    assert _compressed(registry, gzip.compress(body)[:-9], "gzip") == 400
    assert _compressed(registry, gzip.compress(b" " * 20_000_000), "gzip") == 413


@pytest.mark.parametrize("subject", ["a%00b", "a%0Ab", "__GLOBAL", "__EMPTY", ":.c:__GLOBAL"])
def test_names_that_no_subject_has_are_not_found(registry: Registry, subject: str) -> None:
    for path in ("", "/1", "/latest", "/1/schema", "/1/referencedby"):
        found = registry.error("GET", f"/subjects/{subject}/versions{path}")
        assert found == (404, 40401), path
    assert registry.error("DELETE", f"/subjects/{subject}") == (404, 40401)
    assert registry.error("GET", f"/config/{subject}") == (404, 40408)
    assert registry.error("GET", f"/mode/{subject}") == (404, 40409)
    for room in ("config", "mode"):
        assert registry.error("DELETE", f"/{room}/{subject}") == (404, 40401)


def _nested(depth: int) -> str:
    return '{"type":"array","items":' * depth + '"int"' + "}" * depth


def _chain(length: int) -> str:
    """Records that each hold the one before, defined flat."""
    records = [
        {
            "type": "record",
            "name": f"R{at}",
            "fields": [{"name": "f", "type": f"R{at - 1}"}] if at else [],
        }
        for at in range(length)
    ]
    return json.dumps(records)


HOSTILE = {
    "deep": _nested(10_000),
    "brackets": "[" * 100_000,
    "flat chain": _chain(3_000),
    "long name": json.dumps({"type": "record", "name": "n" * 1_000_000, "fields": []}),
    "surrogate": '{"type":"record","name":"A","doc":"\\ud800","fields":[]}',
    "nul": '{"type":"record","name":"A\\u0000","fields":[]}',
    "many fields": json.dumps({
        "type": "record",
        "name": "A",
        "fields": [{"name": f"f{at}", "type": "int"} for at in range(20_000)],
    }),
    "self": '{"type":"record","name":"A","fields":[{"name":"a","type":"A"}]}',
    "number": '{"type":"fixed","name":"A","size":1' + "0" * 5000 + "}",
    "infinity": '{"type":"record","name":"A","fields":'
    '[{"name":"a","type":"double","default":1e999}]}',
    "aliases": json.dumps({
        "type": "record",
        "name": "A",
        "fields": [],
        "aliases": [f"a{at}" for at in range(10_000)],
    }),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_schemas_get_a_code(registry: Registry, name: str) -> None:
    for _ in range(2):
        status, body = registry.call("POST", PATH, {"schema": HOSTILE[name]})
        assert status in {200, 409, 422}, body
    status, body = registry.call(
        "POST", "/compatibility/subjects/s/versions?verbose=true", {"schema": HOSTILE[name]}
    )
    assert status in {200, 422}, body


SUBJECTS = [
    "a\x00b",
    "a\nb",
    "\u202eabc",
    "\uff41",
    "../../etc",
    "__GLOBAL",
    "x" * 5000,
    "",
    " ",
    "\U0001d4b3",
]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_hostile_subjects_get_a_code(registry: Registry, subject: str) -> None:
    path = f"/subjects/{quote(subject, safe='')}"
    for method, rest in [
        ("POST", "/versions"), ("POST", ""), ("GET", "/versions"), ("GET", "/versions/1"),
        ("DELETE", ""), ("GET", "/metadata?key=%00&value=%00"),
    ]:  # fmt: skip
        status, _ = registry.call(method, path + rest, {"schema": '"int"'})
        assert status < 500
    for room in ("config", "mode"):
        for method in ("GET", "PUT", "DELETE"):
            status, _ = registry.call(method, f"/{room}/{quote(subject, safe='')}", {})
            assert status < 500


@pytest.mark.parametrize("subject", ["a%00b", "a%0Ab", "__GLOBAL", "__EMPTY", "x" * 5000])
def test_names_that_no_subject_has(registry: Registry, subject: str) -> None:
    path = f"/subjects/{subject}/versions"
    assert registry.error("POST", path, {"schema": '"int"'}) == (422, 42208)


def test_bytes_that_are_no_text_in_a_path(db: None) -> None:
    for path in ("/subjects/%ff/versions", "/schemas/ids/%ff", "/subjects?subjectPrefix=%ff%00"):
        assert Client(raise_request_exception=False).get(path).status_code < 500


def test_what_the_server_says_of_itself(registry: Registry) -> None:
    assert set(registry.get("/v1/metadata/id")) == {"id", "scope"}
    assert set(registry.get("/v1/metadata/version")) == {"version", "commitId"}
    assert registry.get("/v1/metadata/deployment")["attributes"]
    assert registry.get("/") == {}
    assert registry.call("POST", "/", {}) == (200, {})
