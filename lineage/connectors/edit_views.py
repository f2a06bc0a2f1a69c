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
from lineage.connectors.checking import schema_faults
from lineage.connectors.definition import check, redact
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
        faults = _faults({"name": name, **declared} if name else declared)
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


def _faults(declared: Mapping[str, Any]) -> list[Fault]:
    """Return what is wrong with a definition by itself, else by the schemas of its topics."""
    faults = actions.faults_of(declared)
    if faults:
        return faults
    return [
        Fault(".".join(one.path), f"{'.'.join(one.path)}: {one.message}")
        for one in schema_faults(check(declared))
    ]


def _save(
    request: HttpRequest, name: str, declared: Mapping[str, Any], page: dict[str, Any]
) -> HttpResponse:
    try:
        change = actions.declare_from_outside(name, declared)
    except DefinitionInvalidError as error:
        page["faults"] = [Fault(".".join(one.path), str(one)) for one in error.faults]
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
    after = check({"name": connector.name, **declared})
    return actions.makes_another_copy(actions.definition_of(connector), after)


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
