"""POST /compatibility/subjects/{s}/versions/{v} and /compatibility/subjects/{s}/versions."""

from typing import Any

import pytest

from tests.registry.conftest import Registry, record, text_of

FIRST = record(id="string")
NEEDS_MORE = {"schema": text_of(record(id="string", n="int"))}
MISSING = (
    "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'n' at path "
    "'/fields/1' in the new schema has no default value and is missing in the old schema', "
    "additionalInfo:'n'}"
)
PATH = "/compatibility/subjects/s/versions"


@pytest.fixture
def two(registry: Registry) -> Registry:
    """Two versions: the second one has a field more, with a default."""
    registry.register("s", FIRST)
    registry.register("s", record(id="string", m=("int", 0)))
    return registry


def test_against_a_version(two: Registry) -> None:
    same = {"schema": text_of(FIRST)}
    assert two.call("POST", f"{PATH}/1", same) == (200, {"is_compatible": True})
    assert two.call("POST", f"{PATH}/latest", NEEDS_MORE) == (200, {"is_compatible": False})
    assert two.call("POST", f"{PATH}/latest?verbose=False&normalize=False", same) == (
        200,
        {"is_compatible": True},
    )


def test_verbose_says_why(two: Registry) -> None:
    status, body = two.call("POST", f"{PATH}/1?verbose=true", NEEDS_MORE)
    assert (status, body["is_compatible"]) == (200, False)
    assert body["messages"] == [
        MISSING,
        "{oldSchemaVersion: 1}",
        "{oldSchema: '" + text_of(FIRST).replace(" ", "") + "'}",
        "{validateFields: 'false', compatibility: 'BACKWARD'}",
    ]
    assert two.call("POST", f"{PATH}/1?verbose=true", {"schema": text_of(FIRST)})[1] == {
        "is_compatible": True,
        "messages": [],
    }


def test_forward_messages_keep_old_and_new_apart(two: Registry) -> None:
    two.call("PUT", "/config/s", {"compatibility": "FORWARD"})
    less = {"schema": text_of(record(m=("int", 0)))}
    messages = two.call("POST", f"{PATH}/2?verbose=true", less)[1]["messages"]
    assert "in the old schema has no default value and is missing in the new schema" in messages[0]


def test_full_says_first_what_the_earlier_schema_cannot_read(registry: Registry) -> None:
    """Every message of a record that lost one field and got another, in order and in full."""
    first = record(id="string", gone="int")
    registry.register("s", first)
    registry.call("PUT", "/config/s", {"compatibility": "FULL"})
    candidate = {"schema": text_of(record(id="string", new="int"))}
    body = registry.call("POST", f"{PATH}/1?verbose=true", candidate)[1]
    words = (
        "{{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field '{0}' at path "
        "'/fields/1' in the {1} schema has no default value and is missing in the {2} schema', "
        "additionalInfo:'{0}'}}"
    )
    assert body["messages"] == [
        words.format("gone", "old", "new"),
        words.format("new", "new", "old"),
        "{oldSchemaVersion: 1}",
        "{oldSchema: '" + text_of(first).replace(" ", "") + "'}",
        "{validateFields: 'false', compatibility: 'FULL'}",
    ]


FIXED = '{{"type":"fixed","name":"{}","size":{}}}'
ENUM = '{{"type":"enum","name":"E","symbols":{}}}'
SAID = [
    # reader, writer: the kind, where, and what more
    (FIXED.format("F", 2), FIXED.format("F", 1), "FIXED_SIZE_MISMATCH", "/size",
     ("The size of FIXED type field at path '/size' in the new schema does not match with the old "
     "schema"), "expected: 1, found: 2"),
    (FIXED.format("G", 1), FIXED.format("n.F", 1), "NAME_MISMATCH", "/name",
     "The name of the schema has changed (path '/name')", "expected: n.F"),
    (ENUM.format('["A"]'), ENUM.format('["C","A","B"]'), "MISSING_ENUM_SYMBOLS", "/symbols",
     "The new schema is missing enum symbols '[B, C]' at path '/symbols' in the old schema",
     "[B, C]"),
    ('"int"', '"long"', "TYPE_MISMATCH", "/",
     "The type (path '/') of a field in the new schema does not match with the old schema",
     "reader type: INT not compatible with writer type: LONG"),
    ('["null","int"]', '["null","int","string"]', "MISSING_UNION_BRANCH", "/2",
     "The new schema is missing a type inside a union field at path '/2' in the old schema",
     "reader union lacking writer type: STRING"),
]  # fmt: skip


@pytest.mark.parametrize(("reader", "writer", "kind", "path", "described", "more"), SAID)
def test_what_each_kind_of_message_says(
    registry: Registry, reader: str, writer: str, kind: str, path: str, described: str, more: str
) -> None:
    registry.register("s", writer)
    body = registry.call("POST", f"{PATH}/1?verbose=true", {"schema": reader})[1]
    assert body["messages"][0] == (
        f"{{errorType:'{kind}', description:'{described}', additionalInfo:'{more}'}}"
    )
    assert path in described


def test_a_field_that_two_could_fill_has_no_verdict(registry: Registry) -> None:
    writer = text_of(record(a="int", b="int")).replace(" ", "")
    registry.register("s", writer)
    reader = record(a="int")
    reader["fields"][0]["aliases"] = ["b"]
    body = registry.call("POST", f"{PATH}/1?verbose=true", {"schema": text_of(reader)})[1]
    assert body["messages"][:2] == [
        (
            "Unexpected exception during compatibility check: Reader record field a type:INT pos:0 "
            f"matches multiple fields in writer record schema {writer}"
        ),
        "{oldSchemaVersion: 1}",
    ]


