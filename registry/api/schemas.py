"""/schemas: by id, by GUID, lists, types."""

from registry.actions import reading
from registry.actions.search import Search, aliases, search
from registry.api.boundary import Call, Text, read_number
from registry.api.paging import bounds, page
from registry.api.paths import context_at, prefix_at, subject_at
from registry.api.shapes import Json, show_schema, show_version
from registry.api.tags import show_tags
from registry.models import Schema
from registry.naming import SubjectName


def _row(call: Call, schema_id: str, context: str) -> Schema:
    """The schema of an id; `subject` names the context, or is looked for in every context."""
    number = read_number(schema_id)
    asked = call.text("subject")
    name = subject_at(asked, context) if asked else SubjectName(context_at(context), "")
    return reading.find_schema_row_for(number, name)


def list_schemas(call: Call, context: str = "") -> list[Json]:
    """GET /schemas."""
    wanted = Search(
        prefix=prefix_at(call.text("subjectPrefix", ":*:"), context),
        deleted=call.flag("deleted"),
        latest_only=call.flag("latestOnly"),
        aliases=call.flag("aliases"),
        rule_type=call.text("ruleType"),
        resource_type=call.text("resourceType"),
        association_types=tuple(call.texts("associationType")),
        lifecycle=call.text("lifecycle"),
    )
    offset, limit = bounds(call)
    known: dict[str, list[str]] = {}
    for alias, target in (aliases() if wanted.aliases else {}).items():
        known.setdefault(target, []).append(alias)
    found = []
    for row in search(wanted, offset, limit):
        shown = show_version(reading.subject_version(row))
        if shown["subject"] in known:
            shown["aliases"] = sorted(known[shown["subject"]])
        found.append(shown)
    return found


def get_schema(call: Call, schema_id: str, context: str = "") -> Json:
    """GET /schemas/ids/{id}."""
    row = _row(call, schema_id, context)
    qualify = call.text("referenceFormat").lower() == "qualified"
    schema = reading.schema_text(row, resolve=False)
    shown = show_schema(schema, style=call.text("format"), qualify=qualify)
    shown |= show_tags(schema, call.flag("findTags"))
    usage = reading.usage_of(row, call.text("subject"))
    if usage is not None:
        shown["subject"] = str(SubjectName(row.context.name, usage.subject.name))
        shown["version"] = usage.version
        shown["ts"] = int(usage.registered_at.timestamp() * 1000)
    if call.flag("fetchMaxId"):
        shown["maxId"] = max(row.context.next_id - 1, row.number)
    return shown


def get_schema_text(call: Call, schema_id: str, context: str = "") -> Text:
    """GET /schemas/ids/{id}/schema."""
    found = reading.schema_text(_row(call, schema_id, context), resolve=False)
    return Text(reading.in_style(found, call.text("format")).text)


def list_subjects(call: Call, schema_id: str, context: str = "") -> list[str]:
    """GET /schemas/ids/{id}/subjects."""
    found = reading.list_usages(_row(call, schema_id, context), deleted=call.flag("deleted"))
    names = {str(SubjectName(each.subject.context.name, each.subject.name)) for each in found}
    return page(call, sorted(names))


def list_versions(call: Call, schema_id: str, context: str = "") -> list[Json]:
    """GET /schemas/ids/{id}/versions."""
    found = reading.list_usages(_row(call, schema_id, context), deleted=call.flag("deleted"))
    return page(
        call,
        [
            {
                "subject": str(SubjectName(each.subject.context.name, each.subject.name)),
                "version": each.version,
            }
            for each in found
        ],
    )


def list_types(_call: Call, context: str = "") -> list[str]:  # noqa: ARG001
    """GET /schemas/types."""
    return ["JSON", "PROTOBUF", "AVRO"]


def get_guid(call: Call, guid: str, context: str = "") -> Json:  # noqa: ARG001
    """GET /schemas/guids/{guid}."""
    found = reading.schema_text(reading.find_guid(guid)[0], resolve=False)
    return show_schema(found, style=call.text("format"))


def list_guid_ids(call: Call, guid: str, context: str = "") -> list[Json]:  # noqa: ARG001
    """GET /schemas/guids/{guid}/ids."""
    rows = reading.find_guid(guid)
    return page(call, [{"context": row.context.name, "id": row.number} for row in rows])
