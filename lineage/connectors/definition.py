"""A connector as declared: what is read, what is written where, and how. Pure: no database.

What is not one of KEYS is refused, so that a typing error cannot pass silently; all faults are told
at once. What each key means is written in docs/connectors.md.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal, TypeVar, cast
from urllib.parse import unquote

from lineage.connectors.declared_columns import NO_RULES, ColumnRules, depth_of, read_columns
from lineage.connectors.errors import (
    DefinitionInvalidError,
    TargetUnsetError,
)
from lineage.connectors.schedules import NEVER, Schedule, read_schedule
from lineage.connectors.sinks.kinds import SCHEMES, examples

Mode = Literal["table", "events", "history"]
KeyFormat = Literal["text", "schema"]
Engine = Literal["own", "connect"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
# leaves room for the names of its generations (`__g12`) within PostgreSQL's 63 bytes
_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,49}")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# a password may hold what it should not, unescaped: hide to the last @; a port is none
_PASSWORD = re.compile(r"(://[^/?#@:]*:)(?!\d+(?:[/?#,]|$)).*@")
_PASSWORD_VALUE = re.compile(r"(://[^/?#@:]*:)(?!\d+(?:[/?#,]|$))(.*)@")
_PARAMETER = re.compile(r"([?&;])([^=&;#]*)=([^&;#]*)")
_SECRET = re.compile(r"pass|pwd|secret|token|key|credential", re.IGNORECASE)
_REQUIRED = ("name", "topics", "target", "table")
KEYS = (
    *_REQUIRED,
    *("mode", "key", "key_format", "columns", "flatten", "start", "schedule"),
    *("context", "service", "cluster", "engine"),
)
"""What a definition may say."""
DEEPEST = 8
"""How deep nested records are flattened unless told otherwise."""
_HIDDEN = "•••"


@dataclass(frozen=True)
class Definition:
    """A checked declaration. An empty `key` means: the record's key, in a column of its own.

    `start`: records before this instant are left out; None: the log from its beginning.
    """

    name: str
    topics: tuple[str, ...]
    target: str
    table: str
    mode: Mode = "table"
    key: tuple[str, ...] = ()
    key_format: KeyFormat = "text"
    context: str | None = None
    service: str | None = None
    cluster: str | None = None
    engine: Engine = "own"
    columns: ColumnRules = NO_RULES
    flatten: int = DEEPEST
    start: datetime | None = None
    schedule: Schedule = NEVER


_Value = TypeVar("_Value")


def check(declared: Mapping[str, Any]) -> Definition:
    """Return the definition, or raise DefinitionInvalidError naming every key and what is wrong."""
    name = declared.get("name") or "?"
    faults: list[DefinitionInvalidError] = []

    def read(make: Callable[..., _Value], *args: Any) -> _Value:
        """Read one key; a fault is noted, and what stands in for the value is never returned."""
        try:
            return make(declared, *args)
        except DefinitionInvalidError as fault:
            faults.append(fault)
            return cast("_Value", None)

    def note(found: list[tuple[tuple[str, ...], str]]) -> None:
        for path, fault in found:
            text = f"connector {name}: {'.'.join(path)}: {fault}"
            faults.append(DefinitionInvalidError(text, *path))

    read(_keys)
    columns, wrong = read_columns(declared.get("columns"))
    note(wrong)
    schedule, wrong = read_schedule(declared.get("schedule"))
    note(wrong)
    definition = Definition(
        name=read(_matching, "name", _NAME, "letters, digits, '.', '_' and '-'"),
        target=read(_scheme),
        table=read(_matching, "table", _TABLE, "at most 50 letters, digits and '_'"),
        topics=read(_topics),
        mode=cast("Mode", read(_one_of, "mode", ("table", "events", "history"))),
        key=read(_words, "key"),
        key_format=cast("KeyFormat", read(_one_of, "key_format", ("text", "schema"))),
        context=read(_text, "context"),
        service=read(_text, "service"),
        cluster=read(_text, "cluster"),
        engine=cast("Engine", read(_one_of, "engine", ("own", "connect"))),
        columns=columns,
        flatten=read(_depth),
        start=read(_start),
        schedule=schedule,
    )
    if not faults:
        faults += _misfits(definition)
    if faults:
        raise DefinitionInvalidError.of_all(faults)
    return definition


def storable(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return a declaration as JSON can hold it: YAML makes an instant of what looks like one."""
    return {
        key: value.isoformat() if isinstance(value, date) else value
        for key, value in declared.items()
    }


def _keys(declared: Mapping[str, Any]) -> None:
    name = declared.get("name") or "?"
    unknown = sorted(str(key) for key in declared if key not in KEYS)
    if unknown:
        raise DefinitionInvalidError(
            f"connector {name}: unknown {', '.join(unknown)} (known: {', '.join(KEYS)})", unknown[0]
        )
    missing = [key for key in _REQUIRED if not declared.get(key)]
    if missing:
        raise DefinitionInvalidError(f"connector {name}: {', '.join(missing)} missing")


