"""A picture as the browser draws it: short DOT to lay out, and what each part of it says. Pure.

Names, addresses and tips stand once, beside the DOT text and in its order; a drawing of 300
nodes has to fit a page of 200 KB.
"""

from collections.abc import Callable
from typing import Any

from lineage.dot import quoted
from lineage.edges import EdgeView
from lineage.picture import CONTEXT, Link, Picture, Spot

SpotAddress = Callable[[Spot], str]

_SHAPES = {
    "service": 'shape=box style="rounded"',
    "topic": "shape=cds",
    "copy": "shape=cylinder",
    "actor": 'shape=box style="rounded"',
    "dataset": "shape=tab",
    CONTEXT: 'shape=box style="rounded" peripheries=2',
}
_LABEL_LENGTH = 36
MANY_EDGES = 150
_HEAD = (
    'graph [rankdir=LR nodesep=0.3 ranksep=0.55 bgcolor="transparent" pad=0.15]',
    "graph [outputorder=edgesfirst]",
    'node [fontname="Courier" fontsize=12 height=0.38 margin="0.16,0.06"]',
    "edge [arrowsize=0.7]",
)


def describe(
    picture: Picture, address: SpotAddress | None = None, *, frames: bool = False
) -> dict[str, Any]:
    """Return `dot`, and in its order `nodes` and `edges`; `contexts` are named once.

    A node: key, number of its context or -1, hidden neighbours up and down, whether it was
    opened, how much is folded into it, and its address where the page cannot tell it by the key.
    An edge: numbers of its ends, role and state by their first letters, what proves it, when that
    was last seen (epoch seconds), and how many edges it stands for when they are several.
    """
    number = {spot.key: at for at, spot in enumerate(picture.spots)}
    contexts = sorted({spot.context for spot in picture.spots if spot.context})
    home = {name: at for at, name in enumerate(contexts)}
    return {
        "dot": _dot(picture, number, frames=frames),
        "nodes": [
            [
                spot.key,
                home.get(spot.context or "", -1),
                *spot.hidden,
                int(spot.opened),
                spot.members or spot.internal,
                *([address(spot)] if address else []),
            ]
            for spot in picture.spots
        ],
        "edges": [
            [
                number[link.source],
                number[link.target],
                ("w" if link.writes else "r") + link.state[0],
                ", ".join(dict.fromkeys(it.kind for edge in link.edges for it in edge.evidence)),
                int(max(edge.last_seen for edge in link.edges).timestamp()),
                *([len(link.edges)] if len(link.edges) > 1 else []),
            ]
            for link in picture.links
        ],
        "contexts": contexts,
        "focus": picture.focus,
    }


def _dot(picture: Picture, number: dict[str, int], *, frames: bool) -> str:
    """Return the text to lay out; `frames` draws a box around each context."""
    lines = ["digraph{", *_HEAD, *_effort(len(picture.links))]
    framed: dict[str, list[str]] = {}
    # Graphviz breaks cycles where it comes to them: upstream first keeps writers on the left
    for spot in sorted(picture.spots, key=lambda it: it.level):
        at = number[spot.key]
        line = f"n{at} [label={quoted(label_of(spot))} {_SHAPES[spot.kind]}]"
        framed.setdefault(_frame(spot) if frames else "", []).append(line)
    for at, (name, inside) in enumerate(sorted(framed.items())):
        if name:
            lines += [f"subgraph cluster_{at} {{", f"label={quoted(name.replace('&', '&amp;'))}"]
            lines += ['style="rounded" fontsize=11', *inside, "}"]
        else:
            lines += inside
    lines += [f"n{number[link.source]}->n{number[link.target]}" for link in picture.links]
    return "\n".join([*lines, "}"])


def _effort(edges: int) -> list[str]:
    """Return how hard the layout tries: without a limit, 500 edges take it ten seconds.

    Routing curves around nodes is half of what is left; among so many, straight lines serve.
    """
    if edges <= MANY_EDGES:
        return []
    limits = ["graph [nslimit=0.5 nslimit1=1 mclimit=0.3]"]
    return [*limits, "graph [splines=line]"] if edges > 2 * MANY_EDGES else limits


def _frame(spot: Spot) -> str:
    return "" if spot.kind == CONTEXT else spot.context or ""


def label_of(spot: Spot) -> str:
    """What stands in the node: its name, cut where it is long, an actor with what names it."""
    name = spot.name
    if spot.kind == CONTEXT:
        name = f"{name} · {spot.members}"
    elif spot.node is not None and spot.node.known_by:
        name = f"{spot.node.known_by.replace('_', ' ')} {name}"
    return (name if len(name) <= _LABEL_LENGTH else name[: _LABEL_LENGTH - 1] + "…").replace(
        "&", "&amp;"
    )


def said_of(spot: Spot) -> str:
    """The node in words, as hovering shows and a screen reader says it."""
    if spot.kind == CONTEXT:
        return f"context {spot.name}, {spot.members} things folded into one"
    words = [f"{spot.kind} {spot.name}"]
    if spot.node is not None and spot.node.known_by:
        words = [f"unrecognised {spot.node.known_by.replace('_', ' ')} {spot.name}"]
    if spot.context:
        words.append(f"context {spot.context}")
    if spot.internal:
        words.append(f"{spot.internal} internal topics folded in")
    return ", ".join(words)


def tip_of(link: Link) -> str:
    """What proves the arrow, and when it was last seen."""
    if len(link.edges) > 1:
        return f"{len(link.edges)} edges, last seen {_instant(link.edges)}"
    edge = link.edges[0]
    kinds = ", ".join(proof.kind for proof in edge.evidence)
    return f"{kinds}; last seen {_instant(link.edges)}"


def _instant(edges: tuple[EdgeView, ...]) -> str:
    return f"{max(edge.last_seen for edge in edges):%Y-%m-%d %H:%M:%S} UTC"
