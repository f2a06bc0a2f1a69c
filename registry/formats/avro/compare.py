"""Can a reader's schema read what a writer's wrote? (Avro specification, "Schema Resolution").

Kinds, locations and second texts are those of the Java library's SchemaCompatibility.
"""

from dataclasses import dataclass, field
from typing import Final

from registry.formats.avro.model import (
    ABSENT,
    Collection,
    Enum,
    Fixed,
    Model,
    Name,
    Named,
    Record,
    RecordField,
    Type,
    Union,
)
from registry.formats.avro.render import Printer, by_utf16
from registry.formats.contract import ComparisonTooLargeError, Difference

_PROMOTIONS = {
    "long": {"int"},
    "float": {"int", "long"},
    "double": {"int", "long", "float"},
    "bytes": {"string"},
    "string": {"bytes"},
}
_DESCRIPTIONS: dict[str, str] = {
    "NAME_MISMATCH": "The name of the schema has changed (path '{path}')",
    "FIXED_SIZE_MISMATCH": (
        "The size of FIXED type field at path '{path}' in the new schema does not match with "
        "the old schema"
    ),
    "MISSING_ENUM_SYMBOLS": (
        "The new schema is missing enum symbols '{additional}' at path '{path}' in the old schema"
    ),
    "READER_FIELD_MISSING_DEFAULT_VALUE": (
        "The field '{additional}' at path '{path}' in the new schema has no default value and is "
        "missing in the old schema"
    ),
    "TYPE_MISMATCH": (
        "The type (path '{path}') of a field in the new schema does not match with the old schema"
    ),
    "MISSING_UNION_BRANCH": (
        "The new schema is missing a type inside a union field at path '{path}' in the old schema"
    ),
}

MOST_PAIRS = 200_000
"""Pairs of types that one comparison may look at: about a second."""
MOST_BRANCHES = 16
"""Branches of a reader's union up to which all are tried, as Java does, in their order."""

AMBIGUOUS_FIELD: Final = "AMBIGUOUS_FIELD"
"""Not one of Java's kinds: its checker throws, and Confluent's server answers what it threw."""

Path = tuple[str, ...]
Found = list[Difference]


class _AmbiguousFieldError(Exception):
    """The aliases of a reader's field name several of the writer's; no verdict can be given."""

    def __init__(self, at: int, declared: RecordField, writer: Record) -> None:
        shown = f"{declared.name} type:{_kind(declared.type)} pos:{at}"
        written = Printer(Model(writer)).print()
        super().__init__(
            f"Reader record field {shown} matches multiple fields in writer record schema {written}"
        )


def compare(reader: Type, writer: Type) -> list[Difference]:
    """Every reason why `reader` cannot read what `writer` wrote; none when it can."""
    try:
        return _Comparison().pair(reader, writer, ())
    except _AmbiguousFieldError as ambiguous:
        described = f"Unexpected exception during compatibility check: {ambiguous}"
        return [
            Difference(AMBIGUOUS_FIELD, "/", described, compatible=False, additional=str(ambiguous))
        ]


def _difference(kind: str, path: Path, additional: str) -> Difference:
    pointer = "/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in path)
    described = _DESCRIPTIONS[kind].format(path=pointer, additional=additional)
    return Difference(kind, pointer, described, compatible=False, additional=additional)


