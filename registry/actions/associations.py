"""Associations: which subjects hold the key and value schemas of a resource, say a topic.

A strong one has its subject for itself, and takes it along when the resource is removed with
`cascade`; weak ones may share a subject.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from registry.actions.compatibility import check_submission
from registry.actions.delete import delete_subject
from registry.actions.reading import versions_of
from registry.actions.register import register
from registry.actions.submission import Submission
from registry.errors import (
    AssociationExistsError,
    AssociationFrozenError,
    AssociationInvalidError,
    AssociationNotFoundError,
    IncompatibleError,
    SubjectAssociatedError,
    SubjectNotFoundError,
    SubjectWeaklyAssociatedError,
)
from registry.models import Association
from registry.naming import SubjectName

STRONG, WEAK = "STRONG", "WEAK"
TYPES = {"topic": ("key", "value")}


@dataclass(frozen=True)
class Resource:
    """What is associated: its id, and its name in a namespace (a cluster, say; `-` for any)."""

    id: str
    name: str
    namespace: str
    type: str = "topic"


@dataclass(frozen=True)
class Binding:
    """One association as asked for; with a schema, that is registered under the subject too."""

    subject: SubjectName
    type: str = "value"
    lifecycle: str = ""
    frozen: bool = False
    submission: Submission | None = None


@dataclass(frozen=True)
class Filter:
    """Which associations are meant; empty leaves a criterion out."""

    resource_type: str = ""
    types: tuple[str, ...] = ()
    lifecycle: str = ""


def select(rows: QuerySet[Association], wanted: Filter) -> QuerySet[Association]:
    """Narrow associations by the filter, in a stable order."""
    if wanted.resource_type:
        rows = rows.filter(resource_type=wanted.resource_type)
    if wanted.types:
        rows = rows.filter(association_type__in=wanted.types)
    if wanted.lifecycle:
        rows = rows.filter(lifecycle=wanted.lifecycle.upper())
    return rows.order_by("resource_namespace", "resource_name", "association_type")


def by_name(namespace: str, name: str, wanted: Filter) -> list[Association]:
    """The resource's associations; the namespace `-` stands for any."""
    rows = Association.objects.filter(resource_name=name)
    if namespace != "-":
        rows = rows.filter(resource_namespace=namespace)
    return _some(rows, wanted, name)


def by_id(resource_id: str, wanted: Filter) -> list[Association]:
    """The associations of a resource by its id."""
    return _some(Association.objects.filter(resource_id=resource_id), wanted, resource_id)


def by_subject(name: SubjectName, wanted: Filter) -> list[Association]:
    """The resources that a subject serves."""
    return list(select(Association.objects.filter(subject=str(name)), wanted))


def _some(rows: QuerySet[Association], wanted: Filter, resource: str) -> list[Association]:
    found = list(select(rows, wanted))
    if not found:
        raise AssociationNotFoundError(resource)
    return found


def associate(
    resource: Resource,
    bindings: Sequence[Binding],
    *,
    update: bool = False,
    dry_run: bool = False,
    who: str = "",
) -> list[Association]:
    """Bind subjects to a resource; an equal binding is left as it is, another only on update.

    Everything is checked before anything is done: a schema that its subject refuses leaves no
    association behind, nor an association in conflict a schema.
    """
    _check_resource(resource, bindings)
    planned = [_bind(resource, binding, update=update) for binding in bindings]
    for binding in bindings:
        if binding.submission is not None and dry_run:
            _check_schema(binding.subject, binding.submission)
        elif binding.submission is not None:
            register(binding.subject, binding.submission, who)
    if dry_run:
        return planned
    with transaction.atomic():
        made = [_bind(resource, binding, update=update, lock=True) for binding in bindings]
        for row in made:
            row.save()
    return made


def _check_schema(name: SubjectName, submission: Submission) -> None:
    """Refuse what a registration would refuse for its text."""
    judgement = check_submission(name, submission)
    if not judgement.compatible:
        raise IncompatibleError(name, judgement.messages)


def _check_resource(resource: Resource, bindings: Sequence[Binding]) -> None:
    if not resource.id or not resource.name or not resource.namespace:
        raise AssociationInvalidError(
            "An association needs resourceId, resourceName and resourceNamespace"
        )
    if resource.type not in TYPES:
        raise AssociationInvalidError(f"Invalid resource type '{resource.type}'")
    if not bindings:
        raise AssociationInvalidError("No associations are given")
    kinds = [binding.type for binding in bindings]
    if len(set(kinds)) < len(kinds):
        raise AssociationInvalidError("Each association type may be given once")
    for binding in bindings:
        _check_binding(resource, binding)


def _check_binding(resource: Resource, binding: Binding) -> None:
    if binding.type not in TYPES[resource.type]:
        raise AssociationInvalidError(f"Invalid association type '{binding.type}'")
    if binding.lifecycle not in {"", STRONG, WEAK}:
        raise AssociationInvalidError(f"Invalid lifecycle '{binding.lifecycle}'")
    if binding.frozen and binding.lifecycle == WEAK:
        raise AssociationInvalidError("A weak association cannot be frozen")
    if not binding.subject.name or not binding.subject.is_valid:
        raise AssociationInvalidError(f"Invalid subject '{binding.subject}'")


def _bind(resource: Resource, binding: Binding, *, update: bool, lock: bool = False) -> Association:
    """The row as it is to be saved, or why it cannot be."""
    subject = str(binding.subject)
    rows = Association.objects.select_for_update() if lock else Association.objects.all()
    row = rows.filter(
        resource_id=resource.id, resource_type=resource.type, association_type=binding.type
    ).first()
    lifecycle = binding.lifecycle or (row.lifecycle if row else WEAK)
    if row is None and binding.submission is None and not versions_of(binding.subject).exists():
        raise SubjectNotFoundError(subject)
    if row is not None and (row.subject, row.lifecycle) != (subject, lifecycle):
        if row.frozen:
            raise AssociationFrozenError(binding.type, subject)
        if not update or row.subject != subject:
            raise AssociationExistsError(binding.type, resource.name)
    others = Association.objects.filter(subject=subject)
    if row is not None:
        others = others.exclude(pk=row.pk)
    if others.filter(lifecycle=STRONG).exists():
        raise SubjectAssociatedError(subject)
    if lifecycle == STRONG and others.exists():
        raise SubjectWeaklyAssociatedError(subject)
    row = row or Association(
        resource_id=resource.id, resource_type=resource.type, association_type=binding.type
    )
    row.resource_name, row.resource_namespace = resource.name, resource.namespace
    row.subject, row.lifecycle = subject, lifecycle
    row.frozen = row.frozen or binding.frozen
    return row


def dissociate(resource_id: str, wanted: Filter, *, cascade: bool = False) -> None:
    """Remove a resource's associations; with `cascade` the strong ones' subjects too (softly)."""
    with transaction.atomic():
        rows = list(select(Association.objects.filter(resource_id=resource_id), wanted))
        if not rows:
            raise AssociationNotFoundError(resource_id)
        for row in rows:
            if row.frozen and not cascade:
                raise AssociationFrozenError(row.association_type, row.subject)
        Association.objects.filter(pk__in=[row.pk for row in rows]).delete()
    if cascade:
        for row in rows:
            name = SubjectName.read(row.subject)
            if row.lifecycle == STRONG and versions_of(name).exists():
                delete_subject(name)
