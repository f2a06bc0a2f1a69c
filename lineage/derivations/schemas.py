"""The schemas of topics as they were in force at an instant, and their fields."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from lineage.derivations.flows import KEY, VALUE, TypedField
from registry.actions.reading import subject_version
from registry.formats.contract import Parsed
from registry.models import Association, Subject, Version
from registry.naming import DEFAULT_CONTEXT, SubjectName
from registry.panels.fields import ITSELF, UNREADABLE, fields_of, parsed_of

Subjects = dict[tuple[str, str], SubjectName]
"""Subjects by topic and part."""

_PARTS = ("value", "key")


def subject_of(topic: str, part: str = "value") -> SubjectName:
    """Return the subject of a topic's values or keys: the one bound to it, or `TOPIC-value`."""
    bound = Association.objects.filter(
        resource_name=topic, resource_type="topic", association_type=part
    )
    subject = bound.order_by("pk").values_list("subject", flat=True).first()
    return SubjectName.read(subject or f"{topic}-{part}")


def version_at(name: SubjectName, at: datetime | None) -> Version | None:
    """Return the newest version that was there at the instant; now when there is none."""
    rows = Version.objects.filter(subject__context__name=name.context, subject__name=name.name)
    if at is None:
        rows = rows.filter(deleted_at=None)
    else:
        rows = rows.filter(registered_at__lte=at)
        rows = rows.filter(Q(deleted_at=None) | Q(deleted_at__gt=at))
    return rows.select_related("subject__context", "schema__context").order_by("version").last()


def parsed_at(topic: str, part: str, at: datetime | None) -> Parsed | None:
    """Return the schema of a topic's values or keys; None for none, or one that is unreadable."""
    return parsed_of_subject(subject_of(topic, part), at)


def parsed_of_subject(name: SubjectName, at: datetime | None) -> Parsed | None:
    """Return a subject's schema at the instant; None for none, or one that is unreadable."""
    row = version_at(name, at)
    if row is None:
        return None
    try:
        return parsed_of(subject_version(row))
    except UNREADABLE:
        return None


def subjects_by_topic() -> Subjects:
    """Return the subject of each topic's values and keys for which there is one; two queries."""
    found: Subjects = {}
    names = Subject.objects.filter(versions__isnull=False, context__name=DEFAULT_CONTEXT)
    for name in names.distinct().values_list("name", flat=True):
        for part in _PARTS:
            if name.endswith(f"-{part}"):
                found[name.removesuffix(f"-{part}"), part] = SubjectName.read(name)
    bound = Association.objects.filter(resource_type="topic").order_by("-pk")
    for topic, part, subject in bound.values_list("resource_name", "association_type", "subject"):
        found[topic, part] = SubjectName.read(subject)
    return found


def fields_at(
    topic: str, at: datetime | None, subjects: Subjects | None = None
) -> list[TypedField]:
    """Return the fields of a topic's values and keys; none when nothing is registered."""
    found: list[TypedField] = []
    for part in _PARTS:
        if subjects is None:
            parsed = parsed_at(topic, part, at)
        else:
            subject = subjects.get((topic, part))
            parsed = None if subject is None else parsed_of_subject(subject, at)
        if parsed is not None:
            found += typed_fields(parsed, part)
    return found


def typed_fields(parsed: Parsed, part: str = "value") -> list[TypedField]:
    """Return all fields of a schema as places name them."""
    return [TypedField(place_of(each.path, part), each.type) for each in fields_of(parsed)]


def place_of(path: str, part: str = "value") -> str:
    """Return the name of a field's place: that of a key's field tells that it is one."""
    if path == ITSELF:
        return KEY if part == "key" else VALUE
    return f"{KEY}.{path}" if part == "key" else path


def paths(fields: Sequence[TypedField]) -> list[str]:
    """Return the names of fields alone."""
    return [field.path for field in fields]
