"""A `_schemas` topic, as Confluent's registry and Karapace keep it, folded to a snapshot and back.

Keys are JSON: `{"keytype":"SCHEMA","subject":…,"version":…,"magic":1}`, CONFIG and MODE by subject
(null: the default context), DELETE_SUBJECT (soft, up to a version), CLEAR_SUBJECT (forget what is
softly deleted), CONTEXT, NOOP. Records count in the log's order; without a value they take back.
Pure.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from registry.naming import DEFAULT_CONTEXT, SubjectName, context_scope
from registry.transfer.entries import Problem, Snapshot, VersionEntry, in_order
from registry.transfer.errors import EntryInvalidError
from registry.transfer.values import (
    read_home,
    read_mode,
    read_number,
    read_scope,
    read_subject,
    read_values,
    read_version,
    show_version,
)

Fields = dict[str, Any]
_EMPTY = {b"", b"null", b'""'}


class LogRecord(NamedTuple):
    """A record of the topic; the timestamp in ms since 1970."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class _Log:
    """The state of the registry at a place of its log."""

    def __init__(self) -> None:
        self.versions: defaultdict[SubjectName, dict[int, VersionEntry]] = defaultdict(dict)
        self.listed = {DEFAULT_CONTEXT}
        self.snapshot = Snapshot()

    def take(self, record: LogRecord) -> None:
        """Go on by one record; EntryInvalidError when it cannot be understood."""
        key = _object(record.key, "key")
        take = _TAKE.get(str(key.get("keytype")))
        if take is None:
            raise EntryInvalidError(f"records of keytype {key.get('keytype')!r} are not known")
        value = record.value
        gone = value is None or value.strip() in _EMPTY
        take(self, key, None if gone else _object(value, "value"), record)

    def schema(self, key: Fields, value: Fields | None, record: LogRecord) -> None:
        """A version, or none any more."""
        place = _subject(key), read_number(key, "version", 1)
        if value is None:
            self.versions[place[0]].pop(place[1], None)
            self.snapshot.tombstones.add(place)
            return
        # even what is refused below may have been written into messages under this id
        self.snapshot.reserve(place[0].context, read_number(value, "id", 0) + 1)
        entry = read_version(value)
        if entry.key != place:
            raise EntryInvalidError(
                f"the key names {place[0]} version {place[1]}, the value {entry}"
            )
        if entry.registered_at is None and record.timestamp > 0:
            moment = datetime.fromtimestamp(record.timestamp / 1000, UTC)
            entry = replace(entry, registered_at=moment)
        self.snapshot.tombstones.discard(place)
        self.versions[place[0]][place[1]] = entry

    def config(self, key: Fields, value: Fields | None, _record: LogRecord) -> None:
        """A scope's config, or none any more."""
        scope = read_scope(key.get("subject"))
        if value is None:
            self.snapshot.configs.pop(scope, None)
        else:
            self.snapshot.configs[scope] = read_values(value)

    def mode(self, key: Fields, value: Fields | None, _record: LogRecord) -> None:
        """A scope's mode, or none any more."""
        scope = read_scope(key.get("subject"))
        if value is None:
            self.snapshot.modes.pop(scope, None)
        else:
            self.snapshot.modes[scope] = read_mode(value)

    def delete_subject(self, _key: Fields, value: Fields | None, _record: LogRecord) -> None:
        """Every version up to one is softly deleted."""
        if value is None:
            return
        subject, last = _subject(value), read_number(value, "version", 1)
        versions = self.versions[subject]
        for number, entry in versions.items():
            if number <= last:
                versions[number] = replace(entry, deleted=True)

    def clear_subject(self, key: Fields, value: Fields | None, _record: LogRecord) -> None:
        """What is softly deleted of a subject, or of all, is forgotten."""
        if value is None:
            return
        for subject in self._cleared(key):
            gone = {number for number, each in self.versions[subject].items() if each.deleted}
            self.snapshot.tombstones |= {(subject, number) for number in gone}
            for number in gone:
                del self.versions[subject][number]

    def _cleared(self, key: Fields) -> list[SubjectName]:
        """The subjects that a key names: one, all of a context (`:.c:`), or all."""
        if key.get("subject") is None:
            return list(self.versions)
        wanted = _subject(key)
        if wanted.name:
            return [wanted]
        return [each for each in self.versions if each.context == wanted.context]

    def context(self, key: Fields, value: Fields | None, _record: LogRecord) -> None:
        """There is a context, or none any more."""
        context = read_home(key.get("context"))
        if value is None:
            self.listed.discard(context)
        else:
            self.snapshot.reserve(context)
            self.listed.add(context)

    def noop(self, _key: Fields, value: Fields | None, _record: LogRecord) -> None:
        """Nothing; our own exports note here which ids are spent."""
        spent = (value or {}).get("nextIds")
        if isinstance(spent, dict):
            for context in spent:
                self.snapshot.reserve(read_home(context), read_number(spent, context, 1))


