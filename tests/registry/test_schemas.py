"""GET under /schemas."""

from typing import Any

import pytest
from django.db import OperationalError

from registry.api import lasting
from tests.registry.conftest import Registry, record

ORDER = record(id="string")


@pytest.fixture
def some(registry: Registry) -> Registry:
    """One schema under two subjects, a second one, and one in another context."""
    registry.register("orders-value", ORDER)
    registry.register("copy-value", ORDER)
    registry.register("orders-value", record(id="string", n=("int", 0)))
    registry.register(":.other:orders-value", '"string"')
    return registry


def test_by_id(some: Registry) -> None:
    found = some.get("/schemas/ids/2")
    assert (found["subject"], found["version"]) == ("orders-value", 2)
    assert "schemaType" not in found
    assert "maxId" not in found
    assert some.get("/schemas/ids/1?fetchMaxId=True")["maxId"] == 2
    assert some.get("/schemas/ids/1?subject=copy-value")["subject"] == "copy-value"
    assert some.get("/schemas/ids/1/schema")["name"] == "Order"


def test_by_id_in_a_context(some: Registry) -> None:
    for path in (
        "/schemas/ids/1?subject=:.other:",
        "/schemas/ids/1?subject=:.other:orders-value",
        "/contexts/.other/schemas/ids/1",
        "/contexts/.other/schemas/ids/1?subject=orders-value",
    ):
        assert some.get(path)["schema"] == '"string"', path


def test_a_plain_subject_is_looked_for_in_other_contexts(registry: Registry) -> None:
    registry.register(":.other:only-there", '"string"')
    assert registry.get("/schemas/ids/1?subject=only-there")["subject"] == ":.other:only-there"
    assert registry.get("/subjects/only-there/versions/1")["subject"] == ":.other:only-there"
    assert registry.error("GET", "/schemas/ids/1") == (404, 40403)


@pytest.mark.parametrize("rest", ["", "/schema", "/subjects", "/versions"])
def test_unknown_ids(some: Registry, rest: str) -> None:
    status, body = some.call("GET", f"/schemas/ids/99{rest}")
    assert (status, body) == (404, {"error_code": 40403, "message": "Schema 99 not found"})
    assert some.error("GET", f"/schemas/ids/x{rest}") == (404, 404)
    assert some.error("GET", f"/schemas/ids/99999999999{rest}") == (404, 404)


def test_who_uses_an_id(some: Registry) -> None:
    assert some.get("/schemas/ids/1/subjects") == ["copy-value", "orders-value"]
    assert some.get("/schemas/ids/1/versions") == [
        {"subject": "copy-value", "version": 1},
        {"subject": "orders-value", "version": 1},
    ]
    some.call("DELETE", "/subjects/copy-value")
    assert some.get("/schemas/ids/1/subjects") == ["orders-value"]
    assert some.get("/schemas/ids/1/subjects?deleted=true") == ["copy-value", "orders-value"]
    assert some.get("/schemas/ids/1/versions?deleted=true&limit=1&offset=1") == [
        {"subject": "orders-value", "version": 1}
    ]


def test_types(registry: Registry) -> None:
    assert registry.get("/schemas/types") == ["JSON", "PROTOBUF", "AVRO"]


def test_by_guid(some: Registry) -> None:
    guid = some.get("/subjects/orders-value/versions/1")["guid"]
    assert some.get(f"/schemas/guids/{guid}")["schema"].startswith('{"type":"record"')
    assert some.get(f"/schemas/guids/{guid}/ids") == [{"context": ".", "id": 1}]
    missing = "00000000-0000-0000-0000-000000000000"
    for path in (missing, "nonsense", f"{missing}/ids"):
        assert some.error("GET", f"/schemas/guids/{path}") == (404, 40403)


def test_the_list(some: Registry) -> None:
    found = some.get("/schemas")
    assert [(each["subject"], each["version"], each["id"]) for each in found] == [
        ("copy-value", 1, 1),
        ("orders-value", 1, 1),
        ("orders-value", 2, 2),
        (":.other:orders-value", 1, 1),
    ]
    assert len(some.get("/schemas?latestOnly=true")) == 3
    assert len(some.get("/schemas?subjectPrefix=orders")) == 2
    assert len(some.get("/contexts/.other/schemas")) == 1
    assert [each["subject"] for each in some.get("/schemas?offset=1&limit=1")] == ["orders-value"]
    some.call("DELETE", "/subjects/orders-value/versions/2")
    assert len(some.get("/schemas")) == 3
    assert len(some.get("/schemas?deleted=true")) == 4
    assert [each["version"] for each in some.get("/schemas?latestOnly=true&subjectPrefix=o")] == [1]


def test_the_list_by_rule_and_with_aliases(registry: Registry) -> None:
    rules = {"domainRules": [{"name": "r", "kind": "CONDITION", "mode": "WRITE", "type": "CEL"}]}
    registry.register("a", '"string"', ruleSet=rules)
    registry.register("b", '"int"')
    registry.call("PUT", "/config/z", {"alias": "b"})
    assert [each["subject"] for each in registry.get("/schemas?ruleType=CEL")] == ["a"]
    assert registry.get("/schemas?ruleType=JSONATA") == []
    assert [each["subject"] for each in registry.get("/schemas?aliases=true&subjectPrefix=z")] == [
        "b"
    ]
    assert registry.get("/schemas?aliases=true")[1]["aliases"] == ["z"]


LASTING = ["ids/1", "ids/1/schema", "ids/1?subject=orders-value", "guids/{guid}"]


@pytest.mark.parametrize("path", LASTING)
def test_what_lasts_may_be_kept(some: Registry, path: str) -> None:
    url = "/schemas/" + path.format(guid=some.get("/schemas/ids/1")["guid"])
    first = some.client.get(url)
    assert first["Cache-Control"] == "private, max-age=31536000, immutable"
    assert first["Vary"] == "Accept"
    tag = first["ETag"]
    for known in (tag, f'"x", W/{tag}', "*"):
        again = some.client.get(url, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    assert some.client.get(url, headers={"If-None-Match": '"x"'}).content == first.content


def test_what_does_not_last_is_not_kept(some: Registry) -> None:
    for path in ("ids/9", "ids/1?fetchMaxId=true", "ids/1/subjects", "types", "guids/9"):
        assert "Cache-Control" not in some.client.get(f"/schemas/{path}")
    some.call("DELETE", "/subjects/:.other:orders-value")
    assert some.get("/contexts/other/schemas/ids/1")["schema"] == '"string"'
    some.call("DELETE", "/subjects/:.other:orders-value?permanent=true")
    assert some.error("GET", "/contexts/other/schemas/ids/1") == (404, 40403)


def test_a_schema_is_read_from_the_database_once(
    some: Registry, django_assert_num_queries: Any
) -> None:
    some.get("/schemas/ids/1")
    with django_assert_num_queries(1):
        some.get("/schemas/ids/1")


def test_without_the_database_the_last_answer_stands(
    some: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = some.get("/schemas/ids/1")

    def fail(*_: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr("registry.actions.reading.identify", fail)
    assert some.get("/schemas/ids/1") == found
    assert some.error("GET", "/schemas/ids/4242") == (503, 50001)


def test_what_is_kept_stays_within_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting, "MOST_BYTES", 10)
    kept = lasting.Kept[bytes](len)
    for key in "abc":
        kept.put(key, b"1234")
    assert [kept.get(key) for key in "abc"] == [None, b"1234", b"1234"]
    kept.put("b", b"12")
    kept.put("d", b"1234")
    assert [kept.get(key) for key in "bcd"] == [b"12", b"1234", b"1234"]
