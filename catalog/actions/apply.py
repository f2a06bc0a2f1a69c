"""A declaration into the catalog's rows: all of it in one transaction, or nothing."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django.conf import settings
from django.db import models, transaction

from catalog.actions.claims import settle_claims, with_patterns
from catalog.declaration.entries import Entry
from catalog.declaration.reading import Declaration, ServiceDeclared, TopicDeclared
from catalog.declaration.sections import Change, FieldChange, section_handler
from catalog.errors import Complaint, DeclarationInvalidError
from catalog.models import BoundedContext, Cluster, Service, Topic
from catalog.signals import declaration_applied

Row = TypeVar("Row", bound=models.Model)


def apply(declaration: Declaration, *, dry_run: bool = False) -> list[Change]:
    """Apply a declaration, and return what became of each thing in it; `dry_run` writes nothing.

    What the declaration does not name stays as it is. Raises DeclarationInvalidError when it
    refers to something that is declared neither in it nor before; then nothing was applied.
    """
    complaints: list[Complaint] = declaration.complaints
    with transaction.atomic():
        changes = _Application(declaration).run()
        if complaints:
            raise DeclarationInvalidError(complaints)
        if dry_run:
            transaction.set_rollback(True)
    if not dry_run:
        declaration_applied.send(sender=Declaration, changes=changes)
    return changes


class _Application:
    """The steps of one apply, in the order in which things refer to each other."""

    def __init__(self, declaration: Declaration) -> None:
        self.declaration = declaration
        self.changes: list[Change] = []

    def run(self) -> list[Change]:
        self._apply_clusters()
        self._apply_contexts()
        self._apply_services()
        self._refuse_patterns_of_others()
        self._apply_topics()
        for name, entries in self.declaration.sections.items():
            if handler := section_handler(name):
                self.changes += handler(entries)
        return self.changes

    def _apply_clusters(self) -> None:
        rows = {row.name: row for row in Cluster.objects.all()}
        for item in self.declaration.clusters:
            values = {"bootstrap_servers": item.bootstrap_servers}
            self._settle("cluster", Cluster, rows.get(item.name), {"name": item.name}, values)

    def _apply_contexts(self) -> None:
        rows = {row.name: row for row in BoundedContext.objects.all()}
        for item in self.declaration.contexts:
            values = {"description": item.description, "owner": item.owner}
            key = {"name": item.name}
            self._settle("context", BoundedContext, rows.get(item.name), key, values)

    def _apply_services(self) -> None:
        contexts = {row.name: row for row in BoundedContext.objects.all()}
        declared = {item.name: item.recognised_by for item in self.declaration.services}
        kept, ended = settle_claims(declared)
        self.changes += ended
        rows = {row.name: row for row in Service.objects.select_related("context")}
        for item in self.declaration.services:
            values = {
                "context": _find(contexts, item.context, item.entry, "context", "context"),
                "description": item.description,
                "owner": item.owner,
                "recognised_by": with_patterns(item.recognised_by, kept.get(item.name, ())),
            }
            self._settle("service", Service, rows.get(item.name), {"name": item.name}, values)

    def _refuse_patterns_of_others(self) -> None:
        """A pattern that a service declared earlier has already recognises neither of the two."""
        ours = {item.name for item in self.declaration.services}
        taken = {
            (key, pattern): service.name
            for service in Service.objects.exclude(name__in=ours)
            for key, patterns in service.recognised_by.items()
            for pattern in patterns
        }
        for item in self.declaration.services:
            _refuse_taken(item, taken)

    def _apply_topics(self) -> None:
        items = self.declaration.topics
        contexts = {row.name: row for row in BoundedContext.objects.all()}
        services = {row.name: row for row in Service.objects.all()}
        clusters = _clusters(items)
        rows = {
            (row.cluster_id, row.name): row
            for row in Topic.objects.select_related("context", "writer")
        }
        for item in items:
            cluster = clusters.get(item.cluster or settings.KAFKA_CLUSTER_NAME)
            if cluster is None:
                item.entry.complain(f"no cluster is called {item.cluster!r}", "cluster")
                continue
            values = {
                "kind": item.kind,
                "description": item.description,
                "context": _find(contexts, item.context, item.entry, "context", "context"),
                "writer": _find(services, item.writer, item.entry, "writer", "service"),
                "canonical": item.canonical,
                "declared": True,
            }
            key = {"cluster": cluster, "name": item.name}
            self._settle("topic", Topic, rows.get((cluster.pk, item.name)), key, values)

    def _settle(
        self,
        kind: str,
        model: type[Row],
        row: Row | None,
        key: Mapping[str, Any],
        values: Mapping[str, Any],
    ) -> None:
        """Create a row, or change what differs, and take down what became of it."""
        name = str(key["name"])
        if row is None:
            # a synchronisation may have made the topic since the rows were read
            row, created = model._default_manager.get_or_create(**key, defaults=dict(values))  # noqa: SLF001
            if created:
                self.changes.append(Change(kind, name, "created"))
                return
        fields = tuple(
            FieldChange(field, _words(getattr(row, field)), _words(value))
            for field, value in values.items()
            if getattr(row, field) != value
        )
        if not fields:
            self.changes.append(Change(kind, name, "unchanged"))
            return
        for field, value in values.items():
            setattr(row, field, value)
        row.save(update_fields=[change.field for change in fields])
        self.changes.append(Change(kind, name, "changed", fields))


def _refuse_taken(item: ServiceDeclared, taken: Mapping[tuple[str, str], str]) -> None:
    for key, patterns in item.recognised_by.items():
        for index, pattern in enumerate(patterns):
            if other := taken.get((key, pattern)):
                message = f"{key}: {pattern!r} recognises {other!r} already"
                item.entry.complain(message, "recognised_by", key, str(index))


def _clusters(items: Iterable[TopicDeclared]) -> dict[str, Cluster]:
    """Return the clusters by name; the default one is made when topics first need it."""
    clusters = {row.name: row for row in Cluster.objects.all()}
    default = settings.KAFKA_CLUSTER_NAME
    wanted = {item.cluster or default for item in items}
    if default in wanted and default not in clusters:
        clusters[default] = Cluster.objects.get_or_create(
            name=default, defaults={"bootstrap_servers": settings.KAFKA_BOOTSTRAP_SERVERS}
        )[0]
    return clusters


def _find(
    rows: Mapping[str, Row], name: str | None, entry: Entry, key: str, kind: str
) -> Row | None:
    """Return the row that an entry refers to; one that nobody declared is a complaint."""
    if name is None:
        return None
    if name not in rows:
        entry.complain(f"{kind} {name!r} is not declared", key)
        return None
    return rows[name]


def _words(value: object) -> str:
    if value is None or value in ("", {}):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{key}: {', '.join(patterns)}" for key, patterns in value.items())
    return str(value)
