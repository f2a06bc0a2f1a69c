"""The page on which a copy is declared, changed and forgotten."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from lineage.connectors import actions
from lineage.connectors.actions import Fault
from lineage.connectors.checking import Check, check_declared
from lineage.connectors.definition import check, redact
from lineage.connectors.errors import DefinitionInvalidError, RunInProgressError
from lineage.connectors.models import Connector

_LONGEST = 65_536
_EXAMPLE = """\
name: orders_copy
topics: [orders]
target: ${COPIES_POSTGRES_URL}
table: orders_copy
mode: table
"""
KEYS = (
    ("name", "letters, digits, '.', '_', '-'"),
    ("topics", "one, or with mode: events several"),
    ("target", "the database's URL; ${NAME} is read from the environment of the worker"),
    ("table", "letters, digits, '_'"),
    ("mode", "table (a row is a key's last value), events (a record), history (a key's version)"),
    ("key", "names of the key's columns; record_key where there is none"),
    ("key_format", "text, or schema: the record's key has a schema of its own"),
    ("columns", "which there are and what stands in them: from, drop, json, mask, expression"),
    ("flatten", "how deep nested records become columns of their own, 0 to 8"),
    ("start", "beginning, or a time in ISO 8601"),
    ("schedule", "regenerate and audit, each a cron in UTC or an interval such as 1h"),
    ("context", "the bounded context that owns the copy"),
    ("service", "the service that it is for"),
    ("cluster", "the cluster of the topics"),
    ("engine", "own, or connect: Kafka Connect keeps it"),
)
"""What can be declared, each in a line; docs/connectors.md has all of it."""


@dataclass(frozen=True)
class _Shown:
    """A fault as the form shows it: in which line of what was typed, if the key is there."""

    key: str
    message: str
    line: int | None


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
    page: dict[str, Any] = {"connector": connector, "text": _text_of(connector), "keys": KEYS}
    if request.method != "POST":
        return render(request, "connectors/edit_copy.html", page)
    page["text"] = request.POST.get("text", "")
    declared, faults = _read(page["text"])
    checked = Check((), (), ())
    if not faults:
        faults, checked = _faults({"name": name, **declared} if name else declared)
    if not faults and name is None and Connector.objects.filter(name=declared["name"]).exists():
        faults = [Fault("name", f"there is a copy named {declared['name']} already")]
    if not faults and request.POST.get("act") == "save":
        return _save(request, name or str(declared["name"]), declared, page)
    page |= {
        "faults": _shown(faults, page["text"]),
        "checked": True,
        "warnings": [] if faults else [*actions.warnings_of(declared), *checked.notes],
        "columns": [] if faults else checked.columns,
        "another": not faults and connector and _another(connector, declared),
    }
    return render(request, "connectors/edit_copy.html", page, status=422 if faults else 200)


def _faults(declared: Mapping[str, Any]) -> tuple[list[Fault], Check]:
    """Return what is wrong with a definition by itself, else by schemas and other copies."""
    faults = actions.faults_of(declared)
    if faults:
        return faults, Check((), (), ())
    checked = check_declared(declared)
    return [Fault(".".join(one.path), one.message) for one in checked.faults], checked


def _shown(faults: list[Fault], text: str) -> list[_Shown]:
    """Say each fault once: its message names copy and key again, for where neither is shown."""
    lines = _lines(text)
    return [
        _Shown(
            one.key,
            re.sub(r"^connector .*?: ", "", one.message, count=1).removeprefix(f"{one.key}: "),
            lines.get(one.key),
        )
        for one in faults
    ]


def _lines(text: str) -> dict[str, int]:
    """Tell in which line each key of a YAML mapping stands, by its dotted path."""
    try:
        root = yaml.compose(text, _WithoutAliases)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    found: dict[str, int] = {}
    pending = [("", root)]
    while pending:
        path, node = pending.pop()
        if not isinstance(node, yaml.MappingNode):
            continue
        for key, value in node.value:
            place = f"{path}{key.value}"
            found.setdefault(place, key.start_mark.line + 1)
            pending.append((f"{place}.", value))
    return found


def _save(
    request: HttpRequest, name: str, declared: Mapping[str, Any], page: dict[str, Any]
) -> HttpResponse:
    try:
        change = actions.declare_from_outside(name, declared)
    except DefinitionInvalidError as error:
        faults = [Fault(".".join(one.path), str(one)) for one in error.faults]
        page["faults"] = _shown(faults, page["text"])
        return render(request, "connectors/edit_copy.html", page, status=422)
    messages.success(request, f"{name} is {change.action}")
    for warning in actions.warnings_of(declared):
        messages.warning(request, warning)
    return redirect("copy", name)


def _read(text: str) -> tuple[dict[str, Any], list[Fault]]:
    """Read YAML, of which JSON is a part; a fault says in which line it cannot be read."""
    if len(text) > _LONGEST:
        return {}, [Fault("", f"longer than {_LONGEST:,} characters")]
    try:
        read = yaml.load(text, _WithoutAliases)  # noqa: S506  (a SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return {}, [Fault("", f"cannot be read: {_said(error)}")]
    if not isinstance(read, dict) or not all(isinstance(key, str) for key in read):
        return {}, [Fault("", "is no mapping of keys to values, such as `table: orders`")]
    return read, []


def _said(error: Exception) -> str:
    """Say what a parser complains of in one line; its own text draws the place with spaces."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return str(error)
    place = f"line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1}"
    begun = error.context_mark
    context = f" {error.context}" if error.context else ""
    since = f" that begins in line {begun.line + 1}" if context and begun else ""
    return f"{place}: {error.problem}{context}{since}"


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
