"""Named changes of JSON Schemas and their verdicts, one small pair each."""

from typing import Any

import pytest

from registry.formats.json_schema import FORMAT
from tests.registry.formats.judge_json_schema import changes, kinds, parsed, readable

STRING: dict[str, Any] = {"type": "string"}
INTEGER: dict[str, Any] = {"type": "integer"}
NUMBER: dict[str, Any] = {"type": "number"}
NULL: dict[str, Any] = {"type": "null"}


def obj(properties: dict[str, Any] | None = None, **keywords: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties or {}, **keywords}


def closed(properties: dict[str, Any] | None = None, **keywords: Any) -> dict[str, Any]:
    return obj(properties, additionalProperties=False, **keywords)


def tuple_of(*items: Any, **keywords: Any) -> dict[str, Any]:
    return {"type": "array", "items": list(items), **keywords}


FACETS = [
    # keyword, its kind's schema, lower and higher value, prefix of the names, is it a ceiling?
    ("maxLength", STRING, 3, 5, "MAX_LENGTH", True),
    ("minLength", STRING, 3, 5, "MIN_LENGTH", False),
    ("maximum", NUMBER, 3, 5.5, "MAXIMUM", True),
    ("minimum", NUMBER, -3, 5.5, "MINIMUM", False),
    ("exclusiveMaximum", NUMBER, 3, 5, "EXCLUSIVE_MAXIMUM", True),
    ("exclusiveMinimum", NUMBER, 3, 5, "EXCLUSIVE_MINIMUM", False),
    ("maxProperties", {"type": "object"}, 3, 5, "MAX_PROPERTIES", True),
    ("minProperties", {"type": "object"}, 3, 5, "MIN_PROPERTIES", False),
    ("maxItems", {"type": "array"}, 3, 5, "MAX_ITEMS", True),
    ("minItems", {"type": "array"}, 3, 5, "MIN_ITEMS", False),
]


@pytest.mark.parametrize(("keyword", "base", "low", "high", "name", "ceiling"), FACETS)
def test_bounds(keyword: str, base: Any, low: Any, high: Any, name: str, ceiling: bool) -> None:
    lower, higher = {**base, keyword: low}, {**base, keyword: high}
    path = f"#/{keyword}"
    assert changes(base, lower) == {(f"{name}_ADDED", path)}
    assert not readable(base, lower)
    assert changes(lower, base) == {(f"{name}_REMOVED", path)}
    assert readable(lower, base)
    assert changes(lower, higher) == {(f"{name}_INCREASED", path)}
    assert readable(lower, higher) is ceiling
    assert changes(higher, lower) == {(f"{name}_DECREASED", path)}
    assert readable(higher, lower) is not ceiling
    assert changes(lower, dict(lower)) == set()


