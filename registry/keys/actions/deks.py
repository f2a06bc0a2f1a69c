"""DEKs: list, read, create, wrap anew, delete softly and for good, bring back.

The KMS is called outside transactions. What it unwraps is handed to the caller and not kept.
"""

from dataclasses import replace

from django.db import IntegrityError, transaction
from django.utils import timezone

from registry.actions.reading import LATEST
from registry.actions.writing import check_name
from registry.keys.actions.lookup import (
    check_keys_writable,
    check_room,
    deks_of,
    find_kek,
    find_kek_of,
)
from registry.keys.entities import DekName, NewDek, OpenDek
from registry.keys.errors import (
    KeyExistsError,
    KeyInvalidError,
    KeyMaterialError,
    KeyNotFoundError,
    KeyNotSharedError,
    KeyNotSoftDeletedError,
    KeySoftDeletedError,
)
from registry.keys.kms import KmsError, decode, encode, open_kms
from registry.keys.material import generate
from registry.keys.models import Dek, Kek


def list_subjects(context: str, kek: str, *, deleted: bool = False) -> list[str]:
    """Subjects, qualified and sorted, that have a DEK under the KEK."""
    rows = find_kek(kek, [context], deleted=deleted).deks.all()
    if not deleted:
        rows = rows.filter(deleted_at__isnull=True)
    return sorted(set(rows.values_list("subject", flat=True)))


def list_versions(name: DekName, *, deleted: bool = False) -> list[int]:
    """Versions of the DEK; KeyNotFoundError when there is none."""
    rows = deks_of(find_kek_of(name, deleted=deleted), name, deleted=deleted)
    versions = list(rows.values_list("version", flat=True))
    if not versions:
        raise KeyNotFoundError(name.subject)
    return versions


def get_dek(name: DekName, version: int = 1, *, deleted: bool = False) -> OpenDek:
    """One version (LATEST: the last there is), opened when its KEK is shared."""
    kek = find_kek_of(name, deleted=deleted)
    rows = deks_of(kek, name, deleted=deleted)
    row = rows.last() if version == LATEST else rows.filter(version=version).first()
    if row is None:
        raise KeyNotFoundError(name.subject)
    return _open(kek, row)


def _open(kek: Kek, row: Dek) -> OpenDek:
    if not kek.shared:
        return OpenDek(row)
    return OpenDek(row, encode(_unwrap(kek, row.subject, row.encrypted_key_material)))


def _unwrap(kek: Kek, subject: str, wrapped: str) -> bytes:
    try:
        return open_kms(kek.kms_type).unwrap(decode(wrapped))
    except KmsError as wrong:
        raise KeyMaterialError(f"Could not generate raw dek for {subject}: {wrong}") from None


def _wrap(kek: Kek, subject: str, material: bytes) -> str:
    try:
        return encode(open_kms(kek.kms_type).wrap(material))
    except KmsError as wrong:
        message = f"Could not generate encrypted dek for {subject}: {wrong}"
        raise KeyMaterialError(message) from None


def create_dek(name: DekName, new: NewDek, *, rewrap: bool = False) -> OpenDek:
    """Keep a new version; sent again as it was, a softly deleted one comes back.

    Under a shared KEK the server makes the material that the client leaves out. With `rewrap` a
    version that exists is wrapped anew instead. One created as softly deleted, a copy of another
    registry's, may have a KEK that is softly deleted too.
    """
    check_name(name.subject)
    check_keys_writable(name.subject)
    kek = find_kek_of(name, deleted=new.deleted)
    if rewrap and not kek.shared:
        raise KeyNotSharedError(kek.name)
    kept = deks_of(kek, name, deleted=True).filter(version=new.version).first()
    if rewrap and kept is not None and kept.deleted_at is None:
        return _rewrap(kek, kept)
    if kept is not None and not _comes_back(kept, new):
        raise KeyExistsError(name.subject)
    return _create(name, kek, new)


