"""This registry's own database: read whole for an export, and in part to compare an import with."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from registry.actions.reading import schema_text
from registry.models import Config, Mode, Schema, SchemaContext, Version
from registry.naming import SubjectName
from registry.transfer.entries import Key, Snapshot, VersionEntry
from registry.transfer.prepare import Content

IdKey = tuple[str, int]
"""A context and an id in it."""

_CHUNK = 500


def read_store(progress: Callable[[int], None] = lambda _: None) -> Snapshot:
    """Everything that this registry holds; `progress` is told how many versions were read."""
    snapshot = Snapshot()
    for context in SchemaContext.objects.all():
        snapshot.reserve(context.name, context.next_id)
        if not context.listed:
            snapshot.forgotten.add(context.name)
    rows = Version.objects.select_related("schema__context", "subject__context")
    ordered = rows.prefetch_related("schema__references").order_by("pk")
    for row in ordered.iterator(chunk_size=_CHUNK):
        snapshot.add(entry_of(row))
        progress(len(snapshot.versions))
    for scope, values in Config.objects.values_list("scope", "values"):
        snapshot.configs[scope] = json.loads(values)
    snapshot.modes = dict(Mode.objects.values_list("scope", "mode"))
    return snapshot


def entry_of(row: Version) -> VersionEntry:
    """A version's row as an entry."""
    schema = schema_text(row.schema, resolve=False)
    return VersionEntry(
        subject=SubjectName(row.subject.context.name, row.subject.name),
        version=row.version,
        id=schema.id,
        format=schema.format,
        text=schema.text,
        references=schema.references,
        metadata=schema.metadata,
        ruleset=schema.ruleset,
        deleted=row.deleted_at is not None,
        registered_at=row.registered_at,
        registered_by=row.registered_by,
        deleted_at=row.deleted_at,
    )


class Present(NamedTuple):
    """A version that is here: as an entry, what it is fingerprinted by, and its row's key."""

    entry: VersionEntry
    content: Content
    pk: int


class Here:
    """What is here of a batch of entries: their versions, and the holders of their ids."""

    def __init__(self, batch: Sequence[VersionEntry]) -> None:
        contexts = {entry.subject.context for entry in batch}
        wanted = {entry.key for entry in batch}
        versions = Version.objects.filter(
            subject__context__name__in=contexts,
            subject__name__in={entry.subject.name for entry in batch},
            version__in={entry.version for entry in batch},
        )
        related = versions.select_related("schema__context", "subject__context")
        self.versions: dict[Key, Present] = {}
        for row in related.prefetch_related("schema__references"):
            entry = entry_of(row)
            if entry.key in wanted:
                self.versions[entry.key] = Present(entry, content_of(row.schema), row.pk)
        schemas = Schema.objects.filter(
            context__name__in=contexts, number__in={entry.id for entry in batch}
        )
        self.schemas: dict[IdKey, Schema] = {
            (row.context.name, row.number): row for row in schemas.select_related("context")
        }


def content_of(schema: Schema) -> Content:
    """What a schema's row is fingerprinted by."""
    return Content(schema.text_digest, schema.metadata, schema.ruleset)


def taken(context: str, fingerprints: Iterable[str]) -> set[str]:
    """Those fingerprints that schemas of the context have already."""
    rows = Schema.objects.filter(context__name=context, fingerprint__in=set(fingerprints))
    return set(rows.values_list("fingerprint", flat=True))


def usage_of(schema: Schema) -> str:
    """One version that carries the schema, in words."""
    row = schema.versions.select_related("subject__context").first()
    if row is None:
        return "a schema without versions"
    return f"{SubjectName(row.subject.context.name, row.subject.name)} version {row.version}"
