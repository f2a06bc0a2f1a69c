"""Columns of a JSON Schema (drafts 4 to 2020-12): what `properties` of the root promise."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from lineage.connectors.columns import (
    Column,
    Convert,
    Kind,
    Plan,
    SourceColumn,
    day,
    identifier,
    instant,
    items_of,
    to_json,
    within,
)
from lineage.connectors.mapping import json_typed, plan_of, source

_SIMPLE: dict[str, tuple[Kind, Convert | None]] = {
    "integer": ("bigint", within(64)),
    "number": ("double", float),
    "boolean": ("boolean", None),
    "string": ("text", None),
}
_DEEPEST = 8


def plan(text: str) -> Plan:
    """Return the columns; an object with properties is flattened, any other compound is JSON."""
    root = json.loads(text)
    return plan_of(_columns(root, (), root))


def _resolved(schema: Any, root: Any) -> Any:
    """Follow references within the document, and unwrap "this, or null"."""
    for _ in range(_DEEPEST):
        if not isinstance(schema, dict):
            return {}
        if isinstance(schema.get("$ref"), str):
            schema = _pointed(schema["$ref"], root)
            continue
        choices = schema.get("anyOf") or schema.get("oneOf")
        real = [choice for choice in choices or () if choice != {"type": "null"}]
        if len(real) != 1 or "properties" in schema:
            return schema
        schema = real[0]
    return {}


def _pointed(reference: str, root: Any) -> Any:
    """Follow a JSON Pointer (RFC 6901) in the same document; others lead nowhere."""
    if not reference.startswith("#/"):
        return {}
    found = root
    for part in reference[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _type(schema: Mapping[str, Any]) -> str:
    """Return the one type beside null, or nothing where there are several."""
    declared = schema.get("type", "object" if "properties" in schema else "")
    types = (
        [name for name in declared if name != "null"] if isinstance(declared, list) else [declared]
    )
    if types == [""] and all(isinstance(value, str) for value in schema.get("enum", [0])):
        return "string"
    return str(types[0]) if len(types) == 1 else ""


def _columns(schema: Any, path: tuple[str, ...], root: Any) -> Iterator[SourceColumn]:
    schema = _resolved(schema, root)
    kind = _type(schema)
    if kind == "object" and schema.get("properties") and len(path) < _DEEPEST:
        for name, inner in schema["properties"].items():
            yield from _columns(inner, (*path, name), root)
    elif kind == "string":
        yield _string(schema, path or ("",))
    elif kind in _SIMPLE:
        yield source(path or ("",), *_SIMPLE[kind])
    elif kind == "array":
        yield _array(schema, path or ("",), root)
    else:
        yield source(path or ("",), "json", to_json)


def _string(schema: Mapping[str, Any], path: tuple[str, ...]) -> SourceColumn:
    match schema.get("format"):
        case "date-time":
            return SourceColumn(Column("", "timestamptz", 6), path, instant(1))
        case "date":
            return source(path, "date", day)
        case "uuid":
            return source(path, "uuid", identifier)
    return source(path, "text")


def _array(schema: Mapping[str, Any], path: tuple[str, ...], root: Any) -> SourceColumn:
    items = _resolved(schema.get("items"), root)
    kind, convert = _SIMPLE.get(_type(items), ("json", None))
    if kind == "json":
        return source(path, "json", to_json)
    return SourceColumn(Column("", "array", item=kind), path, items_of(convert))


# -- decoding -----------------------------------------------------------------------------------
_ALL_DIGITS_ZERO = bytes.maketrans(b"123456789", b"000000000")
_MANY_DIGITS = b"0" * 19


class Decoder:
    """Decodes as `exact` does, and four times as fast where that makes no difference.

    orjson makes a float of a number beyond 64 bits, and refuses what RFC 8259 does: NaN.
    """

    def __init__(self, exact: Callable[[bytes], Any]) -> None:
        self._exact = exact

    def __call__(self, payload: bytes) -> Any:
        """Decode one payload; raises what `exact` does."""
        if _MANY_DIGITS in payload.translate(_ALL_DIGITS_ZERO):
            return self._exact(payload)
        return self._quick(payload)

    def many(self, payloads: Sequence[bytes]) -> Iterable[Any]:
        """Decode many: they are looked through at once, and mostly that is enough."""
        if _MANY_DIGITS in b",".join(payloads).translate(_ALL_DIGITS_ZERO):
            return map(self, payloads)
        return map(self._quick, payloads)

    @staticmethod
    def columns_of(fields: Mapping[tuple[str, ...], Kind]) -> json_typed.Columns | None:
        """Return what reads these fields alone, where each is of its kind; else ValueError."""
        return json_typed.columns_of(fields)

    def _quick(self, payload: bytes) -> Any:
        try:
            return orjson.loads(payload)
        except orjson.JSONDecodeError:
            return self._exact(payload)


def decoder(exact: Callable[[bytes], Any]) -> Decoder:
    """Return a decoder as `exact` is, and faster."""
    return Decoder(exact)
