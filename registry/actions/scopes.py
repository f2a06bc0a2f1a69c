"""Config and mode: what is set for a scope, and what a subject inherits.

A subject takes what is set for itself, else for its context, else for `:.__GLOBAL:`.
"""

import json
from collections.abc import Mapping
from typing import Any

from registry.models import Config, Mode
from registry.naming import DEFAULT_CONTEXT, GLOBAL_CONTEXT, SubjectName, context_scope

DEFAULT_LEVEL = "BACKWARD"
DEFAULT_MODE = "READWRITE"
GLOBAL_SCOPE = context_scope(GLOBAL_CONTEXT)
_OVERRIDING = frozenset({"READONLY", "READONLY_OVERRIDE", "FORWARD"})


def _scopes(name: SubjectName) -> list[str]:
    """Scopes that apply to the subject (or context), the nearest first."""
    return list(dict.fromkeys([name.scope, context_scope(name.context), GLOBAL_SCOPE]))


def own_config(name: SubjectName) -> dict[str, Any] | None:
    """What was set for exactly this scope, or None."""
    text = Config.objects.filter(scope=name.scope).values_list("values", flat=True).first()
    return None if text is None else json.loads(text)


def config_in_scope(name: SubjectName) -> dict[str, Any]:
    """What applies to the subject, every field inherited by itself (an alias is not)."""
    scopes = _scopes(name)
    found = dict(Config.objects.filter(scope__in=scopes).values_list("scope", "values"))
    merged: dict[str, Any] = {"compatibilityLevel": DEFAULT_LEVEL}
    for scope in reversed(scopes):
        values = json.loads(found.get(scope, "{}"))
        if scope != name.scope:
            values.pop("alias", None)
        merged |= values
    return merged


def own_mode(name: SubjectName) -> str | None:
    """The mode set for exactly this scope, or None."""
    return Mode.objects.filter(scope=name.scope).values_list("mode", flat=True).first()


def mode_in_scope(name: SubjectName) -> str:
    """The mode that applies; a read-only mode of all contexts overrides what is set below."""
    scopes = [*_scopes(name), context_scope(DEFAULT_CONTEXT)]
    found = Mode.objects.filter(scope__in=scopes).values_list("scope", "mode")
    return decide_mode(name, dict(found))


def decide_mode(name: SubjectName, found: Mapping[str, str]) -> str:
    """The mode that applies, given those set for the scopes concerned."""
    if found.get(GLOBAL_SCOPE) in _OVERRIDING:
        return found[GLOBAL_SCOPE]
    for scope in (context_scope(DEFAULT_CONTEXT), context_scope(name.context)):
        if found.get(scope) == "READONLY_OVERRIDE":
            return "READONLY_OVERRIDE"
    return next((found[scope] for scope in _scopes(name) if scope in found), DEFAULT_MODE)
