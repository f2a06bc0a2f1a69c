"""What pages show of derivations: rows with the pages of everything they name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from lineage.derivations.actions import Known
from lineage.derivations.derivation import Derivation, Input, chain
from lineage.derivations.fields import FieldMap, trace
from lineage.derivations.flows import Flow, Place
from lineage.derivations.impact import Affected, Impact
from lineage.edges import Node
from lineage.panels import exploring, node_of, pages

FURTHER = 6
"""Steps of a chain that a page follows; REST follows as many as are asked for."""


@dataclass(frozen=True)
class Named:
    """A node with its page."""

    node: Node
    url: str


@dataclass(frozen=True)
class InputRow:
    """One input with its page."""

    input: Input
    url: str


@dataclass(frozen=True)
class DerivationRow:
    """A derivation with the pages of all that it names, and the proof: its part of the graph."""

    derivation: Derivation
    view: Named
    deriver: Named
    inputs: list[InputRow]
    proof: str


@dataclass(frozen=True)
class DerivationsPanel:
    """Of a thing: what makes it (or what it makes), what comes of it, and all that lies beyond."""

    key: str
    kind: str
    made: list[DerivationRow]
    fed: list[DerivationRow]
    before: list[DerivationRow]
    after: list[DerivationRow]


def derivations_of(known: Known, key: str, as_of: datetime | None) -> DerivationsPanel:
    """Return the derivations of a view and from a stream, or all that a deriver makes."""
    kind = key.partition(":")[0]
    node = node_of(key, known.edges)
    if node is None:
        return DerivationsPanel(key, kind, [], [], [], [])
    if node.kind in {"service", "actor"}:
        made = [each for each in known.derivations if each.deriver == node]
        return DerivationsPanel(key, kind, rows_of(made, as_of), [], [], [])
    back = chain(known.derivations, node, "upstream", FURTHER)
    ahead = chain(known.derivations, node, "downstream", FURTHER)
    return DerivationsPanel(
        key,
        kind,
        made=rows_of([each for each in back if each.distance == 1], as_of),
        fed=rows_of([each for each in ahead if each.distance == 1], as_of),
        before=rows_of([each for each in back if each.distance > 1], as_of),
        after=rows_of([each for each in ahead if each.distance > 1], as_of),
    )


def rows_of(found: Sequence[Derivation], as_of: datetime | None = None) -> list[DerivationRow]:
    """Return derivations as a table shows them."""
    nodes = [
        node
        for each in found
        for node in (each.view, each.deriver, *(it.node for it in each.inputs))
    ]
    address = pages(nodes, as_of)
    return [_row(each, address, as_of) for each in found]


def _row(each: Derivation, address: Callable[[Node], str], as_of: datetime | None) -> DerivationRow:
    return DerivationRow(
        each,
        Named(each.view, address(each.view)),
        Named(each.deriver, address(each.deriver)),
        [InputRow(it, address(it.node)) for it in each.inputs],
        exploring(each.deriver.key, as_of=as_of),
    )


@dataclass(frozen=True)
class FlowRow:
    """A flow with the page of its other end."""

    flow: Flow
    end: Place
    url: str


@dataclass(frozen=True)
class FieldRow:
    """A field of a topic or column of a copy: what it comes from and what it goes to."""

    path: str
    type: str
    sources: list[FlowRow]
    targets: list[FlowRow]


@dataclass(frozen=True)
class FieldsPanel:
    """The fields of a thing; `hidden` counts those beyond what a page shows."""

    key: str
    kind: str
    rows: list[FieldRow]
    hidden: int


MOST_FIELDS = 200


def fields_of(known: Known, key: str, as_of: datetime | None) -> FieldsPanel:
    """Return each field of a topic or copy with the flows into and out of it."""
    kind = key.partition(":")[0]
    node = node_of(key, known.edges)
    if node is None:
        return FieldsPanel(key, kind, [], 0)
    answer = trace(FieldMap(known, as_of), node, "", "both", 1)
    into = [step.flow for step in answer.steps if step.direction == "upstream"]
    out = [step.flow for step in answer.steps if step.direction == "downstream"]
    ends = [flow.source for flow in into] + [flow.target for flow in out]
    nodes = [end for edge in known.edges for end in (edge.source, edge.target)]
    by_key = {f"{it.kind}:{it.name}": it for it in nodes}
    address = pages([by_key[end.key] for end in ends if end.key in by_key], as_of)

    def row(flow: Flow, end: Place) -> FlowRow:
        return FlowRow(flow, end, address(by_key[end.key]) if end.key in by_key else "")

    types = {field.path: field.type for field in answer.fields}
    names = dict.fromkeys([
        *types,
        *(flow.target.field for flow in into),
        *(flow.source.field for flow in out),
    ])
    rows = [
        FieldRow(
            name or "(all of it)",
            types.get(name, ""),
            [row(flow, flow.source) for flow in into if flow.target.field == name],
            [row(flow, flow.target) for flow in out if flow.source.field == name],
        )
        for name in names
    ]
    return FieldsPanel(key, kind, rows[:MOST_FIELDS], max(0, len(rows) - MOST_FIELDS))


@dataclass(frozen=True)
class AffectedRow:
    """A thing that a change reaches, with its page, that of whence, and the proof."""

    affected: Affected
    url: str
    via_url: str
    proof: str


def affected_rows(answer: Impact) -> list[AffectedRow]:
    """Return what a change reaches as a table shows it."""
    as_of = answer.question.as_of
    nodes = [node for it in answer.affected for node in (it.node, it.reached.via)]
    address = pages(nodes, as_of)
    return [
        AffectedRow(
            it,
            address(it.node),
            address(it.reached.via),
            exploring(it.node.key, as_of=as_of),
        )
        for it in answer.affected
    ]