SCALARS = [
    (STRING, {**STRING, "pattern": "^a"}, "PATTERN_ADDED", False),
    ({**STRING, "pattern": "^a"}, STRING, "PATTERN_REMOVED", True),
    ({**STRING, "pattern": "^a"}, {**STRING, "pattern": "^b"}, "PATTERN_CHANGED", False),
    (INTEGER, NUMBER, "TYPE_EXTENDED", True),
    (NUMBER, INTEGER, "TYPE_NARROWED", False),
    ({**NUMBER, "multipleOf": 10}, {**NUMBER, "multipleOf": 5}, "MULTIPLE_OF_REDUCED", True),
    ({**NUMBER, "multipleOf": 0.3}, {**NUMBER, "multipleOf": 0.1}, "MULTIPLE_OF_REDUCED", True),
    ({**NUMBER, "multipleOf": 5}, {**NUMBER, "multipleOf": 10}, "MULTIPLE_OF_EXPANDED", False),
    ({**NUMBER, "multipleOf": 5}, {**NUMBER, "multipleOf": 7}, "MULTIPLE_OF_CHANGED", False),
    (NUMBER, {**NUMBER, "multipleOf": 2}, "MULTIPLE_OF_ADDED", False),
    ({**NUMBER, "multipleOf": 2}, NUMBER, "MULTIPLE_OF_REMOVED", True),
    (STRING, INTEGER, "TYPE_CHANGED", False),
    (STRING, {**STRING, "title": "T"}, "TITLE_CHANGED", True),
    (STRING, {**STRING, "description": "d"}, "DESCRIPTION_CHANGED", True),
    (STRING, {**STRING, "default": None}, "DEFAULT_CHANGED", True),
    (STRING, {**STRING, "$id": "x"}, "ID_CHANGED", True),
    ({"enum": ["a"]}, {"enum": ["a", "b"]}, "ENUM_ARRAY_EXTENDED", True),
    ({"enum": ["a", "b"]}, {"enum": ["a"]}, "ENUM_ARRAY_NARROWED", False),
    ({"enum": ["a", "b"]}, {"enum": ["a", "c"]}, "ENUM_ARRAY_CHANGED", False),
    ({"const": 1}, {"const": 2}, "ENUM_ARRAY_CHANGED", False),
    ({"not": {**STRING, "maxLength": 9}}, {"not": {**STRING, "maxLength": 3}},
     "NOT_TYPE_NARROWED", True),
    ({"not": {**STRING, "maxLength": 3}}, {"not": {**STRING, "maxLength": 9}},
     "NOT_TYPE_EXTENDED", False),
    ({"not": STRING}, {"not": INTEGER}, "NOT_TYPE_EXTENDED", False),
]  # fmt: skip


@pytest.mark.parametrize(("original", "update", "kind", "compatible"), SCALARS)
def test_scalars(original: Any, update: Any, kind: str, compatible: bool) -> None:
    assert kinds(original, update) == {kind}
    assert readable(original, update) is compatible


UNCHANGED = [
    ({**NUMBER, "maximum": 1}, {**NUMBER, "maximum": 1.0}),
    ({"enum": [1, 2]}, {"enum": [2.0, 1]}),
    (obj(), obj(additionalProperties=True)),
    (obj(), obj(additionalProperties={})),
    (False, STRING),
    (STRING, True),
    (STRING, {}),
    ({**STRING, "connect.type": "bytes"}, {**NUMBER, "connect.type": "bytes"}),
    ({"type": ["string"]}, STRING),
    ({"definitions": {"a": STRING}, "$ref": "#/definitions/a"}, STRING),
    (
        {"$schema": "http://json-schema.org/draft-04/schema#", **NUMBER,
         "minimum": 5, "exclusiveMinimum": True},
        {**NUMBER, "exclusiveMinimum": 5},
    ),
    (
        tuple_of(STRING, additionalItems=False),
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "array",
         "prefixItems": [STRING], "items": False},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("original", "update"), UNCHANGED)
def test_what_means_the_same_is_no_change(original: Any, update: Any) -> None:
    assert changes(original, update) == set()


