"""A registry as a folder: each version's text in a file of its own, all else in `manifest.json`.

The texts are byte for byte those of the registry, so that editors and generators can use them; the
manifest is sorted and indented, so that a repository shows what changed between two exports.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from registry.naming import DEFAULT_CONTEXT, SubjectName
from registry.transfer.entries import Problem, Snapshot, VersionEntry
from registry.transfer.errors import EntryInvalidError, FolderError
from registry.transfer.values import (
    read_home,
    read_mode,
    read_number,
    read_scope,
    read_values,
    read_version,
    show_version,
)

T = TypeVar("T")

MANIFEST = "manifest.json"
FORMAT = "insideout-registry/1"
_SUFFIXES = {"AVRO": ".avsc", "JSON": ".json", "PROTOBUF": ".proto"}
_LONGEST_NAME = 120


# -- writing -------------------------------------------------------------------------------------
def write_folder(folder: Path, snapshot: Snapshot) -> int:
    """Write the snapshot; an earlier export in the folder is replaced. Answers the number of files.

    FolderError when the folder holds files that are no export.
    """
    earlier = _earlier_files(folder)
    places = _places(snapshot)
    for entry in snapshot.versions:
        file = folder / places[entry.subject] / f"{entry.version}{_SUFFIXES[entry.format]}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(entry.text.encode())
        earlier.discard(file.resolve())
    manifest = json.dumps(_manifest(snapshot, places), ensure_ascii=False, indent=2)
    # the manifest comes last and whole: a folder with one is a complete export
    draft = folder / f"{MANIFEST}.part"
    draft.write_text(manifest + "\n", encoding="utf-8")
    draft.replace(folder / MANIFEST)
    for file in earlier:
        file.unlink(missing_ok=True)
    return len(snapshot.versions) + 1


def _earlier_files(folder: Path) -> set[Path]:
    """The files of the export that the folder holds."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / MANIFEST).exists():
        known = {"contexts", "subjects", f"{MANIFEST}.part"}
        others = sorted(each.name for each in folder.iterdir() if each.name not in known)
        if others:
            raise FolderError(f"{folder} holds other files than an export: {', '.join(others[:5])}")
        return set()
    versions = _read_manifest(folder).get("versions")
    files = [each.get("file") for each in versions or () if isinstance(each, dict)]
    earlier = set()
    for file in files:
        if isinstance(file, str):
            with suppress(EntryInvalidError):
                earlier.add(_inside(folder, file))
    return earlier


def _places(snapshot: Snapshot) -> dict[SubjectName, str]:
    """A folder for each subject; two names differ by more than their case."""
    used: set[str] = set()
    places = {}
    for subject in sorted({entry.subject for entry in snapshot.versions}):
        place = f"subjects/{_safe(subject.name)}"
        if subject.context != DEFAULT_CONTEXT:
            place = f"contexts/{_safe(subject.context[1:])}/{place}"
        if place.casefold() in used:
            place += "~" + hashlib.sha256(str(subject).encode()).hexdigest()[:12]
        used.add(place.casefold())
        places[subject] = place
    return places


def _safe(name: str) -> str:
    """A file name for any name: readable where it can be, never hidden, never too long."""
    safe = quote(name, safe=" @+=,")
    if safe.startswith((".", " ", "~")) or safe.endswith((".", " ")) or not safe:
        safe = "~" + safe.strip(". ") + "~" + hashlib.sha256(name.encode()).hexdigest()[:12]
    if len(safe) > _LONGEST_NAME:
        safe = safe[:_LONGEST_NAME] + "~" + hashlib.sha256(name.encode()).hexdigest()[:12]
    return safe


def _manifest(snapshot: Snapshot, places: Mapping[SubjectName, str]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "contexts": {
            name: {"nextId": each} | ({"deleted": True} if name in snapshot.forgotten else {})
            for name, each in sorted(snapshot.next_ids.items())
        },
        "configs": dict(sorted(snapshot.configs.items())),
        "modes": dict(sorted(snapshot.modes.items())),
        "versions": [
            {"file": f"{places[entry.subject]}/{entry.version}{_SUFFIXES[entry.format]}"}
            | _show(entry)
            for entry in sorted(snapshot.versions, key=lambda entry: entry.key)
        ],
    }


