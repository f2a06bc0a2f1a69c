"""Reads: schemas by id and GUID, versions of subjects, lists. None of them locks anything."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NoReturn, cast
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from registry.actions.parsing import parse_cached
from registry.data_contract import restore
from registry.entities import SchemaText, SubjectVersion
from registry.errors import (
    SchemaNotFoundError,
    SchemaRefusedError,
    SchemaTooLargeError,
    SubjectNotFoundError,
    VersionInvalidError,
    VersionNotFoundError,
)
from registry.formats.contract import Dependency, FormatName, Parsed
from registry.formats.styles import has_style, render
from registry.identity import Reference
from registry.models import Schema, Subject, Version
from registry.naming import ANY_CONTEXT, DEFAULT_CONTEXT, LONGEST_SUBJECT, SubjectName

LATEST = -1
_MAX_VERSION = 2**31 - 1
_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_REFERRED = 4
"""How many times the largest schema all that one refers to may be together."""


def read_version(text: str | int) -> int:
    """A version as a client names it: a positive number, or `latest` (or -1), given as LATEST."""
    if isinstance(text, str) and text.lower() == "latest":
        return LATEST
    if isinstance(text, str) and not _WHOLE.fullmatch(text):
        raise VersionInvalidError(text)
    version = int(text)
    if version != LATEST and not 1 <= version <= _MAX_VERSION:
        raise VersionInvalidError(text)
    return version


def versions_of(
    name: SubjectName, *, deleted: bool = False, only_deleted: bool = False
) -> QuerySet[Version]:
    """The subject's versions in order, with their schemas at hand."""
    found = Version.objects.filter(subject__context__name=name.context, subject__name=name.name)
    if only_deleted:
        found = found.filter(deleted_at__isnull=False)
    elif not deleted:
        found = found.filter(deleted_at__isnull=True)
    return found.select_related("schema__context", "subject__context").order_by("version")


def locate(name: SubjectName) -> SubjectName:
    """The subject itself or, for a plain name that the default context lacks, another context's."""
    elsewhere = namesakes(name)
    return elsewhere[0] if elsewhere and not has_versions(name, deleted=True) else name


def namesakes(name: SubjectName) -> list[SubjectName]:
    """Subjects that a plain name of the default context may mean besides: other contexts' own."""
    if name.context != DEFAULT_CONTEXT or not name.name:
        return []
    homes = Subject.objects.filter(name=name.name, versions__isnull=False)
    others = homes.exclude(context__name=DEFAULT_CONTEXT).order_by("context__name")
    contexts = others.values_list("context__name", flat=True).distinct()
    return [SubjectName(context, name.name) for context in contexts]


def has_versions(name: SubjectName, *, deleted: bool = False) -> bool:
    """Whether the subject has any version to be seen."""
    return versions_of(name, deleted=deleted).exists()


def schema_text(schema: Schema, *, resolve: bool = True) -> SchemaText:
    """A row as the value that actions answer."""
    references = tuple(
        Reference(each.name, each.subject, each.version) for each in schema.references.all()
    )
    context = schema.context.name
    return SchemaText(
        id=schema.number,
        guid=schema.guid,
        context=context,
        format=cast("FormatName", schema.format),
        text=schema.text,
        references=references,
        dependencies=resolve_references(references, context) if resolve and references else (),
        metadata=restore(schema.metadata),
        ruleset=restore(schema.ruleset),
    )


def subject_version(row: Version, *, resolve: bool = False) -> SubjectVersion:
    """A version's row as the value that actions answer; references are resolved when asked."""
    return SubjectVersion(
        subject=SubjectName(row.subject.context.name, row.subject.name),
        version=row.version,
        schema=schema_text(row.schema, resolve=resolve),
        registered_at=row.registered_at,
        registered_by=row.registered_by,
        deleted=row.deleted_at is not None,
    )


def find_row(name: SubjectName, version: int | str, *, deleted: bool = False) -> Version:
    """The row of a version, for a plain name of any context that has it.

    Errors say whether the subject or only the version is missing.
    """
    wanted = read_version(version)
    row = _row_of(name, wanted, deleted=deleted)
    if row is not None:
        return row
    for other in namesakes(name):
        row = _row_of(other, wanted, deleted=deleted)
        if row is not None:
            return row
    if not has_versions(name, deleted=deleted):
        raise SubjectNotFoundError(name)
    raise VersionNotFoundError(wanted)


def find_own_row(name: SubjectName, version: int | str, *, deleted: bool = False) -> Version:
    """As `find_row`, and of this very subject, for what writes."""
    wanted = read_version(version)
    row = _row_of(name, wanted, deleted=deleted)
    if row is not None:
        return row
    if not has_versions(name, deleted=deleted):
        raise SubjectNotFoundError(name)
    raise VersionNotFoundError(wanted)


