"""Pages that change the registry: each shows what would change before it asks for the name."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from registry.actions import Submission, find_version, register
from registry.actions.config import delete_config, set_config
from registry.actions.delete import delete_subject, delete_version
from registry.actions.mode import delete_mode, set_mode
from registry.actions.reading import has_versions, locate, read_version
from registry.actions.scopes import own_config
from registry.actions.writing import READ_ONLY, check_scope
from registry.errors import RegistryError, SubjectInvalidError, SubjectNotFoundError
from registry.naming import SubjectName, context_scope
from registry.panels.alteration import Alteration, read_alteration, title_of
from registry.panels.deletion import Deletion, foresee

REGISTERED_BY = "Insideout's pages"
_LONGEST_SAID = 120
_PREVIOUS = "was."
_WRONG_NAME = "What was typed is not the name: nothing was changed."


def _existing(subject: str) -> SubjectName:
    name = SubjectName.read(subject)
    if not name.is_valid or not name.name:
        raise SubjectNotFoundError(name)
    return locate(name)


def _version(text: str | None) -> int | None:
    if not text:
        return None
    try:
        return read_version(text)
    except RegistryError as error:
        raise Http404(str(error)) from error


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, subject: str) -> HttpResponse:
    """Soft or (with `permanent`) final deletion of a subject or of one `version` of it."""
    asked = request.POST if request.method == "POST" else request.GET
    permanent = bool(asked.get("permanent"))
    found = foresee(_existing(subject), _version(asked.get("version")), permanent=permanent)
    typed = request.POST.get("confirm", "")
    problem, status = "", 200
    if request.method == "POST":
        if typed != str(found.subject):
            problem, status = _WRONG_NAME, 422
        else:
            try:
                _delete(found)
            except RegistryError as error:
                problem, status = str(error), error.http_status
            else:
                return _after_deletion(request, found)
    context = {"deletion": found, "subject": str(found.subject), "typed": typed, "problem": problem}
    return render(request, "registry/delete.html", context, status=status)


def _delete(found: Deletion) -> None:
    if found.version is None:
        delete_subject(found.subject, permanent=found.permanent)
    else:
        delete_version(found.subject, str(found.version), permanent=found.permanent)


def _after_deletion(request: HttpRequest, found: Deletion) -> HttpResponse:
    name = str(found.subject)
    shown = name if len(name) <= _LONGEST_SAID else f"{name[:_LONGEST_SAID]}…"
    what = shown if found.version is None else f"Version {found.version} of {shown}"
    how = "was deleted for good" if found.permanent else "was soft-deleted"
    messages.success(request, f"{what} {how}.", extra_tags="good")
    if not has_versions(found.subject, deleted=True):
        return redirect("subjects")
    shows = found.version is not None and not found.permanent
    return redirect(
        reverse("subject", args=[name]) + (f"?version={found.version}" if shows else "")
    )


@require_POST
def restore(request: HttpRequest, subject: str) -> HttpResponse:
    """Register a soft-deleted version again: the same schema and id, as the next version."""
    name = _existing(subject)
    version = _version(request.POST.get("version"))
    old = find_version(name, version or -1, deleted=True)
    schema = old.schema
    submission = Submission(
        text=schema.text,
        format=schema.format,
        references=schema.references,
        metadata=schema.metadata,
        ruleset=schema.ruleset,
    )
    page = reverse("subject", args=[str(name)])
    try:
        new = register(name, submission, REGISTERED_BY)
    except RegistryError as error:
        said = str(error)[:1000]
        messages.error(request, f"Not registered again: {said}", extra_tags="bad")
        return redirect(f"{page}?version={old.version}")
    said = f"Version {old.version} was registered again, as version {new.version}"
    same = "with the same id" if new.schema.id == schema.id else "with a new id"
    messages.success(request, f"{said} {same}: {new.schema.id}.", extra_tags="good")
    return redirect(f"{page}?version={new.version}")


@require_http_methods(["GET", "HEAD", "POST"])
def change_settings(request: HttpRequest, scope: str) -> HttpResponse:
    """Config and mode of a subject or a context; GET previews what POST, with the name, does."""
    name = SubjectName.read(scope)
    try:
        check_scope(name)
    except SubjectInvalidError as error:
        raise Http404(str(error)) from error
    asked = request.POST if request.method == "POST" else request.GET
    found = read_alteration(name, asked.dict())
    title, typed = title_of(name), request.POST.get("confirm", "")
    problem, status = "", 200
    if request.method == "POST" and typed != title:
        problem, status = _WRONG_NAME, 422
    elif request.method == "POST" and found.changes:
        try:
            _apply(found)
        except RegistryError as error:
            problem, status = str(error), error.http_status
        else:
            was = {f"{_PREVIOUS}{key}": value for key, value in found.before.items()}
            return redirect(f"{request.path}?{urlencode(was)}")
    context = {
        "alteration": found,
        "settings": found.settings,
        "subject": str(name) if name.name else "",
        "scope": str(name) if name.name else context_scope(name.context),
        "title": title,
        "typed": typed,
        "problem": problem,
        "undo": _undo(request.GET.dict()),
        "known": not name.name or has_versions(name, deleted=True),
    }
    return render(request, "registry/change.html", context, status=status)


def _undo(query: dict[str, Any]) -> str:
    """The query that asks for what was before, as an applied change left it in the address."""
    was = {
        key.removeprefix(_PREVIOUS): value
        for key, value in query.items()
        if key.startswith(_PREVIOUS)
    }
    return urlencode(was)


def _apply(found: Alteration) -> None:
    """Set both or neither; a mode that locks comes last, one that unlocks first."""
    name, config, mode = found.name, found.config, found.mode
    locked = found.settings.mode.value in READ_ONLY
    with transaction.atomic():
        if mode is not None and locked:
            _set_mode(name, mode)
        if config:
            set_config(name, config)
            if not own_config(name):
                delete_config(name)
        if mode is not None and not locked:
            _set_mode(name, mode)


def _set_mode(name: SubjectName, mode: str) -> None:
    if mode:
        set_mode(name, mode)
    else:
        delete_mode(name)
