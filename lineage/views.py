"""The lineage page: the observed graph, around a thing or whole, now or as of an instant."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from lineage import actions, dot, graph
from lineage.edges import EdgeView, Node
from lineage.panels import (
    NEVER_DRAWN_ABOVE,
    EdgeRow,
    as_of_asked,
    exploring,
    node_of,
    pages,
    rows_of,
)
from pages.listing import Column, Facet, Listing

MOST_HOPS = 4
NO_CONTEXT = "no context"


@require_safe
@vary_on_headers("HX-Request")
def show_lineage(request: HttpRequest) -> HttpResponse:
    """The graph and its edges; `focus`, `hops`, `fold`, `as_of` and the list's state in the URL."""
    as_of, problem = as_of_asked(request.GET)
    edges = actions.list_edges(as_of=as_of)
    fragment = "#found" if "HX-Request" in request.headers else ""
    shown = (
        _contexts(edges) if request.GET.get("fold") == "context" else _things(request, edges, as_of)
    )
    keys = sorted({node.key for edge in edges for node in (edge.source, edge.target)})
    return render(
        request,
        f"lineage/lineage.html{fragment}",
        {
            "as_of": as_of,
            "problem": problem,
            "hops": _hops(request),
            "hop_choices": range(1, MOST_HOPS + 1),
            "keys": keys,
            "any": bool(edges),
            **shown,
        },
    )


def _hops(request: HttpRequest) -> int:
    asked = request.GET.get("hops", "")
    return min(max(int(asked), 1), MOST_HOPS) if asked.isdecimal() else 1


def _things(request: HttpRequest, edges: list[EdgeView], as_of: datetime | None) -> dict[str, Any]:
    """The part of the graph around the focus, or all of it, with each node leading to its focus."""
    key = request.GET.get("focus", "").strip()
    focus = node_of(key, edges) if key else None
    hops = _hops(request)
    if focus:
        part = graph.neighbourhood(edges, focus, hops, cap=NEVER_DRAWN_ABOVE)
    else:
        part = graph.whole(edges, NEVER_DRAWN_ABOVE)
    address = pages(part.nodes, as_of)

    def refocus(node: Node) -> str:
        return exploring(node.key, hops=hops, as_of=as_of)

    listed = list(part.edges) if focus else edges
    return {
        "focus": focus,
        "focus_url": address(focus) if focus else "",
        "missing": key if key and not focus else "",
        "hidden": part.hidden,
        "label": f"Lineage around {focus.kind} {focus.name}" if focus else "Lineage",
        "dot": dot.draw(part, focus=focus, address=refocus, by_context=focus is None)
        if part.edges
        else "",
        "listing": _listing(request, rows_of(listed, pages(_ends(listed), as_of))),
    }


def _ends(edges: list[EdgeView]) -> list[Node]:
    return [node for edge in edges for node in (edge.source, edge.target)]


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
        facets=[Facet("state", "State", lambda row: row.state)],
        order="source",
        text=lambda row: (
            f"{row.edge.source.key} {row.edge.target.key} "
            + " ".join(proof.kind for proof in row.edge.evidence)
        ),
    )


def _contexts(edges: list[EdgeView]) -> dict[str, Any]:
    """Bounded contexts only, and the topics over which each feeds another."""
    couplings = graph.fold_by_context(edges)
    return {
        "folded": True,
        "couplings": couplings,
        "label": "Bounded contexts and what flows between them",
        "dot": _drawn(couplings) if couplings else "",
    }


def _drawn(couplings: list[graph.Coupling]) -> str:
    """Return the DOT text of the contexts; an edge tells how many topics it stands for."""
    names = sorted({name for it in couplings for name in (it.source, it.target)})
    lines = [
        "digraph contexts {",
        '  graph [rankdir=LR nodesep=0.35 ranksep=0.9 bgcolor="transparent" pad=0.1];',
        '  node [shape=box style="rounded" class="node-context" height=0.45 margin="0.2,0.1"];',
        '  node [fontname="Courier" fontsize=12];',
        '  edge [arrowsize=0.7 fontname="Helvetica" fontsize=10 class="edge-read"];',
    ]
    for name in names:
        link = f" URL={dot.quoted(reverse('bounded-context', args=[name]))}" if name else ""
        lines.append(
            f"  {dot.quoted('context:' + name)} [label={dot.quoted(name or NO_CONTEXT)}{link}];"
        )
    for it in couplings:
        ends = f"{dot.quoted('context:' + it.source)} -> {dot.quoted('context:' + it.target)}"
        label = ", ".join(it.topics) if len(it.topics) <= 2 else f"{len(it.topics)} topics"
        lines.append(
            f"  {ends} [label={dot.quoted(label)} edgetooltip={dot.quoted(', '.join(it.topics))}];"
        )
    return "\n".join([*lines, "}", ""])