def _row_of(name: SubjectName, wanted: int, *, deleted: bool) -> Version | None:
    """The subject's version; the latest is the last live one, even where deleted ones are seen."""
    found = versions_of(name, deleted=deleted)
    if wanted != LATEST:
        return found.filter(version=wanted).first()
    live = versions_of(name).last()
    return found.last() if live is None and deleted else live


def find_version(
    subject: str | SubjectName,
    version: int | str = "latest",
    *,
    deleted: bool = False,
    resolve: bool = True,
) -> SubjectVersion:
    """A version of a subject with its schema; unless told not to, with its references resolved."""
    name = subject if isinstance(subject, SubjectName) else SubjectName.read(subject)
    return subject_version(find_row(name, version, deleted=deleted), resolve=resolve)


def find_schema_row(schema_id: int, context: str = DEFAULT_CONTEXT) -> Schema:
    """The row that an id stands for in a context."""
    if not 0 <= schema_id <= _MAX_VERSION:
        raise SchemaNotFoundError(schema_id)
    rows = Schema.objects.filter(context__name=context, number=schema_id)
    row = rows.select_related("context").first()
    if row is None:
        raise SchemaNotFoundError(schema_id)
    return row


def find_schema_row_for(schema_id: int, name: SubjectName) -> Schema:
    """The row of an id as a client of `name` means it.

    The subject's context decides; a plain subject that the default context does not know under
    this id is looked for in the others.
    """
    try:
        row = find_schema_row(schema_id, name.context)
    except SchemaNotFoundError:
        row = None
    if name.context != DEFAULT_CONTEXT or not name.name:
        return row or _missing(schema_id)
    if row is not None and row.versions.filter(subject__name=name.name).exists():
        return row
    elsewhere = Schema.objects.filter(number=schema_id, versions__subject__name=name.name)
    found = elsewhere.select_related("context").order_by("context__name").first()
    return found or row or _missing(schema_id)


@dataclass(frozen=True)
class Identity:
    """Which schema an id or a GUID means, and one version that carries it, if any."""

    pk: int
    fingerprint: str
    context: str
    subject: str = ""
    version: int | None = None
    registered_at: datetime | None = None


def identify(schema_id: int, name: SubjectName) -> Identity:
    """What an id means to a client of `name`, in one read when it means what it says."""
    usages = _live_first(Version.objects.all()).filter(
        schema__number=schema_id, schema__context__name=name.context
    )
    if name.name:
        usages = usages.filter(subject__name=name.name)
    found = (
        usages.values_list(
            "schema_id",
            "schema__fingerprint",
            "schema__context__name",
            "subject__name",
            "version",
            "registered_at",
        ).first()
        if 0 <= schema_id <= _MAX_VERSION
        else None
    )
    if found is not None:
        return Identity(*found)
    row = find_schema_row_for(schema_id, name)
    return _identity(row, usage_of(row, str(name) if name.name else ""))


def _identity(row: Schema, usage: Version | None = None) -> Identity:
    known = Identity(row.pk, row.fingerprint, row.context.name)
    if usage is None:
        return known
    return replace(
        known,
        subject=usage.subject.name,
        version=usage.version,
        registered_at=usage.registered_at,
    )


def identify_guid(guid: str | UUID) -> Identity:
    """The schema of a GUID, the default context's rather than another's."""
    return _identity(find_guid(guid)[0])


def identified(found: Identity) -> SchemaText:
    """The schema, read whole; SchemaNotFoundError when it is gone by now."""
    row = Schema.objects.select_related("context").filter(pk=found.pk).first()
    return schema_text(row or _missing(found.pk), resolve=False)


def _missing(schema_id: int) -> NoReturn:
    raise SchemaNotFoundError(schema_id)


def usage_of(schema: Schema, subject: str = "") -> Version | None:
    """One version that carries the schema: the subject's if named, a live one rather than not."""
    rows = _live_first(schema.versions.select_related("subject"))
    if subject:
        rows = rows.filter(subject__name=SubjectName.read(subject).name)
    return rows.first()


def _live_first(rows: QuerySet[Version]) -> QuerySet[Version]:
    return rows.order_by(F("deleted_at").asc(nulls_first=True), "pk")


def find_with_metadata(
    name: SubjectName, wanted: Mapping[str, str], *, deleted: bool = False
) -> SubjectVersion:
    """The newest version whose metadata properties hold all that is wanted."""
    found = list_versions(name, deleted=deleted)
    for each in reversed(found):
        properties = (each.schema.metadata or {}).get("properties") or {}
        if all(properties.get(key) == value for key, value in wanted.items()):
            return each
    raise SchemaNotFoundError


def find_schema(schema_id: int, context: str = DEFAULT_CONTEXT) -> SchemaText:
    """The schema of an id, references resolved."""
    return schema_text(find_schema_row(schema_id, context))