A, B, C = {"a": STRING}, {"b": INTEGER}, {"c": STRING}
REMOVED, ADDED = "PROPERTY_REMOVED_", "PROPERTY_ADDED_"
PARTIALLY = "BY_PARTIALLY_OPEN_CONTENT_MODEL"
PROPERTIES = [
    # original, update, kinds, compatible: strict, lenient
    (obj(A), obj(), {REMOVED + "FROM_OPEN_CONTENT_MODEL"}, True, True),
    (closed(A), closed(), {REMOVED + "FROM_CLOSED_CONTENT_MODEL"}, False, True),
    (closed({"a": False}), closed(),
     {"PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL"}, True, True),
    (obj(A, additionalProperties=STRING), obj(additionalProperties=STRING),
     {REMOVED + "IS_COVERED_" + PARTIALLY}, True, True),
    (obj(B, additionalProperties=STRING), obj(additionalProperties=STRING),
     {REMOVED + "NOT_COVERED_" + PARTIALLY, "TYPE_CHANGED"}, False, True),
    (closed(A, patternProperties={"^a": STRING}), closed(patternProperties={"^a": STRING}),
     {REMOVED + "IS_COVERED_" + PARTIALLY}, True, True),
    (obj(), obj({"a": {}}), {"PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL"}, True, True),
    (obj(), obj(A), {"OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"}, False, True),
    (obj(), obj(A, required=["a"]),
     {"REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"}, False, False),
    (obj(), obj({"a": {**STRING, "default": ""}}, required=["a"]),
     {"REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL"}, False, True),
    (closed(), closed(A), {"OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL"}, True, True),
    (closed(), closed(A, required=["a"]),
     {"REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL"}, False, False),
    (closed(), closed({"a": {**STRING, "default": ""}}, required=["a"]),
     {"REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL"}, True, True),
    (obj(additionalProperties=STRING), obj(A, additionalProperties=STRING),
     {ADDED + "IS_COVERED_" + PARTIALLY, "OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL"},
     True, True),
    (obj(additionalProperties=STRING), obj(B, additionalProperties=STRING),
     {ADDED + "NOT_COVERED_" + PARTIALLY, "TYPE_CHANGED",
      "OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL"}, False, True),
    (obj(A), obj(A, required=["a"]), {"REQUIRED_ATTRIBUTE_ADDED"}, False, False),
    (obj({"a": {**STRING, "default": ""}}), obj({"a": {**STRING, "default": ""}}, required=["a"]),
     {"REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED"}, True, True),
    (obj(A, required=["a"]), obj(A), {"REQUIRED_ATTRIBUTE_REMOVED"}, True, True),
    (obj(), obj(required=["x"]), {"REQUIRED_ATTRIBUTE_ADDED"}, False, False),
    (closed(), obj(), {"ADDITIONAL_PROPERTIES_ADDED"}, True, True),
    (obj(), closed(), {"ADDITIONAL_PROPERTIES_REMOVED"}, False, True),
    (obj(additionalProperties=STRING), obj(), {"ADDITIONAL_PROPERTIES_EXTENDED"}, True, True),
    (obj(), obj(additionalProperties=STRING), {"ADDITIONAL_PROPERTIES_NARROWED"}, False, True),
    (obj(additionalProperties=INTEGER), obj(additionalProperties=NUMBER),
     {"TYPE_EXTENDED"}, True, True),
    (obj(), obj(patternProperties={"^a": STRING}), {"ADDITIONAL_PROPERTIES_NARROWED"}, False, True),
    (closed(patternProperties={"^a": STRING}), closed(patternProperties={"^a": {}}),
     set(), True, True),
    (obj(), obj(dependencies={"a": ["b"]}), {"DEPENDENCY_ARRAY_ADDED"}, False, False),
    (obj(dependencies={"a": ["b"]}), obj(), {"DEPENDENCY_ARRAY_REMOVED"}, True, True),
    (obj(dependencies={"a": ["b"]}), obj(dependencies={"a": ["b", "c"]}),
     {"DEPENDENCY_ARRAY_EXTENDED"}, False, False),
    (obj(dependencies={"a": ["b", "c"]}), obj(dependencies={"a": ["b"]}),
     {"DEPENDENCY_ARRAY_NARROWED"}, True, True),
    (obj(dependencies={"a": ["b"]}), obj(dependencies={"a": ["c"]}),
     {"DEPENDENCY_ARRAY_CHANGED"}, False, False),
    (obj(), obj(dependencies={"a": obj(B)}), {"DEPENDENCY_SCHEMA_ADDED"}, False, False),
    (obj(dependencies={"a": obj(B)}), obj(), {"DEPENDENCY_SCHEMA_REMOVED"}, True, True),
    (obj(propertyNames=STRING), obj(), {"SCHEMA_REMOVED"}, True, True),
    (obj(), obj(propertyNames={"maxLength": 3}), {"SCHEMA_ADDED"}, False, False),
    ({**obj(), "confluent:reserved": ["x"]}, obj(), {"RESERVED_PROPERTY_REMOVED"}, False, False),
    ({**closed(), "confluent:reserved": ["a"]}, {**closed(A), "confluent:reserved": ["a"]},
     {"RESERVED_PROPERTY_CONFLICTS_WITH_PROPERTY",
      "OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL"}, False, False),
]  # fmt: skip


