"""The `columns` of a definition: which columns a copy has, and what stands in each. Pure.

columns:
  customer_id: {from: customer.id}            # renamed
  email: {mask: hash}                         # hash, redact or partial
  address: json                               # a nested record in one column of JSON
  amount_eur: {expression: "amount_cents / 100"}
  source: {constant: shop}
  note: drop
  "*": drop                                   # only what is named here

A list of names is short for keeping just these.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from lineage.connectors.expressions import ExpressionError, check_syntax

Kind = Literal["field", "drop", "constant", "expression"]
Mask = Literal["hash", "redact", "partial"]
Constant = str | bool | int | float

MASKS: tuple[Mask, ...] = ("hash", "redact", "partial")
EVERYTHING_ELSE = "*"
LONGEST_NAME = 63
OPTIONS = ("from", "mask", "as", "flatten", "expression", "constant")
"""What a column may be told, and in docs/connectors.md."""


@dataclass(frozen=True)
class ColumnRule:
    """What one column holds: a field (or a record of fields), a constant, or an expression.

    `source` is a field's path or the name of its column, or the text of an expression. `flatten`
    says how deep a record is taken apart: 0 leaves it in one column of JSON; None: as all are.
    """

    name: str
    kind: Kind = "field"
    source: str = ""
    mask: Mask | None = None
    flatten: int | None = None
    constant: Constant | None = None


@dataclass(frozen=True)
class ColumnRules:
    """All that is declared of columns; `only`: a field that no rule names is left out."""

    rules: tuple[ColumnRule, ...] = ()
    only: bool = False

    @property
    def hashes(self) -> bool:
        """Whether any column needs the secret that hashes are made with."""
        return any(rule.mask == "hash" for rule in self.rules)


NO_RULES = ColumnRules()
"""Every column as the schema has it."""


def read_columns(declared: Any) -> tuple[ColumnRules, list[tuple[tuple[str, ...], str]]]:
    """Return the rules, and all that is wrong: at which key, and what."""
    faults: list[tuple[tuple[str, ...], str]] = []
    if declared is None:
        return ColumnRules(), faults
    if isinstance(declared, list):
        declared = {**{str(name): "keep" for name in declared}, EVERYTHING_ELSE: "drop"}
    if not isinstance(declared, Mapping):
        return ColumnRules(), [(("columns",), "is neither a mapping nor a list of names")]
    rules: list[ColumnRule] = []
    only = False
    for name, told in declared.items():
        path = ("columns", str(name))
        try:
            if name == EVERYTHING_ELSE:
                only = _rest(told)
            else:
                rules.append(_rule(name, told))
        except ValueError as error:
            faults.append((path, str(error)))
    faults += _twice(rules)
    return ColumnRules(tuple(rules), only), faults


def _twice(rules: list[ColumnRule]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Find names that differ in case only: one column to a database that folds case."""
    seen: dict[str, str] = {}
    for rule in rules:
        other = seen.setdefault(rule.name.lower(), rule.name)
        if other != rule.name:
            yield ("columns", rule.name), f"differs from {other} in case only"


def _rest(told: Any) -> bool:
    if not isinstance(told, str) or told not in {"drop", "keep"}:
        raise ValueError(f"{told!r} is not keep or drop")
    return bool(told == "drop")


def _rule(name: Any, told: Any) -> ColumnRule:
    """Read one column; every fault is a ValueError, of a wrong type too."""
    name = _name(name)
    match told:
        case "drop":
            return ColumnRule(name, "drop", name)
        case "keep" | None:
            return ColumnRule(name, source=name)
        case "json":
            return ColumnRule(name, source=name, flatten=0)
        case Mapping():
            return _mapped(name, told)
    raise ValueError(f"{told!r} is not keep, drop, json or a mapping with {', '.join(OPTIONS)}")


def _name(name: Any) -> str:
    fits = isinstance(name, str) and 0 < len(name.encode()) <= LONGEST_NAME and "\x00" not in name
    if not fits:
        raise ValueError(f"{name!r} is no name of a column (1 to {LONGEST_NAME} bytes)")
    return cast("str", name)


def _mapped(name: str, told: Mapping[str, Any]) -> ColumnRule:
    unknown = sorted(str(key) for key in told if key not in OPTIONS)
    if unknown:
        raise ValueError(f"unknown {', '.join(unknown)} (known: {', '.join(OPTIONS)})")
    origins = [key for key in ("from", "expression", "constant") if key in told]
    if len(origins) > 1:
        raise ValueError(f"{' and '.join(origins)}: a column has one origin")
    mask = _mask(told)
    if "constant" in told:
        return _constant(name, told, mask)
    if "expression" in told:
        return _expression(name, told, mask)
    source = told.get("from", name)
    if not isinstance(source, str) or not source:
        raise ValueError(f"from: {source!r} is no field's path")
    return ColumnRule(name, source=source, mask=mask, flatten=_flatten(told))


def _mask(told: Mapping[str, Any]) -> Mask | None:
    mask = told.get("mask")
    if mask is not None and mask not in MASKS:
        raise ValueError(f"mask: {mask!r} is not {', '.join(MASKS[:-1])} or {MASKS[-1]}")
    return cast("Mask | None", mask)


def _flatten(told: Mapping[str, Any]) -> int | None:
    form, depth = told.get("as"), told.get("flatten")
    if form is not None and form != "json":
        raise ValueError(f"as: {form!r} is not json")
    if form is not None and depth is not None:
        raise ValueError("as and flatten: a record is one or the other")
    return 0 if form else depth_of(depth)


def depth_of(depth: Any) -> int | None:
    """Return how deep records are taken apart; raise ValueError for what is no such number."""
    if depth is None or (isinstance(depth, int) and not isinstance(depth, bool) and 0 <= depth < 9):
        return depth
    raise ValueError(f"flatten: {depth!r} is not a number from 0 to 8")


def _constant(name: str, told: Mapping[str, Any], mask: Mask | None) -> ColumnRule:
    value = told["constant"]
    if not isinstance(value, str | bool | int | float):
        raise ValueError(  # noqa: TRY004  (all faults are one kind)
            f"constant: {value!r} is no text, number, true or false"
        )
    if mask is not None:
        raise ValueError("mask: a constant hides nothing")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("constant: does not fit into 64 bits")
    return ColumnRule(name, "constant", constant=value)


def _expression(name: str, told: Mapping[str, Any], mask: Mask | None) -> ColumnRule:
    text = told["expression"]
    if not isinstance(text, str):
        raise ValueError(f"expression: {text!r} is no text")  # noqa: TRY004  (as above)
    try:
        check_syntax(text)
    except ExpressionError as error:
        raise ValueError(f"expression: {error}") from None
    return ColumnRule(name, "expression", text, mask)
