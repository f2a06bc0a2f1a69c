"""What makes two schemas the same: the fingerprint of a context, and the GUID across registries."""

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reference:
    """A reference as stored: the name the text uses, the subject's name as given, its version."""

    name: str
    subject: str
    version: int


def digest_text(format_name: str, text: str, references: Sequence[Reference]) -> str:
    """SHA-256 (hex) over format, stored text and references, each part length-prefixed."""
    parts = [format_name, text]
    for reference in references:
        parts += [reference.name, reference.subject, str(reference.version)]
    return _digest(parts)


def fingerprint(text_digest: str, metadata: str, ruleset: str) -> str:
    """SHA-256 (hex) over everything that an id stands for; absent parts are empty."""
    return _digest([text_digest, metadata, ruleset])


def _digest(parts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()


_MARK = b"\x01"
_RULE_LISTS = ("migrationRules", "domainRules", "encodingRules")


def guid(
    text: str,
    references: Sequence[Reference] = (),
    metadata: Mapping[str, Any] | None = None,
    ruleset: Mapping[str, Any] | None = None,
) -> uuid.UUID:
    """Confluent's GUID: the MD5 of text, references, metadata and rule set, printed as a UUID."""
    digest = hashlib.md5(text.encode(), usedforsecurity=False)
    for reference in references:
        digest.update(reference.name.encode())
        digest.update(reference.subject.encode())
        digest.update(reference.version.to_bytes(4, "big", signed=True))
    if metadata is not None:
        digest.update(_MARK)
        for part in _metadata_parts(metadata):
            digest.update(part.encode())
    if ruleset is not None:
        digest.update(_MARK)
        for chunk in _ruleset_parts(ruleset):
            digest.update(chunk)
    return uuid.UUID(bytes=digest.digest())


def _by_utf16(text: str) -> bytes:
    """The key that sorts texts as Java does: by UTF-16 units, not by code points."""
    return text.encode("utf-16-be", "surrogatepass")


def _items(values: Mapping[str, Any] | None) -> list[tuple[str, Any]]:
    return sorted((values or {}).items(), key=lambda item: _by_utf16(item[0]))


def _metadata_parts(metadata: Mapping[str, Any]) -> Iterable[str]:
    for tag, values in _items(metadata.get("tags")):
        yield tag
        yield from sorted(values, key=_by_utf16)
    for key, value in _items(metadata.get("properties")):
        yield key
        yield value
    yield from sorted(metadata.get("sensitive") or (), key=_by_utf16)


def _ruleset_parts(ruleset: Mapping[str, Any]) -> Iterable[bytes]:
    for name in _RULE_LISTS:
        for rule in ruleset.get(name) or ():
            yield from _rule_parts(rule)
    if ruleset.get("enableAt"):
        yield str(ruleset["enableAt"]).encode()


def _rule_parts(rule: Mapping[str, Any]) -> Iterable[bytes]:
    for key in ("name", "doc", "kind", "mode", "type"):
        yield str(rule.get(key) or "").encode()
    for tag in sorted(rule.get("tags") or (), key=_by_utf16):
        yield tag.encode()
    for key, value in _items(rule.get("params")):
        yield key.encode()
        yield value.encode()
    for key in ("expr", "onSuccess", "onFailure"):
        yield str(rule.get(key) or "").encode()
    if rule.get("disabled"):
        yield _MARK