@dataclass
class _Comparison:
    """One comparison; a pair in progress is taken as compatible, which makes recursion end."""

    _known: dict[tuple[int, int], Found] = field(default_factory=dict)
    # keeps what was compared alive, so that an identity is never used twice
    _kept: list[tuple[Type, Type]] = field(default_factory=list)
    _unions: dict[int, dict[str, list[Type]]] = field(default_factory=dict)

    def pair(self, reader: Type, writer: Type, path: Path) -> Found:
        key = (id(reader), id(writer))
        if key in self._known:
            return self._known[key]
        if len(self._kept) >= MOST_PAIRS:
            raise ComparisonTooLargeError(f"more than {MOST_PAIRS} pairs of types to compare")
        self._kept.append((reader, writer))
        self._known[key] = []
        self._known[key] = found = self._judge(reader, writer, path)
        return found

    def _judge(self, reader: Type, writer: Type, path: Path) -> Found:
        if isinstance(writer, Union):
            return self._writer_union(reader, writer, path)
        if isinstance(reader, Union):
            return self._reader_union(reader, writer, path)
        if _kind(reader) != _kind(writer):
            if writer.kind in _PROMOTIONS.get(reader.kind, ()):
                return []
            return [_mismatch(reader, writer, path)]
        if isinstance(reader, Collection) and isinstance(writer, Collection):
            inner = "items" if reader.kind == "array" else "values"
            return self.pair(reader.inner, writer.inner, (*path, inner))
        if isinstance(reader, Named) and isinstance(writer, Named):
            return _names(reader, writer, path) + self._bodies(reader, writer, path)
        return []

    def _writer_union(self, reader: Type, writer: Union, path: Path) -> Found:
        found: Found = []
        for index, branch in enumerate(writer.branches):
            apart = self.pair(reader, branch, (*path, str(index)))
            if not isinstance(reader, Union):
                found += apart
            elif apart:
                found.append(_missing_branch(branch, (*path, str(index))))
        return found

    def _reader_union(self, reader: Union, writer: Type, path: Path) -> Found:
        if any(not self.pair(branch, writer, ()) for branch in self._likely(reader, writer)):
            return []
        return [_missing_branch(writer, path)]

    def _likely(self, reader: Union, writer: Type) -> list[Type]:
        """Of a very long union, the branches that could read the writer's type: by name, or kind.

        Without this, two unions of thousands of records are millions of pairs. With it, what two
        types have apart may be located where they meet, not (as in Java) where they met first.
        """
        if len(reader.branches) <= MOST_BRANCHES:
            return reader.branches
        index = self._unions.get(id(reader))
        if index is None:
            index = self._unions[id(reader)] = _index(reader)
        if isinstance(writer, Named):
            found = [*index.get(writer.name.name, ()), *index.get(f"/{writer.name.full}", ())]
            return list(dict.fromkeys(found))
        return index.get(f":{writer.kind}", [])

    def _bodies(self, reader: Named, writer: Named, path: Path) -> Found:
        if isinstance(reader, Fixed) and isinstance(writer, Fixed):
            return _sizes(reader, writer, path)
        if isinstance(reader, Enum) and isinstance(writer, Enum):
            return _symbols(reader, writer, path)
        if isinstance(reader, Record) and isinstance(writer, Record):
            return self._fields(reader, writer, path)
        return []

    def _fields(self, reader: Record, writer: Record, path: Path) -> Found:
        written = {declared.name: declared for declared in writer.fields}
        found: Found = []
        for index, declared in enumerate(reader.fields):
            here = (*path, "fields", str(index))
            sources = [written[name] for name in _names_of(declared) if name in written]
            if len(sources) > 1:
                raise _AmbiguousFieldError(index, declared, writer)
            if sources:
                found += self.pair(declared.type, sources[0].type, (*here, "type"))
            elif declared.default is ABSENT:
                found += self._unwritten(declared, writer, here)
        return found

    def _unwritten(self, declared: RecordField, writer: Record, path: Path) -> Found:
        """A field that was not written and has no default; an enum's own default is no help."""
        if isinstance(declared.type, Enum) and declared.type.default is not None:
            return self.pair(declared.type, writer, (*path, "type"))
        return [_difference("READER_FIELD_MISSING_DEFAULT_VALUE", path, declared.name)]


def _index(union: Union) -> dict[str, list[Type]]:
    """Named branches by name and (after a slash) alias, others by each kind (colon) they read."""
    index: dict[str, list[Type]] = {}
    for branch in union.branches:
        if isinstance(branch, Named):
            keys = [branch.name.name, *(f"/{alias.full}" for alias in branch.aliases)]
        else:
            keys = [f":{kind}" for kind in (branch.kind, *_PROMOTIONS.get(branch.kind, ()))]
        for key in keys:
            index.setdefault(key, []).append(branch)
    return index


def _names_of(declared: RecordField) -> tuple[str, ...]:
    """The names under which a writer may have the field; an alias may be its own name again."""
    return (declared.name, *declared.aliases)


def _names(reader: Named, writer: Named, path: Path) -> Found:
    if reader.name.name == writer.name.name or _is_alias(writer.name, reader):
        return []
    return [_difference("NAME_MISMATCH", (*path, "name"), f"expected: {writer.name.full}")]


def _is_alias(name: Name, reader: Named) -> bool:
    """As Java sees it: of a type with a namespace, an alias without one names nothing."""
    return name in reader.aliases and bool(name.space or not reader.name.space)


def _sizes(reader: Fixed, writer: Fixed, path: Path) -> Found:
    if reader.size == writer.size:
        return []
    additional = f"expected: {writer.size}, found: {reader.size}"
    return [_difference("FIXED_SIZE_MISMATCH", (*path, "size"), additional)]


def _symbols(reader: Enum, writer: Enum, path: Path) -> Found:
    missing = sorted(set(writer.symbols) - set(reader.symbols), key=by_utf16)
    if not missing or reader.default is not None:
        return []
    additional = f"[{', '.join(missing)}]"
    return [_difference("MISSING_ENUM_SYMBOLS", (*path, "symbols"), additional)]


def _kind(each: Type) -> str:
    return "RECORD" if each.kind == "error" else each.kind.upper()


def _mismatch(reader: Type, writer: Type, path: Path) -> Difference:
    additional = f"reader type: {_kind(reader)} not compatible with writer type: {_kind(writer)}"
    return _difference("TYPE_MISMATCH", path, additional)


def _missing_branch(writer: Type, path: Path) -> Difference:
    additional = f"reader union lacking writer type: {_kind(writer)}"
    return _difference("MISSING_UNION_BRANCH", path, additional)
