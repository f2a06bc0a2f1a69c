"""Catalog files into one declaration; no database, and every complaint at once."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import yaml
from django.db.models import CharField

from catalog.declaration.entries import Entry, Source, compose, guess, read_entry
from catalog.declaration.sections import known_sections
from catalog.errors import Complaint, DeclarationInvalidError, Place
from catalog.models import BoundedContext, Service, Topic
from catalog.recognition import PATTERN_KEYS

# KafkaTopic's own rule (org.apache.kafka.common.internals.Topic)
_TOPIC_NAME = re.compile(r"(?!\.\.?$)[a-zA-Z0-9._-]{1,249}")
# names stand in addresses of pages
_NAME = re.compile(r"[^\s/?#%\\](?:[^/?#%\\\x00-\x1f\x7f]*[^\s/?#%\\])?")
KINDS = tuple(kind for kind in Topic.Kind.values if kind != Topic.Kind.INTERNAL)


@dataclass(frozen=True)
class ClusterDeclared:
    """A cluster and the addresses of its brokers."""

    entry: Entry
    name: str
    bootstrap_servers: str


@dataclass(frozen=True)
class ContextDeclared:
    """A bounded context."""

    entry: Entry
    name: str
    description: str
    owner: str


@dataclass(frozen=True)
class ServiceDeclared:
    """A service, the context it belongs to, and the patterns of its names in Kafka."""

    entry: Entry
    name: str
    context: str | None
    description: str
    owner: str
    recognised_by: Mapping[str, list[str]]


@dataclass(frozen=True)
class TopicDeclared:
    """A topic; `cluster` is `None` for the default cluster, `writer` names a service."""

    entry: Entry
    name: str
    cluster: str | None
    kind: str
    context: str | None
    description: str
    writer: str | None
    canonical: bool


@dataclass
class Declaration:
    """Everything that the files declare; `sections` are those of rooms above, as entries."""

    complaints: list[Complaint]
    clusters: list[ClusterDeclared] = field(default_factory=list)
    contexts: list[ContextDeclared] = field(default_factory=list)
    services: list[ServiceDeclared] = field(default_factory=list)
    topics: list[TopicDeclared] = field(default_factory=list)
    sections: dict[str, list[Entry]] = field(default_factory=dict)


def read(*paths: Path | str) -> Declaration:
    """Read files, and folders of `*.yaml` and `*.yml`, as one declaration.

    Raises DeclarationInvalidError with all that is wrong by itself; whether what it refers to
    exists is known when it is applied.
    """
    declaration = Declaration([])
    for path in _files(map(Path, paths), declaration.complaints):
        _read_file(path, declaration)
    _refuse_doubles(declaration)
    if declaration.complaints:
        raise DeclarationInvalidError(declaration.complaints)
    return declaration


def _files(paths: Iterable[Path], complaints: list[Complaint]) -> list[Path]:
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.suffix in {".yaml", ".yml"})
            if not inside:
                complaints.append(Complaint(Place(str(path), 1), "a folder without YAML files"))
            found.update(dict.fromkeys(inside))
        else:
            found[path] = None
    return list(found)


def _read_file(path: Path, declaration: Declaration) -> None:
    source = Source(str(path), declaration.complaints)
    root = compose(path, source)
    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        source.complain(root, f"expected the sections {', '.join(known_sections())}")
        return
    for name, (place, node) in source.pairs(root).items():
        if name not in known_sections():
            message = f"unknown section {name!r}{guess(name, known_sections())}"
            declaration.complaints.append(Complaint(place, message))
        elif node.tag == "tag:yaml.org,2002:null":
            continue
        elif not isinstance(node, yaml.SequenceNode):
            source.complain(node, f"section {name!r} must be a list")
        else:
            entries = [read_entry(item, source) for item in node.value]
            _take(declaration, name, [entry for entry in entries if entry is not None])


def _take(declaration: Declaration, section: str, entries: list[Entry]) -> None:
    if section == "clusters":
        declaration.clusters += map(_cluster, entries)
    elif section == "contexts":
        declaration.contexts += map(_context, entries)
    elif section == "services":
        declaration.services += map(_service, entries)
    elif section == "topics":
        declaration.topics += map(_topic, entries)
    else:
        declaration.sections.setdefault(section, []).extend(entries)


def _length(model: type[BoundedContext | Service], name: str) -> int:
    column = model._meta.get_field(name)  # noqa: SLF001  (Django's public API)
    return (isinstance(column, CharField) and column.max_length) or 0


def _name(entry: Entry, most: int) -> str:
    name = entry.text("name", most=most)
    if name and not _NAME.fullmatch(name):
        entry.complain(f"name {name!r} holds one of / ? # % \\ or begins or ends blank", "name")
    elif not name and isinstance(entry.values.get("name"), str):
        entry.complain("'name' is empty or too long", "name")
    return name


def _reference(entry: Entry, key: str) -> str | None:
    return entry.text(key) or None


def _cluster(entry: Entry) -> ClusterDeclared:
    entry.expect(["name", "bootstrap_servers"])
    return ClusterDeclared(entry, _name(entry, 100), entry.text("bootstrap_servers"))


def _context(entry: Entry) -> ContextDeclared:
    entry.expect(["name"], ["description", "owner"])
    name = _name(entry, _length(BoundedContext, "name"))
    owner = entry.text("owner", most=_length(BoundedContext, "owner"))
    return ContextDeclared(entry, name, entry.text("description"), owner)


def _service(entry: Entry) -> ServiceDeclared:
    entry.expect(["name"], ["context", "description", "owner", "recognised_by"])
    return ServiceDeclared(
        entry,
        name=_name(entry, _length(Service, "name")),
        context=_reference(entry, "context"),
        description=entry.text("description"),
        owner=entry.text("owner", most=_length(Service, "owner")),
        recognised_by=_patterns(entry),
    )


def _patterns(entry: Entry) -> dict[str, list[str]]:
    inner = entry.inner("recognised_by")
    inner.expect([], PATTERN_KEYS.values())
    return {key: inner.texts(key) for key in PATTERN_KEYS.values() if key in inner.values}


def _topic(entry: Entry) -> TopicDeclared:
    optional = ["cluster", "kind", "context", "description", "writer", "canonical"]
    entry.expect(["name"], optional)
    name = entry.text("name")
    if isinstance(entry.values.get("name"), str) and not _TOPIC_NAME.fullmatch(name):
        entry.complain(f"{name!r} is no name that Kafka allows for a topic", "name")
    return TopicDeclared(
        entry,
        name=name,
        cluster=_reference(entry, "cluster"),
        kind=entry.choice("kind", Topic.Kind.UNKNOWN.value, KINDS),
        context=_reference(entry, "context"),
        description=entry.text("description"),
        writer=_reference(entry, "writer"),
        canonical=entry.flag("canonical"),
    )


Declared = TypeVar("Declared", ClusterDeclared, ContextDeclared, ServiceDeclared, TopicDeclared)


def _refuse_doubles(declaration: Declaration) -> None:
    _doubles("cluster", declaration.clusters, lambda item: (item.name,))
    _doubles("context", declaration.contexts, lambda item: (item.name,))
    _doubles("service", declaration.services, lambda item: (item.name,))
    _doubles("topic", declaration.topics, lambda item: (item.cluster or "", item.name))
    _refuse_shared_patterns(declaration.services)


def _doubles(
    kind: str, items: Iterable[Declared], key: Callable[[Declared], tuple[str, ...]]
) -> None:
    first: dict[tuple[str, ...], Place] = {}
    for item in items:
        if not item.name:
            continue
        at = item.entry.line_of("name")
        before = first.setdefault(key(item), at)
        if before != at:
            item.entry.complain(f"{kind} {item.name!r} is declared already ({before})", "name")


def _refuse_shared_patterns(services: Iterable[ServiceDeclared]) -> None:
    """A pattern that two services claim recognises neither."""
    first: dict[tuple[str, str], ServiceDeclared] = {}
    for service in services:
        pairs = [
            (key, str(index), pattern)
            for key, patterns in service.recognised_by.items()
            for index, pattern in enumerate(patterns)
        ]
        for key, index, pattern in pairs:
            other = first.setdefault((key, pattern), service)
            if other is not service:
                message = f"{key}: {pattern!r} recognises {other.name!r} already"
                service.entry.complain(message, "recognised_by", key, index)
