"""Subjects in paths: under `/contexts/{c}/…` a plain name belongs to that context."""

from registry.actions.scopes import own_config
from registry.errors import SubjectInvalidError
from registry.naming import DEFAULT_CONTEXT, SubjectName, read_context


def subject_at(subject: str, context: str = "", *, alias: bool = True) -> SubjectName:
    """The subject of a path; a configured alias stands for the subject it names."""
    home = read_context(context) if context else DEFAULT_CONTEXT
    name = SubjectName.read(subject, home)
    if not name.is_valid:
        raise SubjectInvalidError(name)
    return follow_alias(name) if alias else name


def prefix_at(prefix: str, context: str = "") -> str:
    """A search's prefix; below a context's path it is of that context."""
    if not context:
        return prefix
    name = SubjectName.read("" if prefix == ":*:" else prefix, read_context(context))
    return f":{name.context}:{name.name}"


def scope_at(subject: str, context: str = "") -> SubjectName:
    """The subject, or with `:.c:` the context, whose config or mode a path names."""
    return subject_at(subject, context, alias=False)


def follow_alias(name: SubjectName) -> SubjectName:
    """What the subject's own config says it stands for, one step."""
    alias = (own_config(name) or {}).get("alias")
    return SubjectName.read(alias, name.context) if alias else name


def context_at(context: str) -> str:
    """The context that a path prefix names."""
    return read_context(context) if context else DEFAULT_CONTEXT
