"""A running registry that speaks Confluent's protocol, read over HTTP.

Everything is asked for in the form that old and partial servers understand: what a server does not
know (contexts, /schemas, paging, modes of subjects) is done without.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from registry.actions.scopes import DEFAULT_LEVEL, GLOBAL_SCOPE
from registry.naming import DEFAULT_CONTEXT, GLOBAL_CONTEXT, context_scope
from registry.transfer.entries import Problem, Snapshot, VersionEntry, in_order
from registry.transfer.errors import EntryInvalidError, PeerError
from registry.transfer.session import Session
from registry.transfer.values import read_home, read_mode, read_scope, read_values, read_version

Progress = Callable[[str, int], None]
"""Told what is being read and how many there are so far."""

_PAGE = 1000
_AT_ONCE = 8
_DEFAULT_SCOPE = context_scope(DEFAULT_CONTEXT)
_LEVEL = "compatibilityLevel"
_NOBODY = "insideout-no-such-subject"


def read_peer(session: Session, progress: Progress = lambda _what, _count: None) -> Snapshot:
    """Read all that the registry tells; what cannot be read of it becomes problems.

    PeerError when it cannot be reached, refuses us, or is no registry.
    """
    return _Reading(session, progress).read()


class _Reading:
    """One reading of a peer."""

    def __init__(self, session: Session, progress: Progress) -> None:
        self._session = session
        self._progress = progress
        self._snapshot = Snapshot()

    def read(self) -> Snapshot:
        """Contexts, versions, id counters, configs and modes, in this order."""
        if not isinstance(self._session.get("/subjects"), list):
            raise PeerError(f"{self._session.name} is no schema registry: it has no /subjects")
        for name in self._pages("/contexts"):
            with suppress(EntryInvalidError):
                self._snapshot.reserve(read_home(name))
        for entry in in_order(self._versions()):
            self._snapshot.add(entry)
        self._read_counters()
        self._read_scopes("/config", self._snapshot.configs, read_values)
        self._read_scopes("/mode", self._snapshot.modes, read_mode)
        self._drop_implied()
        return self._snapshot

    # -- lists -----------------------------------------------------------------------------------
    def _pages(self, path: str, **parameters: str | int) -> Iterator[Any]:
        """Every item of a list, also where `offset` or `limit` is ignored or capped."""
        seen: set[str] = set()
        offset = 0
        while True:
            page = self._session.get(path, **parameters, offset=offset, limit=_PAGE)
            if not isinstance(page, list):
                return
            fresh = [(_name(item), item) for item in page]
            fresh = [(name, item) for name, item in fresh if name not in seen]
            for name, item in fresh:
                seen.add(name)
                yield item
            if not fresh:
                return
            offset += len(page)

    def _versions(self) -> list[VersionEntry]:
        """Every version; softly deleted are those that a list of live ones lacks."""
        every = {entry.key: entry for entry in self._listed(deleted="true")}
        # live ones are listed last, so that one registered meanwhile is not taken for deleted
        live = {entry.key: entry for entry in self._listed(deleted="false")}
        return [
            live.get(key) or replace(entry, deleted=True)
            for key, entry in {**every, **live}.items()
        ]

    def _listed(self, deleted: str) -> Iterator[VersionEntry]:
        for found, item in enumerate(self._items(deleted), 1):
            entry = self._entry(item)
            if found % 100 == 0:
                self._progress("versions read", found)
            if entry is not None:
                yield entry

    def _items(self, deleted: str) -> Iterator[Any]:
        """The versions as the server shows them, by the widest list that it has."""
        if not self._lists_versions():
            yield from self._one_by_one(deleted)
            return
        found = False
        for item in self._pages("/schemas", subjectPrefix=":*:", deleted=deleted):
            found = True
            yield item
        if not found:
            # a server without contexts may take the prefix to the letter
            yield from self._pages("/schemas", deleted=deleted)

    def _lists_versions(self) -> bool:
        """Whether `/schemas` names the version of each schema; some servers list texts alone."""
        found = self._session.get("/schemas", deleted="true", limit=1)
        return isinstance(found, list) and all(
            isinstance(item, dict) and {"subject", "version", "id"} <= item.keys() for item in found
        )

    def _one_by_one(self, deleted: str) -> Iterator[Any]:
        """The versions of a server that has no list of all."""
        for subject in self._pages("/subjects", deleted=deleted):
            yield from self._versions_of(str(subject), deleted)

    def _versions_of(self, subject: str, deleted: str) -> Iterator[Any]:
        path = f"/subjects/{quote(subject, safe='')}/versions"
        numbers = list(self._pages(path, deleted=deleted))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            answers = pool.map(
                lambda number: self._session.get(f"{path}/{number}", deleted=deleted), numbers
            )
            for number, answer in zip(numbers, answers, strict=True):
                if answer is None:
                    self._note(f"{subject} version {number}", "listed there, but not shown")
                else:
                    yield answer

    def _entry(self, item: Any) -> VersionEntry | None:
        fields = item if isinstance(item, dict) else {}
        try:
            return replace(read_version(fields), deleted=False)
        except EntryInvalidError as wrong:
            self._note(f"{fields.get('subject')} version {fields.get('version')}", str(wrong))
            return None

    def _note(self, where: str, reason: str) -> None:
        """Note what cannot be read, once."""
        problem = Problem(where, reason)
        if problem not in self._snapshot.problems:
            self._snapshot.problems.append(problem)

    def _read_counters(self) -> None:
        """Ask for the highest id of each context: one deleted for good must not be given out."""
        highest: dict[str, int] = {}
        for entry in self._snapshot.versions:
            context = entry.subject.context
            highest[context] = max(entry.id, highest.get(context, 0))
        for context, schema_id in highest.items():
            subject = {} if context == DEFAULT_CONTEXT else {"subject": context_scope(context)}
            found = self._session.get(f"/schemas/ids/{schema_id}", fetchMaxId="true", **subject)
            number = found.get("maxId") if isinstance(found, dict) else None
            if isinstance(number, int) and number < 2**31:
                self._snapshot.reserve(context, number + 1)

    # -- configs and modes -----------------------------------------------------------------------
    def _read_scopes(
        self, path: str, found: dict[str, Any], read: Callable[[dict[str, Any]], Any]
    ) -> None:
        """Ask for what is set for every context and every subject."""
        subjects = {str(entry.subject) for entry in self._snapshot.versions}
        contexts = {*self._snapshot.next_ids, GLOBAL_CONTEXT} - {DEFAULT_CONTEXT}
        scopes = [_DEFAULT_SCOPE, *sorted(map(context_scope, contexts)), *sorted(subjects)]
        # some servers answer for anybody: what is said of nobody, too, is not set for a subject
        implied = self._session.get(f"{path}/{_NOBODY}")
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            answers = pool.map(lambda scope: self._ask(path, scope), scopes)
            for count, (scope, answer) in enumerate(zip(scopes, answers, strict=True), 1):
                if count % 100 == 0:
                    self._progress(f"{path[1:]}s asked for", count)
                if not isinstance(answer, dict):
                    continue
                if answer == implied and scope != _DEFAULT_SCOPE:
                    continue
                try:
                    found[read_scope(scope)] = read(answer)
                except EntryInvalidError as wrong:
                    self._note(f"{path[1:]} {scope}", str(wrong))

    def _ask(self, path: str, scope: str) -> Any:
        if scope == _DEFAULT_SCOPE:
            return self._session.get(path)
        own = f"{path}/{quote(scope, safe='')}"
        found = self._session.get(own)
        if path != "/config" or not isinstance(found, dict):
            return found
        applied = self._session.get(own, defaultToGlobal="true")
        # some servers answer NONE where nothing is set; what is set would apply
        level = applied.get(_LEVEL) if isinstance(applied, dict) else None
        return found if level is None or level == found.get(_LEVEL, level) else None

    def _drop_implied(self) -> None:
        """Leave out what the default context only inherits; the answers do not say so.

        It matters where something is set for all contexts.
        """
        configs, modes = self._snapshot.configs, self._snapshot.modes
        if GLOBAL_SCOPE in modes and modes.get(_DEFAULT_SCOPE) == modes[GLOBAL_SCOPE]:
            del modes[_DEFAULT_SCOPE]
        if GLOBAL_SCOPE not in configs or configs.get(_DEFAULT_SCOPE) != {_LEVEL: DEFAULT_LEVEL}:
            return
        applied = self._session.get("/config", defaultToGlobal="true")
        level = applied.get(_LEVEL) if isinstance(applied, dict) else None
        if level != DEFAULT_LEVEL:
            del configs[_DEFAULT_SCOPE]


def _name(item: Any) -> str:
    """What tells an item of a list from the others."""
    if isinstance(item, dict):
        return f"{item.get('version')} {item.get('subject')}"
    return str(item)
