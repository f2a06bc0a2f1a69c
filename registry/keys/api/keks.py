"""/dek-registry/v1/keks: the KEKs."""

from registry.api.boundary import Call
from registry.api.paging import page
from registry.api.paths import prefix_at
from registry.keys.actions import keks
from registry.keys.api.shapes import (
    Json,
    context_of,
    kek_at,
    read_kek,
    read_kek_change,
    show_kek,
)
from registry.naming import ANY_CONTEXT, SubjectName


def list_keks(call: Call, context: str = "") -> list[str]:
    """GET /keks."""
    prefixes = [_plain(prefix_at(prefix, context)) for prefix in call.texts("subjectPrefix")]
    found = keks.list_keks(context_of(call, context), prefixes, deleted=call.flag("deleted"))
    return page(call, found)


def _plain(prefix: str) -> str:
    """A prefix of stored names: those of the default context are plain, `:*:` is any."""
    name = SubjectName.read(prefix)
    return "" if name.context == ANY_CONTEXT else str(name)


def create_kek(call: Call, context: str = "") -> Json:
    """POST /keks."""
    new = read_kek(call.body())
    row = keks.create_kek(context_of(call, context), new, test=call.flag("testSharing"))
    return show_kek(row)


def get_kek(call: Call, name: str, context: str = "") -> Json:
    """GET /keks/{name}."""
    row = keks.get_kek(context_of(call, context), kek_at(name), deleted=call.flag("deleted"))
    return show_kek(row)


def update_kek(call: Call, name: str, context: str = "") -> Json:
    """PUT /keks/{name}."""
    change = read_kek_change(call.body())
    where, test = context_of(call, context), call.flag("testSharing")
    return show_kek(keks.update_kek(where, kek_at(name), change, test=test))


def delete_kek(call: Call, name: str, context: str = "") -> None:
    """DELETE /keks/{name}."""
    keks.delete_kek(context_of(call, context), kek_at(name), permanent=call.flag("permanent"))


def undelete_kek(call: Call, name: str, context: str = "") -> None:
    """POST /keks/{name}/undelete."""
    keks.undelete_kek(context_of(call, context), kek_at(name))


def try_kek(call: Call, name: str, context: str = "") -> Json:
    """POST /keks/{name}/test."""
    return show_kek(keks.try_kek(context_of(call, context), kek_at(name)))
