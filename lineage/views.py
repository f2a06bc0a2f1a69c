"""The lineage page: the observed graph, around a thing or whole, now or as of an instant."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from lineage import actions, couplings, drawing, exports, graph, picture
from lineage.asking import MOST_HOPS, SIZES, State, state_of
from lineage.edges import EdgeView, Node
from lineage.graph import Coupling
from lineage.history import span_of
from lineage.names import find_names
from lineage.panels import EdgeRow, edges_at, node_of, pages, rows_of
from pages.listing import Column, Facet, Listing

FOLDED_ABOVE = 150
"""An estate of more nodes than this is shown by context unless its things are asked for."""


@require_safe
@vary_on_headers("HX-Request")
def show_lineage(request: HttpRequest) -> HttpResponse:
    """The graph and its edges; the whole state is in the URL (`lineage.asking`)."""
    state = state_of(request.GET)
    edges = _edges_for(state)
    fragment = "#found" if "HX-Request" in request.headers else ""
    return render(
        request,
        f"lineage/lineage.html{fragment}",
        {
            "as_of": state.as_of,
            "problem": state.problem,
            "here": state.address(),
            "any": bool(edges),
            "form": _form(state),
            **_shown(request, state, edges),
        },
    )


def _edges_for(state: State) -> list[EdgeView]:
    """The edges that the state needs: those near its focus, and one hop more, which is counted.

    What is opened by hand may lie anywhere, and a name that nobody has needs all names told.
    """
    if state.focus and not state.asked.opened and not state.focus.startswith(f"{picture.CONTEXT}:"):
        near = actions.surroundings(state.focus, hops=state.hops + 1, as_of=state.as_of)
        if node_of(state.focus, near):
            return near
    return actions.list_edges(as_of=state.as_of)


def _form(state: State) -> dict[str, Any]:
    """What the form offers, and what it carries along unseen."""
    carried = ("expand", "collapse", "folded", "internal", "context")
    return {
        "hops": state.hops,
        "hop_choices": range(1, MOST_HOPS + 1),
        "size": state.size,
        "sizes": SIZES,
        "fold": state.fold,
        "carried": [(name, value) for name in carried for value in state.query.getlist(name)],
    }


def _shown(request: HttpRequest, state: State, edges: list[EdgeView]) -> dict[str, Any]:
    kind, _, name = state.focus.partition(":")
    if kind == picture.CONTEXT and name:
        return _contexts(request, state, edges, name)
    if state.fold == "context" or (not state.focus and not state.fold and _is_large(edges)):
        return _contexts(request, state, edges, state.context)
    return _things(request, state, edges)


def _is_large(edges: Sequence[EdgeView]) -> bool:
    ends = {node for edge in edges for node in (edge.source, edge.target)}
    return len(ends) > FOLDED_ABOVE and len({node.context for node in ends if node.context}) > 1


def _picture_of(state: State, edges: Sequence[EdgeView], focus: Node | None) -> picture.Picture:
    if focus is None:
        return picture.whole(edges, state.asked)
    return picture.around(focus, edges_at(edges), state.asked)


def _things(request: HttpRequest, state: State, edges: list[EdgeView]) -> dict[str, Any]:
    """The part of the graph around the focus, or all of it, with each node leading to its focus."""
    focus = node_of(state.focus, edges) if state.focus else None
    part = _picture_of(state, edges, focus)
    listed = list(part.edges) if focus else edges
    listing = _listing(request, rows_of(listed, part.drawn_pairs))
    return {
        "focus": focus,
        "focus_url": pages([focus], state.as_of)(focus) if focus else "",
        "missing": state.focus if state.focus and not focus else "",
        "part": part,
        "label": f"Lineage around {focus.kind} {focus.name}" if focus else "Lineage",
        "drawing": _drawn(state, part) if part.links or focus else None,
        "contexts": [
            (name, count, folded, state.address(folded=state.toggled("folded", name)))
            for name, count, folded in part.contexts
        ],
        "listing": listing,
        "rows": listed_rows(listing.page, state.as_of),
        "span": span_of(_topics(part), state.as_of) if edges or state.as_of else None,
        "links": {
            "whole": state.address(focus=None, expand=None, collapse=None, folded=None),
            "hidden": state.address(drawn="not drawn") + "#edges",
            "larger": [
                (size, state.address(nodes=size))
                for size in SIZES
                if size > state.size and part.hidden
            ],
            "internal": state.address(internal=None if state.asked.internal else "show"),
            "reset": state.address(expand=None, collapse=None, folded=None),
            "fold": state.address(fold=None if state.fold == "others" else "others", folded=None),
        },
        "changed": bool(state.asked.opened or state.asked.closed or state.asked.folded),
    }


def _drawn(state: State, part: picture.Picture) -> dict[str, Any]:
    """Return the drawing; the addresses of nodes and edges follow from their keys in the page."""
    return {
        **drawing.describe(part, frames=not part.focus),
        "here": state.address(),
        "proof": reverse("lineage-edge"),
    }


def _topics(part: picture.Picture) -> list[str]:
    return [spot.name for spot in part.spots if spot.kind == "topic"]


def listed_rows(rows: Iterable[EdgeRow], as_of: datetime | None) -> list[EdgeRow]:
    """Return the rows of one page of the table with the addresses of what they name."""
    shown = list(rows)
    address = pages([node for row in shown for node in (row.edge.source, row.edge.target)], as_of)
    return [row.located(address, as_of) for row in shown]


def _listing(request: HttpRequest, rows: list[EdgeRow]) -> Listing[EdgeRow]:
    return Listing(
        rows,
        request.GET,
        columns=[
            Column("state", "State", lambda row: row.state),
            Column("source", "From", lambda row: row.edge.source),
            Column("role", ""),
            Column("target", "To", lambda row: row.edge.target),
            Column("evidence", "Evidence"),
            Column("confidence", "Confidence", lambda row: row.edge.confidence, numeric=True),
            Column("first", "First seen", lambda row: row.edge.first_seen),
            Column("last", "Last seen", lambda row: row.edge.last_seen),
        ],
        facets=[
            Facet("state", "State", lambda row: row.state),
            Facet("drawn", "In the drawing", lambda row: row.drawn),
        ],
        order="source",
        text=lambda row: (
            f"{row.edge.source.key} {row.edge.target.key} "
            + " ".join(proof.kind for proof in row.edge.evidence)
        ),
    )


def _contexts(
    request: HttpRequest, state: State, edges: list[EdgeView], context: str
) -> dict[str, Any]:
    """Bounded contexts only, and the topics over which each feeds another."""
    found = graph.fold_by_context(edges)
    chosen = couplings.choose(found, state.min_topics, context)

    def centred(name: str) -> str:
        if name == context:
            return reverse("bounded-context", args=[name]) if name else ""
        return state.address(fold="context", focus=None, context=name, min_topics=None)

    def between(coupling: Coupling) -> str:
        words = f"{coupling.source} {coupling.target}"
        return state.address(fold="context", focus=None, q=words) + "#couplings-title"

    flowing = {topic for it in chosen.drawn for topic in it.topics}
    drawn = couplings.describe(chosen, context, centred, between) if chosen.drawn else None
    return {
        "folded": True,
        "chosen": chosen,
        "context": context,
        "listing": _couplings_listing(request, chosen.listed),
        "label": "Bounded contexts and what flows between them",
        "drawing": drawn,
        "span": span_of(flowing, state.as_of) if edges or state.as_of else None,
        "links": {
            "things": state.address(fold="things", context=None, min_topics=None, focus=None),
            "all": state.address(fold="context", context=None, min_topics=None, focus=None),
            "least": state.address(fold="context", min_topics=1),
        },
    }


def _couplings_listing(request: HttpRequest, rows: list[Coupling]) -> Listing[Coupling]:
    return Listing(
        rows,
        request.GET,
        columns=[
            Column("source", "From", lambda it: it.source),
            Column("target", "To", lambda it: it.target),
            Column("topics", "Topics", lambda it: len(it.topics), numeric=True),
            Column("over", "Over"),
        ],
        order="-topics",
        text=lambda it: f"{it.source} {it.target} {' '.join(it.topics)}",
    )


@require_safe
def suggest(request: HttpRequest) -> HttpResponse:
    """Nodes whose name holds what is being typed: a dozen at most, each leading to its focus."""
    state = state_of(request.GET)
    found, more = find_names(request.GET.get("focus", ""))
    hits = [(it, state.address(focus=it.key, expand=None, collapse=None)) for it in found]
    return render(
        request, "lineage/suggestions.html", {"hits": hits, "more": more, "words": state.focus}
    )


@require_safe
def export(request: HttpRequest, kind: str) -> HttpResponse:
    """What the page draws, as Mermaid or DOT text, by the same query."""
    state = state_of(request.GET)
    edges = _edges_for(state)
    focus = node_of(state.focus, edges) if state.focus else None
    if state.focus and focus is None:
        return HttpResponse(
            f"nothing observed is called {state.focus!r}\n",
            status=404,
            content_type="text/plain; charset=utf-8",
        )
    part = _picture_of(state, edges, focus)
    text = exports.as_mermaid(part) if kind == "mmd" else exports.as_dot(part)
    media = "text/vnd.mermaid" if kind == "mmd" else "text/vnd.graphviz"
    return HttpResponse(
        text,
        content_type=f"{media}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="lineage.{kind}"'},
    )
