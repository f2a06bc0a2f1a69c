"""/associations: which subjects hold the schemas of a resource (a topic, say)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from registry.actions import associations
from registry.actions.associations import Binding, Filter, Resource
from registry.actions.reading import find_version
from registry.api.boundary import Call
from registry.api.paging import page
from registry.api.paths import context_at, scope_at
from registry.api.shapes import Json, read_submission, read_text, show_schema
from registry.errors import ProtocolError, RegistryError
from registry.models import Association
from registry.naming import SubjectName

_ASSOCIATIONS = UUID("6f1f6a4e-6d5b-5d0a-9d0e-3f3f0a4f5c11")


def _filter(call: Call) -> Filter:
    return Filter(
        resource_type=call.text("resourceType"),
        types=tuple(call.texts("associationType")),
        lifecycle=call.text("lifecycle"),
    )


def _show(row: Association) -> Json:
    return {
        "subject": row.subject,
        "guid": str(_guid(row)),
        "resourceName": row.resource_name,
        "resourceNamespace": row.resource_namespace,
        "resourceId": row.resource_id,
        "resourceType": row.resource_type,
        "associationType": row.association_type,
        "lifecycle": row.lifecycle,
        "frozen": row.frozen,
    }


def _guid(row: Association) -> UUID:
    """A name for the association itself, the same on every server (RFC 9562, version 5)."""
    key = (row.resource_type, row.resource_id, row.association_type)
    return uuid5(_ASSOCIATIONS, "\0".join(key))


def list_by_name(call: Call, namespace: str, name: str, context: str = "") -> list[Json]:  # noqa: ARG001
    """GET /associations/resources/{ns}/{name}; clients take 404 for "use the topic's name"."""
    return page(call, [_show(row) for row in associations.by_name(namespace, name, _filter(call))])


def list_by_id(call: Call, resource_id: str, context: str = "") -> list[Json]:  # noqa: ARG001
    """GET /associations/resources/{id}."""
    return page(call, [_show(row) for row in associations.by_id(resource_id, _filter(call))])


def list_by_subject(call: Call, subject: str, context: str = "") -> list[Json]:
    """GET /associations/subjects/{s}."""
    found = associations.by_subject(scope_at(subject, context), _filter(call))
    return page(call, [_show(row) for row in found])


def create(call: Call, context: str = "") -> Json:
    """POST /associations."""
    return _associate(call, call.body(), context, update=False)


def create_or_update(call: Call, context: str = "") -> Json:
    """PUT /associations."""
    return _associate(call, call.body(), context, update=True)


def update(call: Call, resource_id: str, context: str = "") -> Json:
    """PUT /associations/resources/{id}."""
    return _associate(call, {**call.body(), "resourceId": resource_id}, context, update=True)


def delete(call: Call, resource_id: str, context: str = "") -> None:  # noqa: ARG001
    """DELETE /associations/resources/{id}."""
    associations.dissociate(resource_id, _filter(call), cascade=call.flag("cascadeLifecycle"))


def _associate(call: Call, body: Mapping[str, Any], context: str, *, update: bool) -> Json:
    home = context_at(context or call.text("context"))
    resource = Resource(
        id=read_text(body, "resourceId"),
        name=read_text(body, "resourceName"),
        namespace=read_text(body, "resourceNamespace"),
        type=read_text(body, "resourceType") or "topic",
    )
    bindings = [_binding(item, resource, home) for item in _items(body, "associations")]
    rows = associations.associate(
        resource, bindings, update=update, dry_run=call.flag("dryRun"), who=call.who
    )
    return {
        "resourceName": resource.name,
        "resourceNamespace": resource.namespace,
        "resourceId": resource.id,
        "resourceType": resource.type,
        "associations": [_show_binding(call, row) for row in rows],
    }


def _show_binding(call: Call, row: Association) -> Json:
    shown: Json = {
        "subject": row.subject,
        "associationType": row.association_type,
        "lifecycle": row.lifecycle,
        "frozen": row.frozen,
    }
    if call.flag("includeSchemas"):
        shown["schema"] = show_schema(find_version(row.subject).schema)
    return shown


def _items(body: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    items = body.get(key)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ProtocolError(400, f"Unreadable JSON: {key} must be a list of objects")
    return items


def _binding(item: Mapping[str, Any], resource: Resource, context: str) -> Binding:
    kind = read_text(item, "associationType") or "value"
    subject = read_text(item, "subject") or f"{resource.name}-{kind}"
    schema = item.get("schema")
    submission = None
    if isinstance(schema, dict):
        submission = read_submission(schema, context, normalize=bool(item.get("normalize")))
    return Binding(
        subject=SubjectName.read(subject, context),
        type=kind,
        lifecycle=read_text(item, "lifecycle").upper(),
        frozen=item.get("frozen") is True,
        submission=submission,
    )


def create_batch(call: Call, context: str = "") -> Json:
    """POST /associations:batch."""
    return _batch(call, context, update=False)


def mutate_batch(call: Call, context: str = "") -> Json:
    """POST /associations:batchMutate."""
    return _batch(call, context, update=True)


def _batch(call: Call, context: str, *, update: bool) -> Json:
    """Each request of the batch by itself, with its own result or error."""
    results: list[Json] = []
    for item in _items(call.body(), "requests"):
        try:
            results.append({"result": _associate(call, item, context, update=update)})
        except RegistryError as error:
            body = {"error_code": error.error_code, "message": str(error)}
            results.append({"error": body})
    return {"results": results}


def get_batch(call: Call, context: str = "") -> Json:  # noqa: ARG001
    """POST /associations:batchGet."""
    results: list[Json] = []
    for item in _items(call.body(), "requests"):
        resource_id, name = read_text(item, "resourceId"), read_text(item, "resourceName")
        namespace = read_text(item, "resourceNamespace") or "-"
        try:
            rows = (
                associations.by_id(resource_id, _filter(call))
                if resource_id
                else associations.by_name(namespace, name, _filter(call))
            )
            results.append({"result": [_show(row) for row in rows]})
        except RegistryError as error:
            body = {"error_code": error.error_code, "message": str(error)}
            results.append({"error": body})
    return {"results": results}