@pytest.mark.parametrize(("original", "update", "expected", "strict", "lenient"), PROPERTIES)
def test_properties(
    original: Any, update: Any, expected: set[str], strict: bool, lenient: bool
) -> None:
    assert kinds(original, update) == expected
    assert readable(original, update) is strict
    assert readable(original, update, "LENIENT") is lenient


D2020 = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
UNEVALUATED = [
    (obj(unevaluatedProperties=False), obj(), "UNEVALUATED_PROPERTIES_ADDED", True, True),
    (obj(), obj(unevaluatedProperties=False), "UNEVALUATED_PROPERTIES_REMOVED", False, True),
    (obj(unevaluatedProperties=STRING), obj(), "UNEVALUATED_PROPERTIES_EXTENDED", True, True),
    (obj(), obj(unevaluatedProperties=STRING), "UNEVALUATED_PROPERTIES_NARROWED", False, True),
    ({"type": "array"}, {"type": "array", "unevaluatedItems": False},
     "UNEVALUATED_ITEMS_REMOVED", False, False),
    ({"type": "array", "contains": STRING}, {"type": "array", "contains": STRING, "minContains": 2},
     "MIN_CONTAINS_ADDED", False, False),
    ({"type": "array", "contains": STRING, "maxContains": 2}, {"type": "array", "contains": STRING},
     "MAX_CONTAINS_REMOVED", True, True),
    (obj(), obj(dependentRequired={"a": ["b"]}), "DEPENDENCY_ARRAY_ADDED", False, False),
    (obj(), obj(dependentSchemas={"a": obj(B)}), "DEPENDENCY_SCHEMA_ADDED", False, False),
]  # fmt: skip


@pytest.mark.parametrize(("original", "update", "kind", "strict", "lenient"), UNEVALUATED)
def test_later_drafts(original: Any, update: Any, kind: str, strict: bool, lenient: bool) -> None:
    original, update = {**D2020, **original}, {**D2020, **update}
    assert kinds(original, update) == {kind}
    assert readable(original, update) is strict
    assert readable(original, update, "LENIENT") is lenient


