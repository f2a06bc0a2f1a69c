"""Finding KEKs, and what every write of keys checks first."""

from collections.abc import Sequence

from django.conf import settings
from django.db.models import QuerySet

from registry.actions.scopes import mode_in_scope
from registry.actions.writing import READ_ONLY
from registry.errors import NotPermittedError
from registry.keys.entities import DekName
from registry.keys.errors import KeyNotFoundError, TooManyKeysError
from registry.keys.models import Dek, Kek
from registry.naming import DEFAULT_CONTEXT, SubjectName


def find_kek(
    name: str, contexts: Sequence[str], *, deleted: bool = False, lock: bool = False
) -> Kek:
    """The KEK in the first of the contexts that has it; `lock` is for use in a transaction."""
    rows = Kek.objects.select_for_update() if lock else Kek.objects.all()
    if not deleted:
        rows = rows.filter(deleted_at__isnull=True)
    found = {row.context: row for row in rows.filter(name=name, context__in=contexts)}
    for context in contexts:
        if context in found:
            return found[context]
    raise KeyNotFoundError(name)


def find_kek_of(name: DekName, *, deleted: bool = False, lock: bool = False) -> Kek:
    """The KEK that a DEK's name means.

    Older clients keep every KEK in the default context, so that one serves when the subject's own
    context has none.
    """
    own = [name.subject.context, DEFAULT_CONTEXT]
    contexts = [name.context] if name.context else list(dict.fromkeys(own))
    return find_kek(name.kek, contexts, deleted=deleted, lock=lock)


def deks_of(kek: Kek, name: DekName, *, deleted: bool = False) -> QuerySet[Dek]:
    """The versions of the subject's DEK for the algorithm, in order."""
    rows = kek.deks.filter(subject=str(name.subject), algorithm=name.algorithm)
    if not deleted:
        rows = rows.filter(deleted_at__isnull=True)
    return rows.order_by("version")


def check_keys_writable(name: SubjectName) -> None:
    """Refuse a write where the subject, or with an empty name the context, is read-only."""
    if mode_in_scope(name) in READ_ONLY:
        scope = f"Subject {name} in context" if name.name else "Context"
        raise NotPermittedError(f"{scope} {name.context} is in read-only mode")


def check_room(kind: type[Kek] | type[Dek]) -> None:
    """Refuse one more key when there are as many as the settings allow."""
    most: int = settings.REGISTRY_MAX_KEYS
    if kind.objects.count() >= most:
        raise TooManyKeysError(most)
