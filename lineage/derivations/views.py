"""Pages of impact and of actors."""

from collections.abc import Mapping
from dataclasses import fields as fields_of
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from catalog.errors import CatalogError
from lineage.derivations.effects import CHANGES
from lineage.derivations.impact import Question, find_impact
from lineage.derivations.panels import AffectedRow, affected_rows
from lineage.errors import LineageError
from lineage.panels import as_of_asked
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


def _listing(query: Mapping[str, Any], rows: list[AffectedRow]) -> Listing[AffectedRow]:
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
