"""The contract of a schema format. Pure: no Django, no HTTP, no clock, nothing is fetched."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

FormatName = Literal["AVRO", "JSON", "PROTOBUF"]
Policy = Literal["STRICT", "LENIENT"]


class SchemaInvalidError(ValueError):
    """A schema text that cannot be used: what is wrong, and where."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(f"{message} (at {path})" if path else message)
        self.path = path


class ComparisonTooLargeError(ValueError):
    """Two schemas whose comparison would pass its budget; neither verdict can be given."""


@dataclass(frozen=True)
class Dependency:
    """A referenced schema, resolved: `name` as the referring text spells it, and its own text.

    Given in dependency order: each one's references stand before it.
    """

    name: str
    text: str


@dataclass(frozen=True)
class Difference:
    """One change between the earlier schema and the candidate.

    `kind` is the contract's name of the change (TYPE_MISMATCH, PROPERTY_REMOVED_FROM_…), `path`
    where, `description` in words; `additional` is Avro's second text. `compatible` is the verdict
    under the policy that the comparison was asked for. A `historical` one is about what came first:
    the comparison the other way round, for readers of the earlier schema, leaves it out.
    """

    kind: str
    path: str
    description: str
    compatible: bool
    additional: str = ""
    historical: bool = False


@dataclass(frozen=True)
class Field:
    """One field of a schema as a page shows it; `path` is dotted, nested fields follow.

    `detail` is what its type says besides: a number on the wire, a precision, bounds.
    """

    path: str
    type: str
    doc: str = ""
    default: str | None = None
    required: bool = True
    tags: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True)
class Parsed:
    """A valid schema: its stored text, its normal form, and the format's own parsed `model`."""

    format: FormatName
    text: str
    normal: str
    dependencies: tuple[Dependency, ...]
    model: Any = field(compare=False, repr=False)


class Format(Protocol):
    """What one schema format can do; `registry.formats` holds one object per kind."""

    name: FormatName

    def parse(self, text: str, dependencies: Sequence[Dependency] = ()) -> Parsed:
        """Parse and validate; raise SchemaInvalidError saying what and where."""
        ...

    def compare(
        self, original: Parsed, update: Parsed, policy: Policy = "STRICT"
    ) -> list[Difference]:
        """All changes, judged by: can `update` read what `original` wrote? (BACKWARD)."""
        ...

    def fields(self, parsed: Parsed) -> list[Field]:
        """The fields in declared order, nested ones after their parent."""
        ...

    def decoder(self, parsed: Parsed) -> Callable[[bytes], Mapping[str, Any] | Any]:
        """A function from an unframed payload, as written with `parsed`, to plain values.

        Unframed means without magic byte and schema id. A Protobuf payload still begins with its
        message indexes (of a Framed in a header: trailer + payload): the function reads them to
        know which message of the file follows. ValueError when the payload is not such.
        """
        ...
