"""Pages of the registry: subjects, the schemas they evolve through, and trying a schema."""

from collections.abc import Container, Sequence

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from pages.listing import Column, Facet, Listing
from registry import formats
from registry.actions.context import list_contexts
from registry.actions.reading import find_version, locate
from registry.entities import SubjectVersion
from registry.errors import SubjectNotFoundError
from registry.naming import ANY_CONTEXT, GLOBAL_CONTEXT, SubjectName, context_scope
from registry.panels import changes, fields, history, inheritance, subjects, trial
from registry.panels.changes import Comparison
from registry.panels.contract import bindings_of, contract_of
from registry.panels.elsewhere import list_elsewhere
from registry.panels.history import Earlier, VersionRow
from registry.panels.inheritance import Settings
from registry.panels.subjects import SubjectRow

VERSIONS_A_PAGE = 25
MOST_TO_CHOOSE = 100
SUBJECTS_SUGGESTED = 200


@require_safe
@vary_on_headers("HX-Request")
def show_subjects(request: HttpRequest) -> HttpResponse:
    """All subjects: search, facets and sorting are in the URL; `id:12` or a GUID finds a schema."""
    rows = subjects.list_rows()
    words = request.GET.get("q", "").strip()
    identity = subjects.find_identity(words)
    listing = _list(request, rows, {each.subject for each in identity.carriers} if identity else ())
    found: dict[str, object] = {"listing": listing, "identity": identity}
    if "HX-Request" in request.headers:
        return render(request, "registry/subject_list.html", found)
    contexts, in_all = subjects.list_context_rows(rows)
    found |= {"contexts": contexts, "contexts_in_all": in_all}
    return render(request, "registry/subjects.html", found)


@require_safe
@vary_on_headers("HX-Request")
def show_context(request: HttpRequest, scope: str) -> HttpResponse:
    """One schema context (`:.staging:`), or all of them (`:.__GLOBAL:`): settings and subjects."""
    name = SubjectName.read(scope)
    whole = name.context == GLOBAL_CONTEXT
    if name.name or not name.is_valid or name.context == ANY_CONTEXT:
        raise Http404(f"{scope} is no schema context")
    rows = [row for row in subjects.list_rows() if whole or row.context == name.context]
    if not rows and not whole and name.context not in list_contexts():
        raise Http404(f"there is no schema context {name.context}")
    listing = _list(request, rows)
    if "HX-Request" in request.headers:
        return render(request, "registry/subject_list.html", {"listing": listing})
    live = [row for row in rows if row.state == "live"]
    found = {
        "listing": listing,
        "scope": context_scope(name.context),
        "name": name.context,
        "whole": whole,
        "live": len(live),
        "newest": max(live, key=lambda row: row.registered_at, default=None),
        "settings": inheritance.settings_of(name),
        "own": [row for row in live if row.sets],
    }
    return render(request, "registry/context.html", found)


def _list(
    request: HttpRequest, rows: Sequence[SubjectRow], carriers: Container[str] = ()
) -> Listing[SubjectRow]:
    """The rows that the query asks for; `carriers` match whatever is searched."""
    words = request.GET.get("q", "").strip()
    contexts = {row.context for row in rows}
    facets = [
        Facet[SubjectRow]("state", "State", lambda row: row.state, default="live"),
        Facet[SubjectRow]("format", "Format", lambda row: row.format),
        Facet[SubjectRow]("level", "Compatibility", lambda row: row.level),
        Facet[SubjectRow]("mode", "Mode", lambda row: row.mode),
    ]
    if 1 < len(contexts) <= MOST_TO_CHOOSE or request.GET.get("context"):
        facets.append(Facet("context", "Schema context", lambda row: row.context))
    return Listing(
        rows,
        request.GET,
        columns=[
            Column("state", "State", lambda row: row.state),
            Column("subject", "Subject", lambda row: row.subject.lower()),
            Column("format", "Format", lambda row: row.format),
            Column("level", "Compatibility", lambda row: row.level),
            Column("version", "Newest version", lambda row: row.version, numeric=True),
            Column("id", "Its id", lambda row: row.id, numeric=True),
            Column("registered", "Registered", lambda row: row.registered_at),
            Column("by", "By", lambda row: row.registered_by or None),
        ],
        facets=facets,
        text=lambda row: f"{row.subject} {words}" if row.subject in carriers else row.subject,
        order="subject",
    )


