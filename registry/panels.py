"""What pages show of subjects and schemas: a tree of fields, origins of settings, changes."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from registry import formats
from registry.actions.compatibility import differences
from registry.actions.reading import list_versions, parse_cached, resolve_references
from registry.actions.scopes import (
    DEFAULT_LEVEL,
    DEFAULT_MODE,
    GLOBAL_SCOPE,
    config_in_scope,
    mode_in_scope,
)
from registry.entities import SubjectVersion
from registry.errors import RegistryError, SubjectNotFoundError
from registry.formats.contract import Difference, Field, Parsed, SchemaInvalidError
from registry.models import Config, Mode, Version
from registry.naming import DEFAULT_CONTEXT, SubjectName, context_scope

MOST_FIELDS = 500
"""A page stays legible and light; the raw text has all."""
DEEPEST = 5


@dataclass(frozen=True)
class FieldRow:
    """A field with its place in the tree: `leaf` is its own name, `depth` counts parents."""

    field: Field
    leaf: str
    depth: int


@dataclass(frozen=True)
class SchemaPanel:
    """One version with its fields; `problem` says why they cannot be shown, `cut` how many not."""

    at: SubjectVersion
    fields: list[FieldRow]
    cut: int
    problem: str


@dataclass(frozen=True)
class Change:
    """One field that differs between two versions; `sign` is added, removed or changed."""

    sign: str
    path: str
    before: str
    after: str


@dataclass(frozen=True)
class Comparison:
    """What changed since an earlier version: by field, and the verdict of each level."""

    earlier: int
    changes: list[Change]
    verdicts: list[tuple[str, str]]
    breaks: list[Difference]


@dataclass(frozen=True)
class Inherited:
    """A setting that applies to a subject, and the scope that it was set for."""

    value: str
    source: str


@dataclass(frozen=True)
class SubjectRow:
    """A subject as the list shows it: its newest version, and how many there are."""

    subject: str
    context: str
    format: str
    version: int
    versions: int
    id: int
    registered_at: datetime
    level: str


def list_rows() -> list[SubjectRow]:
    """Every subject with a live version, by name; three queries however many there are."""
    found: dict[int, tuple[Any, ...]] = {}
    counts: dict[int, int] = {}
    columns = ("subject__context__name", "subject__name", "schema__format", "version")
    rows = Version.objects.filter(deleted_at=None).order_by("subject__name", "version")
    for key, *row in rows.values_list("subject_id", *columns, "schema__number", "registered_at"):
        found[key] = tuple(row)
        counts[key] = counts.get(key, 0) + 1
    levels = _levels()
    return [
        _subject_row(SubjectName(context, name), rest, counts[key], levels)
        for key, (context, name, *rest) in found.items()
    ]


def _subject_row(
    name: SubjectName, rest: list[Any], versions: int, levels: dict[str, str]
) -> SubjectRow:
    kind, version, number, at = rest
    scopes = (name.scope, context_scope(name.context), GLOBAL_SCOPE)
    level = next((levels[scope] for scope in scopes if scope in levels), "")
    return SubjectRow(
        str(name), name.context, kind, version, versions, number, at, level or DEFAULT_LEVEL
    )


def _levels() -> dict[str, str]:
    """The compatibility levels that were set, by scope."""
    rows = Config.objects.values_list("scope", "values")
    found = {scope: json.loads(values).get("compatibilityLevel") for scope, values in rows}
    return {scope: str(level) for scope, level in found.items() if level}


def latest_of(subject: str) -> SchemaPanel | None:
    """Return the newest version of a subject with its fields, or nothing."""
    try:
        versions = list_versions(SubjectName.read(subject))
    except SubjectNotFoundError:
        return None
    return panel_of(versions[-1])


def panel_of(version: SubjectVersion) -> SchemaPanel:
    """Return a version with its fields as rows of a tree."""
    try:
        schema = parsed_of(version)
        fields = [_row(field) for field in formats.get(schema.format).fields(schema)]
    except (SchemaInvalidError, RegistryError) as error:
        return SchemaPanel(version, [], 0, str(error))
    return SchemaPanel(version, fields[:MOST_FIELDS], max(0, len(fields) - MOST_FIELDS), "")


def parsed_of(version: SubjectVersion) -> Parsed:
    """Return a version's schema, parsed; its references are resolved when it has any."""
    schema = version.schema
    needed = resolve_references(schema.references, schema.context) if schema.references else ()
    return parse_cached(schema.format, schema.text, needed)


def _row(field: Field) -> FieldRow:
    *above, leaf = field.path.split(".")
    return FieldRow(field, leaf, min(len(above), DEEPEST))


def compare(earlier: SubjectVersion, later: SubjectVersion) -> Comparison | None:
    """Compare two versions by field, and judge the later one at each level; None if it cannot."""
    try:
        before, after = parsed_of(earlier), parsed_of(later)
        found = {
            level: [each for each in differences(before, after, level) if not each.compatible]
            for level in ("BACKWARD", "FORWARD", "FULL")
        }
        changes = _changes(before, after)
    except (SchemaInvalidError, RegistryError):
        return None
    return Comparison(
        earlier.version,
        changes,
        [(level, "breaking" if broken else "compatible") for level, broken in found.items()],
        found["FULL"],
    )


def _changes(before: Parsed, after: Parsed) -> list[Change]:
    old = {field.path: _said(field) for field in formats.get(before.format).fields(before)}
    new = {field.path: _said(field) for field in formats.get(after.format).fields(after)}
    added = [Change("added", path, "", said) for path, said in new.items() if path not in old]
    removed = [Change("removed", path, said, "") for path, said in old.items() if path not in new]
    changed = [
        Change("changed", path, old[path], said)
        for path, said in new.items()
        if path in old and old[path] != said
    ]
    return added + removed + changed


def _said(field: Field) -> str:
    default = f" = {field.default}" if field.default is not None else ""
    return f"{field.type}{'' if field.required else ', optional'}{default}"


def level_of(name: SubjectName) -> Inherited:
    """Return the compatibility level that applies to a subject, and where it was set."""
    level = str(config_in_scope(name)["compatibilityLevel"])
    return Inherited(level, _source(name, set(_levels())))


def mode_of(name: SubjectName) -> Inherited:
    """Return the mode that applies to a subject, and where it was set."""
    return Inherited(
        str(mode_in_scope(name) or DEFAULT_MODE),
        _source(name, set(Mode.objects.values_list("scope", flat=True))),
    )


def _source(name: SubjectName, scopes: set[str]) -> str:
    if name.scope in scopes:
        return "this subject"
    if context_scope(name.context) in scopes:
        context = "the default context" if name.context == DEFAULT_CONTEXT else name.context
        return f"set for {context}"
    return "set for all contexts" if GLOBAL_SCOPE in scopes else "the product's default"
