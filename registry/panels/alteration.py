"""Changing config and mode of a scope from a page: what is typed, and what it would change."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Exists, OuterRef

from registry.actions.config import LEVELS, POLICIES
from registry.actions.mode import MODES
from registry.actions.reading import subject_version, versions_of
from registry.actions.scopes import (
    DEFAULT_LEVEL,
    DEFAULT_MODE,
    GLOBAL_SCOPE,
    decide_mode,
    own_config,
    own_mode,
)
from registry.models import Config, Mode, Subject, Version
from registry.naming import DEFAULT_CONTEXT, GLOBAL_CONTEXT, SubjectName, context_scope
from registry.panels.changes import Rules, Verdict, compare
from registry.panels.fields import UNREADABLE, parsed_of
from registry.panels.history import read_earlier
from registry.panels.inheritance import LABELS, LEVEL, Settings, settings_of

MODE = "mode"
_FLAGS = ("normalize", "validateFields", "validateNewSchemas")
_TRUTH = ("true", "false")
_OF_A_SUBJECT = ("alias", "aliasForDeks")


@dataclass(frozen=True)
class Entry:
    """One setting of the form: what may be chosen (nothing: free text) and what is there now.

    An empty `value` takes what the wider scopes say, which is `otherwise`.
    """

    name: str
    label: str
    choices: tuple[str, ...]
    value: str
    now: str
    otherwise: str

    @property
    def changed(self) -> bool:
        """Whether what is asked for is not what is set."""
        return self.value != self.now


@dataclass(frozen=True)
class Alteration:
    """What is asked for at one scope; `reach` counts the live subjects that it concerns.

    `audit` is what a new level would have said to a subject's newest version.
    """

    name: SubjectName
    entries: tuple[Entry, ...]
    settings: Settings
    reach: int
    audit: Verdict | None = None

    @property
    def changes(self) -> list[Entry]:
        """The settings that would be set otherwise than now."""
        return [entry for entry in self.entries if entry.changed]

    @property
    def config(self) -> dict[str, Any]:
        """The config fields to be set, cleared where nothing is chosen; as a PUT takes them."""
        return {entry.name: _typed(entry) for entry in self.changes if entry.name != MODE}

    @property
    def mode(self) -> str | None:
        """The mode to be set; empty to be cleared, None where it stays."""
        return next((entry.value for entry in self.changes if entry.name == MODE), None)

    @property
    def before(self) -> dict[str, str]:
        """What would put everything back, as the form takes it."""
        return {entry.name: entry.now for entry in self.changes}


def _typed(entry: Entry) -> Any:
    if not entry.value:
        return None
    return entry.value == "true" if entry.name in _FLAGS else entry.value


def read_alteration(name: SubjectName, typed: Mapping[str, str]) -> Alteration:
    """The form of a scope, filled with what was typed where anything was."""
    own = own_config(name) or {}
    settings = settings_of(name)
    wider = _wider(name)
    entries = []
    for key, choices in _choices(name).items():
        now = (own_mode(name) or "") if key == MODE else _word(own.get(key))
        asked = typed.get(key, now).strip()
        value = asked if not choices or not asked or asked in choices else now
        label = "Mode" if key == MODE else LABELS[key]
        entries.append(Entry(key, label, choices, value, now, wider.get(key, "")))
    found = Alteration(name, tuple(entries), settings, _reach(name))
    level = next((entry for entry in found.changes if entry.name == LEVEL), None)
    if level is None or not name.name:
        return found
    return replace(found, audit=_audit(name, level.value or level.otherwise, settings))


def _audit(name: SubjectName, level: str, settings: Settings) -> Verdict | None:
    """What a level says to the newest version, given those before it."""
    row = versions_of(name).last()
    if row is None:
        return None
    shown = subject_version(row)
    history = read_earlier(name, before=row.version)
    base = next(((v, read) for v, read in history.schemas.items() if read is not None), None)
    try:
        candidate = parsed_of(shown)
    except UNREADABLE:
        return None
    if base is None:
        return None
    rules = Rules(level, settings.rules.policy)
    found = compare(candidate, base, history.schemas, rules, unread=history.unread)
    return next((each for each in found.verdicts if each.in_force), None)


def _choices(name: SubjectName) -> dict[str, tuple[str, ...]]:
    whole = name.scope in {GLOBAL_SCOPE, context_scope(DEFAULT_CONTEXT)}
    modes = tuple(mode for mode in MODES if whole or mode != "FORWARD")
    found: dict[str, tuple[str, ...]] = {LEVEL: LEVELS, MODE: modes}
    found |= {"compatibilityPolicy": POLICIES, "compatibilityGroup": ()}
    found |= dict.fromkeys(_FLAGS, _TRUTH)
    return found | (dict.fromkeys(_OF_A_SUBJECT, ()) if name.name else {})


def _word(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _wider(name: SubjectName) -> dict[str, str]:
    """What applies at a scope that sets nothing itself."""
    found: dict[str, Any] = {LEVEL: DEFAULT_LEVEL}
    scopes = [GLOBAL_SCOPE, context_scope(name.context)]
    kept = dict(Config.objects.filter(scope__in=scopes).values_list("scope", "values"))
    for scope in scopes:
        if scope != name.scope:
            found |= json.loads(kept.get(scope, "{}"))
    wanted = {*scopes, context_scope(DEFAULT_CONTEXT)} - {name.scope}
    modes = dict(Mode.objects.filter(scope__in=wanted).values_list("scope", "mode"))
    words = {key: _word(value) for key, value in found.items() if key not in _OF_A_SUBJECT}
    return words | {MODE: decide_mode(name, modes) if modes else DEFAULT_MODE}


def _reach(name: SubjectName) -> int:
    """How many live subjects a scope concerns, whether or not they set something themselves."""
    live = Version.objects.filter(subject=OuterRef("pk"), deleted_at__isnull=True)
    found = Subject.objects.filter(Exists(live))
    if name.scope == GLOBAL_SCOPE:
        return found.count()
    found = found.filter(context__name=name.context)
    return found.filter(name=name.name).count() if name.name else found.count()


def title_of(name: SubjectName) -> str:
    """What a scope is called, and what is to be typed to change it."""
    if name.name:
        return str(name)
    return "all contexts" if name.context == GLOBAL_CONTEXT else name.context
