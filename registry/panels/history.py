"""The versions of a subject: who registered what and when, and the schemas before a version."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F

from registry.actions.reading import subject_version, versions_of
from registry.data_contract import property_of, restore
from registry.entities import SubjectVersion
from registry.formats.contract import Parsed
from registry.models import Association, Version
from registry.naming import SubjectName
from registry.panels.fields import UNREADABLE, fields_of, parsed_of

MOST_REFERRERS = 100
MOST_READ = 30
"""Versions whose texts one page reads."""


@dataclass(frozen=True)
class VersionRow:
    """One version without its text; `deleted_at` is set by a soft delete."""

    version: int
    id: int
    guid: UUID
    format: str
    registered_at: datetime
    registered_by: str
    deleted_at: datetime | None


@dataclass(frozen=True)
class Earlier:
    """The newest live versions before one, parsed (None: unreadable); `unread` counts the rest."""

    schemas: Mapping[int, Parsed | None]
    unread: int = 0


@dataclass(frozen=True)
class Referrer:
    """One version, of any subject, that refers to the version at hand."""

    subject: str
    version: int
    id: int
    deleted: bool


@dataclass(frozen=True)
class Referred:
    """One reference of a schema: the name its text uses, the version it means, and the newest."""

    name: str
    subject: str
    version: int
    newest: int | None


def list_history(name: SubjectName) -> list[VersionRow]:
    """Every version, newest first, soft-deleted ones included; one query, without texts."""
    rows = versions_of(name, deleted=True).order_by("-version")
    columns = ("schema__number", "schema__guid", "schema__format", "registered_at")
    found = rows.values_list("version", *columns, "registered_by", "deleted_at")
    return [VersionRow(*row) for row in found]


def read_earlier(name: SubjectName, before: int | None = None, group: str = "") -> Earlier:
    """Read and parse the live versions before one (all of them when None), newest first.

    With a compatibility group, only versions whose metadata does not place them in a group: those
    that a schema without metadata is compared with.
    """
    rows = versions_of(name).order_by("-version").prefetch_related("schema__references")
    if before is not None:
        rows = rows.filter(version__lt=before)
    if group:
        versions = [
            version
            for version, metadata in rows.values_list("version", "schema__metadata")
            if property_of(restore(metadata), group) is None
        ]
        rows, total = rows.filter(version__in=versions[:MOST_READ]), len(versions)
    else:
        total = rows.count()
    found = {row.version: _read(subject_version(row)) for row in rows[:MOST_READ]}
    return Earlier(found, max(0, total - MOST_READ))


def _read(version: SubjectVersion) -> Parsed | None:
    try:
        return parsed_of(version)
    except UNREADABLE:
        return None


def since_when(shown: SubjectVersion, earlier: Earlier) -> dict[str, int]:
    """The first version from which on each field has been there without a break, by path.

    Empty where not the whole history was read: a guess would be worse than nothing.
    """
    if earlier.unread or None in earlier.schemas.values():
        return {}
    try:
        since = {field.path: shown.version for field in fields_of(parsed_of(shown))}
    except UNREADABLE:
        return {}
    going = set(since)
    for version, parsed in earlier.schemas.items():
        going &= {field.path for field in fields_of(parsed)} if parsed else set()
        since.update(dict.fromkeys(going, version))
    return since


def list_referring(name: SubjectName, version: int) -> tuple[list[Referrer], int]:
    """The versions that refer to this one, in any context, soft-deleted ones marked and last.

    With the number of all: a schema that everything refers to would fill the page.
    """
    rows = Version.objects.filter(
        schema__references__target=str(name), schema__references__version=version
    )
    columns = ("subject__context__name", "subject__name", "version", "schema__number", "deleted_at")
    last = F("deleted_at").asc(nulls_first=True)
    found = rows.order_by(last, "subject__context__name", "subject__name", "version").distinct()
    shown = [
        Referrer(str(SubjectName(context, subject)), number, schema_id, deleted is not None)
        for context, subject, number, schema_id, deleted in found.values_list(*columns)[
            :MOST_REFERRERS
        ]
    ]
    return shown, len(shown) if len(shown) < MOST_REFERRERS else found.count()


def list_referred(version: SubjectVersion) -> list[Referred]:
    """The references of a version, each with the newest live version of what it refers to."""
    context = version.schema.context
    wanted = [(each, SubjectName.read(each.subject, context)) for each in version.schema.references]
    newest = _newest({name for _, name in wanted})
    return [Referred(each.name, str(name), each.version, newest.get(name)) for each, name in wanted]


def _newest(names: Iterable[SubjectName]) -> dict[SubjectName, int]:
    wanted = set(names)
    rows = Version.objects.filter(subject__name__in={name.name for name in wanted}, deleted_at=None)
    found: dict[SubjectName, int] = {}
    for context, subject, version in rows.values_list(
        "subject__context__name", "subject__name", "version"
    ):
        name = SubjectName(context, subject)
        found[name] = max(version, found.get(name, 0))
    return found


def topics_of(name: SubjectName) -> list[str]:
    """The topics whose records the subject's schemas describe.

    Those bound to it by an association, and the one that Confluent's default naming gives it to
    (`TOPIC-key`, `TOPIC-value`); none for other names.
    """
    bound = Association.objects.filter(subject=str(name), resource_type="topic")
    found = list(bound.order_by("resource_name").values_list("resource_name", flat=True))
    for ending in ("-value", "-key"):
        if name.name.endswith(ending) and name.name != ending:
            found = [*found, name.name.removesuffix(ending)]
    return list(dict.fromkeys(found))
