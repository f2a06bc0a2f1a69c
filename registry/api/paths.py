"""Subjects in paths: under `/contexts/{c}/…` a plain name belongs to that context."""

from collections.abc import Callable

from registry.actions.scopes import own_config
from registry.errors import RegistryError, SubjectInvalidError, SubjectNotFoundError
from registry.naming import DEFAULT_CONTEXT, SubjectName, read_context

Refusal = Callable[[SubjectName], RegistryError]


def subject_at(
    subject: str, context: str = "", *, refusal: Refusal = SubjectInvalidError
) -> SubjectName:
    """The subject of a path; a configured alias stands for the subject it names."""
    return follow_alias(scope_at(subject, context, refusal=refusal))


def found_at(subject: str, context: str = "") -> SubjectName:
    """A subject that must be there already: a name that none can have is not found."""
    return subject_at(subject, context, refusal=SubjectNotFoundError)


def prefix_at(prefix: str, context: str = "") -> str:
    """A search's prefix; below a context's path it is of that context."""
    if not context:
        return prefix
    name = SubjectName.read("" if prefix == ":*:" else prefix, read_context(context))
    return f":{name.context}:{name.name}"


def scope_at(
    subject: str, context: str = "", *, refusal: Refusal = SubjectInvalidError
) -> SubjectName:
    """The subject, or with `:.c:` the context, whose config or mode a path names."""
    name = SubjectName.read(subject, context_at(context))
    if not name.is_valid:
        raise refusal(name)
    return name


def follow_alias(name: SubjectName) -> SubjectName:
    """What the subject's own config says it stands for, one step."""
    alias = (own_config(name) or {}).get("alias")
    return SubjectName.read(alias, name.context) if alias else name


def context_at(context: str) -> str:
    """The context that a path prefix names."""
    return read_context(context) if context else DEFAULT_CONTEXT
