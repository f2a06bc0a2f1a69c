"""POST /subjects/{s}/versions."""

from typing import Any

import pytest

from tests.registry.conftest import Registry, record, text_of

ORDER = record(id="string")


def test_a_new_schema_gets_the_next_id(registry: Registry) -> None:
    first = registry.register("orders-value", ORDER)
    assert (first["id"], first["version"]) == (1, 1)
    second = registry.register("stock-value", record("Stock", sku="string"))
    assert (second["id"], second["version"]) == (2, 1)
    assert "schemaType" not in first
    assert "references" not in first


def test_the_same_schema_is_registered_once(registry: Registry) -> None:
    first = registry.register("orders-value", ORDER)
    assert registry.register("orders-value", ORDER) == first
    elsewhere = registry.register("copy-value", ORDER)
    assert (elsewhere["id"], elsewhere["version"]) == (1, 1)


def test_an_incompatible_schema_is_refused(registry: Registry) -> None:
    registry.register("orders-value", ORDER)
    status, body = registry.call(
        "POST",
        "/subjects/orders-value/versions",
        {"schema": '{"type":"record","name":"Order","fields":[{"name":"n","type":"int"}]}'},
    )
    assert status == 409
    assert body["error_code"] == 40901
    assert body["message"].startswith(
        "Schema being registered is incompatible with an earlier schema for subject "
        "\"orders-value\", details: [{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', "
        "description:'The field 'n' at path '/fields/0' in the new schema has no default value "
        "and is missing in the old schema', additionalInfo:'n'}, {oldSchemaVersion: 1}, "
    )


def test_a_compatible_schema_is_the_next_version(registry: Registry) -> None:
    registry.register("orders-value", ORDER)
    second = registry.register("orders-value", record(id="string", note=("string", "")))
    assert (second["id"], second["version"]) == (2, 2)


def test_an_invalid_schema_is_refused(registry: Registry) -> None:
    path = "/subjects/orders-value/versions"
    assert registry.error("POST", path, {"schema": '{"type":"nonsense"}'}) == (422, 42201)
    assert registry.error("POST", path, {"schema": "{"}) == (422, 42201)
    assert registry.error("POST", path, {}) == (422, 42201)
    assert registry.error("POST", path, {"schema": '"int"', "schemaType": "X"}) == (422, 42201)


def test_the_answer_holds_the_schema_only_when_it_is_not_what_was_sent(registry: Registry) -> None:
    path, body = "/subjects/s/versions", {"schema": '{"type": "string"}'}
    assert set(registry.call("POST", path, body)[1]) == {"id", "version", "guid"}
    assert registry.call("POST", f"{path}?format=resolved", body)[1]["schema"] == '"string"'
    registry.call("PUT", "/config/s", {"defaultMetadata": {"properties": {"a": "b"}}})
    made = registry.call("POST", path, {"schema": '{"type": "string", "x": 1}'})[1]
    assert made["metadata"] == {"properties": {"a": "b"}}
    assert made["schema"] == '{"type": "string", "x": 1}'


def _with_default(kind: Any, default: object) -> dict[str, str]:
    return {"schema": text_of(record(f=(kind, default)))}


_UNFIT = [
    ("boolean", 3),
    ({"type": "array", "items": "long"}, {}),
    (["null", "double"], "half"),
    ({"type": "enum", "name": "Side", "symbols": ["LEFT", "RIGHT"]}, 2),
]


@pytest.mark.parametrize(("kind", "default"), _UNFIT)
def test_a_default_must_fit_its_type(registry: Registry, kind: Any, default: object) -> None:
    unfit = _with_default(kind, default)
    for path in ("/subjects/gate/versions", "/compatibility/subjects/gate/versions"):
        code, body = registry.call("POST", path, unfit)
        assert (code, body["error_code"]) == (422, 42201)
        assert "Invalid default" in body["message"]
    assert registry.error("GET", "/subjects/gate/versions") == (404, 40401)


def test_a_name_must_be_one_by_the_specification(registry: Registry) -> None:
    accented = {"schema": '{"type":"enum","name":"E","symbols":["\u00e9"]}'}
    assert registry.error("POST", "/subjects/gate/versions", accented) == (422, 42201)


