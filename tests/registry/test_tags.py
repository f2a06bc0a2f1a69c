"""Inline tags: POST /subjects/{s}/versions/{v}/tags, schemaTagsToAdd, findTags."""

from typing import Any

from tests.registry.conftest import Registry, record, text_of

ORDER = record("Order", id="string") | {"namespace": "shop"}
PATH = "/subjects/s/versions"


def _entity(path: str, *tags: str, kind: str = "SR_FIELD") -> dict[str, Any]:
    return {"schemaEntity": {"entityPath": path, "entityType": kind}, "tags": list(tags)}


def test_tags_make_a_new_version(registry: Registry) -> None:
    registry.register("s", ORDER)
    wanted = [_entity("shop.Order.id", "PII"), _entity("shop.Order", "T", kind="SR_RECORD")]
    status, made = registry.call("POST", f"{PATH}/latest/tags", {"tagsToAdd": wanted})
    assert (status, made["version"]) == (200, 2)
    assert '"confluent:tags":["PII"]' in made["schema"]
    found = registry.get(f"{PATH}/2?findTags=true")
    assert found["schemaTags"] == [wanted[1], wanted[0]]
    assert "schemaTags" not in registry.get(f"{PATH}/2")
    assert registry.get("/schemas/ids/2?findTags=true")["schemaTags"] == found["schemaTags"]
    gone = {"tagsToRemove": [_entity("shop.Order.id", "PII")], "newVersion": 3}
    made = registry.call("POST", f"{PATH}/2/tags", gone)[1]
    assert made["version"] == 3
    assert "PII" not in made["schema"]


def test_json_schema_tags(registry: Registry) -> None:
    lines = {"type": "array", "items": {"type": "object", "properties": {"sku": {}}}}
    schema = {"type": "object", "properties": {"id": {"type": "string"}, "lines": lines}}
    registry.register("s", schema, schemaType="JSON")
    wanted = [_entity("object.id", "PII"), _entity("object.lines.array.object.sku", "X")]
    made = registry.call("POST", f"{PATH}/1/tags", {"tagsToAdd": wanted})[1]
    assert made["version"] == 2
    assert registry.get(f"{PATH}/2?findTags=true")["schemaTags"] == wanted


def test_rules_are_merged_and_removed(registry: Registry) -> None:
    first, second = ({"name": name, "type": "CEL", "disabled": False} for name in "ab")
    registry.register("s", ORDER, ruleSet={"domainRules": [first]})
    body: dict[str, Any] = {"rulesToMerge": {"domainRules": [second]}}
    made = registry.call("POST", f"{PATH}/1/tags", body)[1]
    assert made["ruleSet"]["domainRules"] == [first, second]
    body = {"rulesToRemove": ["a"], "metadata": {"properties": {"k": "v"}}}
    made = registry.call("POST", f"{PATH}/latest/tags", body)[1]
    assert made["ruleSet"]["domainRules"] == [second]
    assert made["metadata"] == {"properties": {"k": "v"}}


def test_tags_with_a_registration(registry: Registry) -> None:
    wanted = [_entity("shop.Order.id", "PII")]
    assert "PII" in registry.register("s", ORDER, schemaTagsToAdd=wanted)["schema"]
    status, _ = registry.call("POST", PATH, {"schemaTagsToAdd": [_entity("shop.Order.id", "B")]})
    assert status == 200
    assert '["PII","B"]' in registry.get(f"{PATH}/latest")["schema"]


def test_tags_of_the_version_before_are_kept_on_request(registry: Registry) -> None:
    wanted = [_entity("shop.Order", "T", kind="SR_RECORD"), _entity("shop.Order.id", "PII")]
    registry.register("s", ORDER, schemaTagsToAdd=wanted)
    more = {**record("Order", n=("int", 0), id="string"), "namespace": "shop"}
    made = registry.register("s", more, propagateSchemaTags=True)
    assert (made["version"], made["schema"].count("confluent:tags")) == (2, 2)
    assert registry.get(f"{PATH}/2?findTags=true")["schemaTags"] == wanted
    assert registry.register("s", more, propagateSchemaTags=True) == made
    less = {**record("Order", n=("int", 0)), "namespace": "shop"}
    registry.register("s", less, propagateSchemaTags=True)
    assert registry.get(f"{PATH}/3?findTags=true")["schemaTags"] == wanted[:1]
    plain = {**record("Order", n=("int", 1)), "namespace": "shop"}
    registry.register("s", plain)
    assert "schemaTags" not in registry.get(f"{PATH}/4?findTags=true")