ARRAYS = [
    ({"type": "array"}, {"type": "array", "items": STRING}, "SCHEMA_ADDED", "#/items", False),
    ({"type": "array", "items": STRING}, {"type": "array"}, "SCHEMA_REMOVED", "#/items", True),
    ({"type": "array", "items": INTEGER}, {"type": "array", "items": NUMBER},
     "TYPE_EXTENDED", "#/items", True),
    ({"type": "array"}, {"type": "array", "uniqueItems": True},
     "UNIQUE_ITEMS_ADDED", "#/uniqueItems", False),
    ({"type": "array", "uniqueItems": True}, {"type": "array"},
     "UNIQUE_ITEMS_REMOVED", "#/uniqueItems", True),
    (tuple_of(STRING), tuple_of(STRING, INTEGER),
     "ITEM_ADDED_TO_OPEN_CONTENT_MODEL", "#/items/1", False),
    (tuple_of(STRING), tuple_of(STRING, {}),
     "ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL", "#/items/1", True),
    (tuple_of(STRING, additionalItems=False), tuple_of(STRING, INTEGER, additionalItems=False),
     "ITEM_ADDED_TO_CLOSED_CONTENT_MODEL", "#/items/1", True),
    (tuple_of(STRING, additionalItems=STRING), tuple_of(STRING, STRING, additionalItems=STRING),
     "ITEM_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", "#/items/1", True),
    (tuple_of(STRING, INTEGER), tuple_of(STRING),
     "ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL", "#/items/1", True),
    (tuple_of(STRING, INTEGER, additionalItems=False), tuple_of(STRING, additionalItems=False),
     "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL", "#/items/1", False),
    (tuple_of(STRING, False, additionalItems=False), tuple_of(STRING, additionalItems=False),
     "ITEM_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL", "#/items/1", True),
    (tuple_of(STRING, STRING, additionalItems=STRING), tuple_of(STRING, additionalItems=STRING),
     "ITEM_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", "#/items/1", True),
    (tuple_of(STRING, additionalItems=False), tuple_of(STRING),
     "ADDITIONAL_ITEMS_ADDED", "#/additionalItems", True),
    (tuple_of(STRING), tuple_of(STRING, additionalItems=False),
     "ADDITIONAL_ITEMS_REMOVED", "#/additionalItems", False),
    (tuple_of(STRING, additionalItems=STRING), tuple_of(STRING),
     "ADDITIONAL_ITEMS_EXTENDED", "#/additionalItems", True),
    (tuple_of(STRING), tuple_of(STRING, additionalItems=STRING),
     "ADDITIONAL_ITEMS_NARROWED", "#/additionalItems", False),
    ({"type": "array"}, {"type": "array", "contains": STRING}, "SCHEMA_ADDED", "#/contains", False),
    ({"type": "array", "contains": STRING}, {"type": "array"},
     "SCHEMA_REMOVED", "#/contains", True),
]  # fmt: skip


@pytest.mark.parametrize(("original", "update", "kind", "path", "compatible"), ARRAYS)
def test_arrays(original: Any, update: Any, kind: str, path: str, compatible: bool) -> None:
    assert changes(original, update) == {(kind, path)}
    assert readable(original, update) is compatible


LONG, SHORT = {**STRING, "maxLength": 9}, {**STRING, "maxLength": 3}
COMBINED = [
    (STRING, {"type": ["string", "null"]}, {"SUM_TYPE_EXTENDED"}, True),
    ({"type": ["string", "null"]}, STRING, {"TYPE_CHANGED"}, False),
    (STRING, {"oneOf": [NULL, STRING]}, {"SUM_TYPE_EXTENDED"}, True),
    (STRING, {"oneOf": [STRING]}, set(), True),
    ({"anyOf": [STRING]}, STRING, set(), True),
    ({"allOf": [STRING, LONG]}, STRING, {"PRODUCT_TYPE_NARROWED"}, True),
    (STRING, {"allOf": [STRING, LONG]}, {"TYPE_CHANGED"}, False),
    ({"oneOf": [STRING, NULL]}, {"oneOf": [NULL, INTEGER, STRING]}, {"SUM_TYPE_EXTENDED"}, True),
    ({"oneOf": [STRING, NULL, INTEGER]}, {"oneOf": [NULL, STRING]}, {"SUM_TYPE_NARROWED"}, False),
    ({"allOf": [STRING, LONG]}, {"allOf": [STRING]}, {"PRODUCT_TYPE_NARROWED"}, True),
    ({"allOf": [LONG]}, {"allOf": [LONG, STRING]}, {"PRODUCT_TYPE_EXTENDED"}, False),
    ({"oneOf": [STRING, NULL]}, {"anyOf": [STRING, NULL]}, {"COMBINED_TYPE_EXTENDED"}, True),
    ({"anyOf": [STRING, NULL]}, {"oneOf": [STRING, NULL]}, {"COMBINED_TYPE_CHANGED"}, False),
    ({"allOf": [STRING, LONG]}, {"anyOf": [STRING, LONG]},
     {"COMBINED_TYPE_EXTENDED"}, True),
    ({"allOf": [STRING]}, {"oneOf": [STRING]}, {"COMBINED_TYPE_EXTENDED"}, True),
    ({"allOf": [STRING]}, {"oneOf": [STRING, NULL]},
     {"COMBINED_TYPE_EXTENDED", "SUM_TYPE_EXTENDED"}, True),
    ({"oneOf": [STRING, NULL]}, {"oneOf": [INTEGER, NULL]},
     {"COMBINED_TYPE_SUBSCHEMAS_CHANGED"}, False),
    # Only one matching covers both: a greedy choice would take NUMBER for the first INTEGER.
    ({"anyOf": [INTEGER, NUMBER]}, {"anyOf": [NUMBER, {**INTEGER, "title": "i"}]},
     {"TITLE_CHANGED"}, True),
    ({"anyOf": [STRING, STRING]}, {"anyOf": [STRING]}, set(), True),
    ({**STRING, "enum": ["a"]}, {**STRING, "enum": ["a", "b"]}, {"ENUM_ARRAY_EXTENDED"}, True),
    (STRING, {**STRING, "enum": ["a"]}, {"TYPE_CHANGED"}, False),
    ({**STRING, "enum": ["a"]}, STRING, {"PRODUCT_TYPE_NARROWED"}, True),
]  # fmt: skip


