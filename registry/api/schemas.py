"""/schemas: by id, by GUID, lists, types."""

from registry.actions import reading
from registry.actions.reading import Identity
from registry.actions.search import Search, aliases, search
from registry.api import lasting
from registry.api.boundary import Call, Lasting, read_number
from registry.api.paging import bounds, page
from registry.api.paths import context_at, prefix_at, subject_at
from registry.api.shapes import Json, show_schema, show_version
from registry.api.tags import show_tags
from registry.models import Schema
from registry.naming import SubjectName


def _row(call: Call, schema_id: str, context: str) -> Schema:
    """The schema of an id; `subject` names the context, or is looked for in every context."""
    return reading.find_schema_row_for(read_number(schema_id), _home(call, context))


def _home(call: Call, context: str) -> SubjectName:
    asked = call.text("subject")
    return subject_at(asked, context) if asked else SubjectName(context_at(context), "")


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


def get_schema(call: Call, schema_id: str, context: str = "") -> Json | Lasting:
    """GET /schemas/ids/{id}."""
    if call.flag("fetchMaxId") or call.flag("findTags"):
        return _get_schema_and_more(call, schema_id, context)
    qualify = call.text("referenceFormat").lower() == "qualified"

    def build() -> bytes:
        found = reading.identify(read_number(schema_id), _home(call, context))
        shown = lasting.render(found, call.text("format"), qualify=qualify)
        return lasting.join(shown, _show_usage(found))

    return lasting.answer(lasting.asked(call), build)


def _get_schema_and_more(call: Call, schema_id: str, context: str) -> Json:
    row = _row(call, schema_id, context)
    qualify = call.text("referenceFormat").lower() == "qualified"
    schema = reading.schema_text(row, resolve=False)
    shown = show_schema(schema, style=call.text("format"), qualify=qualify)
    shown |= show_tags(schema, call.flag("findTags"))
    shown |= _show_usage(reading.identify(row.number, _home(call, context)))
    if call.flag("fetchMaxId"):
        shown["maxId"] = max(row.context.next_id - 1, row.number)
    return shown


def _show_usage(found: Identity) -> Json:
    if found.version is None or found.registered_at is None:
        return {}
    return {
        "subject": str(SubjectName(found.context, found.subject)),
        "version": found.version,
        "ts": int(found.registered_at.timestamp() * 1000),
    }


def get_schema_text(call: Call, schema_id: str, context: str = "") -> Lasting:
    """GET /schemas/ids/{id}/schema."""

    def build() -> bytes:
        found = reading.identify(read_number(schema_id), _home(call, context))
        return lasting.render_text(found, call.text("format"))

    return lasting.answer(lasting.asked(call), build)


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


def get_guid(call: Call, guid: str, context: str = "") -> Lasting:  # noqa: ARG001
    """GET /schemas/guids/{guid}."""

    def build() -> bytes:
        return lasting.join(lasting.render(reading.identify_guid(guid), call.text("format")), {})

    return lasting.answer(lasting.asked(call), build)


def list_guid_ids(call: Call, guid: str, context: str = "") -> list[Json]:  # noqa: ARG001
    """GET /schemas/guids/{guid}/ids."""
    rows = reading.find_guid(guid)
    return page(call, [{"context": row.context.name, "id": row.number} for row in rows])
