"""/mode: read-write, read-only, import, of subjects, contexts and the whole registry."""

from registry.actions import mode
from registry.api.boundary import Call
from registry.api.paths import context_at, scope_at
from registry.api.shapes import Json
from registry.errors import ModeInvalidError, ModeNotConfiguredError, SubjectNotFoundError
from registry.naming import SubjectName


def _top(context: str) -> SubjectName:
    return SubjectName(context_at(context), "")


def get_top(call: Call, context: str = "") -> Json:
    """GET /mode."""
    return _get(call, _top(context))


def set_top(call: Call, context: str = "") -> Json:
    """PUT /mode."""
    return _set(call, _top(context))


def delete_top(call: Call, context: str = "") -> Json:
    """DELETE /mode."""
    return {"mode": mode.delete_mode(_top(context), recursive=call.flag("recursive"))}


def get_subject(call: Call, subject: str, context: str = "") -> Json:
    """GET /mode/{s}."""
    return _get(call, scope_at(subject, context, refusal=ModeNotConfiguredError))


def set_subject(call: Call, subject: str, context: str = "") -> Json:
    """PUT /mode/{s}."""
    return _set(call, scope_at(subject, context))


def delete_subject(call: Call, subject: str, context: str = "") -> Json:
    """DELETE /mode/{s}."""
    name = scope_at(subject, context, refusal=SubjectNotFoundError)
    return {"mode": mode.delete_mode(name, recursive=call.flag("recursive"))}


def _get(call: Call, name: SubjectName) -> Json:
    """What is set for the scope; `/mode`, or `/mode/:.:`, always has one."""
    inherited = call.flag("defaultToGlobal") or name.scope == _top("").scope
    return {"mode": mode.get_mode(name, inherited=inherited)}


def _set(call: Call, name: SubjectName) -> Json:
    wanted = call.body().get("mode")
    if not isinstance(wanted, str):
        raise ModeInvalidError
    return {"mode": mode.set_mode(name, wanted, force=call.flag("force"))}
