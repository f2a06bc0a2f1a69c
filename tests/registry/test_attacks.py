"""Hostile input against a served registry: a code or the right answer, quickly and small."""

import gzip
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.registry.attacker import SECONDS, Attacker, attacked, others_are_served, watched

V1 = "application/vnd.schemaregistry.v1+json"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def attacker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacker]:
    """A served registry that has parsed each format once."""
    with attacked(tmp_path_factory.mktemp("attacked")) as made:
        yield made


def _record(name: str, *fields: Json) -> Json:
    return {"type": "record", "name": name, "fields": list(fields)}


def _field(name: str, kind: Any, **more: Any) -> Json:
    return {"name": name, "type": kind, **more}


def _twofold(depth: int, leaf: Any) -> str:
    """Records that each hold the next one twice: 2^depth paths over few definitions."""
    kind = leaf
    for at in range(depth, 0, -1):
        kind = _record(
            f"R{at}", _field("a", kind), _field("b", f"R{at + 1}" if at < depth else leaf)
        )
    return json.dumps(kind)


def _allof(depth: int, leaf: str) -> str:
    definitions: Json = {
        f"d{at}": {"allOf": [{"$ref": f"#/definitions/d{at + 1}"}] * 2} for at in range(depth)
    }
    definitions[f"d{depth}"] = {"type": leaf}
    return json.dumps({"$ref": "#/definitions/d0", "definitions": definitions})


AVRO = {
    "self recursion": json.dumps(_record("A", _field("a", "A"))),
    "self recursion in a union": json.dumps(_record("A", _field("a", ["null", "A"]))),
    "alias chain": json.dumps(
        _record("A", *(_field(f"f{at}", "int", aliases=[f"f{at + 1}"]) for at in range(10_000)))
    ),
    "aliases of one": json.dumps(
        _record("A", _field("f", "int", aliases=[f"g{at}" for at in range(10_000)]))
    ),
    "name aliases": json.dumps(_record("A") | {"aliases": [f"n.A{at}" for at in range(10_000)]}),
    "wide union": json.dumps([_record(f"R{at}") for at in range(5_000)]),
    "twofold": _twofold(30, "int"),
    "escaped quotes": '"' + '\\"' * 500_000,
    "field name of a megabyte": json.dumps(_record("A", _field("f" * 1_000_000, "int"))),
    "field name of two": json.dumps(_record("A", _field("f" * 2_000_000, "int"))),
    "confusable fields": json.dumps(
        _record("A", _field("order", "int"), _field("\u043erder", "int"))
    ),
    "brackets": "[" * 500_000,
    "deep": '{"type":"array","items":' * 20_000 + '"int"' + "}" * 20_000,
    "deep in a name": json.dumps(_record("a." * 100_000 + "A")),
    "digits": '{"type":"fixed","name":"A","size":' + "9" * 500_000 + "}",
}
JSON = {
    "all of two, forty deep": _allof(40, "string"),
    "refers to itself": '{"$ref": "#"}',
    "two that refer to each other": '{"$ref":"#/definitions/a","definitions":'
    '{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}}}',
    "file": '{"$ref": "file:///etc/passwd"}',
    "parent folders": '{"$ref": "../../../../etc/passwd"}',
    "deep": '{"not":' * 20_000 + "{}" + "}" * 20_000,
    "pattern": json.dumps({"type": "string", "pattern": "(a+)+$", "default": "a" * 5_000 + "!"}),
    "pattern properties": json.dumps({
        "type": "object",
        "patternProperties": {"(a|a)*" * at + "$": {"type": "string"} for at in range(1, 60)},
        "properties": {"a" * at + "!": {"type": "integer"} for at in range(1, 200)},
    }),
    "wide one of": json.dumps({
        "oneOf": [
            {"type": "object", "properties": {f"p{at}": {"type": "integer"}}} for at in range(2_000)
        ]
    }),
    "number": '{"type": "number", "minimum": 1e999999999}',
    "multiple of next to nothing": '{"type": "number", "multipleOf": 1e-300, "maximum": 1e300}',
}
PROTOBUF = {
    "parent folders": 'syntax = "proto3"; import "../../etc/passwd"; message A {}',
    "absolute": 'syntax = "proto3"; import "/etc/passwd"; message A {}',
    "an address": 'syntax = "proto3"; import "http://127.0.0.1/a.proto"; message A {}',
    "self": 'syntax = "proto3"; import "default"; message A {}',
    "a thousand imports": 'syntax = "proto3";'
    + "".join(f'import "i{at}.proto";' for at in range(1_000))
    + "message A {}",
    "deep": 'syntax = "proto3";' + "message A {" * 10_000 + "}" * 10_000,
    "field name of a megabyte": f'syntax = "proto3"; message A {{ int32 {"f" * 1_000_000} = 1; }}',
    "many fields": 'syntax = "proto3"; message A {'
    + "".join(f"int32 f{at} = {at + 1};" for at in range(15_000))
    + "}",
    "comments": 'syntax = "proto3"; message A {' + "/**/" * 200_000 + "}",
    "open comment": 'syntax = "proto3"; /*' + "/*" * 200_000,
    "open text": 'syntax = "proto3"; import "' + "\\" * 200_001,
    "ranges": 'syntax = "proto2"; message A { extensions 1 to max; reserved '
    + ",".join(f"{at}" for at in range(1, 20_000))
    + "; }",
}
TEXTS = [
    (kind, name, text)
    for kind, texts in (("AVRO", AVRO), ("JSON", JSON), ("PROTOBUF", PROTOBUF))
    for name, text in texts.items()
]


