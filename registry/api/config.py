"""/config: compatibility level and the rest, of subjects, contexts and the whole registry."""

from registry.actions import config
from registry.api.boundary import Call
from registry.api.paths import context_at, scope_at
from registry.api.shapes import Json
from registry.errors import CompatibilityNotConfiguredError, SubjectNotFoundError
from registry.naming import DEFAULT_CONTEXT, SubjectName

_DEFAULT = SubjectName(DEFAULT_CONTEXT, "")
"""The default context, which `/config` means and `/config/:.:` too."""


def _top(context: str) -> SubjectName:
    return SubjectName(context_at(context), "")


def get_top(call: Call, context: str = "") -> Json:
    """GET /config."""
    return _get(call, _top(context))


def set_top(call: Call, context: str = "") -> Json:
    """PUT /config."""
    return _set(call, _top(context))


def delete_top(_call: Call, context: str = "") -> Json:
    """DELETE /config."""
    return _delete(_top(context))


def get_subject(call: Call, subject: str, context: str = "") -> Json:
    """GET /config/{s}."""
    return _get(call, scope_at(subject, context, refusal=CompatibilityNotConfiguredError))


def set_subject(call: Call, subject: str, context: str = "") -> Json:
    """PUT /config/{s}."""
    return _set(call, scope_at(subject, context))


def delete_subject(_call: Call, subject: str, context: str = "") -> Json:
    """DELETE /config/{s}."""
    return _delete(scope_at(subject, context, refusal=SubjectNotFoundError))


def _get(call: Call, name: SubjectName) -> Json:
    inherited = call.flag("defaultToGlobal")
    if name == _DEFAULT:
        return config.get_top_config(name, inherited=inherited)
    return config.get_config(name, inherited=inherited)


def _delete(name: SubjectName) -> Json:
    return config.delete_top_config(name) if name == _DEFAULT else config.delete_config(name)


def _set(call: Call, name: SubjectName) -> Json:
    """Set and echo what was sent, the level by the name that it has in a request."""
    update = config.read_config(call.body())
    config.set_config(name, update)
    echoed = {key: value for key, value in update.items() if value is not None}
    level = echoed.pop("compatibilityLevel", None)
    return {"compatibility": level, **echoed} if level else echoed
