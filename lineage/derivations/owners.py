"""Whom to ask about a thing: the owner that the catalog names, of its service or its context."""

from collections.abc import Iterable
from dataclasses import dataclass

from catalog.models import Service, Topic
from lineage.connectors.models import Connector
from lineage.edges import Node


@dataclass(frozen=True, order=True)
class Contact:
    """An owner, and the service and context for which the catalog names him; empty: nobody."""

    owner: str
    service: str
    context: str


NOBODY = Contact("", "", "")


class Owners:
    """The catalog's owners of many nodes, read in three queries."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        names: dict[str, set[str]] = {}
        for node in nodes:
            names.setdefault(node.kind, set()).add(node.name)
        services = Service.objects.filter(name__in=names.get("service", ()))
        self._known: dict[tuple[str, str], Contact] = {
            ("service", row.name): _of_service(row) for row in services.select_related("context")
        }
        topics = Topic.objects.filter(name__in=names.get("topic", ())).order_by("pk")
        for topic in topics.select_related("context", "writer__context"):
            own = topic.context
            self._known["topic", topic.name] = (
                _of_service(topic.writer)
                if topic.writer
                else Contact(own.owner, "", own.name)
                if own
                else NOBODY
            )
        copies = Connector.objects.filter(name__in=names.get("copy", ()))
        for copy in copies.select_related("context", "service__context"):
            self._known["copy", copy.name] = (
                _of_service(copy.service)
                if copy.service
                else Contact(copy.context.owner, "", copy.context.name)
                if copy.context
                else NOBODY
            )

    def of(self, node: Node) -> Contact:
        """Return whom to ask; NOBODY for an actor, or where the catalog names none."""
        return self._known.get((node.kind, node.name), NOBODY)


def _of_service(service: Service) -> Contact:
    context = service.context
    owner = service.owner or (context.owner if context else "")
    return Contact(owner, service.name, context.name if context else "")
