"""Lists of subjects and of schema contexts, and finding what an id or a GUID stands for."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef

from registry.actions.context import list_contexts
from registry.actions.scopes import DEFAULT_LEVEL, DEFAULT_MODE, GLOBAL_SCOPE, decide_mode
from registry.models import Config, Mode, Subject, Version
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

    `state` is deleted when no version is live; `deleted` counts soft-deleted versions; `sets`
    says that it has a level or a mode of its own.
    """

    subject: str
    name: str
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
    mode: str
    sets: bool


@dataclass(frozen=True)
class ContextRow:
    """A schema context with how many live subjects it has, and what applies in it."""

    name: str
    subjects: int
    newest: datetime | None
    settings: Settings

    @property
    def scope(self) -> str:
        """The context as the API's paths spell it."""
        return context_scope(self.name)


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


def list_rows() -> list[SubjectRow]:
    """Every subject with a version, by name; the number of queries is the same for any number."""
    # the database picks one version of each: reading thirty thousand to show ten takes too long
    same = Version.objects.filter(subject=OuterRef("subject"))
    later = same.filter(version__gt=OuterRef("version"))
    live = same.filter(deleted_at__isnull=True)
    newest = Version.objects.filter(
        ~Exists(later.filter(deleted_at__isnull=True)), deleted_at__isnull=True
    )
    gone = Version.objects.filter(~Exists(live), ~Exists(later), deleted_at__isnull=False)
    tallies = {
        key: (versions, deleted)
        for key, versions, deleted in Version.objects
        .order_by()
        .values_list("subject_id")
        .annotate(Count("pk"), Count("deleted_at"))
    }
    inherited = _Inherited.read()
    rows = [
        _row(row, state, tallies.get(row[0], (1, int(state == "deleted"))), inherited)
        for state, chosen in (("live", newest), ("deleted", gone))
        for row in chosen.order_by().values_list(*_COLUMNS)
    ]
    return sorted(rows, key=lambda row: (row.name, row.context))


def list_names(most: int) -> list[str]:
    """Qualified names of the first live subjects, by name."""
    live = Version.objects.filter(subject=OuterRef("pk"), deleted_at__isnull=True)
    found = Subject.objects.filter(Exists(live)).order_by("name", "context__name")
    return [str(SubjectName(*row)) for row in found.values_list("context__name", "name")[:most]]


_COLUMNS = (
    "subject_id",
    "subject__context__name",
    "subject__name",
    "schema__format",
    "version",
    "schema__number",
    "registered_at",
    "registered_by",
)


def _row(
    row: tuple[Any, ...], state: str, tally: tuple[int, int], inherited: "_Inherited"
) -> SubjectRow:
    _, context, subject, kind, version, number, at, client = row
    name = SubjectName(context, subject)
    return SubjectRow(
        subject=str(name),
        name=subject,
        context=context,
        state=state,
        format=kind,
        version=version,
        versions=tally[0],
        deleted=tally[1],
        id=number,
        registered_at=at,
        registered_by=client,
        level=inherited.level(name),
        mode=inherited.mode(name),
        sets=name.scope in inherited.levels or name.scope in inherited.modes,
    )


@dataclass(frozen=True)
class _Inherited:
    """What was set at every scope, read once, to say what is in force for many subjects."""

    levels: dict[str, str]
    modes: dict[str, str]

    @classmethod
    def read(cls) -> "_Inherited":
        return cls(_levels(), dict(Mode.objects.values_list("scope", "mode")))

    def level(self, name: SubjectName) -> str:
        scopes = (name.scope, context_scope(name.context), GLOBAL_SCOPE)
        return next((self.levels[scope] for scope in scopes if scope in self.levels), DEFAULT_LEVEL)

    def mode(self, name: SubjectName) -> str:
        return decide_mode(name, self.modes) if self.modes else DEFAULT_MODE


def _levels() -> dict[str, str]:
    """The compatibility levels that were set, by scope."""
    rows = Config.objects.values_list("scope", "values")
    found = {scope: json.loads(values).get("compatibilityLevel") for scope, values in rows}
    return {scope: str(level) for scope, level in found.items() if level}


def list_context_rows(rows: Iterable[SubjectRow]) -> tuple[list[ContextRow], int]:
    """The schema contexts, the default one first, then those with most subjects; and how many.

    A context is listed when it holds a subject or a setting of its own.
    """
    live: dict[str, list[SubjectRow]] = {}
    for row in rows:
        if row.state == "live":
            live.setdefault(row.context, []).append(row)
    names = sorted(
        {*list_contexts(), *live},
        key=lambda name: (name != DEFAULT_CONTEXT, -len(live.get(name, ())), name),
    )
    return [
        ContextRow(
            name,
            len(live.get(name, [])),
            max((row.registered_at for row in live.get(name, [])), default=None),
            settings_of(SubjectName(name, "")),
        )
        for name in names[:MOST_CONTEXTS]
    ], len(names)


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
