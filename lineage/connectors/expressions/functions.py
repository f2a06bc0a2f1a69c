"""Functions of texts that expressions may call."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from lineage.connectors.columns import Kind
from lineage.connectors.expressions.types import ExpressionError


@dataclass(frozen=True)
class Function:
    """A function: its arguments as sqlglot names them, the kind of each, and of the result."""

    node: type[exp.Expression]
    args: tuple[str, ...]
    kinds: tuple[str, ...]
    result: Kind
    call: Callable[..., Any]
    optional: int = 0

    @property
    def needed(self) -> int:
        """How many of the arguments, from the first on, must be given."""
        return len(self.args) - self.optional


def _substring(text: str, start: int, length: int | None = None) -> str:
    """Cut out as SQL does: counted from 1, what lies before the text counts too."""
    if length is not None and length < 0:
        raise ExpressionError("substring: a negative length")
    begin = max(0, start - 1)
    return text[begin:] if length is None else text[begin : max(begin, start - 1 + length)]


def _trim(text: str) -> str:
    return text.strip(" ")


def _left(text: str, count: int) -> str:
    return text[:count]


def _right(text: str, count: int) -> str:
    if count >= 0:
        return text[-count:] if count else ""
    return text[-count:]


def _replace(text: str, part: str, by: str) -> str:
    if not part:
        return text
    if len(by) > len(part) and len(text) // len(part) * len(by) > _MOST:
        raise ExpressionError("replace: the result would be too long")
    return text.replace(part, by)


_MOST = 10_000_000
FUNCTIONS: dict[str, Function] = {
    each.node.key: each
    for each in (
        Function(exp.Lower, ("this",), ("text",), "text", str.lower),
        Function(exp.Upper, ("this",), ("text",), "text", str.upper),
        Function(exp.Trim, ("this",), ("text",), "text", _trim),
        Function(exp.Length, ("this",), ("text",), "integer", len),
        Function(exp.Left, ("this", "expression"), ("text", "integer"), "text", _left),
        Function(exp.Right, ("this", "expression"), ("text", "integer"), "text", _right),
        Function(
            exp.Substring,
            ("this", "start", "length"),
            ("text", "integer", "integer"),
            "text",
            _substring,
            optional=1,
        ),
        Function(
            exp.Replace,
            ("this", "expression", "replacement"),
            ("text", "text", "text"),
            "text",
            _replace,
        ),
    )
}
