"""Pages of the registry: subjects, the schemas they evolve through, and trying a schema."""

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from pages.listing import Column, Facet, Listing
from registry import formats
from registry.actions.reading import find_version, locate
from registry.entities import SubjectVersion
from registry.errors import SubjectNotFoundError
from registry.naming import SubjectName
from registry.panels import changes, fields, history, inheritance, subjects, trial
from registry.panels.changes import Comparison
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
    carriers = {carrier.subject for carrier in identity.carriers} if identity else set()
    listing: Listing[SubjectRow] = Listing(
        rows,
        request.GET,
        columns=[
            Column("subject", "Subject", lambda row: row.subject.lower()),
            Column("format", "Format", lambda row: row.format),
            Column("level", "Compatibility", lambda row: row.level),
            Column("version", "Newest version", lambda row: row.version, numeric=True),
            Column("id", "Its id", lambda row: row.id, numeric=True),
            Column("registered", "Registered", lambda row: row.registered_at),
            Column("by", "By", lambda row: row.registered_by or None),
        ],
        facets=[
            Facet("state", "State", lambda row: row.state, default="live"),
            Facet("format", "Format", lambda row: row.format),
            Facet("level", "Compatibility", lambda row: row.level),
            Facet("context", "Schema context", lambda row: row.context),
        ],
        text=lambda row: f"{row.subject} {words}" if row.subject in carriers else row.subject,
        order="subject",
    )
    fragment = "#rows" if "HX-Request" in request.headers else ""
    contexts = [] if fragment else subjects.list_context_rows(rows)
    return render(
        request,
        f"registry/subjects.html{fragment}",
        {"listing": listing, "identity": identity, "contexts": contexts},
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
    page = Paginator(versions, VERSIONS_A_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "registry/subject.html",
        {
            "subject": str(name),
            "topics": history.topics_of(name),
            "shown": shown,
            "row": row,
            "newest": newest,
            "versions": page,
            "deleted": sum(each.deleted_at is not None for each in versions),
            "bases": versions[:MOST_TO_CHOOSE] if len(versions) > 1 else [],
            "base": base,
            "panel": fields.panel_of(shown, history.since_when(shown, earlier)),
            "comparison": _compare(shown, base, earlier, settings) if base else None,
            "settings": settings,
            "referred": history.list_referred(shown),
            "referring": history.list_referring(name, row.version),
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
        attempt = trial.begin_with(request.GET.get("subject", "").strip())
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
            "known": _suggested(),
        },
        status=422 if problem else 200,
    )


def _suggested() -> list[str]:
    rows = subjects.list_rows()
    return [row.subject for row in rows if row.state == "live"][:SUBJECTS_SUGGESTED]