def _show(entry: VersionEntry) -> dict[str, Any]:
    shown = show_version(entry)
    del shown["schema"]
    if entry.registered_at is not None:
        shown["registeredAt"] = entry.registered_at.isoformat()
    if entry.registered_by:
        shown["registeredBy"] = entry.registered_by
    if entry.deleted_at is not None:
        shown["deletedAt"] = entry.deleted_at.isoformat()
    return shown


# -- reading -------------------------------------------------------------------------------------
def read_folder(folder: Path) -> Snapshot:
    """Read an export; what cannot be read of it becomes problems. FolderError when it is none."""
    manifest = _read_manifest(folder)
    snapshot = Snapshot()
    for name, counter in _part(manifest, "contexts", dict).items():
        with _noting(snapshot, f"context {name}"):
            context, fields = read_home(name), _fields(counter)
            snapshot.reserve(context, read_number(fields, "nextId", 1))
            if fields.get("deleted") is True:
                snapshot.forgotten.add(context)
    for scope, values in _part(manifest, "configs", dict).items():
        with _noting(snapshot, f"config {scope}"):
            snapshot.configs[read_scope(scope)] = read_values(_fields(values))
    for scope, mode in _part(manifest, "modes", dict).items():
        with _noting(snapshot, f"mode {scope}"):
            snapshot.modes[read_scope(scope)] = read_mode({"mode": mode})
    for number, version in enumerate(_part(manifest, "versions", list)):
        with _noting(snapshot, f"{MANIFEST}, versions[{number}]"):
            snapshot.add(_read_version(folder, _fields(version)))
    return snapshot


def _read_manifest(folder: Path) -> dict[str, Any]:
    file = folder / MANIFEST
    try:
        manifest = json.loads(file.read_bytes())
    except OSError as wrong:
        raise FolderError(f"{file} cannot be read: {wrong.strerror}") from None
    except (ValueError, RecursionError) as wrong:
        raise FolderError(f"{file} is not JSON: {wrong}") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise FolderError(f"{file} is no manifest of the format {FORMAT}")
    return manifest


def _part(manifest: Mapping[str, Any], key: str, kind: type[T]) -> T:
    part = manifest.get(key, kind())
    if not isinstance(part, kind):
        raise FolderError(f"{MANIFEST}: {key} is not a {kind.__name__}")
    return part


@contextmanager
def _noting(snapshot: Snapshot, where: str) -> Iterator[None]:
    """Note an entry that cannot be read, and go on behind it."""
    try:
        yield
    except EntryInvalidError as wrong:
        snapshot.problems.append(Problem(where, str(wrong)))


def _fields(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise EntryInvalidError("it is not an object")
    return value


def _read_version(folder: Path, fields: Mapping[str, Any]) -> VersionEntry:
    entry = read_version({**fields, "schema": _read_text(folder, fields.get("file"))})
    by = fields.get("registeredBy", "")
    return replace(
        entry,
        registered_at=_moment(fields, "registeredAt"),
        registered_by=by if isinstance(by, str) else "",
        deleted_at=_moment(fields, "deletedAt"),
    )


def _read_text(folder: Path, file: Any) -> str:
    if not isinstance(file, str):
        raise EntryInvalidError("file is not text")
    try:
        return _inside(folder, file).read_bytes().decode()
    except OSError as wrong:
        raise EntryInvalidError(f"{file} cannot be read: {wrong.strerror}") from None
    except ValueError:
        raise EntryInvalidError(f"{file} is not UTF-8") from None


def _inside(folder: Path, file: str) -> Path:
    """The path of a file that the manifest names; it may not lead out of the folder."""
    root = folder.resolve()
    try:
        path = (root / file).resolve()
    except (OSError, ValueError):
        raise EntryInvalidError(f"{file!r} is no file name") from None
    if not path.is_relative_to(root):
        raise EntryInvalidError(f"{file} lies outside of the folder")
    return path


def _moment(fields: Mapping[str, Any], key: str) -> datetime | None:
    """A time in ISO 8601, with its zone; None when it is not given so."""
    try:
        moment = datetime.fromisoformat(fields[key])
    except (KeyError, TypeError, ValueError):
        return None
    return moment if moment.tzinfo is not None else None
