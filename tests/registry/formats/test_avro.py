"""Avro: what is read, how it is printed, and that any text is read or refused."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.formats import check_new, get
from registry.formats.contract import Dependency, SchemaInvalidError

AVRO = get("AVRO")

names = st.sampled_from(["A", "B", "n.C", "d"])
primitives = st.sampled_from([
    "null",
    "boolean",
    "int",
    "long",
    "float",
    "double",
    "bytes",
    "string",
    "A",
    "n.C",
])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def _types(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    field = st.fixed_dictionaries(
        {"name": st.sampled_from("xyz"), "type": inner},
        optional={"default": values, "doc": st.text(max_size=5), "prop": values},
    )
    return st.one_of(
        st.lists(inner, max_size=3),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.fixed_dictionaries({"type": st.just("map"), "values": inner}, optional={"p": values}),
        st.fixed_dictionaries(
            {"type": st.just("record"), "name": names, "fields": st.lists(field, max_size=3)},
            optional={"aliases": st.lists(names), "namespace": st.sampled_from(["", "n", "m.o"])},
        ),
        st.fixed_dictionaries(
            {"type": st.just("enum"), "name": names, "symbols": st.just(["S", "T"])},
            optional={"default": st.just("S")},
        ),
        st.fixed_dictionaries({"type": st.just("fixed"), "name": names, "size": st.just(4)}),
    )


schemas = st.recursive(primitives, _types, max_leaves=8)


@given(schemas)
def test_what_is_printed_is_read_again_as_the_same(schema: Any) -> None:
    try:
        parsed = AVRO.parse(json.dumps(schema))
    except SchemaInvalidError:
        return
    again = AVRO.parse(parsed.text)
    assert (again.text, again.normal) == (parsed.text, parsed.normal)
    assert AVRO.parse(parsed.normal).normal == parsed.normal
    assert AVRO.compare(parsed, again) == []
    assert AVRO.compare(parsed, AVRO.parse(parsed.normal)) == []


@given(st.text() | values.map(json.dumps))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(SchemaInvalidError):
        AVRO.parse(text)


PRINTED = {
    '{"type": "string"}': '"string"',
    '{"logicalType":"uuid","type":"string"}': '{"type":"string","logicalType":"uuid"}',
    '{"fields":[],"doc":"d","name":"a.b.C","type":"record","aliases":["D","x.E"],"z":1}': (
        '{"type":"record","name":"C","namespace":"a.b","doc":"d","fields":[],"z":1,'
        '"aliases":["D","x.E"]}'
    ),
    '{"type":"record","name":"R","fields":[{"type":"double","name":"f","default":1e10}]}': (
        '{"type":"record","name":"R","fields":[{"name":"f","type":"double","default":1.0E10}]}'
    ),
    '{"type":"fixed","size":1,"name":"F","k":{"b":1,"a":"\\u001f\\u00e9"}}': (
        '{"type":"fixed","name":"F","size":1,"k":{"b":1,"a":"\\u001F\u00e9"}}'
    ),
}


PRINTED |= {
    '/* c */ {"type": // c\n "string", "x": "// no */"}': '{"type":"string","x":"// no */"}',
    '{"type":"record","name":"R","fields":[{"name":"f","type":"F"},{"name":"g","type":'
    '{"type":"fixed","name":"F","size":1}}]}': (
        '{"type":"record","name":"R","fields":[{"name":"f","type":'
        '{"type":"fixed","name":"F","size":1}},{"name":"g","type":"F"}]}'
    ),
    '[{"type":"fixed","name":"n.F","size":1},{"type":"array","items":'
    '{"type":"fixed","name":"F","namespace":"n","size":1,"doc":"again"}}]': (
        '[{"type":"fixed","name":"F","namespace":"n","size":1},{"type":"array","items":"n.F"}]'
    ),
    '{"type":"string","x":4.9e-324}': '{"type":"string","x":4.9E-324}',
    '{"type":"record","name":"R","fields":[{"name":"f","type":"float","default":"0x1p3f"}]}': (
        '{"type":"record","name":"R","fields":[{"name":"f","type":"float","default":8.0}]}'
    ),
}


@pytest.mark.parametrize("text", PRINTED)
def test_the_text_is_the_java_librarys(text: str) -> None:
    assert AVRO.parse(text).text == PRINTED[text]


INVALID = {
    "undefined": '{"type":"record","name":"A","fields":[{"name":"f","type":"B"}]}',
    "redefined": '[{"type":"fixed","name":"A","size":1},{"type":"enum","name":"A","symbols":[]}]',
    "nested union": '[["int"],"string"]',
    "twice in a union": '["int","int"]',
    "no name": '{"type":"record","fields":[]}',
    "primitive's name": '{"type":"record","name":"int","fields":[]}',
    "enum default": '{"type":"enum","name":"A","symbols":["B"],"default":"C"}',
    "undefined outside its namespace": (
        '{"type":"record","name":"A","fields":[{"name":"f","type":{"type":"record","name":"n.B",'
        '"fields":[{"name":"g","type":["null","A"]}]}}]}'
    ),
    "one name for two twice in a union": (
        '{"type":"record","name":"A","fields":[{"name":"f","type":["B","B"]},'
        '{"name":"g","type":{"type":"fixed","name":"B","size":1}}]}'
    ),
    "aliases that are null": '{"type":"fixed","name":"A","size":1,"aliases":null}',
    "a comment after": '"string" // no',
    "a number in Python's spelling": (
        '{"type":"record","name":"A","fields":[{"name":"f","type":"float","default":"1_0"}]}'
    ),
    "negative size": '{"type":"fixed","name":"A","size":-1}',
    "field twice": (
        '{"type":"record","name":"A","fields":[{"name":"f","type":"int"},{"name":"f","type":"int"}]}'
    ),
    "no items": '{"type":"array"}',
    "number": "5",
    "nothing": "",
    "no JSON": "{",
}


@pytest.mark.parametrize("name", INVALID)
def test_invalid_schemas(name: str) -> None:
    with pytest.raises(SchemaInvalidError):
        AVRO.parse(INVALID[name])


NOT_NEW = {
    "bad default": (
        '{"type":"record","name":"A","fields":[{"name":"f","type":"int","default":"x"}]}'
    ),
    "bad default within": (
        '{"type":"map","values":{"type":"record","name":"A","fields":[{"name":"f","type":"string",'
        '"default":null}]}}'
    ),
    "letters of another alphabet": '{"type":"fixed","name":"Größe","size":1}',
    "a field's": '{"type":"record","name":"A","fields":[{"name":"é","type":"int"}]}',
    "a symbol's": '{"type":"enum","name":"A","symbols":["é"]}',
    "no letter": '{"type":"record","name":"a-b","fields":[]}',
    "a type's alias": '{"type":"record","name":"A","fields":[],"aliases":["a-b"]}',
    "no name at all": '{"type":"record","name":"","fields":[]}',
    "a record within its own default": (
        '{"type":"record","name":"A","fields":[{"name":"f","type":{"type":"array","items":"A"},'
        '"default":[{"f":[]}]}]}'
    ),
    "a namespace's": '{"type":"fixed","name":"A","namespace":"ä.b","size":1}',
}


@pytest.mark.parametrize("name", NOT_NEW)
def test_what_only_an_old_schema_may_hold(name: str) -> None:
    parsed = AVRO.parse(NOT_NEW[name])
    with pytest.raises(SchemaInvalidError):
        check_new(parsed)


def test_a_name_of_no_namespace_stays_one_in_the_normal_form() -> None:
    inner = '{"type":"record","name":"A","namespace":"","fields":[]}'
    parsed = AVRO.parse(
        '{"type":"record","name":"n.A","fields":[{"name":"f","type":' + inner + "}]}"
    )
    assert AVRO.parse(parsed.normal).normal == parsed.normal
    assert '{"name":"A","namespace":"","type":"record"' in parsed.normal


NORMAL = {
    '{"aliases":["Z","m.A",".N"],"z":{"b":1,"a":2},"a":1,"doc":"d","type":"enum","default":"B",'
    '"symbols":["B","A"],"name":"E","namespace":"n"}': (
        '{"name":"n.E","type":"enum","symbols":["B","A"],"doc":"d",'
        '"aliases":[".N","m.A","n.Z"],"default":"B","a":1,"z":{"a":2,"b":1}}'
    ),
    '{"doc":"d","fields":[{"x":1,"default":{"b":1,"a":2},"aliases":["h","g"],"doc":"e",'
    '"order":"ignore","type":{"values":"int","type":"map"},"name":"f"},'
    '{"order":"ascending","type":{"type":"long"},"name":"i"}],"name":"n.R","type":"record"}': (
        '{"name":"n.R","type":"record","fields":[{"name":"f","type":{"type":"map",'
        '"values":"int"},"order":"ignore","doc":"e","aliases":["g","h"],'
        '"default":{"a":2,"b":1},"x":1},{"name":"i","type":"long"}],"doc":"d"}'
    ),
}


@pytest.mark.parametrize("text", NORMAL)
def test_the_normal_form_is_the_canonical_one_and_then_the_rest(text: str) -> None:
    normal = AVRO.parse(text).normal
    assert normal == NORMAL[text]
    assert AVRO.parse(normal).normal == normal


def test_references_are_old() -> None:
    check_new(AVRO.parse('["A"]', (Dependency("A", NOT_NEW["bad default"]),)))


def test_where_something_is_wrong() -> None:
    with pytest.raises(SchemaInvalidError) as caught:
        AVRO.parse(INVALID["undefined"])
    assert caught.value.path == "/fields/0/type"


def test_names_of_dependencies_are_known_and_stay_names() -> None:
    item = Dependency("shop.Item", '{"type":"fixed","name":"shop.Item","size":2}')
    parsed = AVRO.parse('{"type":"array","items":"shop.Item"}', [item])
    assert parsed.text == '{"type":"array","items":"shop.Item"}'
    assert AVRO.decoder(parsed)(b"\x02ab\x00") == [b"ab"]


def test_only_a_references_own_name_stays_a_name() -> None:
    """What it defines within is spelt out where it is used, as Confluent's server stores it."""
    inner = '{"type":"enum","name":"E","namespace":"n","symbols":["X"]}'
    outer = f'{{"type":"record","name":"n.A","fields":[{{"name":"e","type":{inner}}}]}}'
    parsed = AVRO.parse('["n.A","n.E"]', [Dependency("n.A", outer)])
    assert parsed.text == f'["n.A",{inner}]'


