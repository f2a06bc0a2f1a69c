"""A version, a config and a mode as JSON, by Confluent's names: read with checks, and written.

The same fields stand in `_schemas` records, in answers over HTTP and in a folder's manifest.
Pure.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from registry.actions.config import read_config
from registry.actions.mode import MODES
from registry.data_contract import Values, read_metadata, read_ruleset
from registry.errors import RegistryError
from registry.identity import Reference
from registry.naming import ANY_CONTEXT, GLOBAL_CONTEXT, SubjectName, read_context
from registry.transfer.entries import VersionEntry
from registry.transfer.errors import EntryInvalidError

_LARGEST = 2**31 - 1
_ENCRYPTED = "__enc__"


def read_version(fields: Mapping[str, Any]) -> VersionEntry:
    """A version from its fields; EntryInvalidError says what is wrong."""
    subject = read_subject(fields.get("subject"))
    text = _text(fields, "schema")
    if not text.strip():
        raise EntryInvalidError("it has no schema text")
    try:
        metadata = read_metadata(fields.get("metadata"))
        ruleset = read_ruleset(fields.get("ruleSet"))
    except RegistryError as wrong:
        raise EntryInvalidError(str(wrong)) from None
    if _ENCRYPTED in ((metadata or {}).get("properties") or {}):
        raise EntryInvalidError("its metadata is encrypted by the other registry's own secret")
    return VersionEntry(
        subject=subject,
        version=read_number(fields, "version", 1),
        id=read_number(fields, "id", 0),
        format=(_text(fields, "schemaType") if fields.get("schemaType") else "AVRO").upper(),
        text=text,
        references=_references(fields.get("references")),
        metadata=metadata,
        ruleset=ruleset,
        deleted=fields.get("deleted") is True,
        registered_at=_moment(fields.get("ts")),
    )


def show_version(entry: VersionEntry) -> dict[str, Any]:
    """The fields of a version, in the order in which Confluent's registry writes them."""
    shown: dict[str, Any] = {
        "subject": str(entry.subject),
        "version": entry.version,
        "id": entry.id,
    }
    if entry.format != "AVRO":
        shown["schemaType"] = entry.format
    if entry.references:
        shown["references"] = [
            {"name": each.name, "subject": each.subject, "version": each.version}
            for each in entry.references
        ]
    if entry.metadata is not None:
        shown["metadata"] = entry.metadata
    if entry.ruleset is not None:
        shown["ruleSet"] = entry.ruleset
    return shown | {"schema": entry.text, "deleted": entry.deleted}


def read_values(fields: Mapping[str, Any]) -> Values:
    """What a config sets; EntryInvalidError says what is wrong."""
    try:
        found = read_config(fields)
    except RegistryError as wrong:
        raise EntryInvalidError(str(wrong)) from None
    return {key: value for key, value in found.items() if value is not None}


def read_mode(fields: Mapping[str, Any]) -> str:
    """A mode; EntryInvalidError when there is none of that name."""
    mode = _text(fields, "mode").upper()
    if mode not in MODES:
        raise EntryInvalidError(f"'{mode}' is no mode")
    return mode


def read_scope(subject: Any) -> str:
    """The scope that a config or a mode is set for; no subject is the default context's."""
    if subject is not None and not isinstance(subject, str):
        raise EntryInvalidError("subject is not text")
    name = SubjectName.read(subject or "")
    if not name.is_valid or name.context == ANY_CONTEXT:
        raise EntryInvalidError(f"'{name}' is not a valid subject")
    return name.scope


def read_subject(subject: Any) -> SubjectName:
    """The name of a subject that may hold versions."""
    if not isinstance(subject, str):
        raise EntryInvalidError("subject is not text")
    name = SubjectName.read(subject)
    if not name.is_valid or name.context in {GLOBAL_CONTEXT, ANY_CONTEXT}:
        raise EntryInvalidError(f"'{name}' is not a valid subject")
    return name


def read_home(context: Any) -> str:
    """The name of a context that may hold subjects."""
    if not isinstance(context, str):
        raise EntryInvalidError("context is not text")
    name = read_context(context)
    if not SubjectName(name, "").is_valid or name in {GLOBAL_CONTEXT, f".{ANY_CONTEXT}"}:
        raise EntryInvalidError(f"'{name}' is not a valid context")
    return name


def read_number(fields: Mapping[str, Any], key: str, least: int) -> int:
    """A whole number from `least` to 2^31-1."""
    value = fields.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _LARGEST:
        raise EntryInvalidError(f"{key} is not a number from {least} to 2^31-1")
    return value


def _text(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str):
        raise EntryInvalidError(f"{key} is not text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise EntryInvalidError(f"{key} holds a lone surrogate, which is no character") from None
    if "\x00" in value:
        raise EntryInvalidError(f"{key} holds the character NUL")
    return value


def _references(value: Any) -> tuple[Reference, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise EntryInvalidError("references are not a list of objects")
    return tuple(
        Reference(_text(each, "name"), _text(each, "subject"), read_number(each, "version", 1))
        for each in value
    )


def _moment(milliseconds: Any) -> datetime | None:
    """A time given in ms since 1970; anything else, and what no calendar holds, is None."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int) or milliseconds <= 0:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
