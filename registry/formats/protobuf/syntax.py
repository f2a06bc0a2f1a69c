"""A .proto file as it was written: names unresolved, declarations in their order."""

from dataclasses import dataclass, field
from typing import TypeAlias

# A constant keeps its source form ('"text"', '1.5', 'true', 'SPEED'); a list or a message literal
# holds more of them.
Constant: TypeAlias = "str | tuple[Constant, ...] | Literal"
# Inclusive; None stands for max.
Range: TypeAlias = tuple[int, int | None]
MAX_TAG = 2**29 - 1
MAX_ENUM = 2**31 - 1
_PSEUDO = ("default", "json_name")


@dataclass(frozen=True, slots=True)
class Literal:
    """A message literal: { name: value, … }; a name may repeat."""

    entries: tuple[tuple[str, Constant], ...]


@dataclass(frozen=True, slots=True)
class Option:
    """`name` as written: java_package, (my.option).field, features.field_presence."""

    name: str
    value: Constant


@dataclass(slots=True)
class Field:
    """A field; `label` is optional, required, repeated or empty; a map's type is map<K, V>."""

    label: str
    type: str
    name: str
    tag: int
    options: list[Option] = field(default_factory=list)
    doc: str = ""
    # The body of a group, which is a field and a message at once.
    group: "Message | None" = None


@dataclass(slots=True)
class Oneof:
    """Fields of which at most one is set."""

    name: str
    fields: list[Field] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)
    doc: str = ""


@dataclass(slots=True)
class Reserved:
    """Numbers and names that no field may use any more; `bare` names stand without quotes."""

    ranges: list[Range] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    bare: bool = False


@dataclass(slots=True)
class Extensions:
    """Numbers left to extensions in other files."""

    ranges: list[Range]
    options: list[Option] = field(default_factory=list)


@dataclass(slots=True)
class Extend:
    """Fields added to a message defined elsewhere."""

    name: str
    fields: list[Field] = field(default_factory=list)
    doc: str = ""


@dataclass(slots=True)
class Value:
    """A constant of an enum."""

    name: str
    tag: int
    options: list[Option] = field(default_factory=list)
    doc: str = ""


@dataclass(slots=True)
class Enum:
    """An enum; `visibility` is export, local or empty (edition 2024)."""

    name: str
    values: list[Value] = field(default_factory=list)
    reserved: list[Reserved] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)
    doc: str = ""
    visibility: str = ""


@dataclass(slots=True)
class Message:
    """A message; `types` are its nested messages and enums in declared order."""

    name: str
    fields: list[Field] = field(default_factory=list)
    oneofs: list[Oneof] = field(default_factory=list)
    reserved: list[Reserved] = field(default_factory=list)
    extensions: list[Extensions] = field(default_factory=list)
    extends: list[Extend] = field(default_factory=list)
    types: "list[Message | Enum]" = field(default_factory=list)
    options: list[Option] = field(default_factory=list)
    doc: str = ""
    visibility: str = ""


@dataclass(slots=True)
class Rpc:
    """A method of a service."""

    name: str
    request: str
    response: str
    request_streaming: bool = False
    response_streaming: bool = False
    options: list[Option] = field(default_factory=list)
    doc: str = ""


@dataclass(slots=True)
class Service:
    """A service; compared by nobody, but part of the text."""

    name: str
    rpcs: list[Rpc] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)
    doc: str = ""


@dataclass(slots=True)
class File:
    """A whole file; `syntax` is proto2, proto3 or empty, `edition` a year or empty."""

    syntax: str = ""
    edition: str = ""
    package: str = ""
    imports: list[str] = field(default_factory=list)
    public_imports: list[str] = field(default_factory=list)
    option_imports: list[str] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)
    types: list[Message | Enum] = field(default_factory=list)
    extends: list[Extend] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)

    def imported(self) -> list[str]:
        """The names of all imported files, in no particular order."""
        return [*self.imports, *self.public_imports, *self.option_imports]


def default_last(options: list[Option]) -> list[Option]:
    """A field's options as they are stored: its default and JSON name, no true options, last."""
    return sorted(
        options, key=lambda option: _PSEUDO.index(option.name) if option.name in _PSEUDO else -1
    )
