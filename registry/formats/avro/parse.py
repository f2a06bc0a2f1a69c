"""From Avro's JSON to types, by the rules of the Avro 1.12 specification and the Java library."""

import re
from collections.abc import Callable
from typing import Any

from registry.formats.avro.defaults import is_valid_default
from registry.formats.avro.forward import Forward, resolve
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
    Unfit,
    Union,
)
from registry.formats.avro.same import is_same
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
_MAX_SIZE = 2**31 - 9
"""The longest array of bytes that Java can have."""
_DOUBLE = re.compile(
    r"[+-]?(?:NaN|Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fFdD]?)"
)
_HEXADECIMAL = re.compile(
    r"[+-]?0[xX](?:[0-9a-fA-F]+\.?|[0-9a-fA-F]*\.[0-9a-fA-F]+)[pP][+-]?[0-9]+[fFdD]?"
)
_UP_TO_SPACE = "".join(map(chr, range(0x21)))


class Parser:
    """Parses schemas one after another; names defined by one are known to the next.

    Any text is a name here, and any value a default: `strict` has the rules for new schemas.
    """

    def __init__(self) -> None:
        self.names: dict[str, Named] = {}
        self.unfit: list[Unfit] = []
        self._makers: dict[str, Callable[[dict[str, Any], str, str], Type]] = {
            "record": self._record,
            "error": self._record,
            "enum": self._enum,
            "fixed": self._fixed,
            "array": self._collection,
            "map": self._collection,
        }

    def parse(self, node: Any) -> Type:
        """Parse one schema, whose names may be used before they are defined."""
        self.unfit.clear()
        root = self._parse(node, "", "")
        # what is defined again is what was defined first
        first = self.names[root.name.full] if isinstance(root, Named) else root
        return resolve(first, self.names)

    def _parse(self, node: Any, space: str, path: str) -> Type:
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

    def _named(self, text: str, space: str, path: str) -> Type:
        """What the name stands for by now: a record is not known before its last field is read."""
        full = text if "." in text or not space else f"{space}.{text}"
        found = self.names.get(full) or self.names.get(text)
        return found or Forward("forward", full=full, path=path)

    def _union(self, node: list[Any], space: str, path: str) -> Union:
        union = Union("union")
        seen: set[str] = set()
        for index, item in enumerate(node):
            branch = self._parse(item, space, f"{path}/{index}")
            if isinstance(branch, Union):
                raise SchemaInvalidError("Nested union", path)
            if branch.identity in seen:
                raise SchemaInvalidError(f"Duplicate in union: {branch.identity}", path)
            # what is not known yet may be there twice; `resolve` sees it
            if not isinstance(branch, Forward):
                seen.add(branch.identity)
            union.branches.append(branch)
        return union

    def _collection(self, node: dict[str, Any], space: str, path: str) -> Collection:
        kind = node["type"]
        key = "items" if kind == "array" else "values"
        if key not in node:
            raise SchemaInvalidError(f"{kind.capitalize()} has no {key} type", path)
        inner = self._parse(node[key], space, f"{path}/{key}")
        return Collection(kind, _copied_props(node, path), inner=inner)

    def _define(self, made: Named, path: str) -> None:
        """Make the name known; it may be defined again if that says the same."""
        full = made.name.full
        if not is_same(self.names.setdefault(full, made), made):
            raise SchemaInvalidError(f"Can't redefine: {full}", path)

    def _record(self, node: dict[str, Any], space: str, path: str) -> Record:
        name = _name(node, space, path)
        props = _copied_props(node, path)
        record = Record(node["type"], props, name=name, doc=_text(node, "doc"))
        record.aliases = _names(node, name.space, path)
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
        self._define(record, path)
        return record

    def _field(self, node: Any, space: str, path: str) -> RecordField:
        if not isinstance(node, dict):
            raise SchemaInvalidError("a field is an object", path)
        name = node.get("name")
        if not isinstance(name, str):
            raise SchemaInvalidError("No field name", path)
        if node.get("type") is None:
            raise SchemaInvalidError(f"No field type: {name}", path)
        order = node.get("order", "ascending")
        if not isinstance(order, str) or order.lower() not in _ORDERS:
            raise SchemaInvalidError(f"Invalid order of field {name}", path)
        kind = self._parse(node["type"], space, f"{path}/type")
        default = _default(node, kind, path)
        if default is not ABSENT and not is_valid_default(kind, default):
            self.unfit.append(Unfit(name, default, kind.kind, path))
        return RecordField(
            name=name,
            type=kind,
            doc=_text(node, "doc"),
            default=default,
            order=order.lower(),
            aliases=_aliases(node, path),
            props=_props(node, _FIELD_RESERVED),
        )

    def _enum(self, node: dict[str, Any], space: str, path: str) -> Enum:
        symbols = node.get("symbols")
        if not isinstance(symbols, list):
            raise SchemaInvalidError("Enum has no symbols", path)
        for index, symbol in enumerate(symbols):
            if not isinstance(symbol, str):
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
        enum.aliases = _names(node, name.space, path)
        self._define(enum, path)
        return enum

    def _fixed(self, node: dict[str, Any], space: str, path: str) -> Fixed:
        size = node.get("size")
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= _MAX_SIZE:
            raise SchemaInvalidError(f"Invalid or no size: {size}", path)
        name = _name(node, space, path)
        fixed = Fixed("fixed", _props(node, _RESERVED), name=name, doc=_text(node, "doc"))
        fixed.size = size
        fixed.aliases = _names(node, name.space, path)
        self._define(fixed, path)
        return fixed


