"""Schema contexts: which there are, and removing an empty one."""

from django.db import transaction

from registry.actions.writing import lock_context
from registry.errors import ContextNotEmptyError
from registry.models import Config, Mode, SchemaContext, Version
from registry.naming import DEFAULT_CONTEXT, context_scope


def list_contexts(prefix: str = "") -> list[str]:
    """Names of the contexts, the default one always among them, sorted."""
    names = set(SchemaContext.objects.filter(listed=True).values_list("name", flat=True))
    return sorted(name for name in names | {DEFAULT_CONTEXT} if name.startswith(prefix))


def delete_context(name: str) -> None:
    """Forget an empty context with its config and mode; its id counter stays, unlisted."""
    with transaction.atomic():
        if not SchemaContext.objects.filter(name=name).exists():
            return
        context = lock_context(name)
        if Version.objects.filter(subject__context=context).exists():
            raise ContextNotEmptyError(name)
        SchemaContext.objects.filter(pk=context.pk).update(listed=False)
        scope = context_scope(name)
        Config.objects.filter(scope=scope).delete()
        Mode.objects.filter(scope=scope).delete()