def test_missing_ones(registry: Registry) -> None:
    assert registry.error("POST", f"{PATH}/1", NEEDS_MORE) == (404, 40402)
    assert registry.call("POST", f"{PATH}/latest", NEEDS_MORE) == (200, {"is_compatible": True})
    assert registry.call("POST", PATH, NEEDS_MORE) == (200, {"is_compatible": True})
    assert registry.error("POST", f"{PATH}/0", NEEDS_MORE) == (422, 42202)


def test_an_invalid_schema(two: Registry) -> None:
    broken = {"schema": '{"type":"nothing"}'}
    assert two.error("POST", f"{PATH}/1", broken) == (422, 42201)
    status, body = two.call("POST", f"{PATH}/1?verbose=true", broken)
    assert (status, body["is_compatible"]) == (200, False)
    assert "Invalid schema" in body["messages"][0]


BY_LEVEL = [
    # a candidate that reads version 2 but not version 1, which two alone read
    ("NONE", True), ("BACKWARD", True), ("BACKWARD_TRANSITIVE", False),
    ("FORWARD", True), ("FORWARD_TRANSITIVE", True), ("FULL", True), ("FULL_TRANSITIVE", False),
]  # fmt: skip


@pytest.mark.parametrize(("level", "compatible"), BY_LEVEL)
def test_every_level_over_the_history(two: Registry, level: str, compatible: bool) -> None:
    two.call("PUT", "/config/s", {"compatibility": level})
    candidate = {"schema": text_of(record(id="string", m="int"))}
    body = two.call("POST", PATH, candidate)[1]
    assert body["is_compatible"] is compatible
    expected = 200 if compatible else 409
    assert two.call("POST", "/subjects/s/versions", candidate)[0] == expected


def test_groups_are_compared_among_themselves(registry: Registry) -> None:
    registry.call("PUT", "/config/s", {"compatibilityGroup": "major"})
    registry.register("s", FIRST, metadata={"properties": {"major": "1"}})
    broken = {**NEEDS_MORE, "metadata": {"properties": {"major": "1"}}}
    assert registry.error("POST", "/subjects/s/versions", broken) == (409, 40901)
    made = registry.register("s", NEEDS_MORE["schema"], metadata={"properties": {"major": "2"}})
    assert made["version"] == 2


def test_a_check_takes_over_what_a_registration_would(registry: Registry) -> None:
    registry.call("PUT", "/config/s", {"compatibilityGroup": "major"})
    registry.register("s", FIRST, metadata={"properties": {"major": "1"}})
    for path in (PATH, f"{PATH}/1", f"{PATH}/latest"):
        assert registry.call("POST", path, NEEDS_MORE) == (200, {"is_compatible": False})
        assert registry.call("POST", path, {}) == (200, {"is_compatible": True})
    assert registry.error("POST", "/subjects/s/versions", NEEDS_MORE) == (409, 40901)
    assert registry.error("POST", f"{PATH}/2?verbose=true", {"schema": "{"}) == (404, 40402)


def test_another_format_is_incompatible(registry: Registry) -> None:
    registry.register("s", '"string"')
    other = {"schema": '{"type":"string"}', "schemaType": "JSON"}
    body = registry.call("POST", f"{PATH}/1?verbose=true", other)[1]
    assert body["messages"][0] == "Incompatible because of different schema type"


RESERVED = {"properties": {"confluent:reserved": "x, y"}}


def _first(registry: Registry, candidate: object) -> str:
    body = registry.call("POST", f"{PATH}?verbose=true", candidate)[1]
    return "" if body["is_compatible"] else str(body["messages"][0])


def test_reserved_names_where_fields_are_validated(registry: Registry) -> None:
    taken = {"schema": text_of(record(x=("int", 0))), "metadata": RESERVED}
    assert _first(registry, taken) == ""
    registry.call("PUT", "/config/s", {"validateFields": True})
    assert "RESERVED_PROPERTY_CONFLICTS_WITH_PROPERTY" in _first(registry, taken)
    assert registry.error("POST", "/subjects/s/versions", taken) == (409, 40901)
    registry.register("s", FIRST, metadata=RESERVED)
    less = {"schema": text_of(FIRST), "metadata": {"properties": {"confluent:reserved": "x"}}}
    assert "RESERVED_PROPERTY_REMOVED" in _first(registry, less)
    inherited = {"schema": text_of(record(id="string", y=("int", 0)))}
    status, body = registry.call("POST", "/subjects/s/versions", inherited)
    assert (status, body["error_code"]) == (409, 40901)
    assert "{validateFields: 'true', compatibility: 'BACKWARD'}]" in body["message"]


def test_reserved_names_of_json_schema(registry: Registry) -> None:
    kind: dict[str, Any] = {"schemaType": "JSON", "metadata": RESERVED}
    registry.register("s", '{"type":"object"}', **kind)
    taken = {"schema": '{"type":"object","properties":{"x":{}}}', **kind}
    assert _first(registry, taken).startswith(
        '{errorType:"RESERVED_PROPERTY_CONFLICTS_WITH_PROPERTY", description:"'
    )
    assert "CONFLICTS" in _first(registry, {**taken, "metadata": None})
    free = {"schema": '{"type":"object","properties":{"z":{}}}', "schemaType": "JSON"}
    assert _first(registry, free) == ""


def test_a_very_long_schema_is_not_repeated_whole(registry: Registry) -> None:
    fields: dict[str, Any] = {f"a_field_{at}": ("string", "") for at in range(300)}
    registry.register("s", record(**fields))
    body = registry.call("POST", f"{PATH}/1?verbose=true", NEEDS_MORE)[1]
    old = next(each for each in body["messages"] if each.startswith("{oldSchema: "))
    assert old.startswith("{oldSchema: <truncated> '{")
    assert old.endswith("...'}")
    assert len(old) < 10_400
