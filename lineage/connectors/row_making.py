"""From a decoded value to a row, by a function compiled for each pair of layout and plan. Pure.

`columns.row_maker` says the same in a loop; one expression that names every field is thrice as
fast. Tests hold the two equal.
"""

from collections.abc import Callable
from typing import Any

from lineage.connectors.columns import (
    Convert,
    Layout,
    Plan,
    Row,
    adapted,
    instant,
    row_maker,
    within,
)
from lineage.connectors.packing import UNFIT, Cell, joined, lead_cells, row_packer

Lead = tuple[Any, ...]
Maker = Callable[[Lead, Any], Row]
Packer = Callable[[Lead, Any], bytes]

# what conversions do to the values that nearly all have, worth no call
_INLINE: dict[Convert, tuple[str, str]] = {
    within(32): ("type(v) is int and -0x80000000 <= v < 0x80000000", "v"),
    within(64): ("type(v) is int and -0x8000000000000000 <= v < 0x8000000000000000", "v"),
    float: ("type(v) is float", "v"),
    instant(1000): ("type(v) is int", "v * 1000"),
    instant(1): ("type(v) is int", "v"),
}


def compiled_maker(layout: Layout, plan: Plan, lead: int) -> Maker:
    """Return what turns leading values and a decoded value into a whole row."""
    plain = row_maker(layout, plan, lead)
    known: dict[str, Any] = {"whole": _whole}
    parts = [_part(layout, plan, lead, index, known) for index in range(len(layout.columns) - lead)]
    if None in parts:
        return _looped(plain)
    text = f"lambda lead, value: [*lead, {', '.join(map(str, parts))}]"
    # the text holds nothing but names as literals and our own conversions
    quick: Maker = eval(text, known)  # noqa: S307

    def make(lead: Lead, value: Any) -> Row:
        try:
            return quick(lead, value)
        except (KeyError, TypeError, AttributeError):  # a field is absent, or it is no record
            return [*lead, *plain(_whole(value))]

    return make


def compiled_packer(layout: Layout, plan: Plan, lead: int) -> Packer:
    """Return what turns leading values and a decoded value into the bytes of a row.

    It raises what a value raises that has no such form; NaN raises ValueError.
    """
    make, pack = compiled_maker(layout, plan, lead), row_packer(layout, "refused")
    known: dict[str, Any] = {"whole": _whole}
    cells = lead_cells(layout, lead)
    for index, column in enumerate(layout.columns[lead:]):
        part = _part(layout, plan, lead, index, known)
        if part is None:
            return lambda lead, value: pack(make(lead, value))
        cells.append(Cell(column, part))
    # the text holds nothing but names as literals and our own conversions
    quick: Packer = eval(f"lambda lead, value: {joined(cells, known, 'refused')}", known)  # noqa: S307

    def packed(lead: Lead, value: Any) -> bytes:
        try:
            return quick(lead, value)
        except UNFIT:  # a field is absent, or not of its kind
            return pack(make(lead, value))

    return packed


def _whole(value: Any) -> Any:
    """Return the value as a record: one that is none is its only field, without a name."""
    return value if isinstance(value, dict) else {"": value}


def _looped(plain: Callable[[Any], Row]) -> Maker:
    def make(lead: Lead, value: Any) -> Row:
        return [*lead, *plain(_whole(value))]

    return make


def _part(layout: Layout, plan: Plan, lead: int, index: int, known: dict[str, Any]) -> str | None:
    """Return the expression of one column; None where only the loop finds its value."""
    column = layout.columns[lead + index]
    source = plan.find(column.name)
    if source is None:
        return "None"
    if "" in source.path:
        return None
    found = "value" + "".join(f"[{name!r}]" for name in source.path)
    if not source.path:
        found = "whole(value)"
    convert: Convert | None = adapted(source, column)
    if convert is None:
        return found
    known[f"c{index}"] = convert
    otherwise = f"None if v is None else c{index}(v)"
    if convert in _INLINE:
        usual, made = _INLINE[convert]
        return f"({made} if {usual.replace('(v)', f'(v := {found})', 1)} else {otherwise})"
    return f"(None if (v := {found}) is None else c{index}(v))"
