"""Environment variables: each is declared once, with its default and one line of help.

`docs/settings.md` lists them, and a test keeps the two equal.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

T = TypeVar("T")


class SettingInvalidError(ValueError):
    """An environment variable has a value that cannot be used."""


@dataclass(frozen=True)
class Setting:
    """One environment variable as declared: its name, its default as text, its help."""

    name: str
    default: str
    help: str


DECLARED: dict[str, Setting] = {}


def text(name: str, default: str, help: str) -> str:  # noqa: A002  (the field's own word)
    """Read a variable as text."""
    DECLARED[name] = Setting(name, default, help)
    return os.environ.get(name, default)


def _parsed(name: str, raw: str, parse: Callable[[str], T], wanted: str) -> T:
    try:
        return parse(raw)
    except ValueError:
        raise SettingInvalidError(f"{name}={raw!r}: expected {wanted}") from None


def integer(name: str, default: int, help: str) -> int:  # noqa: A002
    """Read a variable as a whole number."""
    return _parsed(name, text(name, str(default), help), int, "a whole number")


def number(name: str, default: float, help: str) -> float:  # noqa: A002
    """Read a variable as a number."""
    return _parsed(name, text(name, str(default), help), float, "a number")


def boolean(name: str, default: bool, help: str) -> bool:  # noqa: A002
    """Read a variable as a boolean: 1/0, true/false, yes/no, on/off."""

    def parse(raw: str) -> bool:
        word = raw.strip().lower()
        if word in {"1", "true", "yes", "on"}:
            return True
        if word in {"", "0", "false", "no", "off"}:
            return False
        raise ValueError(raw)

    return _parsed(name, text(name, "1" if default else "0", help), parse, "1 or 0")


def path(name: str, default: Path, help: str) -> Path:  # noqa: A002
    """Read a variable as an absolute path."""
    return Path(text(name, str(default), help)).expanduser().absolute()


def words(name: str, default: str, help: str) -> list[str]:  # noqa: A002
    """Read a variable as a comma-separated list."""
    return [word.strip() for word in text(name, default, help).split(",") if word.strip()]


def database(url: str) -> dict[str, object]:
    """Django's DATABASES entry for a `sqlite:///PATH` or `postgresql://…` URL.

    SQLite takes its write lock at BEGIN (a deferred lock upgrade fails at once under writers),
    and syncs every commit, so that an acknowledged registration survives a power cut.
    """
    parts = urlsplit(url)
    if parts.scheme in {"sqlite", "sqlite3"}:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(parts.path[1:]) or ":memory:",
            # opening the file and setting its pragmas costs as much as a small query
            "CONN_MAX_AGE": 600,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;"
                ),
            },
        }
    if parts.scheme in {"postgres", "postgresql"}:
        options: dict[str, object] = dict(parse_qsl(parts.query))
        host = options.pop("host", None) or unquote(parts.hostname or "")
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path[1:]),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": host,
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": options,
        }
    raise SettingInvalidError(
        f"DATABASE_URL={url!r}: expected sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME"
    )
