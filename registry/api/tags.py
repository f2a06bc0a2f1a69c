"""/subjects/{s}/versions/{v}/tags, and tags in other bodies."""

from collections.abc import Mapping
from typing import Any

from registry.actions.reading import in_style, read_version
from registry.actions.submission import Submission
from registry.actions.tags import Change, apply_tags, change, of_version
from registry.api.boundary import Call
from registry.api.paths import subject_at
from registry.api.shapes import Json, read_whole, show_version
from registry.data_contract import read_metadata, read_ruleset
from registry.entities import SchemaText
from registry.errors import ProtocolError
from registry.formats.tags import Tags, find_tags
from registry.naming import SubjectName


def modify(call: Call, subject: str, version: str, context: str = "") -> Json:
    """POST /subjects/{s}/versions/{v}/tags."""
    read_version(version)
    body = call.body()
    wanted = Change(
        add=_tags(body, "tagsToAdd"),
        remove=_tags(body, "tagsToRemove"),
        metadata=read_metadata(body.get("metadata")),
        ruleset=read_ruleset(body.get("ruleSet")),
        rules_to_merge=read_ruleset(body.get("rulesToMerge")),
        rules_to_remove=_names(body, "rulesToRemove"),
        version=read_whole(body, "newVersion"),
    )
    shown = show_version(change(subject_at(subject, context), version, wanted, call.who))
    del shown["subject"]
    return shown


def with_tags(submission: Submission, body: Mapping[str, Any], name: SubjectName) -> Submission:
    """A registration's submission after its `schemaTagsToAdd` and `schemaTagsToRemove`."""
    add, remove = _tags(body, "schemaTagsToAdd"), _tags(body, "schemaTagsToRemove")
    if not add and not remove:
        return submission
    if not submission.text.strip():
        submission = of_version(name, "latest")
    return apply_tags(submission, add, remove)


def show_tags(schema: SchemaText, wanted: bool) -> Json:
    """`schemaTags`, when `findTags` asks for them and there are any; also those of references."""
    found = find_tags(schema.format, in_style(schema, "resolved").text) if wanted else []
    if not found:
        return {}
    return {
        "schemaTags": [
            {
                "schemaEntity": {"entityPath": each.path, "entityType": each.kind},
                "tags": each.tags,
            }
            for each in found
        ]
    }


def _wrong(key: str) -> ProtocolError:
    return ProtocolError(400, f"Unreadable JSON: {key} has the wrong shape")


def _names(body: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = body.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _wrong(key)
    return tuple(value)


def _tags(body: Mapping[str, Any], key: str) -> Tags:
    """`[{schemaEntity: {entityPath, entityType}, tags: [..]}]` by entity."""
    value = body.get(key)
    if value is None:
        return {}
    if not isinstance(value, list):
        raise _wrong(key)
    found: dict[tuple[str, str], list[str]] = {}
    for item in value:
        entity = item.get("schemaEntity") if isinstance(item, dict) else None
        if not isinstance(entity, dict):
            raise _wrong(key)
        path, kind = entity.get("entityPath"), entity.get("entityType") or "SR_FIELD"
        if not isinstance(path, str) or not isinstance(kind, str):
            raise _wrong(key)
        tags = found.setdefault((path.removeprefix("."), kind.upper()), [])
        tags += _names(item, "tags")
    return found
