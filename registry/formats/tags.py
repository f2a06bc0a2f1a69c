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
from registry.formats.avro.tags import parts
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
    known: dict[tuple[str, str], list[Tagged]] = {}
    short: dict[tuple[str, str], list[Tagged]] = {}
    for each in entities:
        known.setdefault((each.path, each.kind), []).append(each)
        short.setdefault((each.path.removeprefix(f"{package}."), each.kind), []).append(each)
    for path, kind in dict.fromkeys((*remove, *add)):
        found = known.get((path, kind)) or short.get((path, kind))
        if found is None:
            raise SchemaInvalidError(f"No match for entity path {path}")
        # an Avro type may be defined twice, and must say the same both times
        for entity in found:
            tags = dict.fromkeys((*entity.tags, *add.get((path, kind), ())))
            entity.set([tag for tag in tags if tag not in remove.get((path, kind), ())])


def _entities(format_name: str, root: Any) -> Iterator[Entity]:
    if format_name == "AVRO":
        return (Entity(*part) for part in parts(root))
    return _json(root, "")


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
