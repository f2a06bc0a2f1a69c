"""What a drawn part of the graph shows: its DOT text, and the same edges as rows."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from catalog.models import Topic
from lineage import actions, drawing
from lineage.edges import EdgeView, Node
from lineage.errors import InstantInvalidError, NodeMissingError
from lineage.picture import Asked, EdgesAt, Picture, around, whole

ROWS_BESIDE = 50
"""Edges listed beside a drawing on another room's page; the lineage page pages through all."""


@dataclass(frozen=True)
class EdgeRow:
    """An edge, its state (observed, stale or declared), and whether the drawing shows it.

    The addresses of its ends are known once it is `located`: only the rows of a page are.
    """

    edge: EdgeView
    state: str
    role: str
    drawn: str = ""
    source_url: str = ""
    target_url: str = ""
    url: str = ""

    def located(self, address: Callable[[Node], str], as_of: datetime | None) -> "EdgeRow":
        """Return the row with the pages of its ends and its own."""
        return replace(
            self,
            source_url=address(self.edge.source),
            target_url=address(self.edge.target),
            url=edge_address(self.edge, as_of),
        )


@dataclass(frozen=True)
class Panel:
    """A part of the graph, drawn and listed; `hidden` counts nodes left out."""

    focus: str
    label: str
    drawing: dict[str, Any] | None
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


def edge_address(edge: EdgeView, as_of: datetime | None = None) -> str:
    """Return the page of an edge, with all that proves it."""
    when = as_of.isoformat() if as_of else None
    ends = query_of(source=edge.source.key, target=edge.target.key, as_of=when)
    return reverse("lineage-edge") + ends


def rows_of(
    edges: Iterable[EdgeView], drawn: Collection[tuple[Node, Node]] | None = None
) -> list[EdgeRow]:
    """Return the edges as a table lists them; `drawn` holds the pairs that a drawing shows."""
    return [
        EdgeRow(
            edge,
            state_of_edge(edge),
            role_of(edge),
            ""
            if drawn is None
            else "drawn"
            if (edge.source, edge.target) in drawn
            else "not drawn",
        )
        for edge in edges
    ]


def state_of_edge(edge: EdgeView) -> str:
    """Return the word for an edge's state: observed, stale or declared."""
    if {proof.kind for proof in edge.evidence} == {"declared"}:
        return "declared"
    return "observed" if edge.active else "stale"


def role_of(edge: EdgeView) -> str:
    """Return the verb between the two ends."""
    if edge.target.kind in {"topic", "dataset"}:
        return "writes"
    return "is copied to" if edge.target.kind == "copy" else "is read by"


def _panel(part: Picture, label: str, as_of: datetime | None, explore: str) -> Panel:
    address = pages([spot.node for spot in part.spots if spot.node], as_of)
    rows = rows_of(edge for link in part.links for edge in link.edges)
    drawn = None
    if part.links:
        drawn = {
            **drawing.describe(
                part,
                lambda spot: address(spot.node) if spot.node else "",
                frames=not part.focus,
            ),
            "here": explore,
            "proof": reverse("lineage-edge"),
        }
    return Panel(
        focus=part.focus,
        label=label,
        drawing=drawn,
        rows=[row.located(address, as_of) for row in rows[:ROWS_BESIDE]],
        hidden=part.hidden,
        nodes=len(part.spots),
        as_of=as_of,
        explore=explore,
    )


def panel_of(key: str, *, hops: int = 1, as_of: datetime | None = None) -> Panel:
    """Return the neighbourhood of one node, each node leading to its own page."""
    # one hop more than is drawn: what lies beyond is counted
    edges = actions.surroundings(key, hops=hops + 1, as_of=as_of)
    focus = node_of(key, edges)
    explore = exploring(key, as_of=as_of)
    if focus is None:
        return _panel(Picture(), "Nothing", as_of, explore)
    part = around(focus, edges_at(edges), Asked(hops=hops))
    return _panel(part, f"What surrounds {focus.kind} {focus.name}", as_of, explore)


def whole_estate(as_of: datetime | None = None) -> Panel:
    """Return the best connected part of the whole graph, framed by bounded context."""
    part = whole(actions.list_edges(as_of=as_of), Asked())
    return _panel(part, "Who writes and reads what", as_of, reverse("lineage"))


def edges_at(edges: Iterable[EdgeView]) -> EdgesAt:
    """Return the function from nodes to the edges that touch them."""
    touching: dict[Node, list[EdgeView]] = {}
    for edge in edges:
        touching.setdefault(edge.source, []).append(edge)
        touching.setdefault(edge.target, []).append(edge)

    def at(nodes: Collection[Node]) -> list[EdgeView]:
        return [edge for node in nodes for edge in touching.get(node, ())]

    return at
