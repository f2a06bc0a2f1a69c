"""Writing what a plan creates, in bulk, under the contexts' locks."""

from collections.abc import Mapping, Sequence

from django.utils import timezone

from registry.identity import fingerprint
from registry.models import Schema, SchemaContext, SchemaReference, Subject, Version
from registry.naming import SubjectName
from registry.transfer.entries import VersionEntry
from registry.transfer.plan import Plan
from registry.transfer.prepare import Content, guid_of
from registry.transfer.store import IdKey, taken

Contexts = Mapping[str, SchemaContext]
_New = Sequence[tuple[VersionEntry, Content]]


def write(plan: Plan, contexts: Contexts) -> None:
    """Write the plan; inside the transaction that locked the contexts."""
    schemas = {**plan.here.schemas, **_write_schemas(plan, contexts)}
    subjects = _write_subjects(plan.new, contexts)
    now = timezone.now()
    Version.objects.bulk_create(
        Version(
            subject=subjects[entry.subject],
            version=entry.version,
            schema=schemas[entry.subject.context, entry.id],
            registered_at=entry.registered_at or now,
            registered_by=entry.registered_by[:200],
            deleted_at=(entry.deleted_at or now) if entry.deleted else None,
        )
        for entry, _ in plan.new
    )
    for deleted in (True, False):
        keys = [present.pk for entry, present in plan.changed if entry.deleted is deleted]
        Version.objects.filter(pk__in=keys).update(deleted_at=now if deleted else None)


def _write_schemas(plan: Plan, contexts: Contexts) -> dict[IdKey, Schema]:
    """Write the schemas whose ids nobody holds yet."""
    wanted: dict[IdKey, tuple[VersionEntry, Content]] = {}
    for entry, content in plan.new:
        place = entry.subject.context, entry.id
        if place not in plan.here.schemas:
            wanted.setdefault(place, (entry, content))
    prints = _fingerprints(wanted)
    rows = {
        place: Schema(
            context=contexts[place[0]],
            number=entry.id,
            guid=guid_of(entry),
            fingerprint=prints[place],
            text_digest=content.digest,
            format=entry.format,
            text=entry.text,
            metadata=content.metadata,
            ruleset=content.ruleset,
        )
        for place, (entry, content) in wanted.items()
    }
    Schema.objects.bulk_create(rows.values())
    SchemaReference.objects.bulk_create(
        SchemaReference(
            schema=rows[place],
            position=position,
            name=reference.name,
            subject=reference.subject,
            target=str(target),
            version=reference.version,
        )
        for place, (entry, _) in wanted.items()
        for position, (reference, (target, _)) in enumerate(
            zip(entry.references, entry.targets, strict=True)
        )
    )
    return rows


def _fingerprints(wanted: Mapping[IdKey, tuple[VersionEntry, Content]]) -> dict[IdKey, str]:
    """Give each schema its fingerprint; one content under two ids has two, as registering does."""
    used: dict[str, set[str]] = {}
    for context in {context for context, _ in wanted}:
        plain = [each.fingerprint for (name, _), (_, each) in wanted.items() if name == context]
        used[context] = taken(context, plain)
    found = {}
    for (context, number), (_, content) in wanted.items():
        identity = content.fingerprint
        if identity in used[context]:
            identity = fingerprint(identity, str(number), "")
        used[context].add(identity)
        found[context, number] = identity
    return found


def _write_subjects(new: _New, contexts: Contexts) -> dict[SubjectName, Subject]:
    """Find the rows of the subjects, and write those that are missing."""
    names = {entry.subject for entry, _ in new}
    rows = Subject.objects.filter(
        context__in=contexts.values(), name__in={name.name for name in names}
    )
    found = {SubjectName(row.context.name, row.name): row for row in rows.select_related("context")}
    missing = {
        name: Subject(context=contexts[name.context], name=name.name)
        for name in sorted(names - found.keys())
    }
    Subject.objects.bulk_create(missing.values())
    return found | missing
