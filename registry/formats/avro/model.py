"""A parsed Avro schema as a graph: a name met twice is the same object, so recursion is a cycle."""

from dataclasses import dataclass, field
from typing import Any, Final

PRIMITIVES: Final = frozenset({
    "null",
    "boolean",
    "int",
    "long",
    "float",
    "double",
    "bytes",
    "string",
})
NAMED: Final = frozenset({"record", "error", "enum", "fixed"})


class Absent:
    """The type of ABSENT: no default, where `null` is one."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()


@dataclass(frozen=True)
class Name:
    """A name in its namespace (empty for none)."""

    name: str
    space: str = ""

    @classmethod
    def read(cls, text: str, space: str) -> "Name":
        """A name as a schema spells it: with dots it is full, else it belongs to `space`."""
        head, dot, last = text.rpartition(".")
        return cls(last, head) if dot else cls(text, space)

    @property
    def full(self) -> str:
        """The name with its namespace."""
        return f"{self.space}.{self.name}" if self.space else self.name

    def within(self, space: str) -> str:
        """How the name is written inside `space`."""
        if self.space == space and self.name not in PRIMITIVES | NAMED | {"array", "map", "union"}:
            return self.name
        return self.full


@dataclass(eq=False, slots=True)
class Type:
    """One type; `kind` is Avro's word. Compared by identity: a graph may be cyclic."""

    kind: str
    props: dict[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """What no two branches of a union have in common: the kind, or a type's full name."""
        return self.kind


@dataclass(eq=False, slots=True)
class Collection(Type):
    """An array or a map; `inner` is what it holds."""

    inner: Type = field(kw_only=True)


@dataclass(eq=False, slots=True)
class Union(Type):
    """A union of branches."""

    branches: list[Type] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Named(Type):
    """A type with a name, aliases and documentation."""

    name: Name = field(kw_only=True)
    doc: str | None = None
    aliases: list[Name] = field(default_factory=list)

    @property
    def identity(self) -> str:
        """The full name."""
        return self.name.full


@dataclass(eq=False, slots=True)
class Fixed(Named):
    """A fixed number of bytes."""

    size: int = 0


@dataclass(eq=False, slots=True)
class Enum(Named):
    """An enumeration; `default` is what a reader takes for a symbol that it lacks."""

    symbols: list[str] = field(default_factory=list)
    default: str | None = None


@dataclass(eq=False, slots=True)
class RecordField:
    """One field of a record; `default` is the JSON value or ABSENT."""

    name: str
    type: Type
    doc: str | None
    default: Any
    order: str
    aliases: list[str]
    props: dict[str, Any]


@dataclass(eq=False, slots=True)
class Record(Named):
    """A record (or an error, which differs only in its keyword)."""

    fields: list[RecordField] = field(default_factory=list)


@dataclass(frozen=True)
class Unfit:
    """A field's default that does not fit what its type was known to be where it stands."""

    field: str
    default: Any
    kind: str
    path: str


@dataclass(frozen=True)
class Model:
    """A schema, and the named types that its references brought in.

    `known` are the full names that its text does not spell out: those of the references' own
    types, not of the types within these.
    """

    root: Type
    referenced: tuple[Named, ...] = ()
    known: frozenset[str] = frozenset()
    unfit: tuple[Unfit, ...] = ()
