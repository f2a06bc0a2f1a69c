"""GET under /subjects/{s}/versions."""

from urllib.parse import quote

import pytest

from tests.registry.conftest import Registry, record

FIRST = record(id="string")
SECOND = record(id="string", n=("int", 0))


@pytest.fixture
def two(registry: Registry) -> Registry:
    """Two versions of one subject."""
    registry.register("orders-value", FIRST)
    registry.register("orders-value", SECOND)
    return registry


def test_the_list(two: Registry) -> None:
    assert two.get("/subjects/orders-value/versions") == [1, 2]
    assert two.get("/subjects/orders-value/versions?offset=1&limit=5") == [2]
    assert two.error("GET", "/subjects/nowhere/versions") == (404, 40401)


def test_the_list_with_deleted_ones(two: Registry) -> None:
    two.call("DELETE", "/subjects/orders-value/versions/1")
    path = "/subjects/orders-value/versions"
    assert two.get(path) == [2]
    assert two.get(f"{path}?deleted=true") == [1, 2]
    assert two.get(f"{path}?deletedOnly=true") == [1]
    assert two.get(f"{path}?deletedAsNegative=true") == [-1, 2]


def test_one_version(two: Registry) -> None:
    found = two.get("/subjects/orders-value/versions/1")
    assert set(found) == {"subject", "version", "id", "guid", "schema", "ts"}
    assert (found["version"], found["id"]) == (1, 1)
    assert found["schema"] == (
        '{"type":"record","name":"Order","fields":[{"name":"id","type":"string"}]}'
    )


@pytest.mark.parametrize("latest", ["latest", "LATEST", "-1", "2"])
def test_the_latest(two: Registry, latest: str) -> None:
    assert two.get(f"/subjects/orders-value/versions/{latest}")["version"] == 2


@pytest.mark.parametrize("version", ["0", "-2", "x", "2147483648", "1.5", "%00"])
def test_no_version(two: Registry, version: str) -> None:
    path = f"/subjects/orders-value/versions/{version}"
    status, body = two.call("GET", path)
    assert (status, body["error_code"]) == (422, 42202)
    assert body["message"].endswith(
        'is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest"'
    )


def test_missing_ones(two: Registry) -> None:
    assert two.error("GET", "/subjects/orders-value/versions/3") == (404, 40402)
    assert two.error("GET", "/subjects/nowhere/versions/1") == (404, 40401)
    assert two.error("GET", "/subjects/nowhere/versions/latest") == (404, 40401)


def test_the_text_alone(two: Registry) -> None:
    assert two.get("/subjects/orders-value/versions/2/schema")["fields"][1]["default"] == 0


def test_a_deleted_version_on_request(two: Registry) -> None:
    two.call("DELETE", "/subjects/orders-value/versions/2")
    assert two.get("/subjects/orders-value/versions/latest")["version"] == 1
    assert two.error("GET", "/subjects/orders-value/versions/2") == (404, 40402)
    assert two.get("/subjects/orders-value/versions/2?deleted=true")["deleted"] is True
    assert two.get("/subjects/orders-value/versions/latest?deleted=true")["version"] == 1
    two.call("DELETE", "/subjects/orders-value")
    assert two.error("GET", "/subjects/orders-value/versions/latest") == (404, 40401)
    assert two.get("/subjects/orders-value/versions/latest?deleted=true")["version"] == 2


@pytest.mark.parametrize("subject", ["a/b", "a b", "ä", "a%b", "{x}", "a?b", "versions/1"])
def test_any_name_makes_a_subject(registry: Registry, subject: str) -> None:
    path = quote(subject, safe="")
    registry.register(path, FIRST)
    assert registry.get("/subjects") == [subject]
    assert registry.get(f"/subjects/{path}/versions/1")["subject"] == subject


@pytest.mark.parametrize(
    "version", ["0", "-2", "x", "%201", "1_0", "1.0", "", "2147483648", "\u0661"]
)
def test_what_is_no_version(registry: Registry, version: str) -> None:
    registry.register("s", '"int"')
    if version:
        assert registry.error("GET", f"/subjects/s/versions/{version}") == (422, 42202)
        assert registry.error("DELETE", f"/subjects/s/versions/{version}") == (422, 42202)
    for same in ("LaTeSt", "-1", "+1"):
        assert registry.get(f"/subjects/s/versions/{same}")["version"] == 1


def test_what_is_no_number(registry: Registry) -> None:
    for query in ("limit=x", "offset=1_0", "limit=%201", "offset=99999999999"):
        assert registry.error("GET", f"/subjects?{query}") == (404, 404)