_TAKE: Mapping[str, Callable[[_Log, Fields, Fields | None, LogRecord], None]] = {
    "SCHEMA": _Log.schema,
    "CONFIG": _Log.config,
    "MODE": _Log.mode,
    "DELETE_SUBJECT": _Log.delete_subject,
    "CLEAR_SUBJECT": _Log.clear_subject,
    "CONTEXT": _Log.context,
    "NOOP": _Log.noop,
}


def fold(records: Iterable[LogRecord]) -> Snapshot:
    """What a registry that has read all these records holds; poison ones become problems."""
    log = _Log()
    for record in records:
        try:
            log.take(record)
        except EntryInvalidError as wrong:
            log.snapshot.problems.append(Problem(_place(record), str(wrong)))
    every = (entry for versions in log.versions.values() for entry in versions.values())
    for entry in in_order(every):
        log.snapshot.add(entry)
        log.listed.add(entry.subject.context)
    log.snapshot.forgotten = log.snapshot.next_ids.keys() - log.listed
    return log.snapshot


def _place(record: LogRecord) -> str:
    shown = "" if record.key is None else record.key[:200].decode(errors="backslashreplace")
    return f"record at offset {record.offset} {shown}".strip()


def _object(data: bytes | None, what: str) -> Fields:
    try:
        found = json.loads(data or b"")
    except (ValueError, RecursionError):
        raise EntryInvalidError(f"its {what} is not JSON") from None
    if not isinstance(found, dict):
        raise EntryInvalidError(f"its {what} is not a JSON object")
    return found


def _subject(fields: Fields) -> SubjectName:
    return read_subject(fields.get("subject"))


# -- writing -------------------------------------------------------------------------------------
def records_of(snapshot: Snapshot) -> Iterator[tuple[bytes, bytes, int]]:
    """Keys, values and timestamps that fold to the snapshot, in an order any registry can follow.

    Contexts, then schemas, referenced ones before their referrers, configs, modes, deletions. A
    subject deleted as a whole is written live and deleted at the end, as registries do, so that a
    reader that resolves references while it reads finds them. A schema's timestamp is when it was
    registered, which is where Confluent's registry reads that; 0 stands for now.
    """
    for context in sorted(snapshot.next_ids):
        if context != DEFAULT_CONTEXT and context not in snapshot.forgotten:
            fields = {"tenant": "default", "context": context}
            yield _dump({"keytype": "CONTEXT", **fields, "magic": 0}), _dump(fields), 0
    gone = _deleted_subjects(snapshot)
    for entry in in_order(snapshot.versions):
        live = replace(entry, deleted=False) if entry.subject in gone else entry
        yield _schema_key(entry), _dump(_stamped(live)), _moment(entry)
    for scope, values in sorted(snapshot.configs.items()):
        yield _scope_key("CONFIG", scope), _dump({**_scoped(scope), **values}), 0
    for scope, mode in sorted(snapshot.modes.items()):
        yield _scope_key("MODE", scope), _dump({**_scoped(scope), "mode": mode}), 0
    for subject, last in sorted(gone.items()):
        key = {"keytype": "DELETE_SUBJECT", "subject": str(subject), "magic": 0}
        yield _dump(key), _dump({"subject": str(subject), "version": last}), 0
    spent = {context: next_id for context, next_id in snapshot.next_ids.items() if next_id > 1}
    yield _dump({"keytype": "NOOP", "magic": 0}), _dump({"nextIds": spent}), 0


def _deleted_subjects(snapshot: Snapshot) -> dict[SubjectName, int]:
    """Subjects without a live version, with their last one."""
    last: dict[SubjectName, int] = {}
    live = {entry.subject for entry in snapshot.versions if not entry.deleted}
    for entry in snapshot.versions:
        if entry.subject not in live:
            last[entry.subject] = max(entry.version, last.get(entry.subject, 0))
    return last


def _stamped(entry: VersionEntry) -> Fields:
    shown = show_version(entry)
    if entry.registered_at is not None:
        shown["ts"] = _moment(entry)
    return shown


def _moment(entry: VersionEntry) -> int:
    """When the version was registered, in ms since 1970; 0 when that is not known."""
    return 0 if entry.registered_at is None else round(entry.registered_at.timestamp() * 1000)


def _schema_key(entry: VersionEntry) -> bytes:
    place = {"subject": str(entry.subject), "version": entry.version}
    return _dump({"keytype": "SCHEMA", **place, "magic": 1})


def _scope_key(kind: str, scope: str) -> bytes:
    return _dump({"keytype": kind, "subject": _scoped(scope).get("subject"), "magic": 0})


def _scoped(scope: str) -> Fields:
    """The subject of a scope; the default context's has none."""
    return {} if scope == context_scope(DEFAULT_CONTEXT) else {"subject": scope}


def _dump(fields: Fields) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
