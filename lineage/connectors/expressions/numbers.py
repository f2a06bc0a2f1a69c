"""Arithmetic: exact as long as its parts are, and never beyond its type."""

import operator
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation
from math import ceil, floor
from typing import Any

from lineage.connectors.columns import Column
from lineage.connectors.expressions.types import (
    CONTEXT,
    INEXACT,
    ExpressionError,
    Typed,
    decimal_type,
    digits,
    fitted,
)

Function = Callable[..., Any]

_PYTHON: dict[str, Function] = {"add": operator.add, "sub": operator.sub, "mul": operator.mul}
_EXACT: dict[str, Function] = {
    "add": CONTEXT.add,
    "sub": CONTEXT.subtract,
    "mul": CONTEXT.multiply,
}
_DIVISION_SCALE = 9


def arithmetic(key: str, left: Typed, right: Typed) -> tuple[Column, Function]:
    """Return the type of a calculation and what makes it: double where a part is inexact."""
    assert left.type is not None
    assert right.type is not None
    if {left.kind, right.kind} & INEXACT:
        return Column("", "double"), _inexact(key)
    if key == "div":
        return _division(left.type, right)
    if "decimal" not in {left.kind, right.kind}:
        column = Column("", "bigint")
        fit = fitted(column)
        make = _remainder if key == "mod" else _PYTHON[key]
        return column, lambda one, other: fit(make(one, other))
    column = _exact_type(key, left.type, right.type)
    fit = fitted(column)
    if key == "mod":
        return column, lambda one, other: fit(_decimal_remainder(one, other))
    call = _EXACT[key]
    return column, lambda one, other: fit(call(Decimal(one), Decimal(other)))


def _exact_type(key: str, left: Column, right: Column) -> Column:
    (whole, scale), (whole2, scale2) = digits(left), digits(right)
    if key == "mul":
        return decimal_type(whole + whole2, scale + scale2)
    return decimal_type(max(whole, whole2) + 1, max(scale, scale2))


def _inexact(key: str) -> Function:
    if key == "div":
        return lambda one, other: float(one) / _divisor(float(other))
    if key == "mod":
        raise ExpressionError("% is not for double; cast to decimal")
    call = _PYTHON[key]
    return lambda one, other: call(float(one), float(other))


def _divisor(value: Any) -> Any:
    if not value:
        raise ExpressionError("division by zero; nullif(x, 0) makes null of it")
    return value


def _division(left: Column, right: Typed) -> tuple[Column, Function]:
    """Divide exactly where the divisor is written out and leaves an end: x / 100 has two places."""
    assert right.type is not None
    whole, scale = digits(left)
    column = decimal_type(
        whole + digits(right.type)[1], scale + _places(right.literal, _DIVISION_SCALE)
    )
    fit = fitted(column)

    def divide(one: Any, other: Any) -> Decimal:
        found: Decimal = fit(CONTEXT.divide(Decimal(one), _divisor(Decimal(other))))
        return found

    return column, divide


def _places(divisor: Any, otherwise: int) -> int:
    """Count the places that dividing by a constant adds: those of 1 / divisor."""
    if not isinstance(divisor, int) or not divisor:
        return otherwise
    rest, twos, fives = abs(divisor), 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    return max(twos, fives) if rest == 1 and max(twos, fives) <= otherwise else otherwise


def _remainder(one: int, other: int) -> int:
    """Take the remainder with the sign of the dividend, as SQL does."""
    rest: int = abs(one) % abs(_divisor(other))
    return -rest if one < 0 else rest


def _decimal_remainder(one: Any, other: Any) -> Decimal:
    try:
        return CONTEXT.remainder(Decimal(one), _divisor(Decimal(other)))
    except InvalidOperation:
        raise ExpressionError("%: the parts are too far apart") from None


def negated(column: Column) -> tuple[Column, Function]:
    """Return the type and function of -x."""
    return _kept(column, operator.neg)


def absolute(column: Column) -> tuple[Column, Function]:
    """Return the type and function of abs(x)."""
    return _kept(column, abs)


def _kept(column: Column, function: Function) -> tuple[Column, Function]:
    if column.kind in INEXACT:
        return Column("", "double"), function
    if column.kind == "decimal":
        return column, function
    wider = Column("", "bigint")
    fit = fitted(wider)
    return wider, lambda value: fit(function(value))


def rounded(key: str, column: Column, places: int) -> tuple[Column, Function]:
    """Return round (halves away from zero), floor or ceil of a number."""
    if column.kind in {"integer", "bigint"}:
        return column, lambda value: value
    if column.kind == "decimal":
        whole, scale = digits(column)
        target = decimal_type(whole + 1, min(places, scale))
        fit, unit = fitted(target), Decimal(1).scaleb(-target.scale)
        rounding = {"floor": ROUND_FLOOR, "ceil": ROUND_CEILING}.get(key, ROUND_HALF_UP)
        return target, lambda value: fit(value.quantize(unit, rounding, CONTEXT))
    if key == "round" and places:
        raise ExpressionError("round(x, n) of a double is not exact; cast to decimal first")
    makes: dict[str, Function] = {"floor": floor, "ceil": ceil, "round": round}
    make = makes[key]
    return Column("", "double"), lambda value: _whole_float(make, value)


def _whole_float(make: Function, value: float) -> float:
    try:
        return float(make(value))
    except (OverflowError, ValueError):
        return value  # infinite, or not a number
