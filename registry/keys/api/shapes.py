"""Keys in JSON: bodies read and checked, stored keys shown; absent values are left out.

A body of the wrong shape is 400, a key that lacks something 42271; neither quotes a value.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from registry.actions.reading import LATEST, read_version
from registry.actions.scopes import own_config
from registry.actions.writing import check_name
from registry.api.boundary import Call
from registry.api.paths import context_at
from registry.errors import ProtocolError, SubjectInvalidError, VersionInvalidError
from registry.keys.entities import DekName, KekChange, NewDek, NewKek, OpenDek
from registry.keys.errors import KeyInvalidError, KeyNotFoundError
from registry.keys.material import ALGORITHMS, DEFAULT_ALGORITHM
from registry.keys.models import Kek
from registry.naming import ANY_CONTEXT, GLOBAL_CONTEXT, SubjectName, read_context

Json = dict[str, Any]
_LONGEST = 255
_UNUSABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff/]")


def context_of(call: Call, context: str) -> str:
    """The context that the parameter, else the path, names; the default one otherwise."""
    return chosen_context(call, context) or context_at("")


def chosen_context(call: Call, context: str) -> str:
    """The context that the parameter, else the path, names; empty when neither does."""
    named = call.text("context") or context
    if not named:
        return ""
    found = read_context(named)
    if found in {GLOBAL_CONTEXT, ANY_CONTEXT} or not SubjectName(found, "").is_valid:
        raise SubjectInvalidError(f":{found}:")
    return found


def kek_at(name: str) -> str:
    """The KEK's name in a path; one that no KEK can have is not found."""
    if not _is_name(name):
        raise KeyNotFoundError(name)
    return name


def dek_at(
    call: Call, kek: str, subject: str, context: str, body: Mapping[str, Any] | None = None
) -> DekName:
    """The DEK that path and parameters name; in a creation the body names the algorithm."""
    home = read_context(context) if context else context_at("")
    named = SubjectName.read(subject, home)
    check_name(named)
    algorithm = call.text("algorithm") if body is None else _text(body, "algorithm")
    if algorithm and algorithm not in ALGORITHMS:
        raise KeyInvalidError(f"algorithm is one of {', '.join(ALGORITHMS)}")
    return DekName(
        kek=kek_at(kek),
        subject=_follow_alias(named),
        algorithm=algorithm or DEFAULT_ALGORITHM,
        context=chosen_context(call, ""),
    )


def _follow_alias(name: SubjectName) -> SubjectName:
    """The subject whose DEKs serve this one by its config, else itself."""
    alias = (own_config(name) or {}).get("aliasForDeks")
    if not alias:
        return name
    served = SubjectName.read(alias, name.context)
    check_name(served)
    return served


def subject_in(body: Mapping[str, Any], subject: str) -> str:
    """The subject of a creation: the path's, and the body's has to be the same."""
    sent = _text(body, "subject")
    if not (subject or sent):
        raise KeyInvalidError("subject is missing")
    if subject and sent and SubjectName.read(sent) != SubjectName.read(subject):
        raise KeyInvalidError("the subjects of the path and of the body differ")
    return subject or sent


def read_kek(body: Mapping[str, Any]) -> NewKek:
    """The body of a KEK's creation."""
    name = _required(body, "name")
    if not _is_name(name):
        raise KeyInvalidError(
            f"name has at most {_LONGEST} characters, no '/' and no control characters"
        )
    kms_type = _required(body, "kmsType")
    if len(kms_type) > _LONGEST:
        raise KeyInvalidError(f"kmsType has at most {_LONGEST} characters")
    return NewKek(
        name=name,
        kms_type=kms_type,
        kms_key_id=_required(body, "kmsKeyId"),
        kms_props=_properties(body) or {},
        doc=_text(body, "doc"),
        shared=_flag(body, "shared") or False,
        deleted=_flag(body, "deleted") or False,
    )


def read_kek_change(body: Mapping[str, Any]) -> KekChange:
    """The body of a KEK's update; what is absent or null stays."""
    return KekChange(
        kms_props=_properties(body),
        doc=None if body.get("doc") is None else _text(body, "doc"),
        shared=_flag(body, "shared"),
    )


def read_dek(body: Mapping[str, Any]) -> NewDek:
    """The body of a DEK's creation; it is the first version unless it says otherwise."""
    version = body.get("version")
    if version is None:
        version = 1
    if isinstance(version, bool) or not isinstance(version, int):
        raise ProtocolError(400, "Unreadable JSON: version must be a whole number")
    if read_version(version) == LATEST:
        raise VersionInvalidError(version)
    return NewDek(
        version=version,
        encrypted_key_material=_text(body, "encryptedKeyMaterial"),
        deleted=_flag(body, "deleted") or False,
    )


def show_kek(row: Kek) -> Json:
    """A KEK as clients know it."""
    shown: Json = {"name": row.name, "kmsType": row.kms_type, "kmsKeyId": row.kms_key_id}
    if row.kms_props:
        shown["kmsProps"] = row.kms_props
    if row.doc:
        shown["doc"] = row.doc
    shown |= {"shared": row.shared, "ts": _milliseconds(row.changed_at)}
    return shown | ({"deleted": True} if row.deleted_at else {})


def show_dek(kek: str, found: OpenDek) -> Json:
    """A DEK as clients know it, with raw material where the server opened it."""
    row = found.row
    shown: Json = {
        "kekName": kek,
        "subject": row.subject,
        "version": row.version,
        "algorithm": row.algorithm,
        "encryptedKeyMaterial": row.encrypted_key_material,
    }
    if found.key_material is not None:
        shown["keyMaterial"] = found.key_material
    shown["ts"] = _milliseconds(row.changed_at)
    return shown | ({"deleted": True} if row.deleted_at else {})


def _is_name(name: str) -> bool:
    return 0 < len(name) <= _LONGEST and not _UNUSABLE.search(name)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ProtocolError(400, f"Unreadable JSON: {key} must be text")
    if "\x00" in value:
        raise KeyInvalidError(f"{key} holds a NUL character")
    return value


def _required(body: Mapping[str, Any], key: str) -> str:
    value = _text(body, key)
    if not value:
        raise KeyInvalidError(f"{key} is missing")
    return value


def _flag(body: Mapping[str, Any], key: str) -> bool | None:
    value = body.get(key)
    if value is not None and not isinstance(value, bool):
        raise ProtocolError(400, f"Unreadable JSON: {key} must be true or false")
    return value


def _properties(body: Mapping[str, Any]) -> dict[str, str] | None:
    value = body.get("kmsProps")
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ProtocolError(400, "Unreadable JSON: kmsProps must be an object of texts")
    given = {key: text for key, text in value.items() if text is not None}
    if not all(isinstance(each, str) for each in given.values()):
        raise ProtocolError(400, "Unreadable JSON: kmsProps must be an object of texts")
    if any("\x00" in text for pair in given.items() for text in pair):
        raise KeyInvalidError("kmsProps holds a NUL character")
    return given
