"""allOf, anyOf and oneOf: products and sums, compared by a best matching of their parts."""

from collections.abc import Generator, Sequence
from typing import TypeAlias

from registry.formats.json_schema import text
from registry.formats.json_schema.compare import Pair, Steps, Verdict, Work, under
from registry.formats.json_schema.differences import Change
from registry.formats.json_schema.matching import maximum_matching
from registry.formats.json_schema.model import Combined, Node

_Uneven: TypeAlias = Generator[Pair | Work, Verdict, list[Change] | None]
# Above this many pairs of parts, those written the same on both sides are matched unasked.
_MANY_PAIRS = 2_500


def compare_uneven(original: Node, update: Node) -> _Uneven:
    """One side combined, the other not: the changes if a part fits, None if none does."""
    match original.facets, update.facets:
        case Combined(), Combined():
            return None
        case _, Combined() as new:
            pairs = [Pair(original, part) for part in new.parts]
            return (yield from _first(pairs, new.criterion != "allOf", "SUM_TYPE_EXTENDED"))
        case Combined() as old, _:
            pairs = [Pair(part, update) for part in old.parts]
            return (yield from _first(pairs, old.criterion == "allOf", "PRODUCT_TYPE_NARROWED"))
        case _:
            return None


def _first(pairs: Sequence[Pair], any_will_do: bool, change: str) -> _Uneven:
    """The first compatible pair; a combinator of one part counts as that part."""
    if len(pairs) > 1 and not any_will_do:
        return None
    for pair in pairs:
        verdict = yield pair
        if verdict.compatible:
            return [*verdict.changes, *([Change(change)] if len(pairs) > 1 else [])]
    return None


def compare_combined(old: Combined, new: Combined) -> Steps:
    """Criterion, number of parts, then the parts themselves."""
    changes = []
    if old.criterion != new.criterion:
        if not _extends(old, new):
            return [Change("COMBINED_TYPE_CHANGED")]
        changes.append(Change("COMBINED_TYPE_EXTENDED"))
    if len(old.parts) < len(new.parts):
        product = new.criterion == "allOf"
        changes.append(Change("PRODUCT_TYPE_EXTENDED" if product else "SUM_TYPE_EXTENDED"))
    elif len(old.parts) > len(new.parts):
        product = old.criterion == "allOf"
        changes.append(Change("PRODUCT_TYPE_NARROWED" if product else "SUM_TYPE_NARROWED"))
    return changes + (yield from _compare_parts(old, new))


def _extends(old: Combined, new: Combined) -> bool:
    single_old, single_new = len(old.parts) == 1, len(new.parts) == 1
    return (
        new.criterion == "anyOf"
        or (single_old and single_new)
        or (single_old and new.criterion == "oneOf")
        or (single_new and old.criterion == "allOf")
    )


def _compare_parts(old: Combined, new: Combined) -> Steps:
    same = _same(old, new) if len(old.parts) * len(new.parts) > _MANY_PAIRS else {}
    taken = set(same.values())
    verdicts: dict[int, dict[int, Verdict]] = {}
    for left, original in enumerate(old.parts):
        if left in same:
            continue
        verdicts[left] = {}
        for right, update in enumerate(new.parts):
            if right in taken:
                continue
            verdict = yield Pair(original, update)
            if verdict.compatible:
                verdicts[left][right] = verdict
    matching = maximum_matching({
        left: sorted(fits, key=lambda right: len(fits[right].changes))
        for left, fits in verdicts.items()
    })
    changes: list[Change] = []
    for left, right in matching.items():
        changes += under((old.criterion, str(left)), verdicts[left][right].changes)
    if len(matching) + len(same) < min(len(old.parts), len(new.parts)):
        changes.append(Change("COMBINED_TYPE_SUBSCHEMAS_CHANGED"))
    return changes


def _same(old: Combined, new: Combined) -> dict[int, int]:
    """Parts written alike on both sides, unless a reference makes the text mean two things."""
    places = {text.write_sorted(part.raw): index for index, part in enumerate(new.parts)}
    written = ((index, text.write_sorted(part.raw)) for index, part in enumerate(old.parts))
    return {
        index: places[words]
        for index, words in written
        if words in places and '"$ref"' not in words and '"$dynamicRef"' not in words
    }
