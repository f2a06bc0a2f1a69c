"""Lists of subjects and of schema contexts, and finding what an id or a GUID stands for."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from registry.actions.context import list_contexts
from registry.actions.scopes import DEFAULT_LEVEL, GLOBAL_SCOPE
from registry.models import Config, Version
from registry.naming import DEFAULT_CONTEXT, SubjectName, context_scope
from registry.panels.inheritance import Settings, settings_of

MOST_CARRIERS = 50
MOST_CONTEXTS = 20
_ID = re.compile(r"\s*id:\s*(\d{1,18})\s*\Z", re.IGNORECASE)
_GUID = re.compile(
    r"\s*(?:guid:\s*)?([0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12})\s*\Z", re.IGNORECASE
)


@dataclass(frozen=True)
class SubjectRow:
    """A subject as the list shows it: its newest version, and how many there are.

    `state` is deleted when no version is live; `deleted` counts soft-deleted versions.
    """

    subject: str
    context: str
    state: str
    format: str
    version: int
    versions: int
    deleted: int
    id: int
    registered_at: datetime
    registered_by: str
    level: str


@dataclass(frozen=True)
class ContextRow:
    """A schema context with how many live subjects it has, and what applies in it."""

    name: str
    subjects: int
    newest: datetime | None
    settings: Settings


@dataclass(frozen=True)
class Carrier:
    """A version that carries the schema of an id or a GUID."""

    subject: str
    version: int
    id: int
    context: str
    format: str
    deleted: bool


@dataclass(frozen=True)
class Identity:
    """What an id or a GUID was found to stand for; `words` say what was looked for."""

    words: str
    carriers: list[Carrier]


@dataclass
class _Subject:
    """What is gathered of one subject while its versions pass by in order."""

    name: SubjectName
    newest: tuple[Any, ...] = ()
    live: bool = False
    versions: int = 0
    deleted: int = 0


def list_rows() -> list[SubjectRow]:
    """Every subject with a version, by name; two queries however many there are."""
    found: dict[int, _Subject] = {}
    columns = ("subject__context__name", "subject__name", "deleted_at", "schema__format")
    rest = ("version", "schema__number", "registered_at", "registered_by")
    rows = Version.objects.order_by("subject__name", "version")
    for key, context, name, deleted_at, *row in rows.values_list("subject_id", *columns, *rest):
        each = found.setdefault(key, _Subject(SubjectName(context, name)))
        each.versions += 1
        each.deleted += deleted_at is not None
        # the newest live version stands for the subject; the newest of all where none is live
        if deleted_at is None or not each.live:
            each.newest, each.live = tuple(row), deleted_at is None or each.live
    levels = _levels()
    return [_row(each, levels) for each in found.values()]


def _row(each: _Subject, levels: dict[str, str]) -> SubjectRow:
    name = each.name
    kind, version, number, at, client = each.newest
    scopes = (name.scope, context_scope(name.context), GLOBAL_SCOPE)
    level = next((levels[scope] for scope in scopes if scope in levels), DEFAULT_LEVEL)
    return SubjectRow(
        subject=str(name),
        context=name.context,
        state="live" if each.live else "deleted",
        format=kind,
        version=version,
        versions=each.versions,
        deleted=each.deleted,
        id=number,
        registered_at=at,
        registered_by=client,
        level=level,
    )


def _levels() -> dict[str, str]:
    """The compatibility levels that were set, by scope."""
    rows = Config.objects.values_list("scope", "values")
    found = {scope: json.loads(values).get("compatibilityLevel") for scope, values in rows}
    return {scope: str(level) for scope, level in found.items() if level}


def list_context_rows(rows: Iterable[SubjectRow]) -> list[ContextRow]:
    """The schema contexts that hold a subject or a setting of their own, the default one first."""
    live: dict[str, list[SubjectRow]] = {}
    for row in rows:
        if row.state == "live":
            live.setdefault(row.context, []).append(row)
    names = sorted({*list_contexts(), *live}, key=lambda name: (name != DEFAULT_CONTEXT, name))
    return [
        ContextRow(
            name,
            len(live.get(name, [])),
            max((row.registered_at for row in live.get(name, [])), default=None),
            settings_of(SubjectName(name, "")),
        )
        for name in names[:MOST_CONTEXTS]
    ]


def find_identity(words: str) -> Identity | None:
    """What `id:12` or a GUID stands for, in every context; None for words that are neither."""
    rows = Version.objects.all()
    if match := _ID.match(words):
        rows, said = rows.filter(schema__number=int(match[1])), f"Schema id {int(match[1])}"
    elif match := _GUID.match(words):
        guid = UUID(match[1])
        rows, said = rows.filter(schema__guid=guid), f"GUID {guid}"
    else:
        return None
    columns = ("subject__context__name", "subject__name", "version", "schema__number")
    found = rows.order_by("deleted_at", "subject__context__name", "subject__name", "-version")
    return Identity(
        said,
        [
            Carrier(str(SubjectName(context, name)), version, number, context, kind, at is not None)
            for context, name, version, number, kind, at in found.values_list(
                *columns, "schema__format", "deleted_at"
            )[:MOST_CARRIERS]
        ],
    )
