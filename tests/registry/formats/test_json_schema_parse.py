"""Reading JSON Schemas: stored and normal text, references, and what is refused."""

import json
import time
from typing import Any

import pytest

from registry.formats.contract import ComparisonTooLargeError, Dependency, SchemaInvalidError
from registry.formats.json_schema import FORMAT
from tests.registry.formats.judge_json_schema import parsed


def test_stored_text_keeps_the_order_of_keys_and_normal_text_sorts_them() -> None:
    schema = FORMAT.parse('{ "type" : "object",\n "properties": {"b": {}, "a": {"const": "ü"}} }')
    assert schema.text == '{"type":"object","properties":{"b":{},"a":{"const":"ü"}}}'
    assert schema.normal == '{"properties":{"a":{"const":"ü"},"b":{}},"type":"object"}'


@pytest.mark.parametrize("text", ["true", "false", "{}", '{"title":"T"}'])
def test_the_smallest_schemas(text: str) -> None:
    assert FORMAT.parse(text).text == text


PRINTED = [
    # What is sent, what is stored: as Jackson prints numbers and characters.
    ("1.0", "1.0"),
    ("1.00", "1.00"),
    ("1e3", "1E+3"),
    ("1E-7", "1E-7"),
    ("0.000001", "0.000001"),
    ("1.5e10", "1.5E+10"),
    ("-0", "0"),
    ("-0.0", "0.0"),
    ("1e400", "1E+400"),
    ("123456789012345678901234567890", "123456789012345678901234567890"),
    ("12345678901234567.25", "12345678901234567.25"),
    (r'"\u001f\u0000\u007f"', '"\\u001F\\u0000\x7f"'),
    (r'"\\u001f"', r'"\\u001f"'),
    (r'"\/\u00e9\ud83d\ude00"', '"/é😀"'),
    (r'"\b\f\n\r\t\""', r'"\b\f\n\r\t\""'),
]


@pytest.mark.parametrize(("sent", "stored"), PRINTED)
def test_numbers_and_characters_are_stored_as_jackson_prints_them(sent: str, stored: str) -> None:
    for schema in (FORMAT.parse(f'{{"b":1,"const":{sent}}}'), FORMAT.parse(f'{{"b":{sent}}}')):
        assert schema.text == schema.normal
    assert FORMAT.parse(f'{{"const": {sent}}}').text == f'{{"const":{stored}}}'
    assert FORMAT.parse(f'{{"const": {stored}}}').text == f'{{"const":{stored}}}'


INVALID = [
    "",
    "nonsense",
    "[]",
    "1",
    '"object"',
    "null",
    '{"type":"strange"}',
    '{"type":[]}',
    '{"type":5}',
    '{"properties":[]}',
    '{"properties":{"a":5}}',
    '{"required":[1]}',
    '{"type":"string","maxLength":-1}',
    '{"type":"string","maxLength":"3"}',
    '{"type":"number","minimum":"3"}',
    '{"type":"number","multipleOf":0}',
    '{"allOf":[]}',
    '{"anyOf":{}}',
    '{"enum":"a"}',
    '{"not":3}',
    '{"$ref":"#/definitions/missing"}',
    '{"$ref":"missing.json"}',
    '{"$ref":"http://example.com/schema.json"}',
    '{"$ref":"file:///etc/passwd"}',
    '{"$ref":"#nowhere"}',
    '{"$ref":5}',
    '{"properties":{"a":{"items":{"$ref":"#/nope"}}}}',
    '{"maximum":1e1001,"type":"number"}',
    '{"maximum":1e-1001,"type":"number"}',
    '{"maximum":1e9999999999999999999,"type":"number"}',
    '{"properties":{"a":{"type":"string","pattern":"(a"}}}',
    '{"patternProperties":{"[a":{}}}',
    '{"if":5}',
    '{"dependencies":{"a":[1]}}',
    '{"dependencies":{"a":5}}',
    '{"$schema":"https://json-schema.org/draft/2020-12/schema","dependentRequired":{"a":{}}}',
    '{"maximum":NaN}',
    '{"title":"\\ud800"}',
    '{"title":5}',
]


@pytest.mark.parametrize("text", INVALID)
def test_invalid_schemas(text: str) -> None:
    with pytest.raises(SchemaInvalidError):
        FORMAT.parse(text)


