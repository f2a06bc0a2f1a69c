"""The overview, the search over everything, and the frame that every page shares."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import Max
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

import catalog.actions
import lineage.actions
import lineage.connectors.actions
import lineage.connectors.audits.actions
import registry.actions
from catalog.models import BoundedContext, Cluster, Service, Topic
from catalog.policies.contract import gravity
from config.faults import wants_page
from lineage.connectors.models import Connector, Run
from lineage.models import Sampling
from registry.api.boundary import refuse
from registry.errors import ProtocolError
from registry.panels.subjects import Carrier, find_identity

_ROOT_METHODS = ("GET", "HEAD", "POST")
HITS_A_KIND = 8
FINDINGS_SHOWN = 10
RUNS_SHOWN = 6

# label, name of the address, what the addresses under it begin with
PLACES = (
    ("Overview", "overview", ()),
    ("Topics", "topics", ("/topics",)),
    ("Services", "services", ("/services", "/bounded-contexts")),
    ("Schemas", "subjects", ("/registry",)),
    ("Lineage", "lineage", ("/lineage",)),
    ("Copies", "copies", ("/copies", "/runs")),
    ("Findings", "findings", ("/findings",)),
)


@dataclass(frozen=True)
class Place:
    """One entry of the main navigation."""

    label: str
    url: str
    current: bool


class Frame:
    """What `base.html` shows around every page; asked of the database only when it is drawn."""

    def __init__(self, path: str) -> None:
        self._path = path

    @cached_property
    def places(self) -> list[Place]:
        """The rooms, and which of them this page is in."""
        return [
            Place(label, reverse(name), self._is_in(reverse(name), beginnings))
            for label, name, beginnings in PLACES
        ]

    def _is_in(self, url: str, beginnings: tuple[str, ...]) -> bool:
        under = any(self._path.startswith(f"{beginning}/") for beginning in beginnings)
        return self._path == url or under

    @cached_property
    def clusters(self) -> list[Cluster]:
        """The clusters with the outcome of the last attempt to reach each."""
        return list(Cluster.objects.order_by("name"))

    @cached_property
    def sampled_at(self) -> datetime | None:
        """When a sampler last succeeded; the age of what pages say about readers and writers."""
        newest: datetime | None = Sampling.objects.aggregate(at=Max("succeeded_at"))["at"]
        return newest


def describe_frame(request: HttpRequest) -> dict[str, object]:
    """Return what `base.html` shows on every page."""
    return {"frame": Frame(request.path)}


@csrf_exempt
@vary_on_headers("Accept")
def show_overview(request: HttpRequest) -> HttpResponse:
    """What there is, and what needs a look; a registry client, which asks no page, gets `{}`.

    Clients probe a registry with POST too; nothing is read from it, so no token is asked for.
    Other methods are refused in Confluent's form.
    """
    if request.method not in _ROOT_METHODS:
        refused = refuse(request, ProtocolError(405, "HTTP 405 Method Not Allowed"))
        refused["Allow"] = ", ".join(_ROOT_METHODS)
        return refused
    if request.method == "POST" or not wants_page(request):
        return JsonResponse({})
    topics = catalog.actions.describe_topics(
        Topic.objects.exclude(kind=Topic.Kind.INTERNAL).filter(gone_at=None).defer("configs")
    )
    verdicts = [view.writer.verdict for view in topics]
    findings = sorted(
        [*catalog.actions.list_findings(), *lineage.actions.find_blind_spots()], key=gravity
    )
    copies = lineage.connectors.actions.list_connectors()
    standing = lineage.connectors.audits.actions.standings()
    # what needs a hand stands first: the overview shows few of many
    copies.sort(key=lambda it: (standing[it.name] != "diverged", _URGENCY.index(it.state)))
    return render(
        request,
        "config/overview.html",
        {
            "topics": len(topics),
            "canonical": sum(view.topic.canonical for view in topics),
            "verdicts": [(word, verdicts.count(word)) for word in _VERDICTS],
            "services": Service.objects.count(),
            "contexts": BoundedContext.objects.order_by("name"),
            "subjects": len(registry.actions.list_subjects()),
            "copies": copies,
            "standing": standing,
            "copies_stopped": sum(copy.state == "stopped" for copy in copies),
            "copies_live": sum(copy.state == "live" for copy in copies),
            "findings": findings[:FINDINGS_SHOWN],
            "findings_in_all": len(findings),
            "runs": Run.objects.select_related("connector")[:RUNS_SHOWN],
        },
    )


_URGENCY = ("stopped", "starting", "regenerating", "paused", "live")
_VERDICTS = ("violated", "unverified", "verified")


@dataclass(frozen=True)
class Hit:
    """One thing that a search found."""

    name: str
    url: str
    note: str


@require_safe
@vary_on_headers("HX-Request")
def search(request: HttpRequest) -> HttpResponse:
    """Topics, services, subjects and copies whose names hold every word of `q`."""
    words = request.GET.get("q", "").split()
    found = [(label, hits) for label, hits in _look_for(words) if hits] if words else []
    fragment = "#hits" if "HX-Request" in request.headers else ""
    return render(
        request,
        f"config/search.html{fragment}",
        {"words": " ".join(words), "found": found, "most": HITS_A_KIND},
    )


def _look_for(words: list[str]) -> list[tuple[str, list[Hit]]]:
    return [
        ("Topics", _topics(words)),
        ("Services", _services(words)),
        ("Schemas", _subjects(words)),
        ("Copies", _copies(words)),
    ]


def _topics(words: list[str]) -> list[Hit]:
    found = Topic.objects.select_related("cluster").order_by("name")
    for word in words:
        found = found.filter(name__icontains=word)
    return [
        Hit(topic.name, reverse("topic", args=[topic.cluster.name, topic.name]), topic.cluster.name)
        for topic in found[:HITS_A_KIND]
    ]


def _services(words: list[str]) -> list[Hit]:
    found = Service.objects.select_related("context").order_by("name")
    for word in words:
        found = found.filter(name__icontains=word)
    return [
        Hit(
            service.name,
            reverse("service", args=[service.name]),
            service.context.name if service.context else "",
        )
        for service in found[:HITS_A_KIND]
    ]


def _subjects(words: list[str]) -> list[Hit]:
    if identity := find_identity(" ".join(words)):
        return [_carrier(each) for each in identity.carriers[:HITS_A_KIND]]
    names = [
        name
        for name in registry.actions.list_subjects()
        if all(word.lower() in name.lower() for word in words)
    ]
    return [Hit(name, reverse("subject", args=[name]), "") for name in names[:HITS_A_KIND]]


def _carrier(each: Carrier) -> Hit:
    url = f"{reverse('subject', args=[each.subject])}?version={each.version}"
    state = ", deleted" if each.deleted else ""
    return Hit(each.subject, url, f"version {each.version}, id {each.id}{state}")


def _copies(words: list[str]) -> list[Hit]:
    found = Connector.objects.order_by("name")
    for word in words:
        found = found.filter(name__icontains=word)
    return [
        Hit(copy.name, reverse("copy", args=[copy.name]), ", ".join(copy.topics))
        for copy in found[:HITS_A_KIND]
    ]