@pytest.mark.parametrize(
    ("kind", "name", "text"), TEXTS, ids=[f"{kind}-{name}" for kind, name, _ in TEXTS]
)
def test_schemas(attacker: Attacker, kind: str, name: str, text: str) -> None:
    subject = quote(f"{kind} {name}")
    with watched(attacker):
        for _ in range(2):
            status, body = attacker.submit(subject, text, kind)
            assert status in {200, 409, 413, 422}, body
            if status != 200:
                assert set(body) == {"error_code", "message"}
                assert "root:" not in body["message"]


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("AVRO", _twofold(30, "int"), _twofold(30, "long")),
        ("JSON", _allof(30, "string"), _allof(30, "integer")),
        ("AVRO", AVRO["wide union"], json.dumps([_record(f"S{at}") for at in range(5_000)])),
        ("JSON", JSON["wide one of"], JSON["wide one of"].replace("integer", "number")),
    ],
    ids=["twofold", "all of two", "wide union", "wide one of"],
)
def test_comparisons(attacker: Attacker, kind: str, old: str, new: str) -> None:
    subject = f"compared-{kind}-{len(old)}"
    with watched(attacker):
        attacker.submit(subject, old, kind)
        assert attacker.submit(subject, new, kind)[0] in {200, 409, 422}


@pytest.mark.fuzz
@pytest.mark.timeout(900)
def test_imports_nested_deeper_than_allowed(attacker: Attacker) -> None:
    references: list[Json] = []
    imported = ""
    depth, status = 0, 200
    answer: Any = None
    with watched(attacker):
        while status == 200 and depth < 1_000:
            depth += 1
            text = f'syntax = "proto3"; package p{depth}; {imported} message M {{}}'
            body = {"schema": text, "schemaType": "PROTOBUF", "references": references}
            status, answer = attacker.post(f"/subjects/deep{depth}/versions", **body)
            references = [{"name": f"d{depth}.proto", "subject": f"deep{depth}", "version": 1}]
            imported = f'import "d{depth}.proto";'
    assert (status, answer["error_code"]) == (422, 42201), depth
    assert 10 < depth < 1_000


