"""Pages of topics, services, bounded contexts and findings."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from catalog import actions
from catalog.actions import ServiceView, TopicView
from catalog.models import BoundedContext, Service, Topic
from catalog.observation import Access
from catalog.policies.contract import SEVERITIES, Finding
from pages.listing import Column, Facet, Listing

# what needs a look comes first when a list is sorted by state
_GRAVITY = {"gone": 0, "violated": 1, "unverified": 2, "verified": 3}


@dataclass(frozen=True)
class TopicRow:
    """A topic as a list shows it; `state` is its verdict, or that Kafka lost it.

    `readers` are those who read it now; copies are counted for themselves.
    """

    view: TopicView
    state: str
    readers: tuple[str, ...]


@dataclass(frozen=True)
class ServiceRow:
    """A service as a list shows it; `state` tells whether it is at work."""

    view: ServiceView
    state: str
    last_seen: datetime | None


@dataclass(frozen=True)
class AccessRow:
    """One access with the cluster it happened in, and whether the catalog allows it."""

    cluster: str
    access: Access
    foreign: bool


@dataclass(frozen=True)
class FindingRow:
    """A finding with the page of what it is about."""

    finding: Finding
    url: str


def _topic_rows(topics: Iterable[Topic]) -> list[TopicRow]:
    return [
        TopicRow(view, "gone" if view.topic.gone_at else view.writer.verdict, _readers(view))
        for view in actions.describe_topics(topics)
    ]


def _readers(view: TopicView) -> tuple[str, ...]:
    copies = {access.actor for access in view.accesses if access.actor_kind == "copy"}
    return tuple(name for name in view.readers if name not in copies)


@require_safe
@vary_on_headers("HX-Request")
def list_topics(request: HttpRequest) -> HttpResponse:
    """All topics: search, facets and sorting are in the URL."""
    topics = Topic.objects.select_related("cluster", "context", "writer").defer("configs")
    if request.GET.get("internal") != "1":
        topics = topics.exclude(kind=Topic.Kind.INTERNAL)
    listing = _list_topics(request, _topic_rows(topics))
    fragment = "#rows" if "HX-Request" in request.headers else ""
    return render(request, f"catalog/topics.html{fragment}", {"listing": listing})


def _list_topics(request: HttpRequest, rows: list[TopicRow]) -> Listing[TopicRow]:
    return Listing(
        rows,
        request.GET,
        columns=[
            Column("state", "Single writer", lambda row: _GRAVITY.get(row.state, 0)),
            Column("name", "Topic", lambda row: row.view.name.lower()),
            Column("writer", "Written by", lambda row: row.view.writer.declared),
            Column("readers", "Readers", lambda row: len(row.readers), numeric=True),
            Column("context", "Context", lambda row: row.view.context),
            Column("kind", "Kind", lambda row: row.view.kind),
            Column("records", "Records", lambda row: row.view.topic.records, numeric=True),
            Column("size", "Size", lambda row: row.view.topic.size_bytes, numeric=True),
            Column("partitions", "Partitions", lambda row: row.view.topic.partitions, numeric=True),
        ],
        facets=[
            Facet("state", "Single writer", lambda row: row.state),
            Facet("kind", "Kind", lambda row: row.view.kind),
            Facet("context", "Context", lambda row: row.view.context or ""),
            Facet("cluster", "Cluster", lambda row: row.view.cluster),
        ],
        text=lambda row: " ".join((
            row.view.name,
            row.view.topic.description,
            row.view.writer.declared or "",
        )),
    )


@require_safe
def show_topic(request: HttpRequest, cluster: str, name: str) -> HttpResponse:
    """One topic: its single writer with the proof, its readers, schemas, lineage and copies."""
    view = actions.describe_topic(actions.find_topic(cluster, name))
    names = _readers(view)
    contexts = {
        reader.context for reader in view.active_readers if reader.context and reader.name in names
    }
    return render(
        request,
        "catalog/topic.html",
        {
            "topic": view.topic,
            "view": view,
            "writers": [access for access in view.accesses if access.direction == "writes"],
            "readers": [access for access in view.accesses if access.direction == "reads"],
            "reading": names,
            "reading_contexts": sorted(contexts),
        },
    )


def _service_text(row: ServiceRow) -> str:
    service = row.view.service
    return f"{service.name} {service.description} {service.owner}"


def _service_rows(services: Iterable[Service]) -> list[ServiceRow]:
    return [_service_row(view) for view in actions.describe_services(services)]


def _service_row(view: ServiceView) -> ServiceRow:
    accesses = [access for _, access in view.accesses]
    if not accesses:
        return ServiceRow(view, "declared", None)
    active = any(access.active for access in accesses)
    return ServiceRow(
        view, "observed" if active else "stale", max(access.last_seen for access in accesses)
    )


@require_safe
@vary_on_headers("HX-Request")
def list_services(request: HttpRequest) -> HttpResponse:
    """All declared services, and what each was observed to do."""
    listing: Listing[ServiceRow] = Listing(
        _service_rows(Service.objects.select_related("context").order_by("name")),
        request.GET,
        columns=[
            Column("state", "State", lambda row: row.state),
            Column("name", "Service", lambda row: row.view.name.lower()),
            Column("context", "Context", lambda row: row.view.context),
            Column("writes", "Writes", lambda row: len(row.view.writes), numeric=True),
            Column("reads", "Reads", lambda row: len(row.view.reads), numeric=True),
            Column("owner", "Owner", lambda row: row.view.service.owner or None),
            Column("seen", "Last seen", lambda row: row.last_seen),
        ],
        facets=[
            Facet("state", "State", lambda row: row.state),
            Facet("context", "Context", lambda row: row.view.context or ""),
        ],
        text=_service_text,
    )
    fragment = "#rows" if "HX-Request" in request.headers else ""
    return render(request, f"catalog/services.html{fragment}", {"listing": listing})


@require_safe
def show_service(request: HttpRequest, name: str) -> HttpResponse:
    """One service: what it writes and reads, and by which names Kafka knows it."""
    view = actions.describe_service(actions.find_service(name))
    declared = list(view.service.writes.select_related("cluster").order_by("name"))
    own = {(topic.cluster.name, topic.name) for topic in declared}
    rows = [
        AccessRow(
            cluster,
            access,
            foreign=access.direction == "writes" and (cluster, access.topic) not in own,
        )
        for cluster, access in view.accesses
    ]
    writes = [row for row in rows if row.access.direction == "writes"]
    seen = {(row.cluster, row.access.topic) for row in writes}
    return render(
        request,
        "catalog/service.html",
        {
            "service": view.service,
            "row": _service_row(view),
            "writes": writes,
            "reads": [row for row in rows if row.access.direction == "reads"],
            "unseen": [topic for topic in declared if (topic.cluster.name, topic.name) not in seen],
            "patterns": [item for item in view.service.recognised_by.items() if item[1]],
        },
    )


@require_safe
def show_bounded_context(request: HttpRequest, name: str) -> HttpResponse:
    """One bounded context: its services and its topics."""
    context = get_object_or_404(BoundedContext, name=name)
    topics = context.topics.select_related("cluster", "context", "writer").order_by("name")
    return render(
        request,
        "catalog/bounded_context.html",
        {
            "context": context,
            "services": _service_rows(context.services.select_related("context").order_by("name")),
            "topics": _topic_rows(topics),
        },
    )


@require_safe
@vary_on_headers("HX-Request")
def list_findings(request: HttpRequest) -> HttpResponse:
    """What contradicts a policy now, the gravest first."""
    listing: Listing[FindingRow] = Listing(
        [FindingRow(finding, _page_of(finding)) for finding in actions.list_findings()],
        request.GET,
        columns=[
            Column("severity", "Severity", lambda row: SEVERITIES.index(row.finding.severity)),
            Column("subject", "About", lambda row: row.finding.subject.name),
            Column("message", "What"),
            Column("rule", "Rule", lambda row: row.finding.rule),
        ],
        facets=[
            Facet("severity", "Severity", lambda row: row.finding.severity),
            Facet("rule", "Rule", lambda row: row.finding.rule),
        ],
        text=lambda row: f"{row.finding.subject.name} {row.finding.message} {row.finding.rule}",
        order="severity",
    )
    fragment = "#rows" if "HX-Request" in request.headers else ""
    return render(request, f"catalog/findings.html{fragment}", {"listing": listing})


def _page_of(finding: Finding) -> str:
    about = finding.subject
    if about.kind == "topic" and about.cluster:
        return reverse("topic", args=[about.cluster, about.name])
    return reverse(about.kind, args=[about.name]) if about.kind in {"service", "copy"} else ""
