"""From an expression's text to what computes it: a whitelist over sqlglot's syntax tree."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlglot import exp

from lineage.connectors.columns import Column, Plan, SourceColumn, walk
from lineage.connectors.expressions.casts import PARTS, UNITS, cast, moment, truncate
from lineage.connectors.expressions.functions import FUNCTIONS
from lineage.connectors.expressions.nulls import (
    coerced,
    conjunction,
    constant,
    disjunction,
    lifted,
)
from lineage.connectors.expressions.numbers import absolute, arithmetic, negated, rounded
from lineage.connectors.expressions.parsing import Node, parsed, spelt, target_of
from lineage.connectors.expressions.types import (
    NUMBERS,
    TIMES,
    Evaluate,
    ExpressionError,
    Typed,
    common,
    decimal_type,
    of_kind,
)

_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_LONGEST_INTEGER = 2**31
_LONGEST_BIGINT = 2**63
_BOOLEAN = Column("", "boolean")
Path = tuple[str, ...]


@dataclass(frozen=True)
class Compiled:
    """An expression over a plan: its type (None: only ever null), its function, its fields."""

    type: Column | None
    evaluate: Evaluate
    uses: tuple[Path, ...]
    missing: tuple[str, ...]


def check_syntax(text: str) -> None:
    """Raise ExpressionError where the text is no expression, whatever its fields are."""
    parsed(text, _KNOWN)


def compiled(text: str, plan: Plan) -> Compiled:
    """Return the expression over values of a plan; a field that it lacks is null there.

    Raises ExpressionError where types do not go together or something is not offered.
    """
    compiler = _Compiler(plan)
    try:
        typed = compiler.compile(parsed(text, _KNOWN))
    except RecursionError:
        raise ExpressionError("nested too deeply") from None
    uses = tuple(dict.fromkeys(source.path for source in compiler.used))
    return Compiled(typed.type, typed.evaluate, uses, tuple(dict.fromkeys(compiler.missing)))


class _Compiler:
    """Compiles the nodes of one expression; notes the fields used, and those not there."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.used: list[SourceColumn] = []
        self.missing: list[str] = []

    def compile(self, node: Node) -> Typed:
        """Return the typed function of a node."""
        if node is None:
            raise ExpressionError("an argument is missing")
        return _KNOWN[type(node)](self, node)

    def _all(self, *nodes: Node) -> list[Typed]:
        return [self.compile(node) for node in nodes]

    # -- leaves ---------------------------------------------------------------------------------
    def field(self, node: Node) -> Typed:
        """Find a field by its path, or by its column."""
        path = tuple(part.name for part in node.parts)
        name = ".".join(path)
        source = next((each for each in self._plan.columns if each.path == path), None)
        source = source or self._plan.find(name)
        if source is None:
            inside = any(each.path[: len(path)] == path for each in self._plan.columns)
            if inside:
                raise ExpressionError(f"{name} is a record: name a field of it")
            self.missing.append(name)
            return constant(None, None)
        self.used.append(source)
        read, convert = source.path, source.convert

        def get(record: Any) -> Any:
            value = walk(record, read)
            return value if value is None or convert is None else convert(value)

        return Typed(source.column, get)

    def literal(self, node: Node) -> Typed:
        """Read a text, a whole number, a decimal, or a number with an exponent (a double)."""
        text = str(node.this)
        if node.is_string:
            return constant(text, of_kind("text"))
        if not _NUMBER.fullmatch(text):
            raise ExpressionError(f"{text} is no number")
        if "e" in text.lower():
            return constant(float(text), of_kind("double"))
        if "." in text:
            value = Decimal(text)
            whole, _, fraction = text.partition(".")
            return constant(value, decimal_type(max(1, len(whole)), len(fraction)))
        number = int(text)
        if number >= _LONGEST_BIGINT:
            return constant(Decimal(number), decimal_type(len(text), 0))
        small = number < _LONGEST_INTEGER
        return constant(number, of_kind("integer" if small else "bigint"))

    def boolean(self, node: Node) -> Typed:
        """Read true or false."""
        return constant(bool(node.this), _BOOLEAN)

    def null(self, _node: Node) -> Typed:
        """Read null."""
        return constant(None, None)

    def inner(self, node: Node) -> Typed:
        """Go into parentheses."""
        return self.compile(node.this)

    # -- arithmetic -----------------------------------------------------------------------------
    def arithmetic(self, node: Node) -> Typed:
        """Add, subtract, multiply, divide, or take the remainder."""
        left, right = self._all(node.this, node.expression)
        self._need((left, right), NUMBERS, node)
        if left.type is None or right.type is None:
            return constant(None, None)
        column, function = arithmetic(node.key, left, right)
        return Typed(column, lifted(function, (left, right)))

    def of_number(self, node: Node) -> Typed:
        """Negate, take the absolute value, round, or go to the next whole number."""
        typed = self.compile(node.this)
        self._need((typed,), NUMBERS, node)
        if typed.type is None:
            return typed
        if node.key == "neg":
            column, function = negated(typed.type)
            literal = None if typed.literal is None else -typed.literal
            return Typed(column, lifted(function, (typed,)), literal)
        if node.key == "abs":
            column, function = absolute(typed.type)
        else:
            places = self.compile(node.args["decimals"]).literal if node.args.get("decimals") else 0
            if not isinstance(places, int) or not 0 <= places <= 18:
                raise ExpressionError("round(x, n): n is a number from 0 to 18")
            column, function = rounded(node.key, typed.type, places)
        return Typed(column, lifted(function, (typed,)))

    def _need(self, parts: Sequence[Typed], kinds: frozenset[str], node: Node) -> None:
        for part in parts:
            if part.type is not None and part.kind not in kinds:
                raise ExpressionError(f"{spelt(node)} is not for {part.kind}")

    # -- comparison -----------------------------------------------------------------------------
    def _paired(self, pair: Sequence[Typed], where: str) -> tuple[Typed, Typed]:
        """Give two parts one type; a text written out is read as the time that it stands beside."""
        left, right = pair
        left, right = _read_beside(left, right), _read_beside(right, left)
        column = common(left.type, right.type, where)
        if column is not None and column.kind in {"json", "array"}:
            raise ExpressionError(f"{where} is not for {column.kind}")
        return left, right

    def comparison(self, node: Node) -> Typed:
        """Compare: numbers with numbers, times with times of a kind, text by code points."""
        pair = self._paired(self._all(node.this, node.expression), spelt(node))
        return Typed(_BOOLEAN, lifted(_COMPARE[type(node)], pair))

    def distinct(self, node: Node) -> Typed:
        """Compare as if null were a value."""
        left, right = self._paired(self._all(node.this, node.expression), spelt(node))
        one, other, wanted = left.evaluate, right.evaluate, isinstance(node, exp.NullSafeEQ)
        return Typed(_BOOLEAN, lambda record: (one(record) == other(record)) is wanted)

    def between(self, node: Node) -> Typed:
        """Tell whether low <= x <= high."""
        low = exp.GTE(this=node.this, expression=node.args["low"])
        return self.logic(
            exp.And(this=low, expression=exp.LTE(this=node.this, expression=node.args["high"]))
        )

    def among(self, node: Node) -> Typed:
        """Tell whether x is one of a list."""
        if not node.expressions:
            raise ExpressionError("IN takes a list of values")
        found = self.comparison(exp.EQ(this=node.this, expression=node.expressions[0]))
        for each in node.expressions[1:]:
            other = self.comparison(exp.EQ(this=node.this, expression=each))
            found = Typed(_BOOLEAN, disjunction(found.evaluate, other.evaluate))
        return found

    def is_(self, node: Node) -> Typed:
        """Tell whether x is null, true or false; the answer is never null."""
        typed, wanted = self._all(node.this, node.expression)
        if wanted.type is not None:
            self._need((typed,), frozenset({"boolean"}), node)
        read, value, negate = typed.evaluate, wanted.literal, bool(node.args.get("negate"))
        return Typed(_BOOLEAN, lambda record: (read(record) is value) is not negate)

    def logic(self, node: Node) -> Typed:
        """Combine by and, or: with null as what is not known."""
        left, right = self._all(node.this, node.expression)
        self._need((left, right), frozenset({"boolean"}), node)
        join = conjunction if isinstance(node, exp.And) else disjunction
        return Typed(_BOOLEAN, join(left.evaluate, right.evaluate))

    def negation(self, node: Node) -> Typed:
        """Turn true into false."""
        typed = self.compile(node.this)
        self._need((typed,), frozenset({"boolean"}), node)
        return Typed(_BOOLEAN, lifted(lambda value: not value, (typed,)))

    # -- choice ---------------------------------------------------------------------------------
    def case(self, node: Node) -> Typed:
        """Take the first branch whose condition is true, else the default, else null."""
        branches = node.args["ifs"] if isinstance(node, exp.Case) else [node]
        default = node.args.get("default") or node.args.get("false") or exp.Null()
        tests = []
        for branch in branches:
            test = branch.this
            if isinstance(node, exp.Case) and node.this is not None:
                test = exp.EQ(this=node.this, expression=test)
            tests.append(self.compile(test))
        self._need(tests, frozenset({"boolean"}), node)
        values = self._all(*(branch.args["true"] for branch in branches), default)
        column = self._common(values, node)
        chosen = [coerced(value, column) for value in values]
        pairs = list(zip((test.evaluate for test in tests), chosen, strict=False))
        last = chosen[-1]

        def choose(record: Any) -> Any:
            for test, value in pairs:
                if test(record):
                    return value(record)
            return last(record)

        return Typed(column, choose)

    def _common(self, parts: Sequence[Typed], node: Node) -> Column | None:
        column = None
        for part in parts:
            column = common(column, part.type, spelt(node))
        return column

    def coalesce(self, node: Node) -> Typed:
        """Take the first that is not null."""
        parts = self._all(node.this, *node.expressions)
        column = self._common(parts, node)
        reads = [coerced(part, column) for part in parts]

        def first(record: Any) -> Any:
            for read in reads:
                value = read(record)
                if value is not None:
                    return value
            return None

        return Typed(column, first)

    def extreme(self, node: Node) -> Typed:
        """Take the greatest or least of those that are not null."""
        parts = self._all(node.this, *node.expressions)
        column = self._common(parts, node)
        if column is not None and column.kind in {"json", "array", "boolean"}:
            raise ExpressionError(f"{spelt(node)} is not for {column.kind}")
        reads = [coerced(part, column) for part in parts]
        choose = max if isinstance(node, exp.Greatest) else min

        def best(record: Any) -> Any:
            values = [value for read in reads if (value := read(record)) is not None]
            return choose(values) if values else None

        return Typed(column, best)

    def nullif(self, node: Node) -> Typed:
        """Make null of one value."""
        left, right = self._paired(self._all(node.this, node.expression), "nullif(…)")
        one, other = left.evaluate, right.evaluate

        def read(record: Any) -> Any:
            value = one(record)
            return None if value is None or value == other(record) else value

        return Typed(left.type, read)

    # -- functions ------------------------------------------------------------------------------
    def function(self, node: Node) -> Typed:
        """Call a function of texts."""
        found = FUNCTIONS[node.key]
        unknown = {
            name
            for name, value in node.args.items()
            if isinstance(value, exp.Expression | list) and value and name not in found.args
        }
        if unknown:
            raise ExpressionError(f"{spelt(node)} takes no {', '.join(sorted(unknown))}")
        nodes = [node.args[name] for name in found.args if node.args.get(name) is not None]
        if len(nodes) < found.needed:
            raise ExpressionError(f"{spelt(node)}: an argument is missing")
        parts = self._all(*nodes)
        for part, kind in zip(parts, found.kinds, strict=False):
            allowed = frozenset({"integer", "bigint"} if kind == "integer" else {kind})
            self._need((part,), allowed, node)
        return Typed(of_kind(found.result), lifted(found.call, parts))

    def concat(self, node: Node) -> Typed:
        """Join texts, skipping null; what is no text is cast to it."""
        reads = [coerced(part, of_kind("text")) for part in self._all(*node.expressions)]
        return Typed(
            of_kind("text"), lambda record: "".join(filter(None, (read(record) for read in reads)))
        )

    def pipe(self, node: Node) -> Typed:
        """Join two texts; null where one is."""
        text = of_kind("text")
        parts = self._all(node.this, node.expression)
        texts = [Typed(text, coerced(part, text)) for part in parts]
        return Typed(text, lifted(lambda one, other: one + other, texts))

    def cast(self, node: Node) -> Typed:
        """Convert to the type that is asked for."""
        typed = self.compile(node.this)
        target = target_of(node.args["to"])
        return Typed(target, lifted(cast(typed.type, target), (typed,)))

    def truncate(self, node: Node) -> Typed:
        """Cut a time down to the begin of a unit, by UTC."""
        typed = self.compile(node.this)
        unit = node.args["unit"].name.lower()
        if unit not in UNITS:
            raise ExpressionError(f"date_trunc: no unit {unit!r}; known are {', '.join(UNITS)}")
        self._need((typed,), TIMES - {"time"}, node)
        if typed.type is None:
            return typed
        return Typed(typed.type, lifted(truncate(unit, typed.kind), (typed,)))

    def extract(self, node: Node) -> Typed:
        """Take a part of a time, by UTC."""
        part = node.this.name.lower()
        if part not in PARTS:
            raise ExpressionError(f"extract: no part {part!r}; known are {', '.join(PARTS)}")
        typed = self.compile(node.expression)
        self._need((typed,), TIMES - {"time"}, node)
        kind, take = typed.kind, PARTS[part]
        return Typed(of_kind("integer"), lifted(lambda value: take(moment(value, kind)), (typed,)))

    def nothing(self, node: Node) -> Typed:
        """Refuse what is only ever part of something else."""
        raise ExpressionError(f"{spelt(node)} is not offered here")


