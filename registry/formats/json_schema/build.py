"""From the JSON of a schema, of any draft, to the model; refuses what no draft allows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any

from registry.formats.contract import Dependency, SchemaInvalidError
from registry.formats.json_schema import text
from registry.formats.json_schema.documents import Documents, Place
from registry.formats.json_schema.keywords import Keywords
from registry.formats.json_schema.model import (
    ABSENT,
    Array,
    Combined,
    Conditional,
    Criterion,
    Kind,
    Node,
    Number,
    Object,
    Reference,
    Text,
    Values,
)

_TYPES: Mapping[str, Kind] = {
    "string": "string",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "null": "null",
    "object": "object",
    "array": "array",
}
_IMPLIED: Mapping[str, frozenset[str]] = {
    "array": frozenset({
        "items", "prefixItems", "additionalItems", "unevaluatedItems", "contains", "minItems",
        "maxItems", "uniqueItems",
    }),
    "string": frozenset({"minLength", "maxLength", "pattern"}),
    "number": frozenset({
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    }),
    "object": frozenset({
        "properties", "required", "additionalProperties", "unevaluatedProperties",
        "patternProperties", "propertyNames", "minProperties", "maxProperties", "dependencies",
        "dependentRequired", "dependentSchemas",
    }),
}  # fmt: skip
_REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
_CRITERIA: tuple[Criterion, ...] = ("allOf", "anyOf", "oneOf")


def build(root: Any, dependencies: Sequence[Dependency] = ()) -> Node:
    """The model of a schema, its references linked; SchemaInvalidError says what and where."""
    return _Builder(Documents(root, dependencies)).build_all(root)


class _Builder:
    """Builds each schema object once, from a list of pending ones instead of by recursion."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._nodes: dict[int, Node] = {}
        self._contained: dict[int, bool] = {}
        self._pending: list[tuple[Node, Keywords, Place]] = []
        self._links: list[tuple[Reference, str, str, str]] = []

    def build_all(self, root: Any) -> Node:
        node = self.child(root, self._documents.root_place, "#")
        while self._pending or self._links:
            if self._pending:
                shell, keywords, place = self._pending.pop()
                _fill(shell, _Schema(self, keywords, place).node())
            else:
                self._link(*self._links.pop())
        return node

    def _link(self, reference: Reference, base: str, uri: str, path: str) -> None:
        try:
            target, place = self._documents.resolve(base, uri)
        except SchemaInvalidError as error:
            raise SchemaInvalidError(str(error), path) from error
        reference.target = self.child(target, place, f"{path} → {uri}")

    def child(self, raw: Any, around: Place, path: str) -> Node:
        """The node of a schema; what it holds is filled in later."""
        if isinstance(raw, bool):
            return Node("empty" if raw else "false", raw)
        if not isinstance(raw, dict):
            raise SchemaInvalidError("a schema is an object or a boolean", path)
        known = self._nodes.get(id(raw))
        if known is None:
            place = self._documents.place(raw, around)
            known = self._nodes[id(raw)] = Node("empty", raw)
            self._pending.append((known, Keywords(raw, path, place.draft), place))
        return known

    def is_contained(self, raw: Any) -> bool:
        """Whether a value refers to nothing: equal texts of such schemas mean the same."""
        if isinstance(raw, list):
            return all(map(self.is_contained, raw))
        if not isinstance(raw, dict):
            return True
        known = self._contained.get(id(raw))
        if known is None:
            known = _REFERENCES.isdisjoint(raw) and all(map(self.is_contained, raw.values()))
            self._contained[id(raw)] = known
        return known

    def refer(self, keywords: Keywords, name: str, place: Place) -> Node:
        """A reference node, linked when everything in sight has been built."""
        reference = Reference()
        uri = keywords.string(name)
        self._links.append((reference, place.base, uri or "", keywords.at(name)))
        return Node("reference", keywords.raw, reference)


def _fill(shell: Node, node: Node) -> None:
    for slot in fields(Node):
        setattr(shell, slot.name, getattr(node, slot.name))


