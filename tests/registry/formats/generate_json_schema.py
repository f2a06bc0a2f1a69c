"""Generated JSON Schemas, small changes to them, and instances that lean towards validity."""

import copy
from typing import Any

from hypothesis import strategies as st

NAMES = ("a", "ab", "b", "x")
PATTERNS = ("^a", "b$", "x")
_SMALL = st.integers(0, 4)


def _maybe(keyword: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(st.just({}), st.just({}), values.map(lambda value: {keyword: value}))


def _merged(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda found: {k: v for part in found for k, v in part.items()})


STRINGS = _merged(
    st.just({"type": "string"}),
    _maybe("minLength", _SMALL),
    _maybe("maxLength", st.integers(1, 5)),
    _maybe("pattern", st.sampled_from(PATTERNS)),
)
NUMBERS = _merged(
    st.sampled_from([{"type": "integer"}, {"type": "number"}]),
    _maybe("minimum", st.integers(-5, 5)),
    _maybe("maximum", st.integers(0, 10)),
    _maybe("exclusiveMaximum", st.integers(0, 10)),
    _maybe("exclusiveMinimum", st.integers(-5, 5)),
    _maybe("multipleOf", st.one_of(st.integers(1, 6), st.sampled_from([0.5, 0.1, 1.5]))),
)
VALUES: st.SearchStrategy[Any] = st.sampled_from(["a", "b", 0, 1, 2.5, True, None, [], {}])
REFERENCE = {"$ref": "#/definitions/d"}
SIMPLE = st.one_of(
    STRINGS,
    NUMBERS,
    st.just(REFERENCE),
    _merged(
        st.one_of(STRINGS, NUMBERS),
        st.one_of(
            st.lists(VALUES, min_size=1, max_size=3).map(lambda values: {"enum": values}),
            VALUES.map(lambda value: {"const": value}),
        ),
    ),
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {}, True, False]),
    st.lists(VALUES, min_size=1, max_size=3).map(lambda values: {"enum": values}),
    VALUES.map(lambda value: {"const": value}),
    st.lists(
        st.sampled_from(["string", "integer", "number", "null", "boolean"]),
        min_size=1, max_size=3, unique=True,
    ).flatmap(lambda names: _merged(
        st.just({"type": names}), _maybe("maxLength", _SMALL), _maybe("maximum", _SMALL)
    )),
)  # fmt: skip


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    named = st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    return _merged(
        st.just({"type": "object"}),
        named.map(lambda properties: {"properties": properties}),
        _maybe("required", st.lists(st.sampled_from(NAMES), max_size=2, unique=True)),
        _maybe("additionalProperties", st.one_of(st.just(False), inner)),
        _maybe("patternProperties", st.dictionaries(st.sampled_from(PATTERNS), inner, max_size=2)),
        _maybe("propertyNames", STRINGS),
        _maybe("maxProperties", st.integers(0, 3)),
        _maybe("minProperties", st.integers(0, 2)),
        _maybe("dependencies", st.fixed_dictionaries({"a": st.one_of(st.just(["b"]), inner)})),
    )


def _arrays(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return _merged(
        st.just({"type": "array"}),
        _maybe("items", st.one_of(inner, st.lists(inner, max_size=3))),
        _maybe("additionalItems", st.one_of(st.just(False), inner)),
        _maybe("contains", inner),
        _maybe("minItems", st.integers(0, 2)),
        _maybe("maxItems", st.integers(1, 4)),
        _maybe("uniqueItems", st.booleans()),
    )


def _objects_2020(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return _merged(
        _objects(inner).map(lambda found: {k: v for k, v in found.items() if k != "dependencies"}),
        _maybe("unevaluatedProperties", st.one_of(st.just(False), inner)),
        _maybe("dependentRequired", st.just({"a": ["b"]})),
        _maybe("dependentSchemas", inner.map(lambda found: {"a": found})),
    )


def _arrays_2020(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return _merged(
        st.just({"type": "array"}),
        _maybe("prefixItems", st.lists(inner, min_size=1, max_size=3)),
        _maybe("items", st.one_of(st.just(False), inner)),
        _maybe("unevaluatedItems", st.one_of(st.just(False), inner)),
        _merged(
            inner.map(lambda found: {"contains": found}),
            _maybe("minContains", st.integers(0, 2)),
            _maybe("maxContains", st.integers(1, 3)),
        )
        | st.just({}),
        _maybe("maxItems", st.integers(1, 4)),
    )


def _combined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    parts = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        parts.map(lambda found: {"anyOf": found}),
        parts.map(lambda found: {"allOf": found}),
        inner.map(lambda found: {"not": found}),
        # The contract lets oneOf widen as if its parts never overlapped, so here they never do.
        st.tuples(STRINGS, NUMBERS).map(lambda found: {"oneOf": list(found)}),
        st.tuples(inner, inner).map(lambda found: {"if": found[0], "then": found[1]}),
    )


SCHEMAS = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(_objects(inner), _objects(inner), _arrays(inner), _combined(inner)),
    max_leaves=6,
)


SCHEMAS_2020 = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        _objects_2020(inner), _objects_2020(inner), _arrays_2020(inner), _combined(inner)
    ),
    max_leaves=6,
)
D2020 = "https://json-schema.org/draft/2020-12/schema"


@st.composite
def pairs(draw: st.DrawFn, schemas: st.SearchStrategy[Any] = SCHEMAS) -> tuple[Any, Any]:
    """Two schemas, the second usually the first with one part replaced or dropped."""
    original = _with_definition(draw(schemas), draw(schemas))
    if draw(st.integers(0, 9)) == 0:
        return original, _with_definition(draw(schemas), {})
    update = copy.deepcopy(original)
    for _ in range(draw(st.integers(1, 2))):
        update = _changed(draw, update, schemas)
    update = _with_definition(update, {})
    return (original, update) if draw(st.booleans()) else (update, original)