def _read_beside(one: Typed, other: Typed) -> Typed:
    if not isinstance(one.literal, str) or other.type is None:
        return one
    if other.kind not in TIMES | {"uuid"}:
        return one
    return constant(cast(one.type, other.type)(one.literal), other.type)


_COMPARE: dict[type[Node], Callable[[Any, Any], bool]] = {
    exp.EQ: lambda one, other: one == other,
    exp.NEQ: lambda one, other: one != other,
    exp.LT: lambda one, other: one < other,
    exp.LTE: lambda one, other: one <= other,
    exp.GT: lambda one, other: one > other,
    exp.GTE: lambda one, other: one >= other,
}
_KNOWN: dict[type[Node], Callable[[_Compiler, Node], Typed]] = {
    exp.Column: _Compiler.field,
    exp.Dot: _Compiler.field,
    exp.Literal: _Compiler.literal,
    exp.Boolean: _Compiler.boolean,
    exp.Null: _Compiler.null,
    exp.Paren: _Compiler.inner,
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod), _Compiler.arithmetic),
    **dict.fromkeys((exp.Neg, exp.Abs, exp.Round, exp.Floor, exp.Ceil), _Compiler.of_number),
    **dict.fromkeys(_COMPARE, _Compiler.comparison),
    **dict.fromkeys((exp.NullSafeEQ, exp.NullSafeNEQ), _Compiler.distinct),
    exp.Between: _Compiler.between,
    exp.In: _Compiler.among,
    exp.Is: _Compiler.is_,
    **dict.fromkeys((exp.And, exp.Or), _Compiler.logic),
    exp.Not: _Compiler.negation,
    **dict.fromkeys((exp.Case, exp.If), _Compiler.case),
    exp.Coalesce: _Compiler.coalesce,
    **dict.fromkeys((exp.Greatest, exp.Least), _Compiler.extreme),
    exp.Nullif: _Compiler.nullif,
    exp.Concat: _Compiler.concat,
    exp.DPipe: _Compiler.pipe,
    exp.Cast: _Compiler.cast,
    exp.TimestampTrunc: _Compiler.truncate,
    exp.Extract: _Compiler.extract,
    **dict.fromkeys((found.node for found in FUNCTIONS.values()), _Compiler.function),
    **dict.fromkeys((exp.Identifier, exp.DataType, exp.DataTypeParam, exp.Var), _Compiler.nothing),
}
