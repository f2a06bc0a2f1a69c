"""Null within expressions, as in SQL: what is not known, of which nothing follows."""

from collections.abc import Callable, Sequence
from typing import Any

from lineage.connectors.columns import Column
from lineage.connectors.expressions.casts import cast
from lineage.connectors.expressions.types import Evaluate, Typed


def lifted(function: Callable[..., Any], args: Sequence[Typed]) -> Evaluate:
    """Return the function of values of which none is null; null otherwise."""
    if len(args) == 1:
        (only,) = (arg.evaluate for arg in args)

        def one(record: Any) -> Any:
            value = only(record)
            return None if value is None else function(value)

        return one
    parts = [arg.evaluate for arg in args]

    def many(record: Any) -> Any:
        values = [part(record) for part in parts]
        return None if None in values else function(*values)

    return many


def coerced(typed: Typed, target: Column | None) -> Evaluate:
    """Return the values of a part in the type that was found to hold it."""
    if target is None or typed.type is None or typed.type.kind == target.kind != "decimal":
        return typed.evaluate
    return lifted(cast(typed.type, target), [typed])


def constant(value: Any, column: Column | None) -> Typed:
    """Return the part that is this value, whatever the record."""
    return Typed(column, lambda _record: value, value)


def conjunction(one: Evaluate, other: Evaluate) -> Evaluate:
    """Return `one AND other`: false where either is, else null where either is."""
    return _decided(one, other, by=False)


def disjunction(one: Evaluate, other: Evaluate) -> Evaluate:
    """Return `one OR other`: true where either is, else null where either is."""
    return _decided(one, other, by=True)


def _decided(one: Evaluate, other: Evaluate, *, by: bool) -> Evaluate:
    """Return what is decided where either has this value, whatever the other is."""

    def evaluate(record: Any) -> bool | None:
        left = one(record)
        if left is by:
            return bool(left)
        right = other(record)
        if right is by:
            return bool(right)
        return None if left is None or right is None else not by

    return evaluate