class _Schema:
    """One schema object: its parts, one per kind it constrains."""

    def __init__(self, builder: _Builder, keywords: Keywords, place: Place) -> None:
        self._builder = builder
        self._keywords = keywords
        self._place = place
        self._draft = place.draft

    def node(self) -> Node:
        keywords = self._keywords
        if "$ref" in keywords and self._draft <= 7:
            node = self._builder.refer(keywords, "$ref", self._place)
        else:
            parts = self._parts()
            if not parts:
                node = Node("empty", keywords.raw)
            elif len(parts) == 1:
                node = parts[0]
            else:
                node = Node("combined", keywords.raw, Combined("allOf", tuple(parts)))
            node.conditional = self._conditional()
        return self._annotated(node)

    def _annotated(self, node: Node) -> Node:
        keywords = self._keywords
        node.id = keywords.string("id" if self._draft == 4 else "$id")
        node.title = keywords.string("title")
        node.description = keywords.string("description")
        node.default = keywords.raw.get("default", ABSENT)
        connect_type = keywords.raw.get("connect.type")
        node.dialect = self._draft if self._builder.is_contained(keywords.raw) else 0
        node.connect_type = connect_type if isinstance(connect_type, str) else None
        return node

    def _parts(self) -> list[Node]:
        keywords = self._keywords
        parts = [
            self._builder.refer(keywords, name, self._place)
            for name in sorted(_REFERENCES)
            if name in keywords
        ]
        parts += [self._combination(name) for name in _CRITERIA if name in keywords]
        if "const" in keywords and self._draft > 4:
            parts.append(self._values("const", [keywords.raw["const"]]))
        if "enum" in keywords:
            parts.append(self._values("enum", keywords.array("enum")))
        if "not" in keywords:
            parts.append(Node("not", keywords.raw, Reference(self._child("not"))))
        return parts + self._typed()

    def _typed(self) -> list[Node]:
        declared = self._keywords.raw.get("type", ABSENT)
        if declared is ABSENT:
            return [
                self._of_type(kind)
                for kind, names in _IMPLIED.items()
                if not names.isdisjoint(self._keywords.raw)
            ]
        if isinstance(declared, str):
            return [self._of_type(declared)]
        if not isinstance(declared, list) or not declared:
            raise SchemaInvalidError("type is a name or a list of names", self._keywords.at("type"))
        parts = [self._of_type(name) for name in dict.fromkeys(map(str, declared))]
        if len(parts) == 1:
            return parts
        return [Node("combined", self._keywords.raw, Combined("anyOf", tuple(parts)))]

    def _of_type(self, name: str) -> Node:
        if name not in _TYPES:
            raise SchemaInvalidError(f"unknown type {name!r}", self._keywords.at("type"))
        # The raw form of a part says which part of the object it is: it tells parts apart.
        raw = {**self._keywords.raw, "type": name}
        readers: Mapping[str, Callable[[], Any]] = {
            "string": self._text,
            "number": self._number,
            "integer": lambda: self._number(integer=True),
            "object": self._object,
            "array": self._array,
        }
        return Node(_TYPES[name], raw, readers[name]() if name in readers else None)

    def _child(self, name: str) -> Node:
        return self._builder.child(self._keywords.raw[name], self._place, self._keywords.at(name))

    def _optional(self, name: str) -> Node | None:
        """The sub-schema of a keyword; None where it is absent."""
        return self._child(name) if name in self._keywords else None

    def _named(self, name: str) -> dict[str, Node]:
        return {
            key: self._builder.child(raw, self._place, f"{self._keywords.at(name)}/{key}")
            for key, raw in self._keywords.mapping(name).items()
        }

    def _patterns(self) -> dict[str, Node]:
        found = self._named("patternProperties")
        for pattern in found:
            self._keywords.check_pattern(pattern, self._keywords.at("patternProperties"))
        return found

    def _listed(self, name: str) -> tuple[Node, ...]:
        return tuple(
            self._builder.child(raw, self._place, f"{self._keywords.at(name)}/{index}")
            for index, raw in enumerate(self._keywords.array(name))
        )

    def _combination(self, name: Criterion) -> Node:
        parts = self._listed(name)
        if not parts:
            raise SchemaInvalidError(f"{name} is empty", self._keywords.at(name))
        return Node("combined", self._keywords.raw, Combined(name, distinct(parts)))

    def _values(self, kind: Kind, values: Sequence[Any]) -> Node:
        texts = frozenset(text.write_sorted(_plain(value)) for value in values)
        return Node(kind, self._keywords.raw, Values(texts))

    def _conditional(self) -> Conditional | None:
        if "if" not in self._keywords or self._draft < 7:
            return None
        condition = self._child("if")
        then, otherwise = self._optional("then"), self._optional("else")
        if then is None and otherwise is None:
            return None
        return Conditional(condition, then, otherwise)

    def _text(self) -> Text:
        keywords = self._keywords
        return Text(
            keywords.count("minLength") or None,
            keywords.count("maxLength"),
            keywords.pattern("pattern"),
        )

    def _number(self, integer: bool = False) -> Number:
        keywords = self._keywords
        minimum, above = self._bound("minimum", "exclusiveMinimum")
        maximum, below = self._bound("maximum", "exclusiveMaximum")
        step = keywords.number("multipleOf")
        if step is not None and step <= 0:
            raise SchemaInvalidError("multipleOf must be positive", keywords.at("multipleOf"))
        return Number(integer, minimum, maximum, above, below, step)

    def _bound(self, name: str, exclusive: str) -> tuple[Decimal | None, Decimal | None]:
        """(inclusive, exclusive): draft 4 has a boolean that changes the meaning of the first."""
        limit = self._keywords.number(name)
        flag = self._keywords.raw.get(exclusive)
        if isinstance(flag, bool):
            return (None, limit) if flag else (limit, None)
        return limit, self._keywords.number(exclusive)

    def _object(self) -> Object:
        keywords = self._keywords
        names, schemas = self._dependencies()
        return Object(
            properties=self._named("properties"),
            required=keywords.names("required"),
            additional=self._optional("additionalProperties"),
            unevaluated=self._optional("unevaluatedProperties") if self._draft > 7 else None,
            patterns=self._patterns(),
            names=self._optional("propertyNames") if self._draft > 4 else None,
            min_properties=keywords.count("minProperties") or None,
            max_properties=keywords.count("maxProperties"),
            required_by=names,
            schema_by=schemas,
            reserved=keywords.names("confluent:reserved"),
        )

    def _dependencies(self) -> tuple[dict[str, tuple[str, ...]], dict[str, Node]]:
        keywords = self._keywords
        schemas = self._named("dependentSchemas") if self._draft > 7 else {}
        names = keywords.names_by_key("dependentRequired") if self._draft > 7 else {}
        either = keywords.mapping("dependencies")
        for key, value in either.items():
            path = f"{keywords.at('dependencies')}/{key}"
            if isinstance(value, list):
                names.setdefault(key, keywords.distinct_names(value, path))
            else:
                schemas[key] = self._builder.child(value, self._place, path)
        return names, schemas

    def _array(self) -> Array:
        keywords = self._keywords
        prefix, rest = self._items()
        limits = self._draft > 7
        return Array(
            prefix=prefix,
            rest=rest,
            idle=self._optional("additionalItems") if self._is_without_items() else None,
            unevaluated=self._optional("unevaluatedItems") if limits else None,
            contains=self._optional("contains") if self._draft > 4 else None,
            min_contains=keywords.count("minContains") if limits else None,
            max_contains=keywords.count("maxContains") if limits else None,
            min_items=keywords.count("minItems") or None,
            max_items=keywords.count("maxItems"),
            unique=keywords.flag("uniqueItems"),
        )

    def _is_without_items(self) -> bool:
        return "items" not in self._keywords and self._draft < 2020

    def _items(self) -> tuple[tuple[Node, ...], Node | None]:
        if self._draft == 2020:
            prefix = self._listed("prefixItems") if "prefixItems" in self._keywords else ()
            return prefix, self._optional("items")
        if isinstance(self._keywords.raw.get("items"), list):
            return self._listed("items"), self._optional("additionalItems")
        return (), self._optional("items")


def distinct(parts: Sequence[Node]) -> tuple[Node, ...]:
    """The parts without those that are written the same as an earlier one."""
    first: dict[str, Node] = {}
    for part in parts:
        first.setdefault(text.write_sorted(part.raw), part)
    return tuple(first.values())


# Whole numbers from here on are kept with an exponent, however they are spelt.
_LARGE = 10**20


def _plain(value: Any) -> Any:
    """The value with every number in one spelling: JSON Schema does not tell 1 from 1.0."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return value
    if isinstance(value, int) and abs(value) < _LARGE:
        return value
    sign, digits, exponent = Decimal(str(value)).as_tuple()
    written = "".join(map(str, digits)).lstrip("0")
    significant = written.rstrip("0")
    if not significant or not isinstance(exponent, int):
        return 0
    exponent += len(written) - len(significant)
    plain = Decimal(f"{'-' * sign}{significant}E{exponent}")
    return int(plain) if exponent >= 0 and abs(plain) < _LARGE else plain
