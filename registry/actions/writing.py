"""What every write shares: the locks, their order, and what happens when a row moved meanwhile."""

from django.db.models import F

from registry.errors import NotPermittedError, SubjectInvalidError
from registry.models import SchemaContext, Subject
from registry.naming import ANY_CONTEXT, GLOBAL_CONTEXT, SubjectName

READ_ONLY = frozenset({"READONLY", "READONLY_OVERRIDE", "FORWARD"})


def lock_context(name: str) -> SchemaContext:
    """The context's row, made when missing, locked and marked as changed; inside a transaction."""
    SchemaContext.objects.get_or_create(name=name)
    context = SchemaContext.objects.select_for_update().get(name=name)
    SchemaContext.objects.filter(pk=context.pk).update(revision=F("revision") + 1, listed=True)
    return context


def lock_subject(context: SchemaContext, name: str) -> Subject:
    """The subject's row, made when missing, locked; after its context, never before."""
    Subject.objects.get_or_create(context=context, name=name)
    return Subject.objects.select_for_update().get(context=context, name=name)


def check_name(name: SubjectName) -> None:
    """Refuse a name that no schema can be registered under."""
    if not name.is_valid or name.context in {GLOBAL_CONTEXT, ANY_CONTEXT}:
        raise SubjectInvalidError(name)


def check_scope(name: SubjectName) -> None:
    """Refuse a name that neither a subject nor a context has, for config and mode."""
    nowhere = name.context == ANY_CONTEXT or (name.context == GLOBAL_CONTEXT and name.name)
    if nowhere or not name.is_valid:
        raise SubjectInvalidError(name)


def check_writable(name: SubjectName, mode: str) -> None:
    """Refuse a write where the mode is read-only."""
    if mode in READ_ONLY:
        raise NotPermittedError(f"Subject {name} in context {name.context} is in read-only mode")