def _with_definition(schema: Any, definition: Any) -> Any:
    """The schema with the definition that its references need, if any."""
    if not isinstance(schema, dict) or "definitions" in schema or "$ref" not in str(schema):
        return schema
    return {**schema, "definitions": {"d": {} if _is_endless(definition) else definition}}


def _is_endless(schema: Any) -> bool:
    """Whether a definition refers to itself for the same value, on which the judge breaks down."""
    if isinstance(schema, list):
        return any(map(_is_endless, schema))
    if not isinstance(schema, dict):
        return False
    same_value = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")
    named = (schema.get("dependencies", {}), schema.get("dependentSchemas", {}))
    return (
        "$ref" in schema
        or any(_is_endless(schema[keyword]) for keyword in same_value if keyword in schema)
        or any(_is_endless(list(each.values())) for each in named)
    )


def _changed(draw: st.DrawFn, schema: Any, schemas: st.SearchStrategy[Any] = SCHEMAS) -> Any:
    if not isinstance(schema, dict) or not schema or draw(st.integers(0, 5)) == 0:
        return draw(schemas)
    key = draw(st.sampled_from(sorted(schema)))
    value = schema[key]
    if key == "oneOf":  # its parts stay disjoint
        return {key: draw(st.sampled_from([value[::-1], [*value, {"type": "null"}], value[:1]]))}
    if key == "definitions":
        definition = _changed(draw, value["d"], schemas)
        return {**schema, key: {"d": {} if _is_endless(definition) else definition}}
    if isinstance(value, dict) and key in _MEMBERS:
        return {**schema, key: _changed_member(draw, key, value, schemas)}
    if isinstance(value, dict) and key != "dependentRequired":
        return {**schema, key: _changed(draw, value, schemas)}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        index = draw(st.integers(0, len(value) - 1))
        part = _changed(draw, value[index], schemas)
        return {**schema, key: [*value[:index], part, *value[index + 1 :]]}
    return _changed_value(draw, schema, key)


def _changed_value(draw: st.DrawFn, schema: dict[str, Any], key: str) -> dict[str, Any]:
    """The schema with a plain value of it changed, or dropped."""
    value = schema[key]
    if isinstance(value, int) and not isinstance(value, bool):
        return {**schema, key: max(1, value + draw(st.sampled_from([-2, -1, 1, 2, 3])))}
    if key == "dependentRequired":
        return {**schema, key: draw(st.sampled_from([{}, {"a": ["b", "x"]}, {"b": ["a"]}]))}
    if key == "type":
        return {**schema, key: draw(st.sampled_from(["integer", "number", "string", value]))}
    return {name: kept for name, kept in schema.items() if name != key}


_MEMBERS = frozenset({"properties", "patternProperties", "dependencies", "dependentSchemas"})


def _changed_member(
    draw: st.DrawFn, key: str, members: dict[str, Any], schemas: st.SearchStrategy[Any]
) -> dict[str, Any]:
    name = draw(st.sampled_from(PATTERNS if key == "patternProperties" else NAMES))
    if name in members and draw(st.booleans()):
        return {kept: value for kept, value in members.items() if kept != name}
    return {**members, name: _changed(draw, members.get(name, {}), schemas)}


PLAIN = st.recursive(
    st.one_of(
        st.sampled_from([None, True, False, 0, 1, 2.5, -3, 4, 6, 10, "", "a", "b", "ab", "xxxxx"]),
        st.integers(-6, 12),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    ),
    max_leaves=5,
)


@st.composite
def instances(draw: st.DrawFn, schema: Any, root: Any = None, depth: int = 0) -> Any:
    """A value that follows the schema's outline; often, not always, valid."""
    root = schema if root is None else root
    if isinstance(schema, dict) and "$ref" in schema:
        schema = root["definitions"]["d"] if depth < _DEEPEST else {}
    if not isinstance(schema, dict) or depth > _DEEPEST or draw(st.integers(0, 7)) == 0:
        return draw(PLAIN)
    for keyword in ("const", "enum"):
        if keyword in schema:
            return schema["const"] if keyword == "const" else draw(st.sampled_from(schema["enum"]))
    for keyword in ("anyOf", "oneOf", "allOf"):
        if keyword in schema:
            return draw(instances(draw(st.sampled_from(schema[keyword])), root, depth + 1))
    kind = schema.get("type")
    if kind == "object":
        return draw(_object_instances(schema, root, depth))
    if kind == "array":
        items = schema.get("items", schema.get("contains", True))
        rest = schema.get("additionalItems", True)
        outline = [*items, rest] if isinstance(items, list) else [items] * 3
        outline = [*schema.get("prefixItems", []), *outline]
        count = draw(st.integers(0, 4))
        return [draw(instances(item, root, depth + 1)) for item in outline[:count]]
    if kind in ("integer", "number"):  # not a set: kind may be a list
        return draw(st.integers(-6, 12))
    return draw(PLAIN)


_DEEPEST = 8


@st.composite
def _object_instances(
    draw: st.DrawFn, schema: dict[str, Any], root: Any, depth: int
) -> dict[str, Any]:
    properties = schema.get("properties", {})
    names = draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True))
    names += [name for name in schema.get("required", []) if name not in names]
    patterns = list(schema.get("patternProperties", {}).values())
    other = [*patterns, schema.get("additionalProperties", True)]
    return {
        name: draw(instances(properties.get(name, draw(st.sampled_from(other))), root, depth + 1))
        for name in names
    }
