"""What can have tags in Avro JSON: records, by their full names, and their fields."""

from collections.abc import Iterator
from typing import Any

Part = tuple[str, str, dict[str, Any]]
"""A path, SR_RECORD or SR_FIELD, and the JSON object that holds the tags."""


def parts(node: Any, space: str = "") -> Iterator[Part]:
    """Every record and field, as they stand in the text, outer ones first; `space` is around them.

    What is no valid schema is passed over: it is refused where the text is parsed.
    """
    if isinstance(node, list):
        for branch in node:
            yield from parts(branch, space)
    elif isinstance(node, dict):
        match node.get("type"):
            case "array":
                yield from parts(node.get("items"), space)
            case "map":
                yield from parts(node.get("values"), space)
            case "record" | "error":
                yield from _record(node, space)


def _record(node: dict[str, Any], space: str) -> Iterator[Part]:
    name, given, fields = node.get("name"), node.get("namespace"), node.get("fields")
    if not isinstance(name, str) or not isinstance(fields, list):
        return
    head, dot, last = name.rpartition(".")
    outer = given if isinstance(given, str) else space
    own = head if dot else outer
    full = f"{own}.{last}" if own else last
    yield full, "SR_RECORD", node
    for declared in fields:
        if isinstance(declared, dict):
            yield f"{full}.{declared.get('name')}", "SR_FIELD", declared
            yield from parts(declared.get("type"), own)