def _misfits(definition: Definition) -> list[DefinitionInvalidError]:
    """Find keys that do not go together."""
    found: list[tuple[str, str]] = []
    if definition.mode != "events" and len(definition.topics) > 1:
        what = "a table is the fold" if definition.mode == "table" else "a history is that"
        words = f"{what} of one topic; several topics can be copied with mode: events"
        found.append(("topics", words))
    if definition.mode == "events" and definition.key:
        found.append(("key", "with mode: events a row's key is its place in the log"))
    if definition.name == "check":
        found.append(("name", "check is what a definition is checked at"))
    if len(definition.key) > 1 and definition.key_format == "text":
        found.append(("key", "a key of several columns needs key_format: schema"))
    found += [
        ("columns", f"{rule.name} is the record's key: it can only be renamed or masked")
        for rule in definition.columns.rules
        if rule.name in definition.key and rule.kind != "field"
    ]
    return [
        DefinitionInvalidError(f"connector {definition.name}: {text}", key) for key, text in found
    ]


def _topics(declared: Mapping[str, Any]) -> tuple[str, ...]:
    topics = _words(declared, "topics")
    if not all(_TOPIC.fullmatch(topic) for topic in topics):
        raise _wrong(declared, "topics", "a topic's name: letters, digits, '.', '_' and '-'")
    return topics


def _depth(declared: Mapping[str, Any]) -> int:
    try:
        depth = depth_of(declared.get("flatten"))
    except ValueError:
        raise _wrong(declared, "flatten", f"a number from 0 to {DEEPEST}") from None
    return DEEPEST if depth is None else depth


def _start(declared: Mapping[str, Any]) -> datetime | None:
    """Read an instant as text, or as YAML reads one; without a zone it is UTC."""
    value = declared.get("start")
    if value in (None, "", "beginning"):
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = value.isoformat()
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _wrong(declared, "start", "beginning or a time in ISO 8601") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _wrong(declared: Mapping[str, Any], key: str, wanted: str) -> DefinitionInvalidError:
    return DefinitionInvalidError(
        f"connector {declared.get('name') or '?'}: {key}: {declared[key]!r} is not {wanted}", key
    )


def _matching(declared: Mapping[str, Any], key: str, pattern: re.Pattern[str], wanted: str) -> str:
    value = declared.get(key)
    if not value:
        return ""  # told as missing
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _wrong(declared, key, wanted)
    return value


def _one_of(declared: Mapping[str, Any], key: str, allowed: tuple[str, ...]) -> str:
    value = declared.get(key) or allowed[0]
    if value not in allowed:
        raise _wrong(declared, key, " or ".join(allowed))
    return cast("str", value)


def _text(declared: Mapping[str, Any], key: str) -> str | None:
    value = declared.get(key)
    if value is not None and not isinstance(value, str):
        raise _wrong(declared, key, "a name")
    return value or None


def _words(declared: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = declared.get(key) or []
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise _wrong(declared, key, "a name or a list of names")
    if len(set(words)) != len(words):
        raise _wrong(declared, key, "a list of different names")
    return tuple(words)


def _scheme(declared: Mapping[str, Any]) -> str:
    """A URL, or one variable that will hold it; the scheme is judged when the URL is known."""
    value = declared.get("target")
    name = declared.get("name") or "?"
    if not value:
        return ""  # told as missing
    if not isinstance(value, str) or not (_VARIABLE.match(value) or "://" in value):
        raise DefinitionInvalidError(
            f"connector {name}: target: not a URL, such as {examples()}",
            "target",
        )
    scheme = value.partition("://")[0]
    if not _VARIABLE.search(scheme) and scheme.lower() not in SCHEMES:
        raise DefinitionInvalidError(
            f"connector {name}: target: no scheme {scheme!r}; known are {', '.join(SCHEMES)}",
            "target",
        )
    return value


# -- targets ------------------------------------------------------------------------------------
def expand(target: str, setting: Callable[[str], str | None] = os.environ.get) -> str:
    """Fill in each `${NAME}`; raise TargetUnsetError naming one that is not set."""

    def value_of(found: re.Match[str]) -> str:
        value = setting(found[1])
        if not value:
            raise TargetUnsetError(f"the target needs {found[1]}, which is not set")
        return value

    return _VARIABLE.sub(value_of, target)


def redact(target: str) -> str:
    """Return the target fit to be shown: no password, no secret parameter."""

    def parameter(found: re.Match[str]) -> str:
        # libpq decodes names too (PostgreSQL 34.1.1.2): p%61ssword is one
        secret = _SECRET.search(unquote(found[2]))
        return f"{found[1]}{found[2]}={_HIDDEN if secret else found[3]}"

    return _PARAMETER.sub(parameter, _PASSWORD.sub(rf"\g<1>{_HIDDEN}@", target))


def holds_secret(target: str) -> bool:
    """Whether the target spells a password or a secret parameter out, and not as a `${NAME}`."""
    values = [found[2] for found in _PASSWORD_VALUE.finditer(target)]
    values += [
        found[3] for found in _PARAMETER.finditer(target) if _SECRET.search(unquote(found[2]))
    ]
    return any(_VARIABLE.sub("", value) for value in values)


def show(target: str, setting: Callable[[str], str | None] = os.environ.get) -> str:
    """Fill in each `${NAME}` that is known and redact; what is unknown or secret stays as it is."""

    def value_of(found: re.Match[str]) -> str:
        return found[0] if _SECRET.search(found[1]) else setting(found[1]) or found[0]

    # redacted before too: a value must not change where the password begins and ends
    return redact(_VARIABLE.sub(value_of, redact(target)))
