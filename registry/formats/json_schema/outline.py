"""The fields of a JSON Schema as a page lists them."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from registry.formats.contract import Field
from registry.formats.json_schema import text
from registry.formats.json_schema.model import ABSENT, Array, Combined, Node, Number, Object, Values

MAX_FIELDS = 2_000
# A path longer than this is recursion unrolled, or something no page can show.
MAX_DEPTH = 20


def outline(root: Node) -> list[Field]:
    """Properties in declared order, nested ones after their parent; recursion shown once."""
    return list(islice(_walk(root, "", (), 0), MAX_FIELDS))


def _walk(node: Node, path: str, parents: tuple[int, ...], depth: int) -> Iterator[Field]:
    node = node.followed()
    if id(node) in parents or depth > MAX_DEPTH:
        return
    parents = (*parents, id(node))
    match node.facets:
        case Object() as facets:
            for name, child in facets.properties.items():
                inner = f"{path}.{name}" if path else name
                yield _field(inner, child, required=name in facets.required)
                yield from _walk(child, inner, parents, depth + 1)
        case Array() as facets:
            for item in (*facets.prefix, *([facets.rest] if facets.rest else [])):
                yield from _walk(item, path, parents, depth + 1)
        case Combined() as facets:
            for part in facets.parts:
                yield from _walk(part, path, parents, depth + 1)


def _field(path: str, node: Node, required: bool) -> Field:
    followed = node.followed()
    default = node.default if node.default is not ABSENT else followed.default
    return Field(
        path=path,
        type=_type(node, 0),
        doc=node.description or followed.description or "",
        default=None if default is ABSENT else text.write(default),
        required=required,
        tags=_tags(node.raw) or _tags(followed.raw),
        detail=_bounds(followed),
    )


_BOUNDS = (
    ("format", "format {}"),
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("pattern", "like {}"),
    ("minimum", "≥ {}"),
    ("exclusiveMinimum", "> {}"),
    ("maximum", "≤ {}"),
    ("exclusiveMaximum", "< {}"),
    ("multipleOf", "a multiple of {}"),
    ("minItems", "at least {} items"),
    ("maxItems", "at most {} items"),
    ("minProperties", "at least {} properties"),
    ("maxProperties", "at most {} properties"),
)


def _bounds(node: Node) -> str:
    """What a schema asks of a value besides its type, in words."""
    raw = node.raw if isinstance(node.raw, dict) else {}
    said = [words.format(raw[key]) for key, words in _BOUNDS if key in raw]
    said += ["unique items"] if raw.get("uniqueItems") is True else []
    said += ["no other properties"] if raw.get("additionalProperties") is False else []
    return ", ".join(said)


def _tags(raw: Any) -> tuple[str, ...]:
    tags = raw.get("confluent:tags") if isinstance(raw, dict) else None
    return tuple(map(str, tags)) if isinstance(tags, list) else ()


def _type(node: Node, depth: int) -> str:
    node = node.followed()
    if depth > 3:
        return "…"
    match node.facets:
        case Number(integer=True):
            return "integer"
        case Array() as facets:
            items = [*facets.prefix, *([facets.rest] if facets.rest else [])]
            inner = ", ".join(_type(item, depth + 1) for item in items[:4])
            return f"array<{inner}>" if inner else "array"
        case Values() as facets:
            return f"{node.kind}({', '.join(sorted(facets.texts)[:8])})"
        case Combined(criterion=criterion, parts=parts):
            joint = " & " if criterion == "allOf" else " | "
            return joint.join(dict.fromkeys(_type(part, depth + 1) for part in parts[:8]))
        case Object():
            return node.title or "object"
        case _:
            return {"empty": "any", "false": "never"}.get(node.kind, node.kind)