def test_what_is_refused(registry: Registry) -> None:
    registry.register("s", ORDER)
    missing = {"tagsToAdd": [_entity("shop.Order.nothing", "A")]}
    assert registry.error("POST", f"{PATH}/1/tags", missing) == (422, 42201)
    assert registry.error("POST", f"{PATH}/1/tags", {"tagsToAdd": "x"}) == (400, 400)
    assert registry.error("POST", f"{PATH}/9/tags", {}) == (404, 40402)
    assert registry.error("POST", f"{PATH}/0/tags", {}) == (422, 42202)
    assert registry.error("POST", "/subjects/t/versions/1/tags", {}) == (404, 40401)
    rules = {"ruleSet": {"domainRules": [{"name": "x"}]}}
    assert registry.error("POST", f"{PATH}/1/tags", rules) == (422, 42210)


PROTO = """syntax = "proto3";
package shop;
message Order {
  string id = 1 [deprecated = true];
  oneof by { string card = 2; int64 cash = 3; }
  message Line { string sku = 1; }
  repeated Line lines = 4;
}
"""


def test_protobuf_tags(registry: Registry) -> None:
    registry.register("s", PROTO, schemaType="PROTOBUF")
    wanted = [
        _entity("shop.Order", "T", kind="SR_RECORD"),
        _entity("shop.Order.id", "PII", "X"),
        _entity("shop.Order.card", "PII"),
        _entity("shop.Order.Line.sku", "Y"),
    ]
    status, made = registry.call("POST", f"{PATH}/1/tags", {"tagsToAdd": wanted})
    assert (status, made["version"]) == (200, 2)
    assert 'import "confluent/meta.proto";' in made["schema"]
    assert registry.get(f"{PATH}/2?findTags=true")["schemaTags"] == wanted
    gone = [_entity("Order.id", "PII"), _entity("Order", "T", kind="SR_RECORD")]
    more = [_entity(".shop.Order.id", "Z")]
    body = {"tagsToRemove": gone, "tagsToAdd": more}
    assert registry.call("POST", f"{PATH}/2/tags", body)[1]["version"] == 3
    assert registry.get(f"{PATH}/3?findTags=true")["schemaTags"] == [
        _entity("shop.Order.id", "X", "Z"), wanted[2], wanted[3]
    ]  # fmt: skip
    for wrong in (_entity("shop.Order.nothing", "A"), _entity("shop.Order.id", "a\nb")):
        assert registry.error("POST", f"{PATH}/1/tags", {"tagsToAdd": [wrong]}) == (422, 42201)
    odd = _entity("shop.Order.id", """a"] = '\\ b""")
    registry.call("POST", f"{PATH}/1/tags", {"tagsToAdd": [odd]})
    assert registry.get(f"{PATH}/latest?findTags=true")["schemaTags"] == [odd]


def test_protobuf_tags_beside_other_parts_of_the_option(registry: Registry) -> None:
    text = """syntax = "proto3";
    import "confluent/meta.proto";
    message A {
      option (confluent.message_meta) = { doc: "an A" tags: ["a"] };
      string x = 1 [(confluent.field_meta).doc = "an x", (.confluent.field_meta).tags = "b"];
    }"""
    registry.register("s", text, schemaType="PROTOBUF")
    wanted = [_entity("A", "c", kind="SR_RECORD"), _entity("A.x", "d", "e")]
    made = registry.call("POST", f"{PATH}/1/tags", {"tagsToAdd": wanted})[1]
    assert made["version"] == 2
    shown = registry.get(f"{PATH}/2?findTags=true")["schemaTags"]
    assert [each["tags"] for each in shown] == [["a", "c"], ["b", "d", "e"]]
    gone = {"tagsToRemove": [_entity("A", "a", "c", kind="SR_RECORD"), _entity("A.x", "b", "d")]}
    made = registry.call("POST", f"{PATH}/2/tags", gone)[1]
    assert made["version"] == 3
    assert '"an A"' in made["schema"]
    assert '"an x"' in made["schema"]


