"""Parsing within limits, and keeping what was parsed: equal texts parse equally, for good."""

from collections import OrderedDict
from threading import Lock

from django.conf import settings

from registry import formats
from registry.budget import OutOfTimeError, within
from registry.errors import SchemaTooLargeError
from registry.formats.contract import Dependency, Field, Parsed

MOST_CHARACTERS = 4 * 2**20
"""Texts whose parsed forms are kept, in characters; parsed they take up to fifty times that."""

_Key = tuple[str, str, tuple[Dependency, ...]]


class _Kept:
    """What was used last, up to a number of characters; safe among threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: OrderedDict[_Key, tuple[Parsed, int]] = OrderedDict()
        self._characters = 0

    def get(self, key: _Key) -> Parsed | None:
        with self._lock:
            found = self._found.get(key)
            if found is None:
                return None
            self._found.move_to_end(key)
            return found[0]

    def put(self, key: _Key, parsed: Parsed) -> None:
        size = len(key[1]) + sum(len(each.text) for each in key[2])
        with self._lock:
            if key in self._found:
                return
            self._found[key] = (parsed, size)
            self._characters += size
            while self._characters > MOST_CHARACTERS:
                _, (_, gone) = self._found.popitem(last=False)
                self._characters -= gone


_kept = _Kept()


def parse_cached(format_name: str, text: str, dependencies: tuple[Dependency, ...]) -> Parsed:
    """Parse, or answer what an equal text gave; SchemaTooLargeError when it takes too long."""
    key = (format_name, text, dependencies)
    found = _kept.get(key)
    if found is None:
        kind = formats.get(format_name)
        try:
            found = within(settings.REGISTRY_MAX_SECONDS, lambda: kind.parse(text, dependencies))
        except OutOfTimeError:
            raise _too_long() from None
        _kept.put(key, found)
    return found


def fields_of(parsed: Parsed) -> list[Field]:
    """All fields in declared order; one schema may hold another on more paths than can be told."""
    kind = formats.get(parsed.format)
    try:
        return within(settings.REGISTRY_MAX_SECONDS / 4, lambda: kind.fields(parsed))
    except (OutOfTimeError, RecursionError):
        raise _too_long() from None


def check_new(parsed: Parsed) -> None:
    """What a new schema must keep to beyond parsing; SchemaTooLargeError as for parsing."""
    try:
        within(settings.REGISTRY_MAX_SECONDS, lambda: formats.check_new(parsed))
    except OutOfTimeError:
        raise _too_long() from None


def _too_long() -> SchemaTooLargeError:
    return SchemaTooLargeError(
        f"Schema takes more than {settings.REGISTRY_MAX_SECONDS:g} seconds to read"
    )
