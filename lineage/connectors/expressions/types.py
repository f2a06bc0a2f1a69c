"""Types of expressions: which there are, how two become one, and numbers kept within them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any

from lineage.connectors.columns import Column, Kind

Evaluate = Callable[[Any], Any]


class ExpressionError(ValueError):
    """An expression that cannot be used, or a value that it cannot be computed of."""


@dataclass(frozen=True)
class Typed:
    """A part of an expression: its type (None: nothing but null), and what computes it.

    `literal` is the value of a constant, of which a better type can be inferred.
    """

    type: Column | None
    evaluate: Evaluate
    literal: Any = None

    @property
    def kind(self) -> str:
        """The kind of value, or `null`."""
        return self.type.kind if self.type else "null"


CONTEXT = Context(prec=80, rounding=ROUND_HALF_EVEN)
WIDEST = 38
_WHOLE = {"integer": 10, "bigint": 19}
EXACT = frozenset({"integer", "bigint", "decimal"})
INEXACT = frozenset({"real", "double"})
NUMBERS = EXACT | INEXACT
TIMES = frozenset({"timestamptz", "timestamp", "date", "time"})
# of a decimal whose schema tells no precision
_UNKNOWN = Column("", "decimal", WIDEST, 9)


def of_kind(kind: Kind) -> Column:
    """Return the type of a kind that needs no more said."""
    return Column("", kind, 6) if kind in {"timestamptz", "timestamp", "time"} else Column("", kind)


def decimal_type(whole: int, scale: int) -> Column:
    """Return a decimal of so many digits, of which 38 are kept: first the whole ones."""
    scale = min(scale, max(WIDEST - whole, min(scale, 9)))
    return Column("", "decimal", min(WIDEST, whole + scale), scale)


def digits(column: Column) -> tuple[int, int]:
    """Return how many whole and fractional digits a number of a type has."""
    if column.kind in _WHOLE:
        return _WHOLE[column.kind], 0
    if not column.precision:
        column = _UNKNOWN
    return column.precision - column.scale, column.scale


def common(one: Column | None, other: Column | None, where: str) -> Column | None:
    """Return the type that holds the values of both; raise ExpressionError where there is none."""
    if one is None or other is None:
        return one or other
    kinds = {one.kind, other.kind}
    if one.kind == other.kind and one.kind != "decimal":
        symbols = one.symbols and other.symbols and (*one.symbols, *other.symbols)
        return replace(
            one,
            precision=max(one.precision, other.precision),
            symbols=tuple(dict.fromkeys(symbols)),
        )
    if kinds <= NUMBERS:
        if kinds & INEXACT:
            return Column("", "double")
        if "decimal" not in kinds:
            return Column("", "bigint")
        (whole, scale), (whole2, scale2) = digits(one), digits(other)
        return decimal_type(max(whole, whole2), max(scale, scale2))
    if kinds == {"text", "uuid"}:
        return Column("", "text")
    raise ExpressionError(f"{where}: {one.kind} and {other.kind} do not go together; cast one")


def fitted(column: Column) -> Callable[[Any], Any]:
    """Return what brings a number to a type; raises ExpressionError where it does not fit."""
    kind = column.kind
    if kind == "decimal":
        return _fit_decimal(column)
    if kind in _WHOLE:
        limit = 1 << (31 if kind == "integer" else 63)

        def whole(value: Any) -> int:
            if not -limit <= value < limit:
                raise ExpressionError(f"the result does not fit into {kind}")
            return int(value)

        return whole
    return float if kind in INEXACT else (lambda value: value)


def _fit_decimal(column: Column) -> Callable[[Any], Decimal]:
    unit, limit = Decimal(1).scaleb(-column.scale), Decimal(10) ** (column.precision - column.scale)
    name = f"decimal({column.precision},{column.scale})"

    def fit(value: Any) -> Decimal:
        try:
            # by its shortest spelling: 0.1 is 0.1, not what the float is exactly
            exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
            found = exact.quantize(unit, context=CONTEXT)
        except InvalidOperation:
            raise ExpressionError(f"the result does not fit into {name}") from None
        if not -limit < found < limit:
            raise ExpressionError(f"the result does not fit into {name}")
        return found

    return fit
