"""Pages of the registry: subjects, and the schemas that they evolve through."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from pages.listing import Column, Facet, Listing
from registry import panels
from registry.actions.reading import list_referrers, list_versions
from registry.entities import SubjectVersion
from registry.models import Schema
from registry.naming import SubjectName
from registry.panels import SubjectRow


@require_safe
@vary_on_headers("HX-Request")
def show_subjects(request: HttpRequest) -> HttpResponse:
    """All subjects: search, facets and sorting are in the URL."""
    listing: Listing[SubjectRow] = Listing(
        panels.list_rows(),
        request.GET,
        columns=[
            Column("subject", "Subject", lambda row: row.subject.lower()),
            Column("format", "Format", lambda row: row.format),
            Column("level", "Compatibility", lambda row: row.level),
            Column("version", "Newest version", lambda row: row.version, numeric=True),
            Column("id", "Its id", lambda row: row.id, numeric=True),
            Column("registered", "Registered", lambda row: row.registered_at),
        ],
        facets=[
            Facet("format", "Format", lambda row: row.format),
            Facet("level", "Compatibility", lambda row: row.level),
            Facet("context", "Schema context", lambda row: row.context),
        ],
        text=lambda row: row.subject,
        order="subject",
    )
    fragment = "#rows" if "HX-Request" in request.headers else ""
    return render(request, f"registry/subjects.html{fragment}", {"listing": listing})


@require_safe
def show_subject(request: HttpRequest, subject: str) -> HttpResponse:
    """One subject at one version (`version`; the newest by default): fields, text, references."""
    name = SubjectName.read(subject)
    versions = list_versions(name)
    shown = _chosen(versions, request.GET.get("version", ""))
    earlier = [version for version in versions if version.version < shown.version]
    compared = _chosen(earlier, request.GET.get("since", "")) if earlier else None
    referrers = list_referrers(shown.subject, shown.version)
    return render(
        request,
        "registry/subject.html",
        {
            "subject": str(shown.subject),
            "topic": _topic_of(shown.subject),
            "shown": shown,
            "newest": versions[-1],
            "versions": versions[::-1],
            "earlier": earlier[::-1],
            "panel": panels.panel_of(shown),
            "comparison": panels.compare(compared, shown) if compared else None,
            "level": panels.level_of(shown.subject),
            "mode": panels.mode_of(shown.subject),
            "referrers": _usages(shown.subject.context, referrers),
        },
    )


def _chosen(versions: list[SubjectVersion], asked: str) -> SubjectVersion:
    if not asked or asked == "latest":
        return versions[-1]
    for version in versions:
        if str(version.version) == asked:
            return version
    raise Http404(f"the subject has no version {asked}")


def _topic_of(name: SubjectName) -> str:
    """The topic that Confluent's default naming gives these schemas to; none for other names."""
    for ending in ("-value", "-key"):
        if name.name.endswith(ending):
            return name.name.removesuffix(ending)
    return ""


def _usages(context: str, numbers: list[int]) -> list[tuple[int, str]]:
    """The ids of schemas with the subjects that carry them."""
    rows = Schema.objects.filter(context__name=context, number__in=numbers)
    found = rows.values_list("number", "versions__subject__name").distinct()
    return [(number, str(SubjectName(context, name))) for number, name in found if name]
