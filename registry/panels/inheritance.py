"""Config and mode of a subject: what is set at which scope, and what of it is in force."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from registry.actions.scopes import (
    DEFAULT_LEVEL,
    DEFAULT_MODE,
    GLOBAL_SCOPE,
    config_in_scope,
)
from registry.formats.contract import Policy
from registry.models import Config, Mode
from registry.naming import DEFAULT_CONTEXT, GLOBAL_CONTEXT, SubjectName, context_scope
from registry.panels.changes import Rules

LEVEL = "compatibilityLevel"
LABELS = {
    LEVEL: "Compatibility",
    "compatibilityPolicy": "Compatibility policy",
    "compatibilityGroup": "Compatibility group",
    "normalize": "Normalise",
    "validateFields": "Validate fields",
    "validateNewSchemas": "Validate new schemas",
    "validateRules": "Validate rules",
    "alias": "Alias of",
    "aliasForDeks": "Alias for DEKs",
    "defaultMetadata": "Default metadata",
    "overrideMetadata": "Override metadata",
    "defaultRuleSet": "Default rules",
    "overrideRuleSet": "Override rules",
}
_DEFAULTS = {LEVEL: DEFAULT_LEVEL}
# set for everything, these leave nothing to what is set below
_OVERRIDING = {"READONLY", "READONLY_OVERRIDE", "FORWARD"}
PRODUCT = "product default"
DEFAULT = "default context"
_OVERRIDE = "READONLY_OVERRIDE"
_LONGEST = 200


@dataclass(frozen=True)
class Cell:
    """One setting at one scope; an empty value is not set there."""

    scope: str
    value: str
    in_force: bool = False


@dataclass(frozen=True)
class SettingRow:
    """One setting across the scopes, the widest first; `note` where another context decides."""

    label: str
    cells: tuple[Cell, ...]
    note: str = ""

    @property
    def value(self) -> str:
        """What is in force."""
        return next((cell.value for cell in self.cells if cell.in_force), "")

    @property
    def source(self) -> str:
        """The scope that decides."""
        return next((cell.scope for cell in self.cells if cell.in_force), "")


@dataclass(frozen=True)
class Settings:
    """Everything that is in force for a subject, and where it comes from."""

    scopes: tuple[str, ...]
    level: SettingRow
    mode: SettingRow
    others: tuple[SettingRow, ...]
    rules: Rules
    group: str

    @property
    def rows(self) -> list[SettingRow]:
        """The settings as a table shows them."""
        return [self.level, self.mode, *self.others]


def settings_of(name: SubjectName) -> Settings:
    """Read what is set for a subject (or, with an empty name, a context) at every scope."""
    scopes = _scopes(name)
    found = {
        scope: json.loads(values)
        for scope, values in Config.objects.filter(scope__in=scopes.values()).values_list(
            "scope", "values"
        )
    }
    merged = config_in_scope(name)
    keys = [key for key in LABELS if any(key in values for values in found.values())]
    return Settings(
        scopes=(PRODUCT, *scopes),
        level=_config_row(LEVEL, scopes, found),
        mode=_mode_row(name, scopes),
        others=tuple(_config_row(key, scopes, found) for key in keys if key != LEVEL),
        rules=Rules(
            str(merged[LEVEL]), cast("Policy", merged.get("compatibilityPolicy") or "STRICT")
        ),
        group=str(merged.get("compatibilityGroup") or ""),
    )


def _scopes(name: SubjectName) -> dict[str, str]:
    """The scopes that a subject inherits from, the widest first: how they are called, their key."""
    if name.context == GLOBAL_CONTEXT:
        return {"all contexts": GLOBAL_SCOPE}
    default = name.context == DEFAULT_CONTEXT
    found = {
        "all contexts": GLOBAL_SCOPE,
        DEFAULT if default else f"context {name.context}": context_scope(name.context),
    }
    return {**found, "this subject": name.scope} if name.name else found


def _config_row(
    key: str, scopes: Mapping[str, str], found: Mapping[str, Mapping[str, Any]]
) -> SettingRow:
    values = [(PRODUCT, _DEFAULTS.get(key))]
    for label, scope in scopes.items():
        inherited = key != "alias" or label == "this subject"
        values.append((label, found.get(scope, {}).get(key) if inherited else None))
    said = [(label, _said(value)) for label, value in values]
    return SettingRow(LABELS[key], _cells(said, _nearest(said)))


def _nearest(said: list[tuple[str, str]]) -> str:
    return next((label for label, value in reversed(said) if value), "")


def _cells(said: list[tuple[str, str]], decides: str) -> tuple[Cell, ...]:
    return tuple(Cell(label, value, label == decides) for label, value in said)


def _said(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _mode_row(name: SubjectName, scopes: Mapping[str, str]) -> SettingRow:
    default = context_scope(DEFAULT_CONTEXT)
    wanted = {*scopes.values(), default}
    found = dict(Mode.objects.filter(scope__in=wanted).values_list("scope", "mode"))
    said = [(PRODUCT, DEFAULT_MODE)]
    said += [(label, found.get(scope, "")) for label, scope in scopes.items()]
    if found.get(GLOBAL_SCOPE) in _OVERRIDING:
        return SettingRow("Mode", _cells(said, "all contexts"))
    context = context_scope(name.context)
    if found.get(default) == _OVERRIDE and context != default:
        said.append((DEFAULT, _OVERRIDE))
        note = f"the default context is {_OVERRIDE}, which overrides the mode of every other"
        return SettingRow("Mode", _cells(said, DEFAULT), note)
    if found.get(context) == _OVERRIDE:
        decides = next(label for label, scope in scopes.items() if scope == context)
        return SettingRow("Mode", _cells(said, decides))
    return SettingRow("Mode", _cells(said, _nearest(said)))
