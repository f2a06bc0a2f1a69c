"""Pages of impact and of actors."""

from collections.abc import Callable, Iterable
from dataclasses import fields as fields_of
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog.errors import CatalogError
from lineage.derivations import actors
from lineage.derivations.effects import CHANGES
from lineage.derivations.impact import Question, find_impact
from lineage.derivations.panels import AffectedRow, affected_rows
from lineage.edges import EdgeView, Node
from lineage.errors import LineageError
from lineage.panels import EdgeRow, address_of, as_of_asked, exploring, pages, rows_of
from pages.listing import Column, Facet, Listing
from registry.errors import RegistryError
from registry.formats import NAMES

_TEXTS = tuple(each.name for each in fields_of(Question) if each.name not in {"as_of", "cluster"})


@require_http_methods(["GET", "HEAD", "POST"])
def show_impact(request: HttpRequest) -> HttpResponse:
    """A form that asks what a change reaches, and the answer; a POST may hold a long schema."""
    typed = request.POST if request.method == "POST" else request.GET
    as_of, problem = as_of_asked(typed)
    asked = {name: typed.get(name, "").strip() for name in _TEXTS}
    question = Question(as_of=as_of, **asked)
    answer = None
    if not problem and (question.of or question.subject):
        try:
            answer = find_impact(question)
        except (LineageError, CatalogError, RegistryError) as error:
            problem = str(error)
    return render(
        request,
        "lineage/derivations_impact.html",
        {
            "question": question,
            "answer": answer,
            "problem": problem,
            "changes": CHANGES,
            "formats": NAMES,
            "listing": _listing(typed, affected_rows(answer)) if answer else None,
        },
        status=400 if problem and request.method == "POST" else 200,
    )


@require_safe
def show_actor(request: HttpRequest) -> HttpResponse:
    """The actor `kind`, `name`: what it reads and writes, since when, and whose it may be."""
    as_of, problem = as_of_asked(request.GET)
    kind, name = request.GET.get("kind", ""), request.GET.get("name", "")
    actor = actors.describe_actor(kind, name, as_of)
    ends = [end for edge in (*actor.writes, *actor.reads) for end in (edge.source, edge.target)]
    address = pages(ends, as_of)
    return render(
        request,
        "lineage/derivations_actor.html",
        {
            "actor": actor,
            "as_of": as_of,
            "problem": problem,
            "writes": _rows(actor.writes, address, as_of),
            "reads": _rows(actor.reads, address, as_of),
            "services": actors.service_names(),
            "explore": exploring(actor.node.key, as_of=as_of),
        },
    )


def _rows(
    edges: Iterable[EdgeView], address: Callable[[Node], str], as_of: datetime | None
) -> list[EdgeRow]:
    return [row.located(address, as_of) for row in rows_of(edges)]


@require_POST
def claim_actor(request: HttpRequest) -> HttpResponse:
    """Claim an actor for a service and show it; what is refused is said there."""
    typed = {name: request.POST.get(name, "").strip() for name in ("kind", "name", "service", "by")}
    try:
        found = actors.claim_actor(**typed)
    except CatalogError as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, f"Claimed for {found.service.name}.")
    return redirect(address_of(typed["kind"], typed["name"]))


@require_POST
def withdraw_claim(request: HttpRequest, number: int) -> HttpResponse:
    """Undo a claim, and show the actor."""
    found = actors.withdraw(number, by=request.POST.get("by", "").strip())
    messages.success(request, f"No longer claimed for {found.service.name}.")
    return redirect(address_of(found.kind, found.name))


def _listing(query: QueryDict, rows: list[AffectedRow]) -> Listing[AffectedRow]:
    return Listing(
        rows,
        query,
        columns=[
            Column("certainty", "Certainty", lambda row: row.affected.reached.certainty),
            Column("node", "What", lambda row: row.affected.node.key),
            Column("distance", "Steps", lambda row: row.affected.reached.distance, numeric=True),
            Column("effect", "What becomes of it"),
            Column("fields", "Fields"),
            Column("context", "Context", lambda row: row.affected.node.context),
            Column("owner", "Whom to ask", lambda row: row.affected.contact.owner),
        ],
        facets=[Facet("kind", "Kind", lambda row: row.affected.node.kind)],
        order="distance",
        text=lambda row: row.affected.node.key,
    )
