"""The page that all questions to lineage share: a form, a statement, a drawing, a list."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from lineage.edges import EdgeView
from lineage.panels import as_of_asked, query_of
from pages.listing import Listing

_NAMES_OFFERED = 500


@dataclass(frozen=True)
class Input:
    """A field of a question's form; with `choices` it is a choice, with `offers` it completes."""

    name: str
    label: str
    value: str
    type: str = "search"
    choices: tuple[tuple[str, str], ...] = ()
    offers: bool = False


@dataclass
class Question:
    """One page: what is asked, what the list shows, and what is said when there is nothing."""

    title: str
    about: str
    api: str
    row: str
    noun: str
    nothing: str
    inputs: tuple[Input, ...] = ()
    statement: str = ""
    problem: str = ""
    asked: dict[str, object] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)


def answer(
    request: HttpRequest, question: Question, listing: Listing[Any] | None, as_of: datetime | None
) -> HttpResponse:
    """Return the page, or only its list where htmx asks for it."""
    fragment = "#rows" if "HX-Request" in request.headers else ""
    problem = question.problem or as_of_asked(request.GET)[1]
    return render(
        request,
        f"lineage/question.html{fragment}",
        {
            "question": question,
            "listing": listing,
            "as_of": as_of,
            "problem": problem,
            "api": _address(question, as_of),
            "words": listing.words if listing else "",
            **question.shown,
        },
    )


def _address(question: Question, as_of: datetime | None) -> str:
    """Return where REST answers the same."""
    values = {**question.asked, "as_of": as_of.isoformat() if as_of else None}
    return f"/api/v1/lineage/{question.api}{query_of(**values)}"


def instant_input(name: str, label: str, at: datetime | None) -> Input:
    """Return a field for an instant (UTC)."""
    return Input(name, label, f"{at:%Y-%m-%dT%H:%M}" if at else "", type="datetime-local")


def names_offered(edges: Sequence[EdgeView]) -> list[str]:
    """Return keys to complete from, so many as a page can carry."""
    keys = {node.key for edge in edges for node in (edge.source, edge.target)}
    return sorted(keys)[:_NAMES_OFFERED]
