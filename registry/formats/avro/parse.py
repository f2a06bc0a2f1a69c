"""From Avro's JSON to types, by the rules of the Avro 1.12 specification and the Java library."""

import json
from collections.abc import Callable
from typing import Any

from registry.formats.avro.model import (
    ABSENT,
    PRIMITIVES,
    Collection,
    Enum,
    Fixed,
    Name,
    Named,
    Record,
    RecordField,
    Type,
    Union,
)
from registry.formats.contract import SchemaInvalidError

_RESERVED = frozenset({
    "doc",
    "fields",
    "items",
    "name",
    "namespace",
    "size",
    "symbols",
    "values",
    "type",
    "aliases",
})
_FIELD_RESERVED = frozenset({"default", "doc", "name", "order", "type", "aliases"})
_ORDERS = frozenset({"ascending", "descending", "ignore"})
_MAX_SIZE = 2**31 - 1


def read_json(text: str) -> Any:
    """Parse JSON; a bare word such as `string` counts as its quoted form, as in Java."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise SchemaInvalidError("nested too deeply") from None
    except ValueError as wrong:
        raise SchemaInvalidError(f"not JSON: {wrong}") from None


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def is_name(text: str) -> bool:
    """Whether the text is a name: letters, digits and underscore, no digit first."""
    if not text or not (text[0].isalpha() or text[0] == "_"):
        return False
    return all(letter.isalpha() or letter.isdigit() or letter == "_" for letter in text)


class Parser:
    """Parses schemas one after another; names defined by one are known to the next."""

    def __init__(self) -> None:
        self.names: dict[str, Named] = {}
        self._makers: dict[str, Callable[[dict[str, Any], str, str], Type]] = {
            "record": self._record,
            "error": self._record,
            "enum": self._enum,
            "fixed": self._fixed,
            "array": self._collection,
            "map": self._collection,
        }

    def parse(self, node: Any, space: str = "", path: str = "") -> Type:
        """Parse one JSON value that stands for a type."""
        if isinstance(node, str):
            return Type(node) if node in PRIMITIVES else self._named(node, space, path)
        if isinstance(node, list):
            return self._union(node, space, path)
        if not isinstance(node, dict):
            raise SchemaInvalidError("a schema is a string, an object or an array", path)
        kind = node.get("type")
        if not isinstance(kind, str):
            raise SchemaInvalidError("No type", path)
        if kind in PRIMITIVES:
            return Type(kind, _props(node, _RESERVED))
        if kind in self._makers:
            return self._makers[kind](node, space, path)
        return self._named(kind, space, path)

    def _named(self, text: str, space: str, path: str) -> Named:
        name = Name.read(text, space)
        found = self.names.get(name.full) or self.names.get(text)
        if found is None:
            raise SchemaInvalidError(f'Undefined name: "{text}"', path)
        return found

    def _union(self, node: list[Any], space: str, path: str) -> Union:
        union = Union("union")
        seen: set[str] = set()
        for index, item in enumerate(node):
            branch = self.parse(item, space, f"{path}/{index}")
            if isinstance(branch, Union):
                raise SchemaInvalidError("Nested union", path)
            identity = branch.name.full if isinstance(branch, Named) else branch.kind
            if identity in seen:
                raise SchemaInvalidError(f"Duplicate in union: {identity}", path)
            seen.add(identity)
            union.branches.append(branch)
        return union

    def _collection(self, node: dict[str, Any], space: str, path: str) -> Collection:
        kind = node["type"]
        key = "items" if kind == "array" else "values"
        if key not in node:
            raise SchemaInvalidError(f"{kind.capitalize()} has no {key} type", path)
        inner = self.parse(node[key], space, f"{path}/{key}")
        return Collection(kind, _props(node, _RESERVED), inner=inner)

    def _define(self, made: Named, path: str) -> None:
        full = made.name.full
        if full in PRIMITIVES:
            raise SchemaInvalidError(f"Schemas may not be named after primitives: {full}", path)
        if full in self.names:
            raise SchemaInvalidError(f"Can't redefine: {full}", path)
        self.names[full] = made

    def _record(self, node: dict[str, Any], space: str, path: str) -> Record:
        name = _name(node, space, path)
        record = Record(node["type"], _props(node, _RESERVED), name=name, doc=_text(node, "doc"))
        record.aliases = [Name.read(alias, name.space) for alias in _aliases(node, path)]
        self._define(record, path)
        fields = node.get("fields")
        if not isinstance(fields, list):
            raise SchemaInvalidError("Record has no fields", path)
        seen: set[str] = set()
        for index, item in enumerate(fields):
            made = self._field(item, name.space, f"{path}/fields/{index}")
            if made.name in seen:
                raise SchemaInvalidError(f"Duplicate field {made.name} in record {name.full}", path)
            seen.add(made.name)
            record.fields.append(made)
        return record

    def _field(self, node: Any, space: str, path: str) -> RecordField:
        if not isinstance(node, dict):
            raise SchemaInvalidError("a field is an object", path)
        name = node.get("name")
        if not isinstance(name, str):
            raise SchemaInvalidError("No field name", path)
        if not is_name(name):
            raise SchemaInvalidError(f"Illegal character in: {name}", path)
        if node.get("type") is None:
            raise SchemaInvalidError(f"No field type: {name}", path)
        order = node.get("order", "ascending")
        if not isinstance(order, str) or order.lower() not in _ORDERS:
            raise SchemaInvalidError(f"Invalid order of field {name}", path)
        return RecordField(
            name=name,
            type=self.parse(node["type"], space, f"{path}/type"),
            doc=_text(node, "doc"),
            default=_numeric_text(node.get("default", ABSENT), node["type"]),
            order=order.lower(),
            aliases=_aliases(node, path),
            props=_props(node, _FIELD_RESERVED),
        )

    def _enum(self, node: dict[str, Any], space: str, path: str) -> Enum:
        symbols = node.get("symbols")
        if not isinstance(symbols, list):
            raise SchemaInvalidError("Enum has no symbols", path)
        for index, symbol in enumerate(symbols):
            if not isinstance(symbol, str) or not is_name(symbol):
                raise SchemaInvalidError(f"Illegal symbol: {symbol}", f"{path}/symbols/{index}")
        if len(set(symbols)) != len(symbols):
            raise SchemaInvalidError("Duplicate in enum", f"{path}/symbols")
        default = _text(node, "default")
        if default is not None and default not in symbols:
            message = f"The Enum Default: {default} is not in the enum symbol set: {symbols}"
            raise SchemaInvalidError(message, path)
        name = _name(node, space, path)
        enum = Enum("enum", _props(node, _RESERVED | {"default"}), name=name)
        enum.doc, enum.symbols, enum.default = _text(node, "doc"), symbols, default
        enum.aliases = [Name.read(alias, name.space) for alias in _aliases(node, path)]
        self._define(enum, path)
        return enum

    def _fixed(self, node: dict[str, Any], space: str, path: str) -> Fixed:
        size = node.get("size")
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= _MAX_SIZE:
            raise SchemaInvalidError(f"Invalid or no size: {size}", path)
        name = _name(node, space, path)
        fixed = Fixed("fixed", _props(node, _RESERVED), name=name, doc=_text(node, "doc"))
        fixed.size = size
        fixed.aliases = [Name.read(alias, name.space) for alias in _aliases(node, path)]
        self._define(fixed, path)
        return fixed


def _props(node: dict[str, Any], reserved: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key not in reserved}


def _text(node: dict[str, Any], key: str) -> str | None:
    value = node.get(key)
    return value if isinstance(value, str) else None


def _name(node: dict[str, Any], space: str, path: str) -> Name:
    text = node.get("name")
    if not isinstance(text, str):
        raise SchemaInvalidError("No name in schema", path)
    own = node.get("namespace")
    name = Name.read(text, own if isinstance(own, str) else space)
    parts = [name.name, *(name.space.split(".") if name.space else ())]
    for part in parts:
        if not is_name(part):
            raise SchemaInvalidError(f"Illegal character in: {name.full[:200]}", path)
    return name


def _aliases(node: dict[str, Any], path: str) -> list[str]:
    aliases = node.get("aliases")
    if aliases is None:
        return []
    if not isinstance(aliases, list):
        raise SchemaInvalidError("aliases not an array", path)
    if not all(isinstance(alias, str) for alias in aliases):
        raise SchemaInvalidError("alias not a string", path)
    return list(dict.fromkeys(aliases))


def _numeric_text(default: Any, node: Any) -> Any:
    """A number given as text, which Java takes for float and double fields."""
    kind = node.get("type") if isinstance(node, dict) else node
    if isinstance(default, str) and kind in ("float", "double"):
        try:
            return float(default)
        except ValueError:
            return default
    return default