@pytest.mark.parametrize(("original", "update", "expected", "compatible"), COMBINED)
def test_combinators(original: Any, update: Any, expected: set[str], compatible: bool) -> None:
    assert kinds(original, update) == expected
    assert readable(original, update) is compatible


def test_conditions_bind_like_one_more_conjunct() -> None:
    rule = {"if": {"required": ["a"]}, "then": {"required": ["b"]}}
    assert kinds(obj(), {**obj(), **rule}) == {"PRODUCT_TYPE_EXTENDED"}
    assert kinds({**obj(), **rule}, obj()) == {"PRODUCT_TYPE_NARROWED"}
    assert changes({**obj(), **rule}, {**obj(), **rule}) == set()
    assert readable({**obj(), **rule}, obj())
    assert not readable(obj(), {**obj(), **rule})


TREE = closed({"value": INTEGER, "next": {"$ref": "#"}})


def test_recursion_is_compared_once_and_to_the_end() -> None:
    wider = closed({"value": NUMBER, "next": {"$ref": "#"}})
    assert changes(TREE, wider) == {("TYPE_EXTENDED", "#/properties/value")}
    assert not readable(wider, TREE)


def test_an_assumption_that_proves_wrong_is_taken_back() -> None:
    """The pair within the sum looks compatible until the recursive pair is known not to be."""
    original = closed({"next": {"anyOf": [{"$ref": "#"}, NULL]}, "value": NUMBER})
    update = closed({"next": {"anyOf": [{"$ref": "#"}, NULL]}, "value": INTEGER})
    assert not readable(original, update)
    assert readable(update, original)


def test_mutual_recursion() -> None:
    def family(leaf: Any) -> dict[str, Any]:
        return {
            "definitions": {
                "a": closed({"b": {"$ref": "#/definitions/b"}}),
                "b": closed({"a": {"$ref": "#/definitions/a"}, "leaf": leaf}),
            },
            "$ref": "#/definitions/a",
        }

    assert readable(family(INTEGER), family(NUMBER))
    assert not readable(family(NUMBER), family(INTEGER))


def test_a_changed_reference_is_a_changed_schema() -> None:
    schema = {"$ref": "item.json"}
    original = parsed(schema, item_json=INTEGER)
    assert [d.kind for d in FORMAT.compare(original, parsed(schema, item_json=NUMBER))] == [
        "TYPE_EXTENDED"
    ]
    assert [d.kind for d in FORMAT.compare(original, parsed(schema, item_json=STRING))] == [
        "TYPE_CHANGED"
    ]
