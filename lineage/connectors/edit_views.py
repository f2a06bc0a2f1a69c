"""The page on which a copy is declared, changed and forgotten."""

from collections.abc import Mapping
from typing import Any

import yaml
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from lineage.connectors import actions
from lineage.connectors.actions import Fault
from lineage.connectors.definition import redact
from lineage.connectors.errors import DefinitionInvalidError, RunInProgressError
from lineage.connectors.models import Connector

_LONGEST = 65_536
_EXAMPLE = """\
name: orders_copy
topics: [orders]
target: ${COPIES_POSTGRES_URL}
table: orders
mode: table
"""


class _WithoutAliases(yaml.SafeLoader):
    """YAML whose size is that of its text: an alias of an alias could make gigabytes of it."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias (*name): write the value out")
        return super().compose_node(parent, index)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_copy(request: HttpRequest, name: str | None = None) -> HttpResponse:
    """Show the definition; check what was typed, or declare it. What was typed is kept."""
    connector = actions.find_connector(name) if name else None
    page: dict[str, Any] = {"connector": connector, "text": _text_of(connector)}
    if request.method != "POST":
        return render(request, "connectors/edit_copy.html", page)
    page["text"] = request.POST.get("text", "")
    declared, faults = _read(page["text"])
    if not faults:
        faults = actions.faults_of({"name": name, **declared} if name else declared)
    if not faults and name is None and Connector.objects.filter(name=declared["name"]).exists():
        faults = [Fault("name", f"there is a copy named {declared['name']} already")]
    if not faults and request.POST.get("act") == "save":
        return _save(request, name or str(declared["name"]), declared, page)
    page |= {
        "faults": faults,
        "checked": True,
        "warnings": [] if faults else actions.warnings_of(declared),
        "another": not faults and connector and _another(connector, declared),
    }
    return render(request, "connectors/edit_copy.html", page, status=422 if faults else 200)


def _save(
    request: HttpRequest, name: str, declared: Mapping[str, Any], page: dict[str, Any]
) -> HttpResponse:
    try:
        change = actions.declare_from_outside(name, declared)
    except DefinitionInvalidError as error:
        page["faults"] = [Fault(error.path[0] if error.path else "", str(error))]
        return render(request, "connectors/edit_copy.html", page, status=422)
    messages.success(request, f"{name} is {change.action}")
    return redirect("copy", name)


def _read(text: str) -> tuple[dict[str, Any], list[Fault]]:
    """Read YAML, of which JSON is a part; a fault says in which line it cannot be read."""
    if len(text) > _LONGEST:
        return {}, [Fault("", f"longer than {_LONGEST:,} characters")]
    try:
        read = yaml.load(text, _WithoutAliases)  # noqa: S506  (a SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return {}, [Fault("", f"cannot be read: {error}")]
    if not isinstance(read, dict) or not all(isinstance(key, str) for key in read):
        return {}, [Fault("", "is no mapping of keys to values, such as `table: orders`")]
    return read, []


def _text_of(connector: Connector | None) -> str:
    """Return the definition as YAML; a password that a catalog file brought is not shown."""
    if connector is None:
        return _EXAMPLE
    shown = {
        key: redact(value) if isinstance(value, str) else value
        for key, value in connector.definition.items()
    }
    text: str = yaml.safe_dump(shown, sort_keys=False, allow_unicode=True)
    return text


def _another(connector: Connector, declared: Mapping[str, Any]) -> bool:
    shape = ("topics", "target", "table", "mode", "key", "key_format", "cluster")
    return any(connector.definition.get(key) != declared.get(key) for key in shape)


@require_POST
def forget_copy(request: HttpRequest, name: str) -> HttpResponse:
    """Forget a copy whose name was typed; its tables stay."""
    if request.POST.get("confirm") != name:
        messages.warning(request, f"Type {name} to forget it.")
        return redirect("edit-copy", name)
    try:
        actions.forget(name)
    except RunInProgressError as refused:
        messages.warning(request, str(refused))
        return redirect("edit-copy", name)
    messages.success(request, f"{name} is forgotten; its tables stay in the target")
    return redirect("copies")
