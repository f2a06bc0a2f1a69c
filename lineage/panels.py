"""What a drawn part of the graph shows: its DOT text, and the same edges as rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from catalog.models import Topic
from lineage import actions, dot, graph
from lineage.edges import EdgeView, Node
from lineage.errors import InstantInvalidError, NodeMissingError

NEVER_DRAWN_ABOVE = 60
"""Nodes beyond this are counted instead: nobody reads a drawing of hundreds."""


@dataclass(frozen=True)
class EdgeRow:
    """An edge with the pages of its ends, and its state: observed, stale or declared."""

    edge: EdgeView
    source_url: str
    target_url: str
    state: str
    role: str


@dataclass(frozen=True)
class Panel:
    """A part of the graph: `dot` is drawn, `rows` are listed, `hidden` counts nodes left out."""

    focus: str
    label: str
    dot: str
    rows: list[EdgeRow]
    hidden: int
    nodes: int
    as_of: datetime | None
    explore: str


def as_of_asked(query: Mapping[str, str]) -> tuple[datetime | None, str]:
    """Read `as_of` (ISO 8601; UTC when no zone is given); an error text when it is no instant."""
    text = query.get("as_of", "").strip()
    if not text:
        return None, ""
    try:
        return actions.parse_instant(text), ""
    except InstantInvalidError as error:
        return None, str(error)


def node_of(key: str, edges: Sequence[EdgeView]) -> Node | None:
    """Return the node with that key (`topic:orders`) or name; None when none was observed."""
    try:
        return actions.find_node(key, edges)
    except NodeMissingError:
        return None


def query_of(**values: object) -> str:
    """Return a query text of the values that are set, with its question mark."""
    said = {name: str(value) for name, value in values.items() if value not in {None, "", False}}
    return f"?{urlencode(said)}" if said else ""


def pages(nodes: Sequence[Node], as_of: datetime | None = None) -> Callable[[Node], str]:
    """Return the function from a node to its page; one query finds the topics' clusters."""
    names = {node.name for node in nodes if node.kind == "topic"}
    clusters = dict(Topic.objects.filter(name__in=names).values_list("name", "cluster__name"))
    kept = query_of(as_of=as_of.isoformat() if as_of else None)

    def address(node: Node) -> str:
        if node.kind == "service":
            return reverse("service", args=[node.name]) + kept
        if node.kind == "copy":
            return reverse("copy", args=[node.name]) + kept
        if node.kind == "topic" and node.name in clusters:
            return reverse("topic", args=[clusters[node.name], node.name]) + kept
        if node.kind == "actor":
            return address_of(node.known_by, node.name, as_of)
        return exploring(node.key, as_of=as_of)

    return address


def address_of(kind: str, name: str, as_of: datetime | None = None) -> str:
    """Return the address of an actor's page, by one of its names in Kafka."""
    when = as_of.isoformat() if as_of else None
    return reverse("actor") + query_of(kind=kind, name=name, as_of=when)


def exploring(key: str, *, hops: int | None = None, as_of: datetime | None = None) -> str:
    """Return the address of the lineage page with that node in the middle."""
    when = as_of.isoformat() if as_of else None
    return reverse("lineage") + query_of(focus=key, hops=hops, as_of=when)


def rows_of(edges: Sequence[EdgeView], address: Callable[[Node], str]) -> list[EdgeRow]:
    """Return the edges as a table shows them."""
    return [
        EdgeRow(
            edge,
            address(edge.source),
            address(edge.target),
            _state(edge),
            _role(edge),
        )
        for edge in edges
    ]


def _state(edge: EdgeView) -> str:
    if {proof.kind for proof in edge.evidence} == {"declared"}:
        return "declared"
    return "observed" if edge.active else "stale"


def _role(edge: EdgeView) -> str:
    if edge.target.kind in {"topic", "dataset"}:
        return "writes"
    return "is copied to" if edge.target.kind == "copy" else "is read by"


def panel_of(key: str, *, hops: int = 1, as_of: datetime | None = None) -> Panel:
    """Return the neighbourhood of one node, each node leading to its own page."""
    edges = actions.list_edges(as_of=as_of)
    focus = node_of(key, edges)
    part = (
        graph.neighbourhood(edges, focus, hops, cap=NEVER_DRAWN_ABOVE)
        if focus
        else graph.Subgraph((), ())
    )
    address = pages(part.nodes, as_of)
    return Panel(
        focus=key,
        label=f"What surrounds {focus.kind} {focus.name}" if focus else "Nothing",
        dot=dot.draw(part, focus=focus, address=address) if part.edges else "",
        rows=rows_of(part.edges, address),
        hidden=part.hidden,
        nodes=len(part.nodes),
        as_of=as_of,
        explore=exploring(key, hops=2, as_of=as_of),
    )


def whole_estate(as_of: datetime | None = None) -> Panel:
    """Return the best connected part of the whole graph, framed by bounded context."""
    part = graph.whole(actions.list_edges(as_of=as_of), NEVER_DRAWN_ABOVE)
    address = pages(part.nodes, as_of)
    return Panel(
        focus="",
        label="Who writes and reads what",
        dot=dot.draw(part, address=address, by_context=True) if part.edges else "",
        rows=rows_of(part.edges, address),
        hidden=part.hidden,
        nodes=len(part.nodes),
        as_of=as_of,
        explore=reverse("lineage"),
    )