def test_a_reference_is_found_again_by_what_it_says() -> None:
    fixed = '{"type":"fixed","name":"F","size":2}'
    again = '{"type":"record","name":"R","fields":[{"name":"f","type":' + fixed + "}]}"
    parsed = AVRO.parse(again, [Dependency("F", fixed)])
    assert parsed.text == '{"type":"record","name":"R","fields":[{"name":"f","type":"F"}]}'
    with pytest.raises(SchemaInvalidError):
        AVRO.parse(again, [Dependency("F", fixed.replace("2", "3"))])


def _compare(reader: str, writer: str) -> list[tuple[str, str, str]]:
    found = AVRO.compare(AVRO.parse(writer), AVRO.parse(reader))
    return [(each.kind, each.path, each.description) for each in found]


def test_a_field_that_could_be_either_of_two() -> None:
    written = (
        '{"type":"record","name":"R","fields":[{"name":"a","type":"int"},'
        '{"name":"b","type":"int"}]}'
    )
    read = '{"type":"record","name":"R","fields":[{"name":"a","type":"int","aliases":["b"]}]}'
    ((kind, path, description),) = _compare(read, written)
    assert (kind, path) == ("AMBIGUOUS_FIELD", "/")
    assert description == (
        "Unexpected exception during compatibility check: Reader record field a type:INT pos:0 "
        f"matches multiple fields in writer record schema {written}"
    )


def test_an_alias_of_no_namespace_names_nothing_within_one() -> None:
    read = '{"type":"fixed","name":"n.F","size":1,"aliases":[".G"]}'
    assert [each[0] for each in _compare(read, '{"type":"fixed","name":"G","size":1}')] == [
        "NAME_MISMATCH"
    ]


def test_fields_for_a_page() -> None:
    parsed = AVRO.parse(
        '{"type":"record","name":"A","fields":[{"name":"l","doc":"d","type":{"type":"array",'
        '"items":{"type":"record","name":"B","fields":[{"name":"x","type":["null","A"],'
        '"default":null,"confluent:tags":["PII"]}]}}}]}'
    )
    first, second, *rest = AVRO.fields(parsed)
    assert (first.path, first.type, first.doc, first.required) == ("l", "array<B>", "d", True)
    assert (second.path, second.type, second.default) == ("l.x", "null | A", "null")
    assert (second.required, second.tags, rest) == (False, ("PII",), [])
