"""Fields that reach other fields: exactly, where a definition says so; inferred otherwise. Pure.

A place is a field of a topic or copy; a field is a dotted path (`customer.id`). `$value` is a value
without fields, `$key` a record's key (`$key.id` a field of it); `$topic`, `$partition`, `$offset`
and `$timestamp` are where a record stands in the log.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

VALUE = "$value"
KEY = "$key"

Certainty = Literal["exact", "told", "inferred"]
Direction = Literal["upstream", "downstream", "both"]


@dataclass(frozen=True, order=True)
class Place:
    """A field of a topic or copy; the empty field stands for the whole of it."""

    kind: str
    name: str
    field: str

    @property
    def key(self) -> str:
        """The node that has it: `topic:orders`."""
        return f"{self.kind}:{self.name}"

    def within(self, field: str) -> bool:
        """Whether it is that field or lies inside it."""
        return not field or self.field == field or self.field.startswith(f"{field}.")


@dataclass(frozen=True)
class TypedField:
    """A field of a schema, with its type as the format spells it."""

    path: str
    type: str


@dataclass(frozen=True)
class Flow:
    """A field reaches another; `via` is the deriver's key, `because` says who tells."""

    source: Place
    target: Place
    transformation: str
    certainty: Certainty
    via: str
    because: str

    @property
    def inferred(self) -> bool:
        """Whether nobody said so: both ends only look alike."""
        return self.certainty == "inferred"


# -- copies: what a definition says ---------------------------------------------------------------
@dataclass(frozen=True)
class ColumnSource:
    """Where a copy's column comes from: no field for a constant, several for an expression."""

    column: str
    fields: tuple[str, ...]
    transformation: str


def copied(
    topic: str, copy: str, columns: Iterable[ColumnSource], fields: Sequence[str]
) -> Iterator[Flow]:
    """Yield a flow from each field to the column that holds it; inner fields go with their record.

    `fields` are all fields of the topic; what no column takes is dropped and flows nowhere.
    """
    via, because = f"copy:{copy}", f"the definition of connector {copy}"
    for each in columns:
        target = Place("copy", copy, each.column)
        for field in each.fields:
            source = Place("topic", topic, field)
            yield Flow(source, target, each.transformation, "exact", via, because)
            for inner in (it for it in fields if it.startswith(f"{field}.")):
                inside = Place("topic", topic, inner)
                yield Flow(inside, target, "inside", "exact", via, because)


# -- topics: what schemas of both sides let us infer ----------------------------------------------
def matched(
    source: str, read: Sequence[TypedField], target: str, written: Sequence[TypedField], via: str
) -> Iterator[Flow]:
    """Yield what one service may pass on: fields of one name and of types that fit each other."""
    by_name: dict[str, list[TypedField]] = {}
    for field in read:
        by_name.setdefault(_joined(field.path), []).append(field)
    for field in written:
        for origin in by_name.get(_joined(field.path), ()):
            if compatible(origin.type, field.type):
                yield Flow(
                    Place("topic", source, origin.path),
                    Place("topic", target, field.path),
                    "same name" if origin.path == field.path else "flattened or nested",
                    "inferred",
                    via,
                    f"{via} reads and writes a field of this name, {origin.type} and {field.type}",
                )


def _joined(path: str) -> str:
    return path.replace(".", "_").lower()


_NUMBERS = (
    *("int", "long", "float", "double", "integer", "number", "bigint", "real", "decimal"),
    *("int32", "int64", "uint32", "uint64", "sint32", "sint64"),
    *("fixed32", "fixed64", "sfixed32", "sfixed64"),
)
_FAMILIES = {
    **dict.fromkeys(_NUMBERS, "number"),
    **dict.fromkeys(("string", "enum", "uuid", "text"), "text"),
    **dict.fromkeys(("boolean", "bool"), "boolean"),
    **dict.fromkeys(("bytes", "fixed"), "bytes"),
}
_REMARK = re.compile(r"\([^()]*\)")
_ALTERNATIVE = re.compile(r"\s*[|,]\s*")


def compatible(one: str, other: str) -> bool:
    """Whether a value of one type may be the other's: by families, nullable or not."""
    return bool(_families(one) & _families(other))


def _families(text: str) -> frozenset[str]:
    plain = text
    while _REMARK.search(plain):
        plain = _REMARK.sub("", plain)
    plain = plain.strip()
    listed = re.fullmatch(r"(?:array|repeated|map)\s*<?(.*?)>?", plain)
    if listed:
        prefix = "map" if plain.startswith("map") else "array"
        return frozenset(f"{prefix} of {inner}" for inner in _families(listed[1]))
    found = (word.strip() for word in _ALTERNATIVE.split(plain))
    return frozenset(
        _FAMILIES.get(word.split(" ")[-1], "record") for word in found if word and word != "null"
    )


# -- following ------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Step:
    """A flow on the way, `distance` flows from the field that was asked for."""

    flow: Flow
    distance: int
    direction: str


Flows = Callable[[Place], Iterable[Flow]]
"""The flows out of (or into) a place's node; the follower selects those of the field."""


def follow(start: Place, flows: Flows, direction: str, depth: int) -> list[Step]:
    """Return the flows on from a field (and all inside it), or back to where it comes from."""
    downstream = direction == "downstream"
    steps: dict[tuple[Place, Place], Step] = {}
    seen = {start}
    waiting = deque([(start, 1)])
    while waiting:
        place, distance = waiting.popleft()
        for flow in flows(place):
            near, far = (flow.source, flow.target) if downstream else (flow.target, flow.source)
            if not _touches(flow, near, place):
                continue
            steps.setdefault((flow.source, flow.target), Step(flow, distance, direction))
            if distance < depth and far not in seen:
                seen.add(far)
                waiting.append((far, distance + 1))
    return list(steps.values())


def _touches(flow: Flow, near: Place, place: Place) -> bool:
    """Whether a flow's end is the field or inside it; what others told of a record goes for all."""
    if near.within(place.field):
        return True
    return flow.certainty == "told" and place.within(near.field)
