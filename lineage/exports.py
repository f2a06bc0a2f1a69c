"""A picture as text to take away: Graphviz's DOT, and Mermaid for documents. Pure.

Both stand alone: colours and line styles are written out, and names stay text whatever they hold.
"""

from lineage.dot import quoted
from lineage.drawing import label_of, said_of, tip_of
from lineage.picture import CONTEXT, Link, Picture, Spot

_DOT_SHAPES = {
    "service": 'shape=box style="rounded,filled" fillcolor="#ffffff"',
    "topic": 'shape=cds style=filled fillcolor="#f2f3f2"',
    "copy": 'shape=cylinder style=filled fillcolor="#ffffff"',
    "actor": 'shape=box style="rounded,dashed"',
    "dataset": 'shape=tab style=filled fillcolor="#f2f3f2"',
    CONTEXT: 'shape=box peripheries=2 style="rounded,filled" fillcolor="#ffffff"',
}
_DOT_STATES = {
    "observed": "style=solid",
    "stale": 'style=dotted color="#9aa1a8"',
    "declared": "style=dashed",
}
_MERMAID_SHAPES = {
    "service": ("(", ")"),
    "topic": (">", "]"),
    "copy": ("[(", ")]"),
    "actor": ("(", ")"),
    "dataset": ("[/", "/]"),
    CONTEXT: ("[[", "]]"),
}
_MERMAID_CLASSES = (
    "classDef topic fill:#f2f3f2,stroke:#868d94,color:#1a1e22",
    "classDef service fill:#ffffff,stroke:#868d94,color:#1a1e22",
    "classDef copy fill:#ffffff,stroke:#868d94,color:#1a1e22",
    "classDef actor fill:#ffffff,stroke:#868d94,color:#1a1e22,stroke-dasharray:3 2",
    f"classDef {CONTEXT} fill:#ffffff,stroke:#1a1e22,color:#1a1e22",
    "classDef focus stroke:#1d55b5,stroke-width:3px",
)


def as_dot(picture: Picture) -> str:
    """Return a digraph that Graphviz draws as the page does."""
    lines = [
        "digraph lineage {",
        "  graph [rankdir=LR nodesep=0.3 ranksep=0.6]",
        '  node [fontname="Courier" fontsize=12 color="#868d94"]',
        '  edge [arrowsize=0.7 color="#1a1e22"]',
    ]
    for spot in picture.spots:
        focus = ' color="#1d55b5" penwidth=2.5' if spot.key == picture.focus else ""
        tip = said_of(spot).replace("&", "&amp;")
        lines.append(
            f"  {quoted(spot.key)} [label={quoted(label_of(spot))} tooltip={quoted(tip)} "
            f"{_DOT_SHAPES[spot.kind]}{focus}]"
        )
    lines += [
        f"  {quoted(link.source)} -> {quoted(link.target)} [{_dot_style(link)} "
        f"tooltip={quoted(tip_of(link))}]"
        for link in picture.links
    ]
    if picture.hidden:
        lines.append(f"  // {picture.hidden} more in reach, left out")
    return "\n".join([*lines, "}", ""])


def _dot_style(link: Link) -> str:
    style = _DOT_STATES[link.state]
    return style if link.writes or "color" in style else f'{style} color="#868d94"'


def as_mermaid(picture: Picture) -> str:
    """Return a flowchart; stale and declared edges are dotted, declared ones say so."""
    number = {spot.key: at for at, spot in enumerate(picture.spots)}
    lines = ["flowchart LR"]
    lines += [f"  {_mermaid_node(number[spot.key], spot, picture)}" for spot in picture.spots]
    lines += [
        f"  n{number[link.source]} {_mermaid_arrow(link)} n{number[link.target]}"
        for link in picture.links
    ]
    if picture.hidden:
        lines.append(f"  %% {picture.hidden} more in reach, left out")
    return "\n".join([*lines, *(f"  {line}" for line in _MERMAID_CLASSES), ""])


def _mermaid_node(number: int, spot: Spot, picture: Picture) -> str:
    left, right = _MERMAID_SHAPES[spot.kind]
    name = label_of(spot).replace("&amp;", "&")
    shown = f"n{number}{left}{in_mermaid(name)}{right}:::{spot.kind}"
    return f"{shown}\n  class n{number} focus" if spot.key == picture.focus else shown


def _mermaid_arrow(link: Link) -> str:
    if link.declared:
        return '-. "declared" .->'
    if not link.active:
        return '-. "stale" .->'
    return "==>" if link.writes else "-->"


def in_mermaid(text: str) -> str:
    """Return text in quotes, whatever could mean something to Mermaid or HTML as its number."""
    kept = "".join(
        letter
        if letter.isalnum() or letter in " ._-/·…"
        else f"#{ord(letter)};"
        if letter.isprintable()
        else " "
        for letter in text
    )
    return f'"{kept}"'
