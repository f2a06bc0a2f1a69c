"""Confluent's inline tags of records and fields: `confluent:tags` in Avro and JSON Schema text.

An entity's path is, in Avro, the record's full name and the field (`shop.Order.id`); in JSON
Schema the way through the types (`object.id`, `object.lines.array.object.sku`); Protobuf's are
options, see `protobuf.tags`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from registry.formats.avro.render import dump
from registry.formats.avro.text import read_json
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

    def set(self, tags: Sequence[str]) -> None:
        """Put these tags in place of those that it has."""
        if tags:
            self.node[_KEY] = list(tags)
        else:
            self.node.pop(_KEY, None)


class Tagged(Protocol):
    """An entity of any format."""

    @property
    def path(self) -> str:
        """Its path."""
        ...

    @property
    def kind(self) -> str:
        """SR_RECORD or SR_FIELD."""
        ...

    @property
    def tags(self) -> list[str]:
        """The tags that it has."""
        ...

    def set(self, tags: Sequence[str]) -> None:
        """Put these tags in place of those that it has."""
        ...


def find_tags(format_name: str, text: str) -> list[Tagged]:
    """The entities that have tags."""
    found: Iterable[Tagged]
    if format_name == "PROTOBUF":
        found = import_module("registry.formats.protobuf.tags").find(text)
    else:
        found = _entities(format_name, read_json(text))
    return [entity for entity in found if entity.tags]


def retag(format_name: str, text: str, add: Tags, remove: Tags) -> str:
    """The text with tags added and removed; SchemaInvalidError for a path that is not there."""
    if not add and not remove:
        return text

    def edit(entities: Sequence[Tagged]) -> None:
        _edit(entities, add, remove)

    if format_name == "PROTOBUF":
        changed: str = import_module("registry.formats.protobuf.tags").change(text, edit)
        return changed
    root = read_json(text)
    edit(list(_entities(format_name, root)))
    if format_name == "AVRO":
        return dump(root)
    return json.dumps(root, ensure_ascii=False, separators=(",", ":"))


def _edit(entities: Sequence[Tagged], add: Tags, remove: Tags) -> None:
    """Change each entity that is named, by its full path or without the package's part of it."""
    outer = entities[0].path if entities else ""
    package = outer.rpartition(".")[0]
    known = {(each.path, each.kind): each for each in entities}
    short = {(each.path.removeprefix(f"{package}."), each.kind): each for each in entities}
    for path, kind in dict.fromkeys((*remove, *add)):
        entity = known.get((path, kind)) or short.get((path, kind))
        if entity is None:
            raise SchemaInvalidError(f"No match for entity path {path}")
        kept = [tag for tag in entity.tags if tag not in remove.get((path, kind), ())]
        kept += [tag for tag in add.get((path, kind), ()) if tag not in kept]
        entity.set(kept)


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
