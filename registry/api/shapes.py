"""JSON in and out: a client's body as a submission, entities as Confluent's objects.

Absent values are left out, `references` when empty, `schemaType` for Avro.
"""

import re
from collections.abc import Mapping
from typing import Any

from registry.actions.reading import LATEST, find_own_row, in_style, read_version
from registry.actions.submission import Submission
from registry.data_contract import read_metadata, read_ruleset
from registry.entities import SchemaText, SubjectVersion
from registry.errors import (
    ProtocolError,
    SchemaRefusedError,
    SubjectNotFoundError,
    VersionInvalidError,
    VersionNotFoundError,
)
from registry.identity import Reference
from registry.naming import SubjectName

Json = dict[str, Any]
_LARGEST = 2**31 - 1
_DIGITS = re.compile(r"-?[0-9]{1,10}", re.ASCII)


def read_submission(
    body: Mapping[str, Any], context: str, *, normalize: bool, force: bool = False
) -> Submission:
    """A register, lookup or compatibility body."""
    schema_id, version = read_whole(body, "id"), read_whole(body, "version")
    return Submission(
        text=read_text(body, "schema"),
        format=read_text(body, "schemaType").upper() or "AVRO",
        references=_references(body.get("references"), context),
        metadata=read_metadata(body.get("metadata")),
        ruleset=read_ruleset(body.get("ruleSet")),
        id=None if schema_id is None or schema_id < 0 else schema_id,
        version=None if version is None or version <= 0 else version,
        normalize=normalize,
        force=force,
        propagate_tags=read_flag(body, "propagateSchemaTags"),
    )


def read_text(body: Mapping[str, Any], key: str) -> str:
    """A text field of a body, empty when absent or null."""
    value = body.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ProtocolError(400, f"Unreadable JSON: {key} must be text")
    return value


def read_whole(body: Mapping[str, Any], key: str) -> int | None:
    """A whole-number field of a body, in quotes or not (as Jackson reads); None when absent."""
    value = body.get(key)
    if value is None:
        return None
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not ~_LARGEST <= value <= _LARGEST:
        raise ProtocolError(400, f"Unreadable JSON: {key} must be a whole number")
    return value


def read_flag(body: Mapping[str, Any], key: str) -> bool:
    """A boolean field of a body, in quotes or not (as Jackson reads); false when absent."""
    value = body.get(key)
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if value is not None and not isinstance(value, bool):
        raise ProtocolError(400, f"Unreadable JSON: {key} must be true or false")
    return bool(value)


def _references(value: Any, context: str) -> tuple[Reference, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ProtocolError(400, "Unreadable JSON: references must be a list")
    return tuple(_reference(item, context) for item in value)


def _reference(value: Any, context: str) -> Reference:
    if not isinstance(value, dict):
        raise ProtocolError(400, "Unreadable JSON: a reference must be an object")
    name, subject = read_text(value, "name"), read_text(value, "subject")
    version = read_whole(value, "version")
    if not name or not subject or version is None:
        raise SchemaRefusedError(
            "Invalid schema, details: a reference has a name, a subject and a version"
        )
    try:
        wanted = read_version(version)
        if wanted == LATEST:
            wanted = find_own_row(SubjectName.read(subject, context), version).version
    except (VersionInvalidError, SubjectNotFoundError, VersionNotFoundError):
        raise SchemaRefusedError(
            "Invalid schema, details: No schema reference found for subject "
            f'"{subject}" and version {version}'
        ) from None
    return Reference(name, subject, wanted)


def show_schema(schema: SchemaText, *, style: str = "", qualify: bool = False) -> Json:
    """What every object with a schema holds of it; `style` is the text's, as `format=` names it."""
    shown: Json = {"schema": in_style(schema, style).text, "guid": str(schema.guid)}
    if schema.format != "AVRO":
        shown["schemaType"] = schema.format
    if schema.references:
        shown["references"] = [
            _show_reference(each, schema.context, qualify=qualify) for each in schema.references
        ]
    if schema.metadata is not None:
        shown["metadata"] = schema.metadata
    if schema.ruleset is not None:
        shown["ruleSet"] = schema.ruleset
    return shown


def _show_reference(reference: Reference, context: str, *, qualify: bool) -> Json:
    subject = reference.subject
    if qualify:
        subject = str(SubjectName.read(subject, context))
    return {"name": reference.name, "subject": subject, "version": reference.version}


def show_version(found: SubjectVersion, *, style: str = "", qualify: bool = False) -> Json:
    """A version of a subject."""
    shown = {
        "subject": str(found.subject),
        "version": found.version,
        "id": found.schema.id,
        **show_schema(found.schema, style=style, qualify=qualify),
        "ts": int(found.registered_at.timestamp() * 1000),
    }
    return shown | ({"deleted": True} if found.deleted else {})


def show_registered(found: SubjectVersion, sent: Submission, style: str = "") -> Json:
    """The answer to a registration: the id, and the schema only where it is not what was sent.

    A client keeps the schema of this answer under the id, so it is given as it was sent (Protobuf
    may come compiled); with a style, in that style.
    """
    schema = found.schema
    shown: Json = {"id": schema.id, "version": found.version, "guid": str(schema.guid)}
    same = (schema.metadata, schema.ruleset) == (sent.metadata, sent.ruleset) and sent.text
    if same and not style:
        return shown
    shown |= show_schema(schema, style=style)
    if sent.text and not style:
        shown["schema"] = sent.text
    return shown
