"""Answers of lineage as lines of plain text, columns aligned."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from lineage import graph
from lineage.actions import DeclaredView, OrphanView
from lineage.edges import Node


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]], nothing: str) -> list[str]:
    """Return a heading and a line a row; `nothing` says why there is no row."""
    lines = [tuple(headings), *(tuple(row) for row in rows)]
    if len(lines) == 1:
        return [nothing]
    widths = [max(len(line[number]) for line in lines) for number in range(len(headings))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def _instant(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if at else "-"


def _keys(nodes: Iterable[Node]) -> str:
    return ", ".join(node.key for node in nodes) or "-"


def trace(found: graph.Reach) -> list[str]:
    """One line a node, nearest first, and what was left out."""
    rows = ((str(it.distance), it.node.key, it.node.context or "-") for it in found.nodes)
    lines = _table(("HOPS", "NODE", "CONTEXT"), rows, f"nothing from {found.focus.key} that way")
    if found.hidden or found.beyond:
        lines.append(f"left out: {found.hidden} by the cap, {found.beyond} beyond the depth")
    if found.returns:
        lines.append(f"data of {found.focus.key} comes back to it")
    return lines


def story(found: graph.Story) -> list[str]:
    """The story in one line, then each step with its evidence."""
    lines = [found.text]
    for step in found.steps:
        proofs = [
            f"{edge.source.key} → {edge.target.key}: {', '.join(it.kind for it in edge.evidence)}"
            for edge in (step.read, step.written)
            if edge is not None
        ]
        lines.append(f"  {step.text} ({'; '.join(proofs)})")
    if found.alternatives:
        lines.append(f"{found.alternatives} other ways are as short")
    return lines


def diff(found: graph.Diff) -> list[str]:
    """One line a changed edge, then one a node that is new or gone."""
    edges = (
        (it.kind, f"{it.edge.source.key} → {it.edge.target.key}", it.cause, _instant(it.at))
        for it in found.edges
    )
    nodes = ((it.kind, it.node.key, it.cause, _instant(it.at)) for it in found.nodes)
    return _table(
        ("CHANGE", "WHAT", "CAUSE", "AT"),
        (*edges, *nodes),
        f"nothing changed from {_instant(found.since)} to {_instant(found.until)}",
    )


def orphans(found: Sequence[OrphanView]) -> list[str]:
    """One line a topic."""
    rows = (
        (
            it.orphan.state,
            f"{it.cluster}/{it.orphan.topic.name}",
            _keys(it.orphan.writers),
            _instant(it.orphan.written_at),
            _keys(it.orphan.readers),
            _instant(it.orphan.read_at),
            "-" if it.records is None else str(it.records),
        )
        for it in found
    )
    headings = ("STATE", "TOPIC", "WRITERS", "LAST WRITTEN", "READERS", "LAST READ", "RECORDS")
    return _table(headings, rows, "every topic has writers and readers")


def declared(found: Sequence[DeclaredView]) -> list[str]:
    """One line a topic, the gravest verdict first."""
    rows = (
        (
            it.verdict,
            f"{it.cluster}/{it.topic}",
            it.declared or "-",
            ", ".join(it.observed) or "-",
            "; ".join(it.reasons),
        )
        for it in found
    )
    return _table(("VERDICT", "TOPIC", "DECLARED", "OBSERVED", "WHY"), rows, "no topic is known")


def couplings(found: Sequence[graph.Coupling]) -> list[str]:
    """One line a pair of contexts, most topics first."""
    rows = (
        (
            it.source or "(no context)",
            it.target or "(no context)",
            str(it.flows),
            "cyclic" if it.cyclic else "-",
            ", ".join(it.topics),
        )
        for it in found
    )
    return _table(("FROM", "TO", "FLOWS", "CYCLIC", "TOPICS"), rows, "no context feeds another")


def cycles(found: Sequence[graph.Cycle]) -> list[str]:
    """One line a cycle, its nodes in order."""
    rows = (
        (it.kind, str(len(it.members)), " → ".join(node.key for node in (*it.nodes, it.nodes[0])))
        for it in found
    )
    return _table(("KIND", "MEMBERS", "SHORTEST WAY ROUND"), rows, "no data comes back")


def footprint(found: graph.Footprint) -> list[str]:
    """A line a fact."""
    facts = [
        ("service", found.node.key),
        ("context", found.node.context or "-"),
        ("since", _instant(found.since)),
        ("last seen", f"{_instant(found.last_seen)}{' (active)' * found.active}"),
        ("reads", _keys(edge.source for edge in found.reads)),
        ("writes", _keys(edge.target for edge in found.writes)),
        ("copies", _keys(found.copies)),
        ("fed by", ", ".join(found.fed_by) or "-"),
        ("feeds", ", ".join(found.feeds) or "-"),
    ]
    kinds = dict.fromkeys(name.kind for name in found.names)
    facts += [(kind.replace("_", " "), ", ".join(found.known_as(kind))) for kind in kinds]
    width = max(len(word) for word, _ in facts)
    return [f"{word.ljust(width)}  {fact}" for word, fact in facts]
