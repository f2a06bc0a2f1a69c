"""Arrays: items by index (tuples), all other items, contains, and the counts."""

from collections.abc import Iterator

from registry.formats.json_schema.compare import Pair, Steps, under
from registry.formats.json_schema.content import anything, closed, compare_rest, left_unevaluated
from registry.formats.json_schema.differences import Change
from registry.formats.json_schema.limits import compare_bounds
from registry.formats.json_schema.model import Array, Node


def compare_arrays(old: Array, new: Array) -> Steps:
    """All changes of two arrays."""
    changes: list[Change] = []
    if old.prefix or new.prefix:
        for index in range(max(len(old.prefix), len(new.prefix))):
            item = yield from _compare_item(old, new, index)
            changes += under(("items", str(index)), item)
        rest = yield from compare_rest("ADDITIONAL_ITEMS", old.rest, new.rest)
        changes += under(("additionalItems",), rest)
    else:
        verdict = yield Pair(_limiting(old.rest), _limiting(new.rest))
        changes += under(("items",), verdict.changes)
        idle = yield from compare_rest("ADDITIONAL_ITEMS", old.idle, new.idle)
        changes += under(("additionalItems",), idle)
    unevaluated = yield from compare_rest("UNEVALUATED_ITEMS", _unevaluated(old), _unevaluated(new))
    changes += under(("unevaluatedItems",), unevaluated)
    changes += yield from _compare_contains(old, new)
    return changes + list(_bounds(old, new))


def _limiting(node: Node | None) -> Node | None:
    return None if anything(node) else node


def _bounds(old: Array, new: Array) -> Iterator[Change]:
    yield from compare_bounds("MAX_ITEMS", old.max_items, new.max_items)
    yield from compare_bounds("MIN_ITEMS", old.min_items, new.min_items)
    if old.unique != new.unique:
        yield Change(f"UNIQUE_ITEMS_{'REMOVED' if old.unique else 'ADDED'}", ("uniqueItems",))


def _covering(array: Array) -> Node | None:
    """The schema of items beyond the prefix; None in an open array (anything goes)."""
    if not anything(array.rest):
        return array.rest
    unevaluated = _unevaluated(array)
    return None if anything(unevaluated) else unevaluated


def _unevaluated(array: Array) -> Node | None:
    return left_unevaluated(array.rest, array.unevaluated)


def _compare_item(old: Array, new: Array, index: int) -> Steps:
    original = old.prefix[index] if index < len(old.prefix) else None
    update = new.prefix[index] if index < len(new.prefix) else None
    if original is not None and update is not None:
        verdict = yield Pair(original, update)
        return list(verdict.changes)
    if original is not None:
        return (yield from _compare_removed(original, _covering(new)))
    return (yield from _compare_added(_covering(old), update))


def _compare_removed(original: Node, cover: Node | None) -> Steps:
    if cover is None:
        return [Change("ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL")]
    if closed(cover):
        never = "WITH_FALSE_" if closed(original) else ""
        return [Change(f"ITEM_{never}REMOVED_FROM_CLOSED_CONTENT_MODEL")]
    verdict = yield Pair(original, cover)
    if verdict.compatible:
        covered = Change("ITEM_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL")
        return [*verdict.changes, covered]
    uncovered = Change("ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL")
    return [*verdict.changes, uncovered]


def _compare_added(cover: Node | None, update: Node | None) -> Steps:
    if cover is None:
        empty = "WITH_EMPTY_SCHEMA_" if anything(update) else ""
        return [Change(f"ITEM_{empty}ADDED_TO_OPEN_CONTENT_MODEL")]
    if closed(cover):
        return [Change("ITEM_ADDED_TO_CLOSED_CONTENT_MODEL")]
    verdict = yield Pair(cover, update)
    if verdict.compatible:
        covered = Change("ITEM_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL")
        return [*verdict.changes, covered]
    uncovered = Change("ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL")
    return [*verdict.changes, uncovered]


def _least(old: int | None, new: int | None) -> tuple[int | None, int | None]:
    """minContains on both sides: absent means 1, and counts as absent only beside more than 1."""
    if (old is None and new is not None and new > 1) or (
        new is None and old is not None and old > 1
    ):
        return old, new
    return 1 if old is None else old, 1 if new is None else new


def _compare_contains(old: Array, new: Array) -> Steps:
    """`contains` by its schema and its counts; a ceiling on matches binds in both directions."""
    if old.contains is None and new.contains is None:
        return []
    changes: list[Change] = []
    if new.contains is not None and (new.min_contains != 0 or old.contains is None):
        verdict = yield Pair(old.contains, new.contains)
        changes += under(("contains",), verdict.changes)
    elif old.contains is not None and new.contains is None:
        return [Change("SCHEMA_REMOVED", ("contains",))]
    changes += compare_bounds("MIN_CONTAINS", *_least(old.min_contains, new.min_contains))
    changes += compare_bounds("MAX_CONTAINS", old.max_contains, new.max_contains)
    if new.max_contains is not None and old.contains is not None:
        back = yield Pair(new.contains, old.contains)
        if not back.compatible:
            changes.append(Change("MAX_CONTAINS_DECREASED", ("contains",)))
    return changes
