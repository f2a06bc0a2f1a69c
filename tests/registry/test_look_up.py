"""POST /subjects/{s} and POST /subjects/{s}/versions/{v}."""

from tests.registry.conftest import Registry, record, text_of

ORDER = record(id="string")


def test_a_registered_schema_is_found(registry: Registry) -> None:
    made = registry.register("orders-value", ORDER)
    status, found = registry.call("POST", "/subjects/orders-value", {"schema": text_of(ORDER)})
    assert status == 200
    assert (found["subject"], found["version"], found["id"]) == ("orders-value", 1, 1)
    assert found["guid"] == made["guid"]
    assert found["schema"] == made["schema"]


def test_what_is_not_there(registry: Registry) -> None:
    body = {"schema": text_of(ORDER)}
    assert registry.error("POST", "/subjects/orders-value", body) == (404, 40401)
    registry.register("orders-value", ORDER)
    assert registry.error("POST", "/subjects/orders-value", {"schema": '"int"'}) == (404, 40403)
    assert registry.error("POST", "/subjects/orders-value", {"schema": "{"}) == (422, 42201)


def test_a_deleted_one_on_request(registry: Registry) -> None:
    registry.register("orders-value", ORDER)
    registry.call("DELETE", "/subjects/orders-value")
    body = {"schema": text_of(ORDER)}
    assert registry.error("POST", "/subjects/orders-value?deleted=false", body) == (404, 40401)
    status, found = registry.call("POST", "/subjects/orders-value?deleted=True", body)
    assert (status, found["deleted"]) == (200, True)


def test_normalising(registry: Registry) -> None:
    registry.register("n", {"type": "string", "b": 1, "a": 2})
    other = {"schema": '{"a": 2, "type": "string", "b": 1}'}
    assert registry.error("POST", "/subjects/n", other) == (404, 40403)
    registry.call("POST", "/subjects/m/versions?normalize=true", other)
    status, found = registry.call("POST", "/subjects/m?normalize=true", other)
    assert (status, found["version"]) == (200, 1)


def test_in_one_version(registry: Registry) -> None:
    registry.register("orders-value", ORDER)
    registry.register("orders-value", record(id="string", n=("int", 0)))
    body = {"schema": text_of(ORDER)}
    status, found = registry.call("POST", "/subjects/orders-value/versions/1", body)
    assert (status, found["version"]) == (200, 1)
    assert registry.error("POST", "/subjects/orders-value/versions/2", body) == (404, 40403)
    assert registry.error("POST", "/subjects/orders-value/versions/3", body) == (404, 40402)


ITEM = record("Item", sku="string")


def test_an_avro_text_with_its_references_written_out(registry: Registry) -> None:
    registry.register("item", ITEM)
    reference = {"name": "Item", "subject": "item", "version": 1}
    made = registry.register("s", record(item="Item"), references=[reference])
    whole = {"schema": text_of(record(item=ITEM))}
    status, found = registry.call("POST", "/subjects/s", whole)
    assert (status, found["version"]) == (200, 1)
    assert registry.call("POST", "/subjects/s/versions", whole)[1]["id"] == made["id"]
    other = {"schema": text_of(record(item=record("Item", sku="int")))}
    assert registry.error("POST", "/subjects/s", other) == (404, 40403)


def test_in_the_normal_form_that_the_config_asks_for(registry: Registry) -> None:
    registry.call("PUT", "/config/n", {"normalize": True})
    registry.register("n", {"type": "string", "b": 1, "a": 2})
    body = {"schema": '{"a": 2, "type": "string", "b": 1}'}
    assert registry.call("POST", "/subjects/n", body)[1]["version"] == 1
    assert registry.call("POST", "/subjects/n/versions", body)[1]["version"] == 1
