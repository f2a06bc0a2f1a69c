"""Setting and deleting the mode of a subject, a context or all contexts."""

from django.db import transaction
from django.db.models import Q

from registry.actions.scopes import GLOBAL_SCOPE, mode_in_scope, own_mode
from registry.actions.writing import check_scope
from registry.errors import (
    ModeInvalidError,
    ModeNotConfiguredError,
    NotPermittedError,
    SubjectNotFoundError,
)
from registry.models import Mode, Version
from registry.naming import DEFAULT_CONTEXT, SubjectName, context_scope

MODES = ("READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD")
_WHOLE = {GLOBAL_SCOPE, context_scope(DEFAULT_CONTEXT)}


def get_mode(name: SubjectName, *, inherited: bool) -> str:
    """The scope's own mode, or the one that applies; a subject without its own is an error."""
    if inherited:
        return mode_in_scope(name)
    own = own_mode(name)
    if own is None:
        raise ModeNotConfiguredError(name)
    return own


def set_mode(name: SubjectName, mode: str, *, force: bool = False) -> str:
    """Set a mode; IMPORT needs a scope without live schemas, unless forced."""
    check_scope(name)
    wanted = mode.upper()
    if wanted not in MODES or (wanted == "FORWARD" and name.scope not in _WHOLE):
        raise ModeInvalidError
    with transaction.atomic():
        before = own_mode(name)
        if wanted == "IMPORT" and before != "IMPORT" and not force and _has_schemas(name):
            raise NotPermittedError("Cannot import since found existing subjects")
        Mode.objects.update_or_create(scope=name.scope, defaults={"mode": wanted})
    return wanted


def _has_schemas(name: SubjectName) -> bool:
    versions = Version.objects.filter(deleted_at__isnull=True)
    if name.scope == GLOBAL_SCOPE:
        return versions.exists()
    versions = versions.filter(subject__context__name=name.context)
    if name.name:
        versions = versions.filter(subject__name=name.name)
    return versions.exists()


def delete_mode(name: SubjectName, *, recursive: bool = False) -> str:
    """Remove the mode set for the scope and answer it; for a context, its subjects' on request."""
    with transaction.atomic():
        before = own_mode(name)
        if before is None and not recursive and name.scope not in _WHOLE:
            raise SubjectNotFoundError(name)
        doomed = Q(scope=name.scope)
        if recursive and not name.name:
            doomed |= _below(name)
        Mode.objects.filter(doomed).delete()
    return before or mode_in_scope(name)


def _below(name: SubjectName) -> Q:
    """Scopes of the subjects of a context; plain names belong to the default one."""
    if name.scope == GLOBAL_SCOPE:
        return Q()
    if name.context == DEFAULT_CONTEXT:
        return ~Q(scope__startswith=":.")
    return Q(scope__startswith=context_scope(name.context))
