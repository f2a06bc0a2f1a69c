"""/subjects: lists, registration, lookup, versions, deletion."""

from typing import Any

from registry import actions
from registry.actions import delete, reading
from registry.api.boundary import Call, Text
from registry.api.paging import page
from registry.api.paths import found_at, prefix_at, subject_at
from registry.api.shapes import Json, read_submission, show_registered, show_version
from registry.api.tags import show_tags, with_tags


def list_subjects(call: Call, context: str = "") -> list[str]:
    """GET /subjects."""
    prefix = prefix_at(call.text("subjectPrefix", ":*:"), context)
    found = reading.list_subjects(
        prefix, deleted=call.flag("deleted"), only_deleted=only_deleted(call)
    )
    return page(call, found)


def only_deleted(call: Call) -> bool:
    """`deletedOnly`; the Python client spells it `deleted_only`."""
    return call.flag("deletedOnly") or call.flag("deleted_only")


def look_up(call: Call, subject: str, context: str = "") -> Json:
    """POST /subjects/{s}."""
    name = subject_at(subject, context)
    submission = read_submission(call.body(), name.context, normalize=call.flag("normalize"))
    found = actions.look_up(name, submission, deleted=call.flag("deleted"))
    return show_version(found, style=call.text("format"))


def look_up_version(call: Call, subject: str, version: str, context: str = "") -> Json:
    """POST /subjects/{s}/versions/{v}."""
    name = subject_at(subject, context)
    deleted = call.flag("deleted")
    wanted = reading.find_row(name, version, deleted=deleted).version
    submission = read_submission(call.body(), name.context, normalize=call.flag("normalize"))
    found = actions.look_up(name, submission, deleted=deleted, version=wanted)
    return show_version(found, style=call.text("format"))


def register(call: Call, subject: str, context: str = "") -> Json:
    """POST /subjects/{s}/versions."""
    name = subject_at(subject, context)
    body = call.body()
    sent = read_submission(
        body, name.context, normalize=call.flag("normalize"), force=call.flag("force")
    )
    submission = with_tags(sent, body, name)
    made = actions.register(name, submission, call.who)
    return show_registered(made, submission, call.text("format"))


def list_versions(call: Call, subject: str, context: str = "") -> list[int]:
    """GET /subjects/{s}/versions."""
    negative = call.flag("deletedAsNegative")
    found = reading.list_versions(
        found_at(subject, context),
        deleted=call.flag("deleted") or negative,
        only_deleted=only_deleted(call),
    )
    numbers = [-each.version if negative and each.deleted else each.version for each in found]
    return page(call, numbers)


def get_version(call: Call, subject: str, version: str, context: str = "") -> Json:
    """GET /subjects/{s}/versions/{v}."""
    name = found_at(subject, context)
    found = reading.find_version(name, version, deleted=call.flag("deleted"), resolve=False)
    qualify = call.text("referenceFormat").lower() == "qualified"
    shown = show_version(found, style=call.text("format"), qualify=qualify)
    return shown | show_tags(found.schema, call.flag("findTags"))


def get_version_schema(call: Call, subject: str, version: str, context: str = "") -> Text:
    """GET /subjects/{s}/versions/{v}/schema."""
    name = found_at(subject, context)
    found = reading.find_version(name, version, deleted=call.flag("deleted"), resolve=False)
    return Text(reading.in_style(found.schema, call.text("format")).text)


def delete_subject(call: Call, subject: str, context: str = "") -> list[int]:
    """DELETE /subjects/{s}."""
    return delete.delete_subject(found_at(subject, context), permanent=call.flag("permanent"))


def delete_version(call: Call, subject: str, version: str, context: str = "") -> int:
    """DELETE /subjects/{s}/versions/{v}."""
    reading.read_version(version)
    name = found_at(subject, context)
    return delete.delete_version(name, version, permanent=call.flag("permanent"))


def list_referrers(call: Call, subject: str, version: str, context: str = "") -> list[int]:
    """GET /subjects/{s}/versions/{v}/referencedby."""
    row = reading.find_row(found_at(subject, context), version, deleted=True)
    found = reading.subject_version(row)
    ids = reading.list_referrers(found.subject, found.version, deleted=call.flag("deleted"))
    return page(call, ids)


def search_metadata(call: Call, subject: str, context: str = "") -> Any:
    """GET /subjects/{s}/metadata: the newest version whose metadata has all the pairs."""
    keys, values = call.texts("key"), call.texts("value")
    wanted = dict(zip(keys, values, strict=False))
    name = found_at(subject, context)
    found = reading.find_with_metadata(name, wanted, deleted=call.flag("deleted"))
    return show_version(found, style=call.text("format"))
