"""DELETE /subjects/{s} and DELETE /subjects/{s}/versions/{v}."""

import pytest

from tests.registry.conftest import Registry, record

ORDER = record(id="string")
PATH = "/subjects/orders-value"


@pytest.fixture
def two(registry: Registry) -> Registry:
    """Two versions of one subject."""
    registry.register("orders-value", ORDER)
    registry.register("orders-value", record(id="string", n=("int", 0)))
    return registry


def test_a_subject_softly_then_for_good(two: Registry) -> None:
    assert two.error("DELETE", f"{PATH}?permanent=true") == (404, 40405)
    assert two.call("DELETE", PATH) == (200, [1, 2])
    status, body = two.call("DELETE", PATH)
    assert (status, body["error_code"]) == (404, 40404)
    assert body["message"] == (
        "Subject 'orders-value' was soft deleted.Set permanent=true to delete permanently"
    )
    assert two.get("/schemas/ids/1")["schema"]
    assert two.call("DELETE", f"{PATH}?permanent=True") == (200, [1, 2])
    assert two.error("DELETE", PATH) == (404, 40401)
    assert two.error("GET", "/schemas/ids/1") == (404, 40403)


def test_a_version_softly_then_for_good(two: Registry) -> None:
    assert two.error("DELETE", f"{PATH}/versions/1?permanent=true") == (404, 40407)
    assert two.call("DELETE", f"{PATH}/versions/1") == (200, 1)
    assert two.error("DELETE", f"{PATH}/versions/1") == (404, 40406)
    assert two.call("DELETE", f"{PATH}/versions/1?permanent=true") == (200, 1)
    assert two.error("DELETE", f"{PATH}/versions/1") == (404, 40402)
    assert two.call("DELETE", f"{PATH}/versions/latest") == (200, 2)
    assert two.error("GET", f"{PATH}/versions") == (404, 40401)


def test_what_is_not_there(registry: Registry) -> None:
    assert registry.error("DELETE", "/subjects/nowhere") == (404, 40401)
    assert registry.error("DELETE", "/subjects/nowhere/versions/1") == (404, 40401)
    assert registry.error("DELETE", "/subjects/nowhere/versions/x") == (422, 42202)


def test_an_id_is_never_given_out_again(two: Registry) -> None:
    two.call("DELETE", PATH)
    two.call("DELETE", f"{PATH}?permanent=true")
    again = two.register("orders-value", ORDER)
    assert (again["id"], again["version"]) == (3, 1)
    assert two.register("other", '"int"')["id"] == 4


def test_registering_a_deleted_schema_again_makes_a_version(two: Registry) -> None:
    two.call("DELETE", PATH)
    again = two.register("orders-value", ORDER)
    assert (again["id"], again["version"]) == (1, 3)


def test_a_referenced_schema_stays(registry: Registry) -> None:
    registry.register("item", record("Item", sku="string"))
    registry.register(
        "orders-value",
        record(item="Item"),
        references=[{"name": "Item", "subject": "item", "version": 1}],
    )
    status, body = registry.call("DELETE", "/subjects/item")
    assert (status, body["error_code"]) == (422, 42206)
    assert body["message"] == (
        "One or more references exist to the schema "
        "{magic=1,keytype=SCHEMA,subject=item,version=1}."
    )
    assert registry.error("DELETE", "/subjects/item/versions/1") == (422, 42206)
    registry.call("DELETE", PATH)
    assert registry.call("DELETE", "/subjects/item") == (200, [1])


def test_config_and_mode_go_with_the_subject(two: Registry) -> None:
    two.call("PUT", "/config/orders-value", {"compatibility": "NONE"})
    two.call("PUT", "/mode/orders-value", {"mode": "READWRITE"})
    two.call("DELETE", PATH)
    assert two.error("GET", "/config/orders-value") == (404, 40408)
    assert two.error("GET", "/mode/orders-value") == (404, 40409)


def test_the_latest_of_a_deleted_subject(two: Registry) -> None:
    two.call("DELETE", PATH)
    status, body = two.call("DELETE", f"{PATH}/versions/latest")
    assert (status, body) == (404, {"error_code": 40402, "message": "Version -1 not found."})


def test_registering_again_forgets_the_deleted_versions_of_that_schema(two: Registry) -> None:
    two.call("DELETE", PATH)
    assert two.register("orders-value", ORDER)["version"] == 3
    assert two.get(f"{PATH}/versions?deleted=true") == [2, 3]
    assert two.get("/schemas/ids/1")["version"] == 3


def test_registering_again_keeps_a_deleted_version_that_is_referred_to(two: Registry) -> None:
    reference = {"name": "Order", "subject": "orders-value", "version": 1}
    two.register("book", '{"type":"array","items":"Order"}', references=[reference])
    two.call("DELETE", "/subjects/book")
    two.call("DELETE", PATH)
    two.register("orders-value", ORDER)
    assert two.get(f"{PATH}/versions?deleted=true") == [1, 2, 3]
    assert two.get("/subjects/book/versions/1?deleted=true&format=resolved")


def test_what_a_deleted_schema_refers_to_is_not_removed_for_good(registry: Registry) -> None:
    registry.register("item", record("Item", sku="string"))
    reference = {"name": "Item", "subject": "item", "version": 1}
    registry.register("orders-value", record(item="Item"), references=[reference])
    assert registry.error("DELETE", "/subjects/item/versions/1?permanent=true") == (422, 42206)
    registry.call("DELETE", PATH)
    assert registry.call("DELETE", "/subjects/item") == (200, [1])
    for path in ("/subjects/item", "/subjects/item/versions/1"):
        assert registry.error("DELETE", f"{path}?permanent=true") == (422, 42206)
    assert registry.get(f"{PATH}/versions/1?deleted=true&format=resolved")
    registry.call("DELETE", f"{PATH}?permanent=true")
    assert registry.call("DELETE", "/subjects/item?permanent=true") == (200, [1])
