"""POST /subjects/{s}/versions."""

from tests.registry.conftest import Registry, record

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
