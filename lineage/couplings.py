"""Bounded contexts and what flows between them, drawn: the strongest couplings first. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import networkx as nx

from lineage.dot import quoted
from lineage.graph import Coupling

MOST_ARROWS = 60
NO_CONTEXT = "no context"


@dataclass(frozen=True)
class Chosen:
    """The couplings to draw, and what is left out: weaker ones, and contexts without any."""

    drawn: list[Coupling]
    listed: list[Coupling]
    least: int
    most: int
    left_out: int
    contexts_left_out: int


def choose(couplings: Sequence[Coupling], least: int | None, context: str = "") -> Chosen:
    """Choose what is drawn: at least so many topics; the strongest of those, at most 60 arrows.

    Without `least` the lowest number that keeps to 60 is taken. `context` keeps its own only.
    """
    listed = [it for it in couplings if not context or context in {it.source, it.target}]
    sizes = sorted((len(it.topics) for it in listed), reverse=True)
    if least is None:
        least = 1 if len(sizes) <= MOST_ARROWS else sizes[MOST_ARROWS] + 1
        # when all are equally strong none would be left
        least = min(least, sizes[0]) if sizes else 1
    drawn = [it for it in listed if len(it.topics) >= least][:MOST_ARROWS]
    names = {name for it in listed for name in (it.source, it.target)}
    shown = {name for it in drawn for name in (it.source, it.target)}
    return Chosen(
        drawn,
        listed,
        least,
        sizes[0] if sizes else 1,
        len(listed) - len(drawn),
        len(names - shown),
    )


def describe(
    chosen: Chosen,
    context: str,
    context_address: Callable[[str], str],
    address: Callable[[Coupling], str],
) -> dict[str, Any]:
    """Return the drawing in the form that `drawing.describe` returns; weight is the line's."""
    names = _by_cluster(chosen.drawn)
    number = {name: at for at, name in enumerate(names)}
    lines = [
        "digraph{",
        'graph [rankdir=LR nodesep=0.22 ranksep=0.8 bgcolor="transparent" pad=0.15]',
        "graph [outputorder=edgesfirst]",
        'node [shape=box style="rounded" height=0.36 margin="0.16,0.06"]',
        'node [fontname="Courier" fontsize=12]',
        'edge [arrowsize=0.6 fontname="Helvetica" fontsize=10]',
    ]
    lines += [f"n{number[name]} [label={quoted(_label(name))}]" for name in names]
    few = len(chosen.drawn) <= 30
    for it in chosen.drawn:
        # a number on each of many arrows would be noise; it is on hover and in the table
        label = f" label={quoted(str(len(it.topics)))}" if few else ""
        lines.append(f"n{number[it.source]}->n{number[it.target]} [weight={len(it.topics)}{label}]")
    return {
        "dot": "\n".join([*lines, "}"]),
        "nodes": [
            [f"context:{_name(name)}", -1, 0, 0, 0, 0, context_address(name)] for name in names
        ],
        "edges": [
            [
                number[it.source],
                number[it.target],
                f"c{_weight(len(it.topics), chosen)}",
                f"{len(it.topics)} topics",
                0,
                1,
                address(it),
            ]
            for it in chosen.drawn
        ],
        "contexts": [],
        "focus": f"context:{context}" if context else "",
    }


def _by_cluster(drawn: Sequence[Coupling]) -> list[str]:
    """Return the contexts, those that hang together side by side.

    Graphviz stacks clusters from the last to the first: the largest comes last.
    """
    together: nx.Graph[str] = nx.Graph()
    together.add_edges_from((it.source, it.target) for it in drawn)
    clusters = [sorted(cluster) for cluster in nx.connected_components(together)]
    return [name for cluster in sorted(clusters, key=lambda it: (len(it), it)) for name in cluster]


def _weight(topics: int, chosen: Chosen) -> int:
    """Return the class of an arrow's width, 1 to 5, between the weakest drawn and the strongest."""
    most = max(len(it.topics) for it in chosen.drawn)
    least = min(len(it.topics) for it in chosen.drawn)
    return 1 + round(4 * log(topics / least) / log(most / least)) if most > least else 3


def _name(name: str) -> str:
    return name or NO_CONTEXT


def _label(name: str) -> str:
    return _name(name).replace("&", "&amp;")