def _comes_back(kept: Dek, new: NewDek) -> bool:
    """Whether what is sent is the softly deleted key again; one made by the server never is."""
    return (
        kept.deleted_at is not None
        and not new.deleted
        and kept.encrypted_key_material == new.encrypted_key_material
    )


def _create(name: DekName, kek: Kek, new: NewDek) -> OpenDek:
    subject, opened = str(name.subject), None
    if not new.encrypted_key_material:
        if not kek.shared:
            raise KeyInvalidError("encryptedKeyMaterial is missing, and the kek is not shared")
        material = generate(name.algorithm)
        new = replace(new, encrypted_key_material=_wrap(kek, subject, material))
        opened = encode(material)
    elif kek.shared:
        opened = encode(_unwrap(kek, subject, new.encrypted_key_material))
    with transaction.atomic():
        kek = find_kek_of(name, deleted=new.deleted, lock=True)
        kept = deks_of(kek, name, deleted=True).filter(version=new.version).first()
        if kept is None:
            return OpenDek(_insert(kek, name, new), opened)
        if not _comes_back(kept, new):
            raise KeyExistsError(name.subject)
        _mark([kept], deleted=False)
        return OpenDek(kept, opened)


def _insert(kek: Kek, name: DekName, new: NewDek) -> Dek:
    check_room(Dek)
    now = timezone.now()
    row = Dek(
        kek=kek,
        subject=str(name.subject),
        algorithm=name.algorithm,
        version=new.version,
        encrypted_key_material=new.encrypted_key_material,
        changed_at=now,
        deleted_at=now if new.deleted else None,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise KeyExistsError(name.subject) from None
    return row


def _rewrap(kek: Kek, row: Dek) -> OpenDek:
    """The same material under a fresh wrapping; one wrapped meanwhile by another is as good."""
    material = _unwrap(kek, row.subject, row.encrypted_key_material)
    before, row.encrypted_key_material = (
        row.encrypted_key_material,
        _wrap(kek, row.subject, material),
    )
    row.changed_at = timezone.now()
    rows = Dek.objects.filter(pk=row.pk, encrypted_key_material=before)
    rows.update(encrypted_key_material=row.encrypted_key_material, changed_at=row.changed_at)
    return OpenDek(Dek.objects.get(pk=row.pk), encode(material))


def delete_deks(name: DekName, version: int | None = None, *, permanent: bool = False) -> None:
    """Delete a version, or all: softly, or for good those softly deleted before."""
    check_keys_writable(name.subject)
    with transaction.atomic():
        rows = _locked(find_kek_of(name, deleted=True, lock=True), name, version)
        if not permanent:
            _mark([row for row in rows if row.deleted_at is None], deleted=True)
            return
        if any(row.deleted_at is None for row in rows):
            raise KeyNotSoftDeletedError(name.subject)
        Dek.objects.filter(pk__in=[row.pk for row in rows]).delete()


def undelete_deks(name: DekName, version: int | None = None) -> None:
    """Bring a softly deleted version back, or all of them; their KEK has to be there."""
    check_keys_writable(name.subject)
    with transaction.atomic():
        kek = find_kek_of(name, deleted=True, lock=True)
        rows = _locked(kek, name, version)
        if kek.deleted_at is not None:
            raise KeySoftDeletedError(kek.name)
        _mark([row for row in rows if row.deleted_at is not None], deleted=False)


def _locked(kek: Kek, name: DekName, version: int | None) -> list[Dek]:
    """The versions meant, softly deleted ones too; every writer holds the KEK's lock."""
    rows = list(deks_of(kek, name, deleted=True))
    if version == LATEST:
        rows = rows[-1:]
    elif version is not None:
        rows = [row for row in rows if row.version == version]
    if not rows:
        raise KeyNotFoundError(name.subject)
    return rows


def _mark(rows: list[Dek], *, deleted: bool) -> None:
    now = timezone.now()
    for row in rows:
        row.changed_at, row.deleted_at = now, now if deleted else None
    Dek.objects.bulk_update(rows, ["changed_at", "deleted_at"])
