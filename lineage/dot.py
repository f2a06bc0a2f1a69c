"""Draw a part of the graph in Graphviz's DOT language. Pure text; the browser lays it out."""

from collections.abc import Callable

from lineage.edges import EdgeView, Node
from lineage.graph import Subgraph

Address = Callable[[Node], str]
"""The page of a node, or an empty text where it has none."""

_SHAPES = {
    "service": 'shape=box style="rounded,filled" class="node-service"',
    "topic": 'shape=cds style="filled" class="node-topic"',
    "copy": 'shape=cylinder style="filled" class="node-copy"',
    "actor": 'shape=box style="rounded,dashed" class="node-actor"',
    "dataset": 'shape=tab style="rounded,filled" class="node-dataset"',
}
_LABEL_LENGTH = 40


def quoted(text: str) -> str:
    """Return `text` as a DOT string: whatever a name holds, it stays text.

    Backslashes are doubled, for DOT reads escapes such as `\\N` in labels; control characters
    become spaces, for an XML drawing may not hold them.
    """
    plain = "".join(character if character.isprintable() else " " for character in text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _label(node: Node) -> str:
    name = node.name
    if node.kind == "actor":
        name = f"{node.known_by.replace('_', ' ')} {name}"
    return _plain(name if len(name) <= _LABEL_LENGTH else name[: _LABEL_LENGTH - 1] + "…")


def _plain(text: str) -> str:
    """Return text as a label shows it: Graphviz reads `&amp;` and the like in labels."""
    return text.replace("&", "&amp;")


def _node(node: Node, focus: Node | None, address: Address) -> str:
    attributes = [
        f"id={quoted(node.key)}",
        f"label={quoted(_label(node))}",
        f"tooltip={quoted(_plain(f'{node.kind} {node.name}'))}",
        _SHAPES[node.kind],
    ]
    if url := address(node):
        attributes.append(f'URL={quoted(url)} target="_top"')
    if node == focus:
        attributes.append("penwidth=2.5")
    return f"  {quoted(node.key)} [{' '.join(attributes)}];"


def _edge(edge: EdgeView) -> str:
    kinds = {proof.kind for proof in edge.evidence}
    role = "edge-write" if edge.target.kind in {"topic", "dataset"} else "edge-read"
    # declared-only is dashed, stale is dotted and faded: told apart without colour
    if kinds == {"declared"}:
        style, state = "dashed", "declared"
    elif edge.active:
        style, state = "solid", "active"
    else:
        style, state = "dotted", "stale"
    tip = f"{edge.source.name} → {edge.target.name}: {', '.join(sorted(kinds))}, last seen "
    tip += f"{edge.last_seen:%Y-%m-%d %H:%M:%S} UTC"
    tip = _plain(tip)
    return (
        f"  {quoted(edge.source.key)} -> {quoted(edge.target.key)} "
        f'[style={style} class="{role} edge-{state}" edgetooltip={quoted(tip)} '
        f"tooltip={quoted(tip)}];"
    )


def draw(
    subgraph: Subgraph,
    *,
    focus: Node | None = None,
    address: Address = lambda _node: "",
    by_context: bool = False,
) -> str:
    """Return the DOT text, left to right; `by_context` frames the nodes of each context.

    Colours are left to the page: nodes and edges carry classes (`node-topic`, `edge-write`,
    `edge-stale`, …), nodes the id `kind:name`.
    """
    lines = [
        "digraph lineage {",
        '  graph [rankdir=LR nodesep=0.25 ranksep=0.6 bgcolor="transparent" pad=0.1];',
        '  node [fontname="Courier" fontsize=12 height=0.35 margin="0.14,0.06"];',
        "  edge [arrowsize=0.7];",
    ]
    clusters: dict[str, list[Node]] = {}
    for node in subgraph.nodes:
        clusters.setdefault((node.context or "") if by_context else "", []).append(node)
    for number, (context, nodes) in enumerate(sorted(clusters.items())):
        drawn = [_node(node, focus, address) for node in nodes]
        if context:
            lines += [
                f"  subgraph cluster_{number} {{",
                f'    label={quoted(context)} style="rounded" class="context" fontsize=11;',
                *(f"  {line}" for line in drawn),
                "  }",
            ]
        else:
            lines += drawn
    lines += [_edge(edge) for edge in subgraph.edges]
    return "\n".join([*lines, "}", ""])
