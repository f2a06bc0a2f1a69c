"""Questions about one thing: what it reaches, the story between two, a service's footprint."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from lineage import actions, drawing, graph, picture
from lineage.edges import Node
from lineage.errors import LineageError
from lineage.panels import as_of_asked, exploring, pages
from lineage.question_page import Input, Question, answer, names_offered
from pages.listing import Column, Facet, Listing

_MOST_LISTED = 5000
_DRAWN = 60
# longer numbers are not converted by Python
_DIGITS, _FARTHEST = 9, 1000


@require_safe
@vary_on_headers("HX-Request")
def show_path(request: HttpRequest) -> HttpResponse:
    """The shortest story from `source` to `target`, drawn and told."""
    as_of = as_of_asked(request.GET)[0]
    source, target = (request.GET.get(name, "").strip() for name in ("source", "target"))
    edges = actions.list_edges(as_of=as_of)
    question = Question(
        title="Shortest story",
        about="How data of one thing comes to another, told step by step with its evidence.",
        api="path",
        asked={"source": source, "target": target},
        row="lineage/step_row.html",
        noun="step",
        nothing="Name a thing on both sides.",
        inputs=(
            Input("source", "From", source, offers=True),
            Input("target", "To", target, offers=True),
        ),
        shown={"keys": names_offered(edges)},
    )
    listing = None
    if source and target:
        try:
            story = actions.tell_story(source, target, actions.Scope(as_of=as_of), edges)
        except LineageError as error:
            question.problem = str(error)
        else:
            listing = _told(request, question, story, as_of)
    return answer(request, question, listing, as_of)


def _told(
    request: HttpRequest, question: Question, story: graph.Story, as_of: datetime | None
) -> Listing[Any] | None:
    question.statement = story.text
    if not story.edges:
        question.nothing = ""
        return None
    address = pages(story.nodes, as_of)
    question.shown |= {
        "story": story,
        "drawing": _drawn(story, address, as_of) if len(story.nodes) <= _DRAWN else None,
        "label": f"The way from {story.source.name} to {story.target.name}",
    }
    rows = [
        {"number": number, "step": step, "url": address(step.node)}
        for number, step in enumerate(story.steps, 1)
    ]
    return Listing(
        rows,
        request.GET,
        columns=[
            Column("number", "Step", lambda row: row["number"], numeric=True),
            Column("node", "Who"),
            Column("text", "Does what"),
            Column("evidence", "Evidence"),
        ],
        order="number",
        text=lambda row: row["step"].text,
    )


def _drawn(
    story: graph.Story, address: Callable[[Node], str], as_of: datetime | None
) -> dict[str, Any]:
    """The story as a drawing, each node leading to its own page, each edge to its proof."""
    part = picture.of_subgraph(graph.Subgraph(story.nodes, story.edges), story.source)
    return {
        **drawing.describe(part, lambda spot: address(spot.node) if spot.node else ""),
        "here": exploring(story.source.key, as_of=as_of),
        "proof": reverse("lineage-edge"),
    }


@require_safe
@vary_on_headers("HX-Request")
def show_reach(request: HttpRequest) -> HttpResponse:
    """Everything up or down the stream of `node`, nearest first."""
    as_of = as_of_asked(request.GET)[0]
    asked = {name: request.GET.get(name, "").strip() for name in ("node", "depth", "projection")}
    upstream = request.GET.get("direction") == "upstream"
    projection: graph.Projection = next(
        (it for it in graph.PROJECTIONS if it == asked["projection"]), graph.PROJECTIONS[0]
    )
    edges = actions.list_edges(as_of=as_of)
    hops = asked["depth"] if asked["depth"].isdecimal() else ""
    depth = min(max(int(hops[:_DIGITS]), 1), _FARTHEST) if hops else None
    question = Question(
        title="Upstream and downstream",
        about="What feeds a thing and what it feeds, at any distance.",
        api="upstream" if upstream else "downstream",
        asked=dict(asked),
        row="lineage/reached_row.html",
        noun="thing",
        nothing="Name a thing.",
        inputs=(
            Input("node", "Of", asked["node"], offers=True),
            Input(
                "direction",
                "Direction",
                "upstream" if upstream else "downstream",
                choices=(("downstream", "what it feeds"), ("upstream", "what feeds it")),
            ),
            Input("depth", "Hops (empty: any)", str(depth or ""), type="number"),
            Input(
                "projection",
                "Among",
                projection,
                choices=tuple((it, it) for it in graph.PROJECTIONS),
            ),
        ),
        shown={"keys": names_offered(edges)},
    )
    listing = None
    if asked["node"]:
        try:
            found = actions.trace(
                asked["node"],
                "upstream" if upstream else "downstream",
                depth=depth,
                projection=projection,
                cap=_MOST_LISTED,
                scope=actions.Scope(as_of=as_of),
                edges=edges,
            )
        except LineageError as error:
            question.problem = str(error)
        else:
            listing = _reached(request, question, found, as_of)
    return answer(request, question, listing, as_of)


def _reached(
    request: HttpRequest, question: Question, found: graph.Reach, as_of: datetime | None
) -> Listing[Any]:
    question.shown["reach"] = found
    question.nothing = f"Nothing lies that way from {found.focus.kind} {found.focus.name}."
    address = pages([it.node for it in found.nodes], as_of)
    rows = [{"reached": it, "url": address(it.node)} for it in found.nodes]
    return Listing(
        rows,
        request.GET,
        columns=[
            Column("distance", "Hops", lambda row: row["reached"].distance, numeric=True),
            Column("name", "Thing", lambda row: row["reached"].node.name.lower()),
            Column("kind", "Kind", lambda row: row["reached"].node.kind),
            Column("context", "Context", lambda row: row["reached"].node.context),
        ],
        facets=[
            Facet("kind", "Kind", lambda row: row["reached"].node.kind),
            Facet("context", "Context", lambda row: row["reached"].node.context or ""),
        ],
        order="distance",
        text=lambda row: row["reached"].node.key,
    )


@require_safe
@vary_on_headers("HX-Request")
def show_footprint(request: HttpRequest) -> HttpResponse:
    """All that a service leaves behind: names by which Kafka knows it, what it reads and writes."""
    as_of = as_of_asked(request.GET)[0]
    service = request.GET.get("service", "").strip()
    names = names_offered(actions.list_edges(as_of=as_of))
    question = Question(
        title="Footprint",
        about="All that one service leaves behind in Kafka: what it reads and writes, its groups, "
        "ids and hosts, and who depends on it.",
        api="footprint",
        asked={"service": service},
        row="lineage/name_row.html",
        noun="name",
        nothing="Name a service.",
        inputs=(Input("service", "Service", service, offers=True),),
        shown={"keys": [it for it in names if not it.startswith("topic:")]},
    )
    listing = None
    if service:
        try:
            found = actions.take_footprint(service, actions.Scope(as_of=as_of))
        except LineageError as error:
            question.problem = str(error)
        else:
            listing = _left_behind(request, question, found, as_of)
    return answer(request, question, listing, as_of)


def _left_behind(
    request: HttpRequest, question: Question, found: graph.Footprint, as_of: datetime | None
) -> Listing[graph.Name]:
    question.nothing = f"Nobody called {found.node.name} was observed."
    topics = [*(it.source for it in found.reads), *(it.target for it in found.writes)]
    address = pages([*topics, *found.copies], as_of)
    question.shown |= {
        "footprint": found,
        "facts": [
            ("Reads", [(it.source.name, address(it.source)) for it in found.reads]),
            ("Writes", [(it.target.name, address(it.target)) for it in found.writes]),
            ("Copies of what it writes", [(it.name, address(it)) for it in found.copies]),
            ("Fed by", [(it, reverse("bounded-context", args=[it])) for it in found.fed_by]),
            ("Feeds", [(it, reverse("bounded-context", args=[it])) for it in found.feeds]),
        ],
    }
    return Listing(
        found.names,
        request.GET,
        columns=[
            Column("kind", "Known by", lambda row: row.kind),
            Column("name", "Name", lambda row: row.name.lower()),
            Column("first", "First seen", lambda row: row.first_seen),
            Column("last", "Last seen", lambda row: row.last_seen),
        ],
        facets=[Facet("kind", "Known by", lambda row: row.kind)],
        order="kind",
        text=lambda row: f"{row.kind} {row.name}",
    )