def test_the_product_may_accept_what_older_clients_wrote(registry: Registry) -> None:
    registry.call("PUT", "/config", {"validateNewSchemas": False})
    for number, (kind, default) in enumerate(_UNFIT):
        path = f"/subjects/older-{number}"
        made = registry.call("POST", f"{path}/versions", _with_default(kind, default))[1]
        assert registry.call("POST", path, _with_default(kind, default))[1]["id"] == made["id"]
    registry.call("PUT", "/config/older-0", {"validateNewSchemas": True})
    known, unknown = _with_default(*_UNFIT[0]), _with_default("boolean", "maybe")
    assert registry.call("POST", "/subjects/older-0/versions", known)[1]["version"] == 1
    assert registry.error("POST", "/subjects/older-0/versions", unknown) == (422, 42201)


def test_an_old_schema_is_imported_as_it_is(registry: Registry) -> None:
    registry.call("PUT", "/mode/s", {"mode": "IMPORT"})
    assert registry.register("s", _with_default("string", None)["schema"], id=5)["id"] == 5
    reference = {"name": "Order", "subject": "s", "version": 1}
    made = registry.register("t", '{"type":"array","items":"Order"}', references=[reference])
    assert made["id"] == 6


def _asking(version: object) -> dict[str, object]:
    return {"schema": '"int"', "metadata": {"properties": {"confluent:version": str(version)}}}


def test_the_version_that_metadata_asks_for(registry: Registry) -> None:
    path = "/subjects/s/versions"
    assert registry.error("POST", path, _asking(2)) == (422, 42201)
    assert registry.call("POST", path, _asking(1))[1]["version"] == 1
    assert registry.call("POST", path, _asking(1))[1]["version"] == 1
    assert registry.call("POST", path, _asking(2))[1]["version"] == 2
    assert registry.get(f"{path}/2")["id"] == 2
    for version in (1, 2):
        assert registry.call("POST", "/subjects/s", _asking(version))[1]["version"] == version
    assert registry.error("POST", "/subjects/s", _asking(3)) == (404, 40403)
    for open_one in ("0", "-1", "x"):
        assert registry.call("POST", "/subjects/s", _asking(open_one))[1]["version"] == 2
    assert registry.call("POST", "/subjects/s", {"schema": '"int"'})[1]["version"] == 2
    assert registry.get("/subjects/s/metadata?key=confluent:version&value=1")["version"] == 1


def test_an_inherited_version_property_names_its_own_version(registry: Registry) -> None:
    registry.register("s", _asking(1)["schema"], metadata=_asking(1)["metadata"])
    made = registry.register("s", '"long"')
    assert (made["version"], made["metadata"]) == (2, _asking(2)["metadata"])


def test_forced_past_what_is_incompatible_and_nothing_else(registry: Registry) -> None:
    path = "/subjects/s/versions"
    registry.register("s", '"string"')
    other = {"schema": '"int"'}
    assert registry.error("POST", f"{path}?force=false", other) == (409, 40901)
    assert registry.error("POST", f"{path}?force=true", {"schema": "{"}) == (422, 42201)
    assert registry.error("POST", f"{path}?force=true", {**other, "version": 3}) == (422, 42201)
    assert registry.error("POST", f"{path}?force=true", {**other, "id": 9}) == (422, 42205)
    assert registry.call("POST", f"{path}?force=True", other)[1]["version"] == 2
    registry.call("PUT", "/mode/s", {"mode": "READONLY"})
    assert registry.error("POST", f"{path}?force=true", {"schema": '"bytes"'}) == (422, 42205)


def test_numbers_and_flags_in_quotes(registry: Registry) -> None:
    path = "/subjects/s/versions"
    assert registry.error("POST", path, {"schema": '"int"', "version": "2"}) == (422, 42201)
    body = {"schema": '"int"', "version": "1", "id": "-1", "propagateSchemaTags": "true"}
    assert registry.call("POST", path, {**body, "unknown": {}})[1]["version"] == 1
    for wrong in ({"id": "1x"}, {"id": True}, {"id": 1.5}, {"propagateSchemaTags": 1}):
        assert registry.error("POST", path, {"schema": '"int"', **wrong}) == (400, 400)


def test_an_empty_body_means_the_latest_version(registry: Registry) -> None:
    path = "/subjects/s/versions"
    status, body = registry.call("POST", path, {})
    assert (status, body) == (422, {"error_code": 42201, "message": "Empty schema"})
    made = registry.register("s", '"int"')
    for empty in ({}, {"schema": None}, {"schema": " "}):
        status, body = registry.call("POST", path, empty)
        assert (status, body["id"], body["version"]) == (200, made["id"], 1)
    assert registry.get(path) == [1]
