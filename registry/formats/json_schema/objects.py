"""Objects: properties under open, closed and partially open content models, and the counts."""

from collections.abc import Iterator

from registry.formats.json_schema.compare import Pair, Steps, Work, excused, under
from registry.formats.json_schema.content import anything, closed, compare_rest, left_unevaluated
from registry.formats.json_schema.differences import Change
from registry.formats.json_schema.limits import compare_bounds
from registry.formats.json_schema.model import ABSENT, Node, Object
from registry.formats.json_schema.patterns import effort, may_match

_WIDENED = frozenset({"ADDITIONAL_PROPERTIES_ADDED", "ADDITIONAL_PROPERTIES_EXTENDED"})


def compare_objects(old: Object, new: Object) -> Steps:
    """All changes of two objects."""
    if work := _effort(old, new):
        yield Work(work)
    changes = list(_required(old, new))
    for name in dict.fromkeys([*old.properties, *new.properties]):
        inner = yield from _compare_property(old, new, name)
        changes += under(("properties", name), inner)
    changes += yield from _compare_patterns(old, new)
    changes += yield from _compare_dependencies(old, new)
    additional = yield from compare_rest("ADDITIONAL_PROPERTIES", old.additional, new.additional)
    changes += under(("additionalProperties",), additional)
    unevaluated = yield from compare_rest(
        "UNEVALUATED_PROPERTIES", _unevaluated(old), _unevaluated(new)
    )
    changes += under(("unevaluatedProperties",), unevaluated)
    names = yield Pair(_limiting(old.names), _limiting(new.names))
    changes += under(("propertyNames",), names.changes)
    changes += compare_bounds("MAX_PROPERTIES", old.max_properties, new.max_properties)
    changes += compare_bounds("MIN_PROPERTIES", old.min_properties, new.min_properties)
    return changes + list(_reserved(old, new))


def _effort(old: Object, new: Object) -> int:
    """What matching names with patterns will cost."""
    if not old.patterns and not new.patterns:
        return 0
    changed = old.properties.keys() ^ new.properties.keys()
    added = new.patterns.keys() - old.patterns.keys()
    return effort([*old.patterns, *new.patterns], changed) + effort(added, old.properties)


def _limiting(node: Node | None) -> Node | None:
    return None if anything(node) else node


def _required(old: Object, new: Object) -> Iterator[Change]:
    """Names that became required or optional; newly added properties have changes of their own."""
    before, after = frozenset(old.required), frozenset(new.required)
    for name in old.required:
        if name not in after and name in new.properties:
            yield Change("REQUIRED_ATTRIBUTE_REMOVED", ("required", name))
    for name in new.required:
        if name in before or (name in new.properties and name not in old.properties):
            continue
        kept = name in new.properties and _has_default(new.properties[name])
        kind = "REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED" if kept else "REQUIRED_ATTRIBUTE_ADDED"
        yield Change(kind, ("required", name))


def _has_default(node: Node) -> bool:
    return node.default is not ABSENT or node.followed().default is not ABSENT


def _open(schema: Object) -> bool:
    return not schema.patterns and anything(schema.additional) and anything(_unevaluated(schema))


def _unevaluated(schema: Object) -> Node | None:
    return left_unevaluated(schema.additional, schema.unevaluated)


def _covers(schema: Object, name: str) -> tuple[Node, ...]:
    """The schemas that a property without one of its own must obey in a content model not open."""
    matching = tuple(node for pattern, node in schema.patterns.items() if may_match(pattern, name))
    if matching or closed(schema.additional):
        return matching
    if schema.additional is not None and not anything(schema.additional):
        return (schema.additional,)
    rest = _unevaluated(schema)
    return () if rest is None or anything(rest) or closed(rest) else (rest,)


def _compare_property(old: Object, new: Object, name: str) -> Steps:
    original, update = old.properties.get(name), new.properties.get(name)
    if update is None and original is not None:
        return (yield from _compare_removed(original, new, name))
    if original is None and update is not None:
        return (yield from _compare_added(old, new, name, update))
    verdict = yield Pair(original, update)
    return list(verdict.changes)


def _compare_removed(original: Node, new: Object, name: str) -> Steps:
    if _open(new):
        return [Change("PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL")]
    covers = _covers(new, name)
    if not covers:
        never = "WITH_FALSE_" if closed(original) else ""
        return [Change(f"PROPERTY_{never}REMOVED_FROM_CLOSED_CONTENT_MODEL")]
    changes: list[Change] = []
    for cover in covers:
        verdict = yield Pair(original, cover)
        if not verdict.compatible:
            uncovered = Change("PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL")
            return [*excused(verdict.changes), uncovered]
        changes += verdict.changes
    return [*changes, Change("PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL")]