def find_guid(guid: str | UUID) -> list[Schema]:
    """The schemas with this GUID, at most one in each context; the default context's first."""
    try:
        wanted = guid if isinstance(guid, UUID) else UUID(guid)
    except ValueError:
        raise SchemaNotFoundError(guid) from None
    found = Schema.objects.filter(guid=wanted).select_related("context").order_by("context__name")
    rows = list(found)
    if not rows:
        raise SchemaNotFoundError(guid)
    return rows


def resolve_references(
    references: Iterable[Reference], context: str = DEFAULT_CONTEXT
) -> tuple[Dependency, ...]:
    """Every schema that the references reach, in dependency order, each name once."""
    found: dict[str, Dependency] = {}
    _gather(references, context, found, 0)
    if (
        sum(len(each.text) for each in found.values())
        > _REFERRED * settings.REGISTRY_MAX_SCHEMA_BYTES
    ):
        raise SchemaTooLargeError("Schema refers to too much: its references are too large")
    return tuple(found.values())


def _gather(
    references: Iterable[Reference], context: str, found: dict[str, Dependency], depth: int
) -> None:
    if depth > settings.REGISTRY_MAX_SCHEMA_DEPTH:
        raise SchemaRefusedError("Invalid schema, details: references are nested too deeply")
    for reference in references:
        if reference.name in found:
            continue
        if len(found) >= settings.REGISTRY_MAX_REFERENCES:
            raise SchemaTooLargeError(
                f"Schema refers to more than {settings.REGISTRY_MAX_REFERENCES} others"
            )
        name = SubjectName.read(reference.subject, context)
        versions = versions_of(name, deleted=True).filter(version=reference.version)
        row = versions.prefetch_related("schema__references").first()
        if row is None:
            raise SchemaRefusedError(
                "Invalid schema, details: No schema reference found for subject "
                f'"{reference.subject}" and version {reference.version}'
            )
        inner = [
            Reference(each.name, each.subject, each.version) for each in row.schema.references.all()
        ]
        _gather(inner, name.context, found, depth + 1)
        found[reference.name] = Dependency(reference.name, row.schema.text)


def in_style(schema: SchemaText, style: str) -> SchemaText:
    """The schema with its text in the style that `format=` names, or as it is."""
    if not has_style(schema.format, style):
        return schema
    dependencies = schema.dependencies or resolve_references(schema.references, schema.context)
    read = parse_cached(schema.format, schema.text, dependencies)
    return replace(schema, text=render(read, style))


def parsed(schema_id: int, context: str = DEFAULT_CONTEXT) -> Parsed:
    """The schema of an id, parsed."""
    schema = find_schema(schema_id, context)
    return parse_cached(schema.format, schema.text, schema.dependencies)


def by_prefix(prefix: str) -> Q:
    """Subjects that a prefix selects; `:*:` searches every context."""
    name = SubjectName.read(prefix)
    # a subject's name cannot be longer, and SQLite fails on patterns of tens of thousands
    begins = Q(name__startswith=name.name[: LONGEST_SUBJECT + 1])
    chosen = begins if name.name else Q()
    return chosen if name.context == ANY_CONTEXT else chosen & Q(context__name=name.context)


def list_subjects(
    prefix: str = ":*:", *, deleted: bool = False, only_deleted: bool = False
) -> list[str]:
    """Qualified names of the subjects, sorted; the wholly deleted ones too, or alone, if asked."""
    subjects = Subject.objects.filter(by_prefix(prefix))
    if only_deleted:
        live = Version.objects.filter(subject=OuterRef("pk"), deleted_at__isnull=True)
        subjects = subjects.filter(~Exists(live), versions__isnull=False)
    elif deleted:
        subjects = subjects.filter(versions__isnull=False)
    else:
        subjects = subjects.filter(versions__deleted_at__isnull=True, versions__isnull=False)
    rows = subjects.distinct().values_list("context__name", "name")
    return sorted(str(SubjectName(context, name)) for context, name in rows)


def list_versions(
    subject: SubjectName, *, deleted: bool = False, only_deleted: bool = False
) -> list[SubjectVersion]:
    """Every version of this very subject; SubjectNotFoundError when there is none."""
    rows = versions_of(subject, deleted=deleted, only_deleted=only_deleted)
    found = [subject_version(row) for row in rows.prefetch_related("schema__references")]
    if not found:
        raise SubjectNotFoundError(subject)
    return found


def list_usages(schema: Schema, *, deleted: bool = False) -> list[Version]:
    """The versions, of any subject, that carry the schema."""
    rows = schema.versions.select_related("subject__context").order_by("subject__name", "version")
    return list(rows if deleted else rows.filter(deleted_at__isnull=True))


def list_referrers(name: SubjectName, version: int, *, deleted: bool = False) -> list[int]:
    """Ids of the schemas that refer to the version, in order."""
    found = Schema.objects.filter(
        references__target=str(name), references__version=version, versions__isnull=False
    )
    if not deleted:
        found = found.filter(versions__deleted_at__isnull=True)
    return sorted(found.values_list("number", flat=True).distinct())
