"""Protobuf through the API: references, stored and normal texts, verdicts and their words."""

from typing import Any

import pytest

from tests.registry.conftest import Json, Registry

START = 'syntax = "proto3"; '
COMMON = START + "package common; message Money { int64 units = 1; }"
ITEM = START + 'package shop; import "money.proto"; message Item { common.Money price = 1; }'
ORDER = START + 'package shop; import "item.proto"; message Order { Item item = 1; }'
ORDER_STORED = """\
syntax = "proto3";
package shop;

import "item.proto";

message Order {
  Item item = 1;
}
"""
TO_MONEY = {"name": "money.proto", "subject": "money", "version": 1}
TO_ITEM = {"name": "item.proto", "subject": "item", "version": 1}
CHECK = "/compatibility/subjects/{}/versions/latest?verbose=true"


def body(text: str, *references: Json) -> Json:
    return {"schema": text, "schemaType": "PROTOBUF", "references": list(references)}


def submit(registry: Registry, subject: str, text: str, *references: Json) -> Any:
    return registry.register(subject, text, schemaType="PROTOBUF", references=list(references))


@pytest.fixture
def shop(registry: Registry) -> Registry:
    """An order that imports an item that imports money."""
    submit(registry, "money", COMMON)
    submit(registry, "item", ITEM, TO_MONEY)
    submit(registry, "order", ORDER, TO_ITEM)
    return registry


def test_references_of_references(shop: Registry) -> None:
    order = shop.get("/subjects/order/versions/1")
    assert (order["schema"], order["references"]) == (ORDER_STORED, [TO_ITEM])
    assert shop.get("/subjects/item/versions/1/referencedby") == [order["id"]]
    assert shop.get("/subjects/money/versions/1/referencedby") == [
        shop.get("/subjects/item/versions/1")["id"]
    ]
    assert shop.error("DELETE", "/subjects/item/versions/1") == (422, 42206)
    commented = ORDER.replace("Item item", "/* what is ordered */ Item item")
    status, found = shop.call("POST", "/subjects/order", body(commented, TO_ITEM))
    assert (status, found["id"]) == (200, order["id"])
    assert shop.error("POST", "/subjects/order", body(ORDER)) == (422, 42201)


def test_a_new_version_of_a_reference_is_judged_with_its_referrer(shop: Registry) -> None:
    shop.call("PUT", "/config/item", {"compatibility": "NONE"})
    submit(shop, "item", ITEM.replace("common.Money price = 1", "string price = 1"), TO_MONEY)
    newer = {**TO_ITEM, "version": 2}
    status, answer = shop.call("POST", CHECK.format("order"), body(ORDER, newer))
    assert (status, answer["is_compatible"]) == (200, False)
    assert answer["messages"][0].startswith('{errorType:"FIELD_KIND_CHANGED", description:"')
    assert "'#/Order/1/1'" in answer["messages"][0]
    assert shop.error("POST", "/subjects/order/versions", body(ORDER, newer)) == (409, 40901)


def test_normal_texts(shop: Registry) -> None:
    spelt = body(ORDER.replace("Item item", "shop . Item /* it */ item"), TO_ITEM)
    assert shop.error("POST", "/subjects/order", spelt) == (404, 40403)
    assert shop.call("POST", "/subjects/normal/versions?normalize=true", spelt)[0] == 200
    normal = shop.get("/subjects/normal/versions/1")["schema"]
    assert normal == ORDER_STORED.replace(" Item", " .shop.Item")
    for text in (ORDER, spelt["schema"], normal):
        path = "/subjects/normal?normalize=true"
        assert shop.call("POST", path, body(text, TO_ITEM))[1]["version"] == 1
    assert shop.call("POST", "/subjects/order?normalize=true", body(ORDER, TO_ITEM))[0] == 200


def test_serialised_texts(shop: Registry) -> None:
    encoded = shop.get("/subjects/order/versions/1?format=serialized")["schema"]
    assert shop.call("POST", "/subjects/again/versions", body(encoded, TO_ITEM))[0] == 200
    stored = shop.get("/subjects/again/versions/1")
    assert stored["schema"] == ORDER_STORED.replace(" Item", " .shop.Item")
    for text in (encoded, stored["schema"]):
        assert shop.call("POST", "/subjects/again", body(text, TO_ITEM))[1]["version"] == 1
    again = shop.get(f"/schemas/ids/{stored['id']}?format=serialized")["schema"]
    assert again == encoded


def test_messages(registry: Registry) -> None:
    submit(registry, "s", START + "message A { int32 a = 1; string b = 2; }")
    candidate = body(START + "message A { string a = 1; }")
    answer = registry.call("POST", CHECK.format("s"), candidate)[1]
    assert answer["is_compatible"] is False
    assert answer["messages"][0] == (
        '{errorType:"FIELD_SCALAR_KIND_CHANGED", description:"The scalar type at path \'#/A/1\' '
        'in the new schema is not read from what the old schema wrote"}'
    )
    assert answer["messages"][1:] == [
        "{oldSchemaVersion: 1}",
        "{oldSchema: 'syntax = \"proto3\";\n\nmessage A {\n  int32 a = 1;\n  string b = 2;\n}\n'}",
        "{validateFields: 'false', compatibility: 'BACKWARD'}",
    ]


@pytest.mark.parametrize("level", ["BACKWARD", "FORWARD", "FULL_TRANSITIVE"])
def test_a_field_may_go_and_its_number_be_reserved(registry: Registry, level: str) -> None:
    registry.call("PUT", "/config/s", {"compatibility": level})
    submit(registry, "s", START + "message A { int32 a = 1; string b = 2; }")
    made = submit(registry, "s", START + "message A { int32 a = 1; reserved 2; }")
    assert made["version"] == 2
    reused = body(START + "message A { int32 a = 1; string b = 2; }")
    reused["schema"] = reused["schema"].replace("string b", "string c")
    answer = registry.call("POST", CHECK.format("s"), reused)[1]
    assert answer["is_compatible"] is (level == "FORWARD")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (START + "message A { Missing a = 1; }", "1:32"),
        (START + "\n message A { string a = 1 }", "line 2 column 27"),
        (START + 'import "../../etc/passwd";', "not a usable path"),
        (START + 'import "elsewhere.proto";', "not among the references"),
    ],
)
def test_what_protoc_refuses(registry: Registry, text: str, where: str) -> None:
    status, answer = registry.call("POST", "/subjects/s/versions", body(text))
    assert (status, answer["error_code"]) == (422, 42201)
    assert where in answer["message"]
