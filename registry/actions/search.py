"""Every version that a search names: /schemas, a page at a time from the database."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from django.db.models import Exists, OuterRef, Q, QuerySet

from registry.actions.reading import by_prefix
from registry.data_contract import restore, rules_of
from registry.models import Association, Config, Subject, Version
from registry.naming import SubjectName


@dataclass(frozen=True)
class Search:
    """What is looked for; empty texts and None leave a criterion out."""

    prefix: str = ":*:"
    deleted: bool = False
    latest_only: bool = False
    aliases: bool = False
    rule_type: str = ""
    resource_type: str = ""
    association_types: tuple[str, ...] = ()
    lifecycle: str = ""


def search(wanted: Search, offset: int, limit: int) -> list[Version]:
    """The versions found, by context, subject and version."""
    rows = _rows(wanted)
    if not wanted.rule_type:
        return list(rows[offset : offset + limit])
    found = _with_rule(rows.exclude(schema__ruleset=""), wanted.rule_type)
    return list(islice(found, offset, offset + limit))


def _with_rule(rows: QuerySet[Version], rule_type: str) -> Iterator[Version]:
    for row in rows.iterator(chunk_size=500):
        if any(rule.get("type") == rule_type for rule in rules_of(restore(row.schema.ruleset))):
            yield row


def _rows(wanted: Search) -> QuerySet[Version]:
    subjects = Subject.objects.filter(_chosen(wanted))
    rows = Version.objects.filter(subject__in=subjects)
    if not wanted.deleted:
        rows = rows.filter(deleted_at__isnull=True)
    if wanted.latest_only:
        later = Version.objects.filter(subject=OuterRef("subject"), version__gt=OuterRef("version"))
        if not wanted.deleted:
            later = later.filter(deleted_at__isnull=True)
        rows = rows.filter(~Exists(later))
    associated = _associated(wanted)
    if associated is not None:
        keys = [
            subject.pk
            for subject in subjects.select_related("context")
            if str(SubjectName(subject.context.name, subject.name)) in associated
        ]
        rows = rows.filter(subject__in=keys)
    related = rows.select_related("schema__context", "subject__context")
    ordered = related.order_by("subject__context__name", "subject__name", "version")
    return ordered.prefetch_related("schema__references")


def _chosen(wanted: Search) -> Q:
    """Subjects by prefix and, when asked, those that an alias with the prefix stands for."""
    chosen = by_prefix(wanted.prefix)
    start = SubjectName.read(wanted.prefix).name
    if wanted.aliases and start:
        for alias, target in aliases().items():
            if alias.startswith(start):
                name = SubjectName.read(target)
                chosen |= Q(context__name=name.context, name=name.name)
    return chosen


def aliases() -> dict[str, str]:
    """Every alias with the qualified subject that it stands for."""
    found = {}
    for scope, values in Config.objects.filter(values__contains='"alias"').values_list(
        "scope", "values"
    ):
        target = json.loads(values).get("alias")
        if target:
            name = SubjectName.read(scope)
            found[scope] = str(SubjectName.read(target, name.context))
    return found


def _associated(wanted: Search) -> set[str] | None:
    """Subjects with an association of the kind asked for; None when none is asked for."""
    if not (wanted.resource_type or wanted.association_types or wanted.lifecycle):
        return None
    found = Association.objects.all()
    if wanted.resource_type:
        found = found.filter(resource_type=wanted.resource_type)
    if wanted.association_types:
        found = found.filter(association_type__in=wanted.association_types)
    if wanted.lifecycle:
        found = found.filter(lifecycle=wanted.lifecycle.upper())
    return set(found.values_list("subject", flat=True))