def _props(node: dict[str, Any], reserved: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key not in reserved}


def _copied_props(node: dict[str, Any], path: str) -> dict[str, Any]:
    """Of a type that others are within: Java copies it, and cannot copy a number beyond a long."""
    props = _props(node, _RESERVED)
    for key, value in props.items():
        if not _fits_long(value):
            raise SchemaInvalidError(f"Can't set a property to null: {key}", path)
    return props


def _fits_long(value: Any) -> bool:
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, dict):
        value = list(value.values())
    return not isinstance(value, list) or all(map(_fits_long, value))


def _text(node: dict[str, Any], key: str) -> str | None:
    value = node.get(key)
    return value if isinstance(value, str) else None


def _name(node: dict[str, Any], space: str, path: str) -> Name:
    text = node.get("name")
    if not isinstance(text, str):
        raise SchemaInvalidError("No name in schema", path)
    own = node.get("namespace")
    name = Name.read(text, own if isinstance(own, str) else space)
    if name.full in PRIMITIVES:
        raise SchemaInvalidError(f"Schemas may not be named after primitives: {name.full}", path)
    return name


def _names(node: dict[str, Any], space: str, path: str) -> list[Name]:
    """The aliases of a type, each once."""
    return list(dict.fromkeys(Name.read(alias, space) for alias in _aliases(node, path)))


def _aliases(node: dict[str, Any], path: str) -> list[str]:
    aliases = node.get("aliases", [])
    if not isinstance(aliases, list):
        raise SchemaInvalidError("aliases not an array", path)
    if not all(isinstance(alias, str) for alias in aliases):
        raise SchemaInvalidError("alias not a string", path)
    return list(dict.fromkeys(aliases))


def _default(node: dict[str, Any], kind: Type, path: str) -> Any:
    """A field's default or ABSENT; for float and double Java also takes a number as text."""
    default = node.get("default", ABSENT)
    if not isinstance(default, str) or kind.kind not in {"float", "double"}:
        return default
    text = default.strip(_UP_TO_SPACE)
    if _DOUBLE.fullmatch(text):
        return float(text.rstrip("fFdD") if text[-1] in "fFdD" else text)
    if _HEXADECIMAL.fullmatch(text):
        return float.fromhex(text.rstrip("fFdD"))
    raise SchemaInvalidError(f'For input string: "{default}"', path)