def test_errors_say_where() -> None:
    with pytest.raises(SchemaInvalidError, match="#/properties/a/type"):
        parsed({"properties": {"a": {"type": "strange"}}})
    with pytest.raises(SchemaInvalidError, match="line 1 column 10"):
        FORMAT.parse('{"type": }')


RESOLVABLE: list[Any] = [
    {"definitions": {"a/b~c": {}}, "$ref": "#/definitions/a~1b~0c"},
    {"definitions": {"a b": {}}, "$ref": "#/definitions/a%20b"},
    {"definitions": {"x": {"$id": "#anchor"}}, "$ref": "#anchor"},
    {"$schema": "https://json-schema.org/draft/2020-12/schema",
     "$defs": {"x": {"$anchor": "here", "type": "string"}}, "$ref": "#here"},
    {"$schema": "https://json-schema.org/draft/2020-12/schema",
     "$defs": {"x": {"$dynamicAnchor": "here"}}, "$dynamicRef": "#here"},
    {"$schema": "https://json-schema.org/draft/2019-09/schema", "items": {"$recursiveRef": "#"}},
    {"$id": "http://example.com/root.json", "definitions": {"x": {"$id": "x.json"}},
     "items": {"$ref": "http://example.com/x.json"}},
    {"$id": "http://example.com/root.json", "items": {"$ref": "root.json"}},
    {"$id": "urn:example:root", "definitions": {"x": {}}, "items": {"$ref": "#/definitions/x"}},
    {"$schema": "http://json-schema.org/draft-04/schema#", "id": "http://example.com/4.json",
     "items": {"$ref": "4.json"}},
    {"items": {"$ref": "http://json-schema.org/draft-07/schema#"}},
    {"items": {"$ref": "https://json-schema.org/draft/2020-12/schema"}},
    {"properties": {"default": {"$id": "http://example.com/x"},
                    "b": {"$ref": "http://example.com/x"}}},
    {"$ref": "#"},
    {"definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}},
     "$ref": "#/definitions/a"},
    {"definitions": {"odd": {"enum": [{"$id": "x", "$ref": "nowhere"}]}},
     "$ref": "#/definitions/odd"},
]  # fmt: skip


@pytest.mark.parametrize("schema", RESOLVABLE)
def test_references_within_and_to_metaschemas(schema: Any) -> None:
    assert FORMAT.compare(parsed(schema), parsed({**schema, "title": "t"})) is not None


def test_references_to_other_subjects() -> None:
    line = Dependency(
        "line.json", '{"type":"object","properties":{"item":{"$ref":"item.json#/definitions/i"}}}'
    )
    item = Dependency("item.json", '{"definitions":{"i":{"type":"string"}}}')
    text = '{"type":"array","items":{"$ref":"line.json"}}'
    schema = FORMAT.parse(text, [item, line])
    assert [field.path for field in FORMAT.fields(schema)] == ["item"]
    with pytest.raises(SchemaInvalidError):
        FORMAT.parse(text, [line])


def test_references_relative_to_an_identifier() -> None:
    root = {"$id": "http://example.com/a/root.json", "items": {"$ref": "item.json"}}
    for name in ("item.json", "http://example.com/a/item.json"):
        FORMAT.parse(json.dumps(root), [Dependency(name, '{"type":"string"}')])
    own = '{"$id":"http://example.com/a/item.json"}'
    FORMAT.parse(json.dumps(root), [Dependency("anything", own)])


def test_fields() -> None:
    schema = {
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "integer", "description": "Key", "confluent:tags": ["PII"]},
            "state": {"enum": ["a", "b"], "default": "a"},
            "home": {"$ref": "#/definitions/address"},
            "lines": {"type": "array", "items": {"type": "object", "properties": {"n": {}}}},
            "parent": {"$ref": "#"},
        },
        "definitions": {"address": {"type": "object", "properties": {"zip": {"type": "string"}}}},
    }
    fields = {field.path: field for field in FORMAT.fields(parsed(schema))}
    assert list(fields) == ["id", "state", "home", "home.zip", "lines", "lines.n", "parent"]
    assert fields["id"].required
    assert fields["id"].doc == "Key"
    assert fields["id"].tags == ("PII",)
    assert fields["state"].default == '"a"'
    assert fields["lines"].type == "array<object>"
    assert fields["home.zip"].type == "string"


