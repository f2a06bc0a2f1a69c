"""The order in which a pair of schemas is judged, and the rules that need no sub-schemas."""

from collections.abc import Iterator
from decimal import Decimal

from registry.formats.json_schema.arrays import compare_arrays
from registry.formats.json_schema.combinators import compare_combined, compare_uneven
from registry.formats.json_schema.compare import Pair, Steps, under
from registry.formats.json_schema.differences import Change
from registry.formats.json_schema.limits import compare_bounds
from registry.formats.json_schema.model import (
    ABSENT,
    Array,
    Combined,
    Node,
    Number,
    Object,
    Reference,
    Text,
    Values,
)
from registry.formats.json_schema.objects import compare_objects
from registry.formats.json_schema.text import write_sorted


def judge(pair: Pair) -> Steps:
    """The changes of a pair: presence, combinators against plain schemas, kind, then facets."""
    if pair.original is None or pair.update is None:
        return _presence(pair)
        yield  # a generator, though it needs no other verdict
    original, update = pair.original.followed(), pair.update.followed()
    if original is update or _written_alike(original, update):
        return []
    changes = yield from _conditionals(original, update)
    uneven = yield from compare_uneven(original, update)
    if uneven is not None:
        return changes + uneven
    if original.kind != update.kind:
        return changes + _kinds(original, update)
    return changes + _annotations(original, update) + (yield from _facets(original, update))


def _written_alike(original: Node, update: Node) -> bool:
    """Whether both are the same text in the same draft, and refer to nothing beyond it."""
    return (
        original.dialect == update.dialect != 0
        and original.raw == update.raw
        # Python takes 1 and true for equal, JSON does not.
        and write_sorted(original.raw) == write_sorted(update.raw)
    )


def _presence(pair: Pair) -> list[Change]:
    if pair.original is None and pair.update is None:
        return []
    return [Change("SCHEMA_ADDED" if pair.original is None else "SCHEMA_REMOVED")]


def _kinds(original: Node, update: Node) -> list[Change]:
    if original.kind == "false" or update.kind == "empty":
        return []
    if original.connect_type == "bytes" and update.connect_type == "bytes":
        return []
    return [Change("TYPE_CHANGED")]


def _annotations(original: Node, update: Node) -> list[Change]:
    if isinstance(original.raw, bool) or isinstance(update.raw, bool):
        return []  # true and {} are two kinds to Confluent's server, which looks no further
    changes = []
    if original.id != update.id:
        changes.append(Change("ID_CHANGED", ("id",)))
    if original.title != update.title:
        changes.append(Change("TITLE_CHANGED", ("title",)))
    if original.description != update.description:
        changes.append(Change("DESCRIPTION_CHANGED", ("description",)))
    if _default(original) != _default(update):
        changes.append(Change("DEFAULT_CHANGED", ("default",)))
    return changes


def _default(node: Node) -> str:
    """The default in one spelling, empty where there is none: Python takes 1 and true for equal."""
    return "" if node.default is ABSENT else write_sorted(node.default)


def _facets(original: Node, update: Node) -> Steps:
    match original.facets, update.facets:
        case Text() as old, Text() as new:
            return list(_texts(old, new))
        case Number() as old, Number() as new:
            return list(_numbers(old, new))
        case Object() as old, Object() as new:
            return (yield from compare_objects(old, new))
        case Array() as old, Array() as new:
            return (yield from compare_arrays(old, new))
        case Values() as old, Values() as new:
            return _values(old, new, original.kind)
        case Combined() as old, Combined() as new:
            return (yield from compare_combined(old, new))
        case Reference(target=old), Reference(target=new):
            return (yield from _negations(old, new))
        case _:
            return []


def _conditionals(original: Node, update: Node) -> Steps:
    """`if`/`then`/`else` as one more conjunct: equal conditions, branches compared in turn."""
    old, new = original.conditional, update.conditional
    if new is None:
        return [] if old is None else [Change("PRODUCT_TYPE_NARROWED", ("if",))]
    if old is None:
        return [Change("PRODUCT_TYPE_EXTENDED", ("if",))]
    there = yield Pair(old.condition, new.condition)
    back = yield Pair(new.condition, old.condition)
    if not (there.compatible and back.compatible):
        return [Change("COMBINED_TYPE_SUBSCHEMAS_CHANGED", ("if",))]
    then = yield Pair(old.then, new.then)
    otherwise = yield Pair(old.otherwise, new.otherwise)
    return under(("then",), then.changes) + under(("else",), otherwise.changes)


def _negations(old: Node | None, new: Node | None) -> Steps:
    swapped = yield Pair(new, old)
    if not swapped.changes:
        return []
    return [Change(f"NOT_TYPE_{'NARROWED' if swapped.compatible else 'EXTENDED'}", ("not",))]


def _texts(old: Text, new: Text) -> Iterator[Change]:
    yield from compare_bounds("MAX_LENGTH", old.max_length, new.max_length)
    yield from compare_bounds("MIN_LENGTH", old.min_length, new.min_length)
    if old.pattern == new.pattern:
        return
    if old.pattern is None:
        yield Change("PATTERN_ADDED", ("pattern",))
    elif new.pattern is None:
        yield Change("PATTERN_REMOVED", ("pattern",))
    else:
        yield Change("PATTERN_CHANGED", ("pattern",))


def _numbers(old: Number, new: Number) -> Iterator[Change]:
    yield from compare_bounds("MAXIMUM", old.maximum, new.maximum)
    yield from compare_bounds("MINIMUM", old.minimum, new.minimum)
    yield from compare_bounds("EXCLUSIVE_MAXIMUM", old.exclusive_maximum, new.exclusive_maximum)
    yield from compare_bounds("EXCLUSIVE_MINIMUM", old.exclusive_minimum, new.exclusive_minimum)
    if (kind := _steps(old.multiple_of, new.multiple_of)) is not None:
        yield Change(kind, ("multipleOf",))
    if old.integer != new.integer:
        yield Change("TYPE_EXTENDED" if old.integer else "TYPE_NARROWED")


def _steps(old: Decimal | None, new: Decimal | None) -> str | None:
    if old == new:
        return None
    if old is None:
        return "MULTIPLE_OF_ADDED"
    if new is None:
        return "MULTIPLE_OF_REMOVED"
    if _divides(new, old):
        return "MULTIPLE_OF_REDUCED"
    return "MULTIPLE_OF_EXPANDED" if _divides(old, new) else "MULTIPLE_OF_CHANGED"


def _divides(divisor: Decimal, number: Decimal) -> bool:
    """Exact divisibility, by integers: a Decimal remainder would round or overflow."""
    (a, b), (c, d) = divisor.as_integer_ratio(), number.as_integer_ratio()
    return (c * b) % (a * d) == 0


def _values(old: Values, new: Values, keyword: str) -> list[Change]:
    if old.texts == new.texts:
        return []
    if old.texts < new.texts:
        return [Change("ENUM_ARRAY_EXTENDED", (keyword,))]
    kind = "ENUM_ARRAY_NARROWED" if new.texts < old.texts else "ENUM_ARRAY_CHANGED"
    return [Change(kind, (keyword,))]