def _compare_added(old: Object, new: Object, name: str, update: Node) -> Steps:
    required, default = name in new.required, _has_default(update)
    if not required:
        kind = "OPTIONAL_PROPERTY"
    else:
        kind = "REQUIRED_PROPERTY_WITH_DEFAULT" if default else "REQUIRED_PROPERTY"
    if not _open(old):
        changes = yield from _compare_cover(_covers(old, name), update)
        return [*changes, Change(f"{kind}_ADDED_TO_UNOPEN_CONTENT_MODEL")]
    # An empty schema takes every value, but not the want of one.
    if anything(update) and (not required or default or name in old.required):
        kind = "PROPERTY_WITH_EMPTY_SCHEMA"
    return [Change(f"{kind}_ADDED_TO_OPEN_CONTENT_MODEL")]


def _compare_cover(covers: tuple[Node, ...], update: Node) -> Steps:
    """Old values of that name obeyed every cover, so one that the new schema accepts suffices."""
    broken: list[Change] = []
    for cover in covers:
        verdict = yield Pair(cover, update)
        if verdict.compatible:
            covered = Change("PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL")
            return [*verdict.changes, covered]
        broken += excused(verdict.changes)
    if not covers:
        return []
    return [*broken, Change("PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL")]


def _compare_patterns(old: Object, new: Object) -> Steps:
    """A new pattern narrows what was free; what a dropped one allowed falls to the rest."""
    changes: list[Change] = []
    for pattern, update in new.patterns.items():
        if pattern in old.patterns:
            verdict = yield Pair(old.patterns[pattern], update)
            inner = list(verdict.changes)
        else:
            inner = yield from _compare_new_pattern(old, pattern, update)
        changes += under(("patternProperties", pattern), inner)
    for pattern, original in old.patterns.items():
        if pattern not in new.patterns:
            inner = yield from compare_rest("ADDITIONAL_PROPERTIES", original, new.additional)
            # That more is allowed under the pattern than before has no name of its own.
            inner = [each for each in inner if each.kind not in _WIDENED]
            changes += under(("patternProperties", pattern), inner)
    return changes


def _compare_new_pattern(old: Object, pattern: str, update: Node) -> Steps:
    if anything(update):
        return []
    for name, original in old.properties.items():
        if may_match(pattern, name):
            verdict = yield Pair(original, update)
            if not verdict.compatible:
                return [Change("ADDITIONAL_PROPERTIES_NARROWED")]
    for original in (*old.patterns.values(), *([old.additional] if old.additional else [])):
        verdict = yield Pair(original, update)
        if not verdict.compatible:
            return [Change("ADDITIONAL_PROPERTIES_NARROWED")]
    return [Change("ADDITIONAL_PROPERTIES_NARROWED")] if anything(old.additional) else []


def _compare_dependencies(old: Object, new: Object) -> Steps:
    changes: list[Change] = []
    for name in dict.fromkeys([*old.required_by, *new.required_by]):
        kind = _names_change(old.required_by.get(name), new.required_by.get(name))
        if kind is not None:
            changes.append(Change(f"DEPENDENCY_ARRAY_{kind}", ("dependencies", name)))
    for name in dict.fromkeys([*old.schema_by, *new.schema_by]):
        original, update = old.schema_by.get(name), new.schema_by.get(name)
        if original is None or update is None:
            kind = "ADDED" if original is None else "REMOVED"
            changes.append(Change(f"DEPENDENCY_SCHEMA_{kind}", ("dependencies", name)))
        else:
            verdict = yield Pair(original, update)
            changes += under(("dependencies", name), verdict.changes)
    return changes


def _names_change(old: tuple[str, ...] | None, new: tuple[str, ...] | None) -> str | None:
    if old is None or new is None:
        return "ADDED" if old is None else "REMOVED"
    if set(old) == set(new):
        return None
    if set(old) < set(new):
        return "EXTENDED"
    return "NARROWED" if set(new) < set(old) else "CHANGED"


def _reserved(old: Object, new: Object) -> Iterator[Change]:
    """confluent:reserved names are never given up and never used."""
    for name in old.reserved:
        if name not in new.reserved:
            yield Change("RESERVED_PROPERTY_REMOVED", ("confluent:reserved", name))
    for name in new.reserved:
        if name in new.properties:
            yield Change("RESERVED_PROPERTY_CONFLICTS_WITH_PROPERTY", ("properties", name))