def test_payloads_are_json() -> None:
    decode = FORMAT.decoder(parsed({"type": "object"}))
    assert decode(b'{"a": [1, null]}') == {"a": [1, None]}
    for broken in (b"", b"{", b"\xff"):
        with pytest.raises(ValueError):  # noqa: PT011 - two kinds of them
            decode(broken)


def _chain(length: int, leaf: str) -> Any:
    links = {
        f"d{n}": {"items": {"$ref": f"#/definitions/d{n + 1}"}, "type": "array"}
        for n in range(length)
    }
    return {"definitions": {**links, f"d{length}": {"type": leaf}}, "$ref": "#/definitions/d0"}


def _doubling(depth: int, leaf: str) -> Any:
    """Every level refers to the next one twice: 2**depth paths, depth schemas."""
    levels = {
        f"d{n}": {"type": "object", "properties": {
            side: {"$ref": f"#/definitions/d{n + 1}"} for side in ("left", "right")}}
        for n in range(depth)
    }  # fmt: skip
    return {"definitions": {**levels, f"d{depth}": {"type": leaf}}, "$ref": "#/definitions/d0"}


def _sums(width: int, leaf: str) -> Any:
    parts = [{"type": "object", "properties": {f"p{n}": {"type": leaf}}} for n in range(width)]
    return {"oneOf": parts}


ATTACKS = [
    (_chain(2_000, "integer"), _chain(2_000, "number"), True),
    (_chain(2_000, "number"), _chain(2_000, "integer"), False),
    (_doubling(60, "integer"), _doubling(60, "number"), True),
    (_doubling(60, "number"), _doubling(60, "integer"), False),
    (_sums(60, "integer"), _sums(60, "number"), True),
    ({"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(20_000)}},
     {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(19_999)}}, True),
    ({"type": "object", "properties": {"a" * 900 + "!": {}}, "additionalProperties": False},
     {"type": "object", "patternProperties": {"^(a+)+$": {}}, "additionalProperties": False},
     False),
]  # fmt: skip


@pytest.mark.parametrize(("original", "update", "compatible"), ATTACKS)
def test_large_and_twisted_schemas_are_judged_in_bounded_time(
    original: Any, update: Any, compatible: bool
) -> None:
    start = time.process_time()
    found = FORMAT.compare(parsed(original), parsed(update))
    assert all(difference.compatible for difference in found) is compatible
    assert time.process_time() - start < 2


def _tangle(width: int, leaf: str) -> Any:
    """Sums of references to sums, all to all: more pairs than anyone will wait for."""
    names = [f"d{n}" for n in range(width)]
    every = [
        {"type": "object", "title": name, "properties": {"x": {"$ref": f"#/definitions/{name}"}}}
        for name in names
    ]
    definitions = {name: {"anyOf": [*every, {"type": leaf}]} for name in names}
    return {"definitions": definitions, "anyOf": every}


def test_too_complex_pairs_are_refused_within_the_budget() -> None:
    start = time.process_time()
    original, update = parsed(_tangle(40, "integer")), parsed(_tangle(40, "string"))
    try:
        FORMAT.compare(original, update)
    except ComparisonTooLargeError as error:
        assert "pairs to compare" in str(error)  # noqa: PT017
    assert time.process_time() - start < 4


def test_matching_many_patterns_is_work_too() -> None:
    patterns: dict[str, Any] = {f"^(a?){{{n}}}x$": {} for n in range(100, 400)}
    many: dict[str, Any] = {f"a{n:04}" * 20: {} for n in range(500)}
    original = parsed({"type": "object", "properties": many})
    update = parsed({"type": "object", "patternProperties": patterns})
    start = time.process_time()
    with pytest.raises(ComparisonTooLargeError, match="pairs to compare"):
        FORMAT.compare(original, update)
    assert time.process_time() - start < 3


TOO_MUCH = [
    "[" * 100_000,
    '{"not":' * 5_000 + "{}" + "}" * 5_000,
    '{"a":' * 100_000,
    '{"a":[' + "1," * 2_000_000 + "1]}",
    '{"title":' + "9" * 10_000 + "}",
    '{"$ref":"' + "../" * 1_000 + '"}',
    '{"$id":"http://[","$ref":"x"}',
]


@pytest.mark.parametrize("text", TOO_MUCH)
def test_attacks_on_the_reader_are_refused(text: str) -> None:
    start = time.process_time()
    with pytest.raises(SchemaInvalidError):
        FORMAT.parse(text)
    assert time.process_time() - start < 1
