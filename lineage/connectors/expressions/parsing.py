"""From an expression's text to sqlglot's syntax tree, and how its parts and types are spelt."""

from collections.abc import Collection
from typing import Any, TypeAlias

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from lineage.connectors.columns import Column
from lineage.connectors.expressions.types import ExpressionError, of_kind

_LONGEST = 2_000
# parts within parts; far from Python's own limit, which depends on who calls
_DEEPEST = 100
_TARGETS = {
    **dict.fromkeys(("INT", "SMALLINT"), "integer"),
    "BIGINT": "bigint",
    "FLOAT": "double",
    "DOUBLE": "double",
    "TEXT": "text",
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "TIMESTAMP": "timestamp",
    "TIMESTAMPTZ": "timestamptz",
    "DATE": "date",
    "TIME": "time",
    "UUID": "uuid",
}
Node: TypeAlias = Any
"""A node of sqlglot's tree, which types none of its parts."""


def parsed(text: str, known: Collection[type[Node]]) -> Node:
    """Return the tree of an expression that has none but `known` nodes; raises ExpressionError."""
    if len(text) > _LONGEST:
        raise ExpressionError(f"longer than {_LONGEST} characters")
    try:
        node = sqlglot.parse_one(text, dialect="postgres")
        for inner in node.walk():
            if inner.depth > _DEEPEST:
                raise ExpressionError("nested too deeply")
            if type(inner) not in known:
                raise ExpressionError(f"{spelt(inner)} is not offered")
    except SqlglotError as error:
        first = str(error).partition("\n")[0].rstrip(".")
        raise ExpressionError(f"cannot be read: {first}") from None
    except RecursionError:
        raise ExpressionError("nested too deeply") from None
    return node


def spelt(node: Node) -> str:
    """Return how a node is named in a complaint about it."""
    name = node.name if isinstance(node, exp.Anonymous) else node.key
    return f"{name}(…)" if isinstance(node, exp.Func) else name.upper()


def target_of(node: Node) -> Column:
    """Return the type that a cast names; raises ExpressionError."""
    name = node.this.value if isinstance(node, exp.DataType) else ""
    if not all(param.name.isdecimal() and len(param.name) < 4 for param in node.expressions):
        raise ExpressionError(f"no type {node.sql('postgres').lower()} to cast to")
    sizes = [int(param.name) for param in node.expressions]
    if name == "DECIMAL":
        precision, scale = (*sizes, 38, 9)[:2] if not sizes else (sizes[0], *sizes[1:], 0)[:2]
        if not 0 < precision <= 38 or not 0 <= scale <= precision:
            raise ExpressionError("a decimal has up to 38 digits, its scale among them")
        return Column("", "decimal", precision, scale)
    kind: Any = _TARGETS.get(name)
    if kind is None or (sizes and kind != "text"):
        raise ExpressionError(f"no type {node.sql('postgres').lower()} to cast to")
    if sizes:
        raise ExpressionError("text has no length: use substring")
    return of_kind(kind)