@require_safe
def show_subject(request: HttpRequest, subject: str) -> HttpResponse:
    """One subject at one version (`version`; the newest by default), compared with `since`."""
    name = SubjectName.read(subject)
    versions = history.list_history(name := locate(name)) if name.is_valid else []
    if not versions:
        raise SubjectNotFoundError(name)
    newest = next((row for row in versions if row.deleted_at is None), versions[0])
    row = _chosen(versions, request.GET.get("version", ""), newest)
    shown = find_version(name, row.version, deleted=True)
    settings = inheritance.settings_of(name)
    earlier = history.read_earlier(name, before=row.version)
    base = _base(versions, request.GET.get("since", ""), row)
    referring, referring_in_all = history.list_referring(name, row.version)
    comparison = _compare(shown, base, earlier, settings) if base else None
    page = Paginator(versions, VERSIONS_A_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "registry/subject.html",
        {
            "subject": str(name),
            "context_scope": context_scope(name.context),
            "topics": history.topics_of(name),
            "shown": shown,
            "row": row,
            "newest": newest,
            "versions": page,
            "deleted": sum(each.deleted_at is not None for each in versions),
            "bases": versions if len(versions) > 1 else [],
            "choosable": len(versions) <= MOST_TO_CHOOSE,
            "base": base,
            "asked_base": "since" in request.GET,
            "panel": fields.panel_of(shown, history.since_when(shown, earlier)),
            "comparison": comparison,
            "verdict": _verdict(comparison, base, settings),
            "contract": contract_of(shown.schema),
            "bindings": bindings_of(name),
            "elsewhere": list_elsewhere(shown),
            "settings": settings,
            "referred": history.list_referred(shown),
            "referring": referring,
            "referring_in_all": referring_in_all,
        },
    )


def _chosen(versions: list[VersionRow], asked: str, otherwise: VersionRow) -> VersionRow:
    if not asked or asked == "latest":
        return otherwise
    for row in versions:
        if str(row.version) == asked:
            return row
    raise Http404(f"the subject has no version {asked}")


def _base(versions: list[VersionRow], asked: str, shown: VersionRow) -> VersionRow | None:
    """The version to compare with: the one asked for, else the newest live one before."""
    before = [row for row in versions if row.version < shown.version]
    otherwise = next((row for row in before if row.deleted_at is None), None)
    if not asked:
        return otherwise or next(iter(before), None)
    return _chosen(versions, asked, shown)


def _verdict(comparison: Comparison | None, base: VersionRow | None, settings: Settings) -> str:
    """What the level in force says to the version shown; empty where nothing live is before it."""
    if comparison is None or base is None or base.deleted_at is not None:
        return ""
    return comparison.state_of(settings.level.value)


def _compare(
    shown: SubjectVersion, base: VersionRow, earlier: Earlier, settings: Settings
) -> Comparison | None:
    """Compare two versions of a subject; None where one of them cannot be read."""
    try:
        candidate = fields.parsed_of(shown)
        before = earlier.schemas.get(base.version) or fields.parsed_of(
            find_version(shown.subject, base.version, deleted=True)
        )
    except fields.UNREADABLE:
        return None
    return changes.compare(
        candidate,
        (base.version, before),
        earlier.schemas,
        settings.rules,
        unread=earlier.unread,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def try_schema(request: HttpRequest) -> HttpResponse:
    """A form that says what registering a schema would do; it registers nothing."""
    outcome = problem = None
    if request.method == "POST":
        attempt = trial.read_attempt(request.POST)
        try:
            outcome = trial.try_schema(attempt)
        except trial.FormError as error:
            problem = error.problem
    else:
        attempt = trial.begin_with(
            request.GET.get("subject", "").strip(),
            like=request.GET.get("like", "").strip(),
            version=request.GET.get("version", ""),
        )
    name = SubjectName.read(attempt.subject)
    return render(
        request,
        "registry/try.html",
        {
            "attempt": attempt,
            "formats": formats.NAMES,
            "outcome": outcome,
            "problem": problem,
            "comparison": outcome.comparison if outcome else None,
            "settings": outcome.settings if outcome else None,
            "topics": history.topics_of(name) if name.is_valid else [],
            "known": subjects.list_names(SUBJECTS_SUGGESTED),
        },
        status=422 if problem else 200,
    )
