"""The one model that all JSON Schema drafts are folded into before they are compared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal[
    "empty", "false", "string", "number", "boolean", "null", "object", "array",
    "const", "enum", "not", "combined", "reference",
]  # fmt: skip
Criterion: TypeAlias = Literal["allOf", "anyOf", "oneOf"]


class _Absent:
    """The value of a `default` that was not given (null is a default)."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Text:
    """Bounds of a string; lengths in characters."""

    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """Bounds of a number; `integer` is the narrower type."""

    integer: bool = False
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    exclusive_minimum: Decimal | None = None
    exclusive_maximum: Decimal | None = None
    multiple_of: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Object:
    """An object; `additional` and `unevaluated` are None where anything goes."""

    properties: Mapping[str, "Node"]
    required: tuple[str, ...]
    additional: "Node | None"
    unevaluated: "Node | None"
    patterns: Mapping[str, "Node"]
    names: "Node | None"
    min_properties: int | None
    max_properties: int | None
    required_by: Mapping[str, tuple[str, ...]]
    schema_by: Mapping[str, "Node"]
    reserved: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Array:
    """An array: `prefix` by index, `rest` for all others (None: anything).

    `idle` is an additionalItems beside no `items`: it binds nothing, and its changes are named.
    """

    prefix: tuple["Node", ...]
    rest: "Node | None"
    idle: "Node | None"
    unevaluated: "Node | None"
    contains: "Node | None"
    min_contains: int | None
    max_contains: int | None
    min_items: int | None
    max_items: int | None
    unique: bool


@dataclass(frozen=True, slots=True)
class Values:
    """The allowed values of an enum or const, as sorted compact JSON."""

    texts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Combined:
    """allOf (a product), anyOf or oneOf (a sum); equal sub-schemas are held once."""

    criterion: Criterion
    parts: tuple["Node", ...]


@dataclass(slots=True)
class Reference:
    """A `$ref` (or one half of `not`): `target` is linked once the whole text is read."""

    target: "Node | None" = None


@dataclass(frozen=True, slots=True)
class Conditional:
    """`if`, `then`, `else`; None where a branch accepts anything."""

    condition: "Node"
    then: "Node | None"
    otherwise: "Node | None"


Facets: TypeAlias = Text | Number | Object | Array | Values | Combined | Reference | None


@dataclass(eq=False, slots=True)
class Node:
    """One schema. Nodes are equal by identity: recursion makes graphs of them."""

    kind: Kind
    raw: Any
    facets: Facets = None
    id: str | None = None
    title: str | None = None
    description: str | None = None
    default: Any = field(default=ABSENT)
    connect_type: str | None = None
    conditional: Conditional | None = None
    # The draft that `raw` is to be read by; 0 where it refers to anything outside itself.
    dialect: int = 0

    def followed(self) -> "Node":
        """The schema itself, behind any references; a loop of references accepts anything."""
        seen: set[int] = set()
        node = self
        while node.kind == "reference" and isinstance(node.facets, Reference):
            if id(node) in seen or node.facets.target is None:
                return Node("empty", node.raw)
            seen.add(id(node))
            node = node.facets.target
        return node
