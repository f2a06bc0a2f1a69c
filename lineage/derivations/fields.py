"""What is asked of fields: where each comes from, where it goes, and how far that is known."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from lineage.actions import find_node
from lineage.derivations.actions import Known, read_known, read_near
from lineage.derivations.copied_columns import flows_of_copy
from lineage.derivations.derivation import DEEPEST, Derivation
from lineage.derivations.flows import (
    Direction,
    Flow,
    Place,
    Step,
    TypedField,
    follow,
    matched,
)
from lineage.derivations.schemas import Subjects, fields_at, subjects_by_topic
from lineage.edges import Node
from lineage.models import FieldFlow


class FieldMap:
    """The flows of fields as of an instant; those of a node are worked out when first asked for."""

    def __init__(self, known: Known, at: datetime | None) -> None:
        self._at = at
        self._from: dict[str, list[Derivation]] = defaultdict(list)
        self._into: dict[str, list[Derivation]] = defaultdict(list)
        for each in known.derivations:
            self._into[_raw_key(each.view)].append(each)
            for it in each.inputs:
                self._from[_raw_key(it.node)].append(each)
        self._subjects: Subjects | None = None
        self._fields: dict[str, list[TypedField]] = {}
        self._flows: dict[tuple[Node, Node, Node], list[Flow]] = {}
        self._told_from, self._told_into = _told(at)

    def fields(self, topic: str) -> list[TypedField]:
        """Return the fields of a topic's schemas."""
        if topic not in self._fields:
            if self._subjects is None:
                self._subjects = subjects_by_topic()
            self._fields[topic] = fields_at(topic, self._at, self._subjects)
        return self._fields[topic]

    def out_of(self, place: Place) -> list[Flow]:
        """Return the flows out of all fields of a place's node."""
        found = [
            flow
            for each in self._from.get(place.key, ())
            for flow in self.between(each, place.name)
        ]
        return found + self._told_from.get(place.key, [])

    def into(self, place: Place) -> list[Flow]:
        """Return the flows into all fields of a place's node."""
        found = [
            flow
            for each in self._into.get(place.key, ())
            for it in each.inputs
            for flow in self.between(each, it.node.name)
        ]
        return found + self._told_into.get(place.key, [])

    def between(self, each: Derivation, source: str) -> list[Flow]:
        """Return the flows of one derivation from one of its topics, inferred or exact."""
        key = (Node("topic", source), each.deriver, each.view)
        if key not in self._flows:
            self._flows[key] = list(self._found(each, source))
        return self._flows[key]

    def _found(self, each: Derivation, source: str) -> Iterator[Flow]:
        if each.view.kind == "copy":
            yield from flows_of_copy(each.view.name, source, self._at)
        elif each.view.kind == "topic":
            via, view = each.deriver.key, each.view.name
            yield from matched(source, self.fields(source), view, self.fields(view), via)


def _raw_key(node: Node) -> str:
    return f"{node.kind}:{node.name}"


def _told(at: datetime | None) -> tuple[dict[str, list[Flow]], dict[str, list[Flow]]]:
    """Read flows that jobs told of themselves (OpenLineage)."""
    out: dict[str, list[Flow]] = defaultdict(list)
    into: dict[str, list[Flow]] = defaultdict(list)
    rows = FieldFlow.objects.all()
    for row in rows.filter(first_seen__lte=at) if at else rows:
        flow = Flow(
            Place(row.source_kind, row.source_name, row.source_field),
            Place(row.target_kind, row.target_name, row.target_field),
            row.transformation,
            "inferred" if row.inferred else "told",
            "",
            row.kind,
        )
        out[flow.source.key].append(flow)
        into[flow.target.key].append(flow)
    return out, into


@dataclass(frozen=True)
class FieldAnswer:
    """What is known of a node's fields: the flows that touch the one asked for, or any."""

    node: Node
    field: str
    fields: list[TypedField]
    steps: list[Step]


def trace_fields(
    node: str,
    field: str = "",
    *,
    direction: Direction = "both",
    depth: int = 1,
    as_of: datetime | None = None,
    cluster: str | None = None,
) -> FieldAnswer:
    """Follow a field (or all of a node's) to where it goes, back to where it comes from, or both.

    Raises NodeMissingError for a node that nothing observed bears.
    """
    known = _known_for(node, direction, depth, as_of, cluster)
    found = find_node(node, known.edges)
    return trace(FieldMap(known, as_of), found, field, direction, depth)


def _known_for(
    node: str, direction: Direction, depth: int, as_of: datetime | None, cluster: str | None
) -> Known:
    """Read what lies around the node; everything where jobs told of flows that no edge follows."""
    if FieldFlow.objects.exists():
        return read_known(as_of, cluster)
    ways: list[Literal["upstream", "downstream"]] = ["upstream", "downstream"]
    wanted = [way for way in ways if direction in {way, "both"}]
    return read_near([node], wanted, min(depth, DEEPEST), as_of, cluster)


def trace(flows: FieldMap, node: Node, field: str, direction: Direction, depth: int) -> FieldAnswer:
    """Follow a field of a node; a copy's fields are its columns."""
    start = Place(node.kind, node.name, field)
    depth = min(depth, DEEPEST)
    steps: list[Step] = []
    if direction != "downstream":
        steps += follow(start, flows.into, "upstream", depth)
    if direction != "upstream":
        steps += follow(start, flows.out_of, "downstream", depth)
    if node.kind == "copy":
        columns = dict.fromkeys(flow.target.field for flow in flows.into(start))
        return FieldAnswer(node, field, [TypedField(name, "") for name in columns], steps)
    own = flows.fields(node.name) if node.kind == "topic" else []
    return FieldAnswer(node, field, own, steps)
