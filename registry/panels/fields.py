"""A schema as a tree of fields, with the version since which each has been there."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate
from urllib.parse import quote

from registry.actions import parsing
from registry.actions.reading import (
    locate,
    resolve_references,
    subject_version,
    versions_of,
)
from registry.entities import SubjectVersion
from registry.errors import RegistryError
from registry.formats.contract import Field, Parsed, SchemaInvalidError
from registry.naming import SubjectName

MOST_FIELDS = 200
"""A page stays legible and light; the raw text has all."""
HEAVIEST = 70_000
"""Bytes of HTML that the rows of fields may take."""
LONGEST_SHOWN = 15_000
"""Characters of a schema text that a page shows; the API has the rest."""
LONGEST_HIGHLIGHTED = 10_000
"""Characters of a text whose tokens are marked: marks weigh more than what they mark."""
LONGEST_CELL = 300
_ROW = 330
DEEPEST = 5
ITSELF = "(the schema itself)"
UNREADABLE = (SchemaInvalidError, RegistryError, RecursionError)
"""What reading a stored schema may end in: an imported one need not be one that we accept."""


@dataclass(frozen=True)
class FieldRow:
    """A field with its place in the tree: `leaf` is its own name, `depth` counts parents.

    `since` is the version from which on it has been there; None where the history was not read.
    """

    field: Field
    leaf: str
    depth: int
    since: int | None = None


@dataclass(frozen=True)
class SchemaPanel:
    """One version with its fields; `problem` says why they cannot be shown, `cut` how many not.

    `text` is what of the schema's text is shown, `whole` whether that is all of it.
    """

    at: SubjectVersion
    fields: list[FieldRow]
    cut: int = 0
    problem: str = ""
    since_known: bool = False

    @property
    def text(self) -> str:
        """The schema's text, as much of it as a page shows; JSON on lines of its own."""
        text = self.at.schema.text
        if not self.whole:
            return text[:LONGEST_SHOWN]
        return text if self.at.schema.format == "PROTOBUF" else indented(text)

    @property
    def highlighted(self) -> bool:
        """Whether the text is short enough for marks."""
        return len(self.at.schema.text) <= LONGEST_HIGHLIGHTED

    @property
    def source(self) -> str:
        """The address of the whole text in the registry's API."""
        schema, subject = self.at.schema, quote(str(self.at.subject), safe="")
        return f"/schemas/ids/{schema.id}/schema?subject={subject}"

    @property
    def whole(self) -> bool:
        """Whether the page shows all of the text."""
        return len(self.at.schema.text) <= LONGEST_SHOWN


def latest_of(subject: str) -> SchemaPanel | None:
    """Return the newest version of a subject with its fields, or nothing; reads one version."""
    row = versions_of(locate(SubjectName.read(subject))).last()
    return None if row is None else panel_of(subject_version(row))


def panel_of(version: SubjectVersion, since: Mapping[str, int] | None = None) -> SchemaPanel:
    """Return a version with its fields as rows of a tree."""
    try:
        fields = fields_of(parsed_of(version))
    except UNREADABLE as error:
        return SchemaPanel(version, [], problem=str(error))
    known = since or {}
    shown = fields[: fitting([_weight(field) for field in fields[:MOST_FIELDS]], HEAVIEST)]
    rows = [_row(field, known.get(field.path)) for field in shown]
    return SchemaPanel(version, rows, len(fields) - len(rows), "", bool(known))


def fitting(weights: Sequence[int], most: int) -> int:
    """How many of the first rows weigh no more than a page can bear."""
    return sum(total <= most for total in accumulate(weights))


def weigh(*texts: str) -> int:
    """Bytes that texts take in a page, each cut as a cell cuts it."""
    return sum(len(escape(text[:LONGEST_CELL]).encode()) for text in texts)


def _weight(field: Field) -> int:
    texts = (field.path, field.type, field.doc, field.default or "", field.detail, *field.tags)
    return _ROW + weigh(*texts)


def indented(text: str) -> str:
    """A JSON text on lines of its own; another one as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def parsed_of(version: SubjectVersion) -> Parsed:
    """Return a version's schema, parsed; its references are resolved when it has any."""
    schema = version.schema
    needed = schema.dependencies
    if schema.references and not needed:
        needed = resolve_references(schema.references, schema.context)
    return parsing.parse_cached(schema.format, schema.text, needed)


def fields_of(parsed: Parsed) -> list[Field]:
    """Return all fields of a schema in declared order, each path once.

    A schema without fields (a bare `"string"`, an enum) is one row itself: else nothing would show
    that it changed.
    """
    found: dict[str, Field] = {}
    for field in parsing.fields_of(parsed):
        known = found.get(field.path)
        found[field.path] = field if known is None else _merged(known, field)
    return list(found.values()) or [Field(ITSELF, _outlined(parsed))]


def _outlined(parsed: Parsed) -> str:
    return parsed.format if parsed.format == "PROTOBUF" else parsed.normal.strip('"')


def _merged(one: Field, other: Field) -> Field:
    """Two fields under one path, as branches of a union may have: what either says is shown."""
    return Field(
        path=one.path,
        type=_either(one.type, other.type),
        doc=_either(one.doc, other.doc),
        default=one.default if one.default is not None else other.default,
        required=one.required and other.required,
        tags=tuple(dict.fromkeys((*one.tags, *other.tags))),
        detail=_either(one.detail, other.detail),
    )


def _either(one: str, other: str) -> str:
    return " or ".join(dict.fromkeys(text for text in (one, other) if text))


def _row(field: Field, since: int | None) -> FieldRow:
    *above, leaf = field.path.split(".")
    return FieldRow(field, leaf, min(len(above), DEEPEST), since)
