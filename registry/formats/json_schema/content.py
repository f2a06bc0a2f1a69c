"""What is allowed beyond the named: open, closed and partially open content models."""

from registry.formats.json_schema.compare import Pair, Steps
from registry.formats.json_schema.differences import Change
from registry.formats.json_schema.model import Node


def anything(node: Node | None) -> bool:
    """Whether a schema accepts every value (no schema does)."""
    if node is None:
        return True
    followed = node.followed()
    return followed.kind == "empty" and followed.conditional is None


def closed(node: Node | None) -> bool:
    """Whether a schema accepts no value at all."""
    return node is not None and node.followed().kind == "false"


def left_unevaluated(rest: Node | None, unevaluated: Node | None) -> Node | None:
    """The schema of what is unevaluated: none binds where a `rest` that takes all evaluates it."""
    return None if rest is not None and anything(rest) else unevaluated


def compare_rest(name: str, old: Node | None, new: Node | None) -> Steps:
    """The four changes of additional or unevaluated properties or items; two schemas compared."""
    if closed(old) != closed(new):
        return [Change(f"{name}_ADDED" if closed(old) else f"{name}_REMOVED")]
    if anything(old) != anything(new):
        return [Change(f"{name}_NARROWED" if anything(old) else f"{name}_EXTENDED")]
    if closed(old) or anything(old):
        return []
    verdict = yield Pair(old, new)
    return list(verdict.changes)
