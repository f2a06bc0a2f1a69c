"""KEKs: list, read, create, change, test, delete softly and for good, bring back."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from registry.keys.actions.lookup import check_keys_writable, check_room, find_kek
from registry.keys.entities import KekChange, NewKek
from registry.keys.errors import (
    KeyExistsError,
    KeyMaterialError,
    KeyNotSharedError,
    KeyNotSoftDeletedError,
    KeyReferenceExistsError,
)
from registry.keys.kms import KmsError, check_kms
from registry.keys.models import Kek
from registry.naming import LONGEST_CONTEXT, LONGEST_SUBJECT, SubjectName


def list_keks(context: str, prefixes: Sequence[str] = (), *, deleted: bool = False) -> list[str]:
    """Names of the context's KEKs, sorted; with prefixes those that wrap DEKs of such subjects."""
    rows = Kek.objects.filter(context=context)
    if not deleted:
        rows = rows.filter(deleted_at__isnull=True)
    if not prefixes:
        return sorted(rows.values_list("name", flat=True))
    chosen = Q()
    for prefix in prefixes:
        chosen |= Q(deks__subject__startswith=prefix[: LONGEST_SUBJECT + LONGEST_CONTEXT])
    if not deleted:
        chosen &= Q(deks__deleted_at__isnull=True)
    found = rows.filter(chosen).values_list("name", "deks__subject").distinct()
    # SQLite compares prefixes without case
    return sorted({name for name, subject in found if subject.startswith(tuple(prefixes))})


def get_kek(context: str, name: str, *, deleted: bool = False) -> Kek:
    """One KEK."""
    return find_kek(name, [context], deleted=deleted)


def create_kek(context: str, new: NewKek, *, test: bool = False) -> Kek:
    """Keep a new KEK; sent again as it was, a softly deleted one comes back.

    With `test`, a shared one is kept only when the server can use it.
    """
    check_keys_writable(SubjectName(context, ""))
    if test and new.shared:
        _check_shared(new.name, new.kms_type)
    with transaction.atomic():
        kept = Kek.objects.select_for_update().filter(context=context, name=new.name).first()
        if kept is None:
            return _insert(context, new)
        if kept.deleted_at is None or new.deleted or not _is_same(kept, new):
            raise KeyExistsError(new.name)
        return _mark(kept, deleted=False)


def _insert(context: str, new: NewKek) -> Kek:
    check_room(Kek)
    now = timezone.now()
    row = Kek(
        context=context,
        name=new.name,
        kms_type=new.kms_type,
        kms_key_id=new.kms_key_id,
        kms_props=dict(new.kms_props),
        doc=new.doc,
        shared=new.shared,
        changed_at=now,
        deleted_at=now if new.deleted else None,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise KeyExistsError(new.name) from None
    return row


def _is_same(kept: Kek, new: NewKek) -> bool:
    ours = (kept.kms_type, kept.kms_key_id, kept.kms_props, kept.doc, kept.shared)
    return ours == (new.kms_type, new.kms_key_id, dict(new.kms_props), new.doc, new.shared)


def _mark(row: Kek, *, deleted: bool) -> Kek:
    row.changed_at = timezone.now()
    row.deleted_at = row.changed_at if deleted else None
    row.save(update_fields=["changed_at", "deleted_at"])
    return row


def _check_shared(name: str, kms_type: str) -> None:
    try:
        check_kms(kms_type)
    except KmsError as wrong:
        raise KeyMaterialError(f"Could not use the key '{name}': {wrong}") from None


def update_kek(context: str, name: str, change: KekChange, *, test: bool = False) -> Kek:
    """Change properties, text or sharing of a KEK; what changes nothing leaves its time alone."""
    check_keys_writable(SubjectName(context, ""))
    before = get_kek(context, name)
    if test and (before.shared if change.shared is None else change.shared):
        _check_shared(name, before.kms_type)
    with transaction.atomic():
        row = find_kek(name, [context], lock=True)
        kept = (row.kms_props, row.doc, row.shared)
        if change.kms_props is not None:
            row.kms_props = dict(change.kms_props)
        if change.doc is not None:
            row.doc = change.doc
        if change.shared is not None:
            row.shared = change.shared
        if (row.kms_props, row.doc, row.shared) != kept:
            row.changed_at = timezone.now()
            row.save(update_fields=["kms_props", "doc", "shared", "changed_at"])
    return row


def try_kek(context: str, name: str) -> Kek:
    """Wrap and unwrap with the KMS of a shared KEK, and hand the KEK back."""
    row = get_kek(context, name)
    if not row.shared:
        raise KeyNotSharedError(name)
    _check_shared(name, row.kms_type)
    return row


def delete_kek(context: str, name: str, *, permanent: bool = False) -> None:
    """Delete a KEK that wraps no DEK: softly, or for good when it was softly deleted before."""
    check_keys_writable(SubjectName(context, ""))
    with transaction.atomic():
        row = find_kek(name, [context], deleted=True, lock=True)
        if permanent and row.deleted_at is None:
            raise KeyNotSoftDeletedError(name)
        wrapped = row.deks.all() if permanent else row.deks.filter(deleted_at__isnull=True)
        if wrapped.exists():
            raise KeyReferenceExistsError(name)
        if permanent:
            row.delete()
        elif row.deleted_at is None:
            _mark(row, deleted=True)


def undelete_kek(context: str, name: str) -> None:
    """Bring a softly deleted KEK back."""
    check_keys_writable(SubjectName(context, ""))
    with transaction.atomic():
        row = find_kek(name, [context], deleted=True, lock=True)
        if row.deleted_at is not None:
            _mark(row, deleted=False)
