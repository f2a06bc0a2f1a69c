"""/dek-registry/v1/keks/{name}/deks: the DEKs of subjects under a KEK."""

from registry.actions.reading import read_version
from registry.api.boundary import Call
from registry.api.paging import page
from registry.keys.actions import deks
from registry.keys.api.shapes import (
    Json,
    context_of,
    dek_at,
    kek_at,
    read_dek,
    show_dek,
    subject_in,
)


def list_subjects(call: Call, name: str, context: str = "") -> list[str]:
    """GET /keks/{name}/deks."""
    where, deleted = context_of(call, context), call.flag("deleted")
    return page(call, deks.list_subjects(where, kek_at(name), deleted=deleted))


def create_dek(call: Call, name: str, subject: str = "", context: str = "") -> Json:
    """POST /keks/{name}/deks, and with the subject in the path too."""
    body = call.body()
    key = dek_at(call, name, subject_in(body, subject), context, body)
    return show_dek(name, deks.create_dek(key, read_dek(body), rewrap=call.flag("rewrap")))


def get_dek(call: Call, name: str, subject: str, version: str = "1", context: str = "") -> Json:
    """GET /keks/{name}/deks/{subject} (its first version), and …/versions/{version}."""
    key, wanted = dek_at(call, name, subject, context), read_version(version)
    return show_dek(name, deks.get_dek(key, wanted, deleted=call.flag("deleted")))


def list_versions(call: Call, name: str, subject: str, context: str = "") -> list[int]:
    """GET /keks/{name}/deks/{subject}/versions."""
    key = dek_at(call, name, subject, context)
    return page(call, deks.list_versions(key, deleted=call.flag("deleted")))


def delete_deks(call: Call, name: str, subject: str, version: str = "", context: str = "") -> None:
    """DELETE /keks/{name}/deks/{subject} (every version), and …/versions/{version}."""
    key = dek_at(call, name, subject, context)
    wanted = read_version(version) if version else None
    deks.delete_deks(key, wanted, permanent=call.flag("permanent"))


def undelete_deks(
    call: Call, name: str, subject: str, version: str = "", context: str = ""
) -> None:
    """POST /keks/{name}/deks/{subject}/undelete, and …/versions/{version}/undelete."""
    wanted = read_version(version) if version else None
    deks.undelete_deks(dek_at(call, name, subject, context), wanted)