def test_imports_that_would_close_a_circle(attacker: Attacker) -> None:
    def proto(name: str, other: str) -> str:
        return f'syntax = "proto3"; import "{other}.proto"; message {name} {{}}'

    with watched(attacker):
        plain = 'syntax = "proto3"; message A {}'
        assert attacker.submit("circle-a", plain, "PROTOBUF")[0] == 200
        to_a = [{"name": "a.proto", "subject": "circle-a", "version": 1}]
        found = attacker.submit("circle-b", proto("B", "a"), "PROTOBUF", references=to_a)
        assert found[0] == 200
        to_b = [{"name": "b.proto", "subject": "circle-b", "version": 1}]
        to_itself = [{"name": "b.proto", "subject": "circle-b", "version": 2}]
        status, _ = attacker.submit("circle-a", proto("A", "b"), "PROTOBUF", references=to_b)
        assert status in {200, 409, 422}
        status, _ = attacker.submit("circle-b", proto("B", "b"), "PROTOBUF", references=to_itself)
        assert status == 422


def test_nothing_is_fetched(attacker: Attacker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bait:
        bait.settimeout(0.5)
        url = f"http://127.0.0.1:{bait.getsockname()[1]}/schema"
        texts = [
            ("JSON", json.dumps({"$ref": url})),
            ("JSON", json.dumps({"$schema": url})),
            ("JSON", json.dumps({"$id": url, "properties": {"a": {"$ref": "other"}}})),
            ("PROTOBUF", f'syntax = "proto3"; import "{url}"; message A {{}}'),
            ("AVRO", json.dumps(_record("A", _field("a", url)))),
        ]
        for at, (kind, text) in enumerate(texts):
            assert attacker.submit(f"fetched{at}", text, kind)[0] in {200, 422}
        with pytest.raises(TimeoutError):
            bait.accept()


SUBJECTS = [
    "a/b", "../../etc/passwd", "..", "a\x00b", "a\r\nSet-Cookie: a=b", "a\nb", "\u202eabc",
    "\u2066x\u2069", "orders", "\u043erders", "\uff4frders", "a\u0301", "\ufeff",
    "\U0001f600" * 200,
    "x" * 50_000, "%2e%2e", "versions", "a/versions/1", ":.:", ":*:", "::", ":.a:b:c", "'; --",
    "{{7*7}}", "${x}", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("subject", SUBJECTS, ids=[ascii(each[:20]) for each in SUBJECTS])
def test_subjects(attacker: Attacker, subject: str) -> None:
    path = quote(subject.encode(errors="surrogatepass"), safe="")
    with watched(attacker):
        status, body = attacker.post(f"/subjects/{path}/versions", schema='"int"')
        assert status in {200, 400, 404, 405, 409, 414, 422}, body
        for method, rest in [("GET", "/versions"), ("GET", "/versions/1"), ("DELETE", "")]:
            attacker.send(method, f"/subjects/{path}{rest}")
        for room in ("config", "mode", "compatibility/subjects", "dek-registry/v1/keks"):
            attacker.send("GET", f"/{room}/{path}")
        attacker.send("GET", f"/subjects?subjectPrefix={path}")
        attacker.send("GET", f"/contexts/{path}/subjects")


@pytest.mark.parametrize(
    ("kind", "text"), [("AVRO", _twofold(30, "int")), ("JSON", _allof(40, "string"))]
)
def test_pages_of_what_has_many_paths(attacker: Attacker, kind: str, text: str) -> None:
    subject = f"paths-{kind}"
    assert attacker.post(f"/subjects/{subject}/versions", schema=text, schemaType=kind)[0] == 200
    with watched(attacker):
        status, _, _ = attacker.send(
            "GET", f"/registry/subjects/{subject}", headers={"Accept": "text/html"}
        )
    assert status == 200


def test_many_references(attacker: Attacker) -> None:
    attacker.submit("referred", '"int"')
    references = [{"name": str(at), "subject": "referred", "version": 1} for at in range(20_000)]
    with watched(attacker):
        found = attacker.post("/subjects/referring/versions", schema='"int"', references=references)
    assert (found[0], found[1]["error_code"]) == (422, 42209)


def test_names_that_look_alike_are_two(attacker: Attacker) -> None:
    for subject, kind in (("alike-orders", "int"), ("alike-\u043erders", "string")):
        found = attacker.post(f"/subjects/{quote(subject)}/versions", schema=json.dumps(kind))
        assert found[0] == 200
    _, listed, _ = attacker.send("GET", "/subjects?subjectPrefix=alike")
    assert len(listed) == 2


BODIES: dict[str, tuple[bytes, dict[str, str]]] = {
    "fifty megabytes": (b" " * 50_000_000, {}),
    "brackets": (b"[" * 4_000_000, {}),
    "objects": (b'{"a":' * 800_000, {}),
    "digits": (b'{"id":' + b"9" * 4_000_000 + b"}", {}),
    "the same key": (b"{" + b",".join([b'"schema":"x"'] * 300_000) + b"}", {}),
    "many keys": (json.dumps({f"k{at}": at for at in range(300_000)}).encode(), {}),
    "packed": (gzip.compress(b" " * 100_000_000), {"Content-Encoding": "gzip"}),
    "no text": (b"\xff\xfe" * 1_000, {}),
    "a form": (b"a=b&" * 100_000, {"Content-Type": "application/x-www-form-urlencoded"}),
    "references": (
        json.dumps({
            "schema": '"int"',
            "references": [{"name": str(at), "subject": "s", "version": 1} for at in range(20_000)],
        }).encode(),
        {},
    ),
    "rules": (
        json.dumps({
            "schema": '"int"',
            "ruleSet": {"domainRules": [{"name": str(at), "type": "CEL"} for at in range(20_000)]},
        }).encode(),
        {},
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies(attacker: Attacker, name: str) -> None:
    body, headers = BODIES[name]
    with watched(attacker):
        for path in ("/subjects/bodies/versions", "/config/bodies", "/associations:batch"):
            method = "PUT" if path.startswith("/config") else "POST"
            try:
                status, _, _ = attacker.send(method, path, body, headers)
            except (BrokenPipeError, ConnectionResetError):
                # the refusal came before the whole body was sent
                continue
            assert status in {200, 400, 413, 415, 422}


HEADERS = {
    "folded": {"Accept": "application/json,\r\n\t*/*"},
    "long": {"Accept": "a/b," * 10_000},
    "many qualities": {"Accept": ",".join(f"application/json;q=0.{at}" for at in range(3_000))},
    "who": {"Confluent-Client-Version": "x" * 30_000},
    "not ascii": {"User-Agent": "\xff\xfe\x80"},
    "host": {"Host": "evil.example\tx"},
    "method": {"X-HTTP-Method-Override": "DELETE"},
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers(attacker: Attacker, name: str) -> None:
    with watched(attacker):
        netloc = urlsplit(attacker.served.url)
        with socket.create_connection((netloc.hostname or "", netloc.port or 80), 10) as raw:
            sent = {"Host": "a", "Content-Type": V1, "Content-Length": "19"} | HEADERS[name]
            head = "".join(f"{key}: {value}\r\n" for key, value in sent.items())
            body = '{"schema":"\\"int\\""}'
            request = f"POST /subjects/headers/versions HTTP/1.1\r\n{head}\r\n{body}"
            raw.sendall(request.encode("latin-1"))
            status = int(raw.recv(4096).split(b" ", 2)[1])
        assert status in {200, 400, 406, 409, 431}


@pytest.mark.parametrize(
    "query", ["a&" * 5_000, "key=a&value=b&" * 2_000, "limit=" + "9" * 5_000, "deleted=" * 3_000]
)
def test_queries(attacker: Attacker, query: str) -> None:
    with watched(attacker):
        for path in ("/subjects", "/subjects/warm-avro/metadata", "/schemas"):
            status, body, _ = attacker.send("GET", f"{path}?{query}")
            assert status in {200, 400, 404, 414}, body


def _attack_all(attacker: Attacker) -> None:
    for kind, name, text in TEXTS:
        attacker.submit(quote(f"long {kind} {name}"), text, kind)


@pytest.mark.fuzz
@pytest.mark.timeout(300)
def test_other_clients_keep_being_served(attacker: Attacker) -> None:
    attacker.waited.clear()
    with others_are_served(attacker):
        _attack_all(attacker)
    assert max(attacker.waited) <= 2 * SECONDS
    assert attacker.most_seconds <= SECONDS
