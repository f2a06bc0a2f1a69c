"""Setting and deleting config, and what a scope is asked to be judged by."""

import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from registry.actions.scopes import DEFAULT_LEVEL, config_in_scope, mode_in_scope, own_config
from registry.actions.writing import check_scope, check_writable
from registry.data_contract import read_metadata, read_ruleset
from registry.errors import (
    CompatibilityNotConfiguredError,
    LevelInvalidError,
    PolicyInvalidError,
    ProtocolError,
    RefusedError,
    SubjectNotFoundError,
)
from registry.models import Config
from registry.naming import SubjectName

LEVELS = (
    "NONE",
    "BACKWARD",
    "BACKWARD_TRANSITIVE",
    "FORWARD",
    "FORWARD_TRANSITIVE",
    "FULL",
    "FULL_TRANSITIVE",
)
POLICIES = ("STRICT", "LENIENT")
_FLAGS = ("normalize", "validateFields", "validateNewSchemas", "validateRules")
_TEXTS = ("alias", "aliasForDeks", "compatibilityGroup")
_METADATA = ("defaultMetadata", "overrideMetadata")
_RULESETS = ("defaultRuleSet", "overrideRuleSet")


def read_config(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a PUT sets; one given as null is to be cleared."""
    found: dict[str, Any] = {}
    level = body.get("compatibility", body.get("compatibilityLevel"))
    if "compatibility" in body or "compatibilityLevel" in body:
        found["compatibilityLevel"] = _word(level, LEVELS, LevelInvalidError())
    if "compatibilityPolicy" in body:
        given = body["compatibilityPolicy"]
        found["compatibilityPolicy"] = _word(given, POLICIES, PolicyInvalidError())
    for key in _FLAGS:
        if key in body:
            found[key] = _typed(body, key, bool)
    for key in _TEXTS:
        if key in body:
            found[key] = _typed(body, key, str)
    found |= {key: read_metadata(body[key]) for key in _METADATA if key in body}
    found |= {key: read_ruleset(body[key]) for key in _RULESETS if key in body}
    return found


def _word(value: Any, allowed: tuple[str, ...], wrong: RefusedError) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or value.upper() not in allowed:
        raise wrong
    return value.upper()


def _typed(body: Mapping[str, Any], key: str, kind: type) -> Any:
    value = body[key]
    if kind is bool and isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if value is not None and not isinstance(value, kind):
        raise ProtocolError(400, f"Unreadable JSON: {key} has the wrong type")
    return value


def get_config(name: SubjectName, *, inherited: bool) -> dict[str, Any]:
    """The scope's own config, or with what it inherits; a subject without its own is an error."""
    if inherited:
        return config_in_scope(name)
    own = own_config(name)
    if own is None:
        raise CompatibilityNotConfiguredError(name)
    return own


def get_top_config(name: SubjectName, *, inherited: bool) -> dict[str, Any]:
    """The default context's config, the server's default level included."""
    if inherited:
        return config_in_scope(name)
    return {"compatibilityLevel": DEFAULT_LEVEL, **(own_config(name) or {})}


def set_config(name: SubjectName, update: Mapping[str, Any]) -> dict[str, Any]:
    """Set fields of the scope's config, clear those given as None; answer all that is set."""
    check_scope(name)
    if update.get("alias"):
        check_scope(SubjectName.read(update["alias"], name.context))
    check_writable(name, mode_in_scope(name))
    with transaction.atomic():
        Config.objects.get_or_create(scope=name.scope, defaults={"values": "{}"})
        row = Config.objects.select_for_update().get(scope=name.scope)
        merged = {**json.loads(row.values), **update}
        merged = {key: value for key, value in merged.items() if value is not None}
        row.values = json.dumps(merged)
        row.save()
    return merged


def delete_config(name: SubjectName) -> dict[str, Any]:
    """Remove what was set for the scope and answer it."""
    check_writable(name, mode_in_scope(name))
    with transaction.atomic():
        row = Config.objects.select_for_update().filter(scope=name.scope).first()
        if row is None:
            raise SubjectNotFoundError(name)
        row.delete()
    values: dict[str, Any] = json.loads(row.values)
    return values


def delete_top_config(name: SubjectName) -> dict[str, Any]:
    """Reset the default context to the server's defaults; answer what applied before."""
    before = get_top_config(name, inherited=False)
    check_writable(name, mode_in_scope(name))
    Config.objects.filter(scope=name.scope).delete()
    return before
