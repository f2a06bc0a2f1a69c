"""Confluent's inline tags (`confluent:tags`) of records and fields in Avro and JSON Schema text.

An entity's path is, in Avro, the record's full name and the field (`shop.Order.id`); in JSON
Schema the way through the types (`object.id`, `object.lines.array.object.sku`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.formats.avro.parse import read_json
from registry.formats.avro.render import dump
from registry.formats.contract import SchemaInvalidError

_KEY = "confluent:tags"
Tags = Mapping[tuple[str, str], Sequence[str]]


@dataclass(frozen=True)
class Entity:
    """A part of a schema that can be tagged; `kind` is SR_RECORD or SR_FIELD."""

    path: str
    kind: str
    node: dict[str, Any]

    @property
    def tags(self) -> list[str]:
        """The tags that it has."""
        found = self.node.get(_KEY)
        return [tag for tag in found if isinstance(tag, str)] if isinstance(found, list) else []


def find_tags(format_name: str, text: str) -> list[Entity]:
    """The entities that have tags; none for a format whose text holds none that we read."""
    if format_name not in {"AVRO", "JSON"}:
        return []
    return [entity for entity in _entities(format_name, read_json(text)) if entity.tags]


def retag(format_name: str, text: str, add: Tags, remove: Tags) -> str:
    """The text with tags added and removed; SchemaInvalidError for a path that is not there."""
    if not add and not remove:
        return text
    if format_name not in {"AVRO", "JSON"}:
        raise SchemaInvalidError(f"tags of a {format_name} schema are changed in its text")
    root = read_json(text)
    entities = {(each.path, each.kind): each for each in _entities(format_name, root)}
    for path, kind in (*add, *remove):
        if (path, kind) not in entities:
            raise SchemaInvalidError(f"No match for entity path {path}")
    for key, entity in entities.items():
        kept = [tag for tag in entity.tags if tag not in remove.get(key, ())]
        kept += [tag for tag in add.get(key, ()) if tag not in kept]
        if kept:
            entity.node[_KEY] = kept
        else:
            entity.node.pop(_KEY, None)
    if format_name == "AVRO":
        return dump(root)
    return json.dumps(root, ensure_ascii=False, separators=(",", ":"))


def _entities(format_name: str, root: Any) -> Iterator[Entity]:
    return _avro(root, "") if format_name == "AVRO" else _json(root, "")


def _avro(node: Any, space: str) -> Iterator[Entity]:
    if isinstance(node, list):
        for branch in node:
            yield from _avro(branch, space)
    elif isinstance(node, dict):
        for key in ("items", "values"):
            yield from _avro(node.get(key), space)
        if isinstance(node.get("fields"), list):
            yield from _avro_record(node, space)


def _avro_record(node: dict[str, Any], space: str) -> Iterator[Entity]:
    head, dot, last = str(node.get("name", "")).rpartition(".")
    own = head if dot else str(node.get("namespace", space))
    full = f"{own}.{last}" if own else last
    yield Entity(full, "SR_RECORD", node)
    for declared in node["fields"]:
        yield Entity(f"{full}.{declared.get('name')}", "SR_FIELD", declared)
        yield from _avro(declared.get("type"), own)


def _json(node: Any, scope: str) -> Iterator[Entity]:
    if not isinstance(node, dict):
        return
    properties = node.get("properties")
    if isinstance(properties, dict):
        path = f"{scope}object"
        yield Entity(path, "SR_RECORD", node)
        for name, inner in properties.items():
            if isinstance(inner, dict):
                yield Entity(f"{path}.{name}", "SR_FIELD", inner)
                yield from _json(inner, f"{path}.{name}.")
    yield from _json(node.get("items"), f"{scope}array.")