def test_protobuf_tags_below_a_package_that_hides_their_options(registry: Registry) -> None:
    text = """syntax = "proto2";
    package io.confluent.shop;
    message A { optional string x = 1; optional group G = 2 { optional string y = 1; } }"""
    wanted = [
        _entity("io.confluent.shop.A", "a", kind="SR_RECORD"),
        _entity("io.confluent.shop.A.x", "b"),
        _entity("io.confluent.shop.A.G.y", "c"),
    ]
    registry.register("s", text, schemaType="PROTOBUF", schemaTagsToAdd=wanted)
    found = registry.get(f"{PATH}/1?findTags=true")
    assert found["schemaTags"] == wanted
    assert "(.confluent.field_meta)" in found["schema"]
    again = {"schema": found["schema"], "schemaType": "PROTOBUF"}
    for path in ("/subjects/s", "/subjects/s?normalize=true"):
        assert registry.call("POST", path, again)[1]["version"] == 1


NESTED: dict[str, Any] = {
    "type": "record",
    "name": "Order",
    "namespace": "shop",
    "fields": [
        {"name": "lines", "type": {"type": "array", "items": record("Line", sku="string")}},
        {"name": "by", "type": ["null", record("pay.Card", no="string") | {"namespace": "no"}]},
        {"name": "more", "type": {"type": "map", "values": ["int", record("Extra", x="int")]}},
        {"name": "free", "type": record("Free", y="int") | {"namespace": ""}},
        {"name": "old", "aliases": ["older"], "type": ["null", "Order"]},
    ],
}


def test_avro_tags_within(registry: Registry) -> None:
    registry.register("s", NESTED)
    paths = ("shop.Order.lines", "shop.Line.sku", "pay.Card.no", "shop.Extra.x", "Free.y")
    wanted = [_entity(path, "A", "B") for path in (*paths, "shop.Order.old")]
    records = [_entity(path, "R", kind="SR_RECORD") for path in ("shop.Line", "pay.Card")]
    status, made = registry.call("POST", f"{PATH}/1/tags", {"tagsToAdd": wanted + records})
    assert (status, made["version"]) == (200, 2)
    found = registry.get(f"{PATH}/2?findTags=true")["schemaTags"]
    assert found == [wanted[0], records[0], wanted[1], records[1], *wanted[2:]]
    for wrong in ("shop.Order.older", "shop.Card.no", "no.Card.no", "shop.Free.y", "shop.Order"):
        body = {"tagsToAdd": [_entity(wrong, "A")]}
        assert registry.error("POST", f"{PATH}/2/tags", body) == (422, 42201)


def test_a_tag_added_and_removed_is_removed(registry: Registry) -> None:
    registry.register("s", ORDER)
    both = {
        "tagsToAdd": [_entity("shop.Order.id", "A", "B")],
        "tagsToRemove": [_entity("shop.Order.id", "A")],
    }
    assert '"confluent:tags":["B"]' in registry.call("POST", f"{PATH}/1/tags", both)[1]["schema"]


def test_tags_of_a_type_that_is_defined_twice(registry: Registry) -> None:
    line = record("Line", sku="string")
    fields = [{"name": name, "type": line} for name in "ab"]
    schema = {"type": "record", "name": "Order", "fields": fields}
    made = registry.register("s", schema, schemaTagsToAdd=[_entity("Line.sku", "A")])
    assert made["schema"].count("confluent:tags") == 1


def test_tags_of_what_is_referred_to_are_found(registry: Registry) -> None:
    line = record("Line", sku="string")
    line["fields"][0]["confluent:tags"] = ["A"]
    registry.register("line", line)
    refers = [{"name": "Line", "subject": "line", "version": 1}]
    registry.register("s", record("Order", line="Line"), references=refers)
    assert registry.get(f"{PATH}/1?findTags=true")["schemaTags"] == [_entity("Line.sku", "A")]
    body = {"tagsToAdd": [_entity("Line.sku", "B")]}
    assert registry.error("POST", f"{PATH}/1/tags", body) == (422, 42201)


def test_tags_for_a_text_that_is_no_schema(registry: Registry) -> None:
    for fields in (["x"], [{"name": "f"}], "f", None):
        schema = {"type": "record", "name": "R", "fields": fields}
        body = {"schema": text_of(schema), "schemaTagsToAdd": [_entity("R", "A", kind="SR_RECORD")]}
        assert registry.error("POST", PATH, body) == (422, 42201)
