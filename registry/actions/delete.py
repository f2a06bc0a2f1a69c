"""Deleting subjects and versions: softly first, then for good. Ids are never given out again."""

from django.db import transaction
from django.utils import timezone

from registry.actions.reading import (
    LATEST,
    find_own_row,
    has_versions,
    list_referrers,
    read_version,
    versions_of,
)
from registry.actions.scopes import mode_in_scope
from registry.actions.writing import check_writable, lock_context, lock_subject
from registry.errors import (
    ReferenceExistsError,
    SubjectAssociatedError,
    SubjectNotFoundError,
    SubjectNotSoftDeletedError,
    SubjectSoftDeletedError,
    SubjectWeaklyAssociatedError,
    VersionNotFoundError,
    VersionNotSoftDeletedError,
    VersionSoftDeletedError,
)
from registry.models import Association, Config, Mode, Schema, Version
from registry.naming import SubjectName


def delete_subject(name: SubjectName, *, permanent: bool = False) -> list[int]:
    """Delete every version; softly the live ones, for good those softly deleted before."""
    with transaction.atomic():
        rows = _locked_rows(name)
        live = [row for row in rows if row.deleted_at is None]
        if not rows:
            raise SubjectNotFoundError(name)
        if not permanent and not live:
            raise SubjectSoftDeletedError(name)
        check_writable(name, mode_in_scope(name))
        _check_unassociated(name)
        doomed = rows if permanent else live
        for row in doomed:
            _check_unreferenced(name, row, permanent=permanent)
            if permanent and row.deleted_at is None:
                raise SubjectNotSoftDeletedError(name)
        _delete(name, doomed, permanent=permanent)
    return [row.version for row in doomed]


def delete_version(name: SubjectName, version: str, *, permanent: bool = False) -> int:
    """Delete one version; for good only when it was softly deleted before."""
    with transaction.atomic():
        _locked_rows(name)
        if not permanent and read_version(version) == LATEST and _is_gone(name):
            raise VersionNotFoundError(LATEST)
        row = find_own_row(name, version, deleted=True)
        if not permanent and row.deleted_at is not None:
            raise VersionSoftDeletedError(name, row.version)
        check_writable(name, mode_in_scope(name))
        _check_unreferenced(name, row, permanent=permanent)
        if permanent and row.deleted_at is None:
            raise VersionNotSoftDeletedError(name, row.version)
        _delete(name, [row], permanent=permanent)
    return row.version


def _is_gone(name: SubjectName) -> bool:
    """Whether softly deleted versions are all that the subject has."""
    return has_versions(name, deleted=True) and not has_versions(name)


def _locked_rows(name: SubjectName) -> list[Version]:
    """Every version under the locks that writers take, or none for an unknown subject."""
    if not versions_of(name, deleted=True).exists():
        return []
    lock_subject(lock_context(name.context), name.name)
    return list(versions_of(name, deleted=True))


def _check_unreferenced(name: SubjectName, row: Version, *, permanent: bool) -> None:
    """Data of a softly deleted schema is still read, so what that refers to is not removed."""
    if list_referrers(name, row.version, deleted=permanent):
        raise ReferenceExistsError(name, row.version)


def _check_unassociated(name: SubjectName) -> None:
    """A subject that a resource is bound to goes with the association, or after it."""
    associations = Association.objects.filter(subject=str(name))
    if associations.filter(lifecycle="STRONG").exists():
        raise SubjectAssociatedError(name)
    if associations.exists():
        raise SubjectWeaklyAssociatedError(name)


def _delete(name: SubjectName, rows: list[Version], *, permanent: bool) -> None:
    keys = [row.pk for row in rows]
    doomed = Version.objects.filter(pk__in=keys)
    if permanent:
        doomed.delete()
        schemas = {row.schema_id for row in rows}
        Schema.objects.filter(pk__in=schemas, versions__isnull=True).delete()
    else:
        doomed.update(deleted_at=timezone.now())
    if name.name and not versions_of(name).exists():
        Config.objects.filter(scope=name.scope).delete()
        Mode.objects.filter(scope=name.scope).delete()
