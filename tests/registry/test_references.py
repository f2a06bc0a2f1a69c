"""References: resolved, returned, counted."""

from tests.registry.conftest import Registry, record

ITEM = record("Item", sku="string")
REFERENCE = {"name": "Item", "subject": "item", "version": 1}
ORDER = record(item="Item")


def test_a_reference_is_resolved_and_returned(registry: Registry) -> None:
    registry.register("item", ITEM)
    made = registry.register("order", ORDER, references=[REFERENCE])
    assert made["references"] == [REFERENCE]
    assert made["schema"].endswith('"fields":[{"name":"item","type":"Item"}]}')
    assert registry.get("/subjects/item/versions/1/referencedby") == [made["id"]]
    assert registry.get("/subjects/item/versions/latest/referencedby?limit=0") == []


def test_the_latest_version_becomes_a_number(registry: Registry) -> None:
    registry.register("item", ITEM)
    latest = {**REFERENCE, "version": -1}
    assert registry.register("order", ORDER, references=[latest])["references"] == [REFERENCE]


def test_what_cannot_be_resolved(registry: Registry) -> None:
    path = "/subjects/order/versions"
    for references in ([REFERENCE], [{"name": "Item"}], [{**REFERENCE, "version": 0}]):
        body = {"schema": '"string"', "references": references}
        assert registry.error("POST", path, body) == (422, 42201)
    assert registry.error("POST", path, {"schema": '"int"', "references": "x"}) == (400, 400)


def test_references_of_references(registry: Registry) -> None:
    registry.register("item", ITEM)
    registry.register("order", ORDER, references=[REFERENCE])
    outer = {"name": "Order", "subject": "order", "version": 1}
    made = registry.register("book", {"type": "array", "items": "Order"}, references=[outer])
    assert made["schema"] == '{"type":"array","items":"Order"}'
    body = {"schema": '{"type":"array","items":"Order"}', "references": [outer]}
    assert registry.call("POST", "/subjects/book", body)[1]["version"] == 1


def test_a_version_must_be_the_next_one(registry: Registry) -> None:
    assert registry.register("item", ITEM, version=1)["version"] == 1
    later = {"schema": '{"type":"record","name":"Item","fields":[]}', "version": 5}
    assert registry.error("POST", "/subjects/item/versions", later) == (422, 42201)
    assert registry.call("POST", "/subjects/item/versions", {**later, "version": 2})[0] == 200
