"""/config: compatibility level and the rest, of subjects, contexts and the whole registry."""

from registry.actions import config
from registry.api.boundary import Call
from registry.api.paths import context_at, scope_at
from registry.api.shapes import Json
from registry.naming import DEFAULT_CONTEXT, SubjectName


def _top(context: str) -> SubjectName:
    return SubjectName(context_at(context), "")


def get_top(call: Call, context: str = "") -> Json:
    """GET /config."""
    name = _top(context)
    inherited = call.flag("defaultToGlobal")
    if name.context != DEFAULT_CONTEXT:
        return config.get_config(name, inherited=inherited)
    return config.get_top_config(name, inherited=inherited)


def set_top(call: Call, context: str = "") -> Json:
    """PUT /config."""
    return _set(call, _top(context))


def delete_top(_call: Call, context: str = "") -> Json:
    """DELETE /config."""
    name = _top(context)
    if name.context != DEFAULT_CONTEXT:
        return config.delete_config(name)
    return config.delete_top_config(name)


def get_subject(call: Call, subject: str, context: str = "") -> Json:
    """GET /config/{s}."""
    return config.get_config(scope_at(subject, context), inherited=call.flag("defaultToGlobal"))


def set_subject(call: Call, subject: str, context: str = "") -> Json:
    """PUT /config/{s}."""
    return _set(call, scope_at(subject, context))


def delete_subject(_call: Call, subject: str, context: str = "") -> Json:
    """DELETE /config/{s}."""
    return config.delete_config(scope_at(subject, context))


def _set(call: Call, name: SubjectName) -> Json:
    """Set and echo what was sent, the level by the name that it has in a request."""
    update = config.read_config(call.body())
    config.set_config(name, update)
    echoed = {key: value for key, value in update.items() if value is not None}
    level = echoed.pop("compatibilityLevel", None)
    return {"compatibility": level, **echoed} if level else echoed
