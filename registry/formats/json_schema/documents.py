"""Which texts a `$ref` can reach: the schema, its references, the published metaschemas.

Nothing is fetched. RFC 3986 resolution against `$id`, JSON Pointers and anchors.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from jsonschema_specifications import REGISTRY as METASCHEMAS  # type: ignore[import-untyped]

from registry.formats.contract import Dependency, SchemaInvalidError
from registry.formats.json_schema import text

_DRAFTS = {
    "draft-04": 4,
    "draft-06": 6,
    "draft-07": 7,
    "2019-09": 2019,
    "2020-12": 2020,
}
DEFAULT_DRAFT = 7
# Their contents are plain values: an "$id" in there names nothing.
_DATA_KEYWORDS = frozenset({"enum", "const", "default", "examples"})

# Their keys are chosen freely: a property may be called "default", or "$id".
_KEYED = frozenset({
    "properties", "patternProperties", "definitions", "$defs", "dependentSchemas", "dependencies",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where a schema stands: the URI its references are relative to, and its draft."""

    base: str
    draft: int


class Documents:
    """All schema texts in reach of one root, indexed by URI and anchor."""

    def __init__(self, root: Any, dependencies: Sequence[Dependency]) -> None:
        self._roots: dict[str, Any] = {}
        self._anchors: dict[tuple[str, str], Any] = {}
        self._places: dict[int, Place] = {}
        self._names = {dependency.name.removesuffix("#"): "" for dependency in dependencies}
        self.root_place = self._add("", root)
        for dependency in dependencies:
            name = dependency.name.removesuffix("#")
            contents = text.read(dependency.text)
            place = self._add(name, contents)
            self._roots.setdefault(_join(self.root_place.base, name), contents)
            self._names[name] = place.base
            self._roots.setdefault(place.base, contents)

    def place(self, raw: Any, otherwise: Place) -> Place:
        """The place of that very object (by identity)."""
        return self._places.get(id(raw), otherwise)

    def resolve(self, base: str, reference: str) -> tuple[Any, Place]:
        """What a reference points to; SchemaInvalidError when it is in none of the texts."""
        uri, fragment = urldefrag(_join(base, reference))
        root = self._find(uri, reference)
        if fragment == "" or fragment.startswith("/"):
            target = _point(root, unquote(fragment))
        else:
            target = self._anchors.get((self._base_of(root, uri), unquote(fragment)), _MISSING)
        if not isinstance(target, dict | bool):
            raise SchemaInvalidError(f"unresolvable reference {reference!r}")
        return target, self.place(target, self.place(root, Place(uri, DEFAULT_DRAFT)))

    def _find(self, uri: str, reference: str) -> Any:
        if uri in self._roots:
            return self._roots[uri]
        name = urldefrag(reference)[0]
        if name in self._names:
            return self._roots[name]
        published = _metaschema(uri)
        if published is None:
            raise SchemaInvalidError(f"unresolvable reference {reference!r}")
        self._add(uri, published)
        return published

    def _base_of(self, root: Any, uri: str) -> str:
        return self.place(root, Place(uri, DEFAULT_DRAFT)).base

    def _add(self, uri: str, contents: Any) -> Place:
        self._roots.setdefault(uri, contents)
        outer = Place(uri, _draft(contents, DEFAULT_DRAFT))
        pending = [(contents, outer, False)]
        while pending:
            raw, around, keyed = pending.pop()
            if isinstance(raw, dict):
                place = around if keyed else self._enter(raw, around)
                pending += [(child, place, named) for child, named in _children(raw, keyed)]
            elif isinstance(raw, list):
                pending += [(child, around, False) for child in raw]
        return self.place(contents, outer)

    def _enter(self, raw: dict[str, Any], around: Place) -> Place:
        draft = _draft(raw, around.draft)
        base = around.base
        identifier = raw.get("id" if draft == 4 else "$id")
        if isinstance(identifier, str) and not (draft <= 7 and "$ref" in raw):
            uri, fragment = urldefrag(_join(base, identifier))
            if identifier.startswith("#"):
                self._anchors.setdefault((base, fragment), raw)
            else:
                base = uri
                self._roots.setdefault(base, raw)
        place = Place(base, draft)
        self._places[id(raw)] = place
        for keyword in ("$anchor", "$dynamicAnchor"):
            if isinstance(anchor := raw.get(keyword), str):
                self._anchors.setdefault((base, anchor), raw)
        return place


def _children(raw: Mapping[str, Any], keyed: bool) -> Iterator[tuple[Any, bool]]:
    """What may be or hold a schema, and whether its keys are names instead of keywords."""
    return (
        (value, not keyed and key in _KEYED)
        for key, value in raw.items()
        if (keyed or key not in _DATA_KEYWORDS) and isinstance(value, dict | list)
    )


def _draft(raw: Any, otherwise: int) -> int:
    declared = raw.get("$schema") if isinstance(raw, dict) else None
    if not isinstance(declared, str):
        return otherwise
    return next((number for name, number in _DRAFTS.items() if name in declared), otherwise)


def _join(base: str, reference: str) -> str:
    if reference.startswith("#"):
        return urldefrag(base)[0] + reference
    try:
        return urljoin(base, reference)
    except ValueError as error:
        raise SchemaInvalidError(f"not a URI reference: {reference!r}") from error


_MISSING: Any = object()


def _point(root: Any, pointer: str) -> Any:
    """RFC 6901: the value at the pointer, or _MISSING."""
    value = root
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(key, _MISSING)
        elif isinstance(value, list) and key.isdecimal() and len(key) < 9 and int(key) < len(value):
            value = value[int(key)]
        else:
            return _MISSING
    return value


@cache
def _published() -> Mapping[str, Any]:
    return {uri.removesuffix("#"): METASCHEMAS.contents(uri) for uri in METASCHEMAS}


def _metaschema(uri: str) -> Any | None:
    return _published().get(uri)
