"""A connector as declared: what is read, what is written where, and how. Pure: no database.

`{name, topics, target, table, mode, key, key_format, context, service, cluster, engine}`; what is
not one of these is refused, so that a typing error cannot pass silently.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast
from urllib.parse import unquote

from lineage.connectors.errors import (
    DefinitionInvalidError,
    TargetUnsetError,
)
from lineage.connectors.sinks.kinds import SCHEMES, examples

Mode = Literal["table", "events"]
KeyFormat = Literal["text", "schema"]
Engine = Literal["own", "connect"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# leaves room for the names of its generations (`__g12`) within PostgreSQL's 63 bytes
_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,49}")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# a password may hold what it should not, unescaped: hide to the last @; a port is none
_PASSWORD = re.compile(r"(://[^/?#@:]*:)(?!\d+(?:[/?#,]|$)).*@")
_PASSWORD_VALUE = re.compile(r"(://[^/?#@:]*:)(?!\d+(?:[/?#,]|$))(.*)@")
_PARAMETER = re.compile(r"([?&;])([^=&;#]*)=([^&;#]*)")
_SECRET = re.compile(r"pass|pwd|secret|token|key|credential", re.IGNORECASE)
_REQUIRED = ("name", "topics", "target", "table")
_KNOWN = (*_REQUIRED, "mode", "key", "key_format", "context", "service", "cluster", "engine")
_HIDDEN = "•••"


@dataclass(frozen=True)
class Definition:
    """A checked declaration. An empty `key` means: the record's key, in a column of its own."""

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


def check(declared: Mapping[str, Any]) -> Definition:
    """Return the definition, or raise DefinitionInvalidError naming the key and what is wrong."""
    name = declared.get("name") or "?"
    unknown = sorted(set(declared) - set(_KNOWN))
    if unknown:
        raise DefinitionInvalidError(
            f"connector {name}: unknown {', '.join(unknown)} (known: {', '.join(_KNOWN)})"
        )
    missing = [key for key in _REQUIRED if not declared.get(key)]
    if missing:
        raise DefinitionInvalidError(f"connector {name}: {', '.join(missing)} missing")
    definition = Definition(
        name=_matching(declared, "name", _NAME, "letters, digits, '.', '_' and '-'"),
        topics=_words(declared, "topics"),
        target=_scheme(declared),
        table=_matching(declared, "table", _TABLE, "at most 50 letters, digits and '_'"),
        mode=cast("Mode", _one_of(declared, "mode", ("table", "events"))),
        key=_words(declared, "key"),
        key_format=cast("KeyFormat", _one_of(declared, "key_format", ("text", "schema"))),
        context=_text(declared, "context"),
        service=_text(declared, "service"),
        cluster=_text(declared, "cluster"),
        engine=cast("Engine", _one_of(declared, "engine", ("own", "connect"))),
    )
    _fits_together(definition)
    return definition


def _fits_together(definition: Definition) -> None:
    if definition.mode == "table" and len(definition.topics) > 1:
        raise DefinitionInvalidError(
            f"connector {definition.name}: a table is the fold of one topic; "
            "several topics can be copied with mode: events"
        )
    if definition.mode == "events" and definition.key:
        raise DefinitionInvalidError(
            f"connector {definition.name}: with mode: events a row's key is its place in the log"
        )
    if len(definition.key) > 1 and definition.key_format == "text":
        raise DefinitionInvalidError(
            f"connector {definition.name}: a key of several columns needs key_format: schema"
        )


def _wrong(declared: Mapping[str, Any], key: str, wanted: str) -> DefinitionInvalidError:
    return DefinitionInvalidError(
        f"connector {declared.get('name') or '?'}: {key}: {declared[key]!r} is not {wanted}", key
    )


def _matching(declared: Mapping[str, Any], key: str, pattern: re.Pattern[str], wanted: str) -> str:
    value = declared[key]
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
    value = declared["target"]
    if not isinstance(value, str) or not (_VARIABLE.match(value) or "://" in value):
        raise DefinitionInvalidError(
            f"connector {declared['name']}: target: not a URL, such as {examples()}",
            "target",
        )
    scheme = value.partition("://")[0]
    if not _VARIABLE.search(scheme) and scheme.lower() not in SCHEMES:
        raise DefinitionInvalidError(
            f"connector {declared['name']}: target: no scheme {scheme!r}; "
            f"known are {', '.join(SCHEMES)}",
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
