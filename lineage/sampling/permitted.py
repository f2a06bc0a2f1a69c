"""Who may read and write topics, by the access control entries as they were at an instant."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from catalog.actions import find_cluster
from catalog.recognition import recogniser
from lineage.sampling.models import Permission

_TRAFFIC = {"read": ("read",), "write": ("write",), "all": ("read", "write")}
_ALL_TOPICS = "*"


@dataclass(frozen=True)
class Permitted:
    """A principal may read (or write) the topics of a pattern: of one name, or of a prefix.

    `denied` lists patterns that some of it is taken back for; where a denial covers all of it,
    there is no such entry. `service` is who the catalog recognises by its principals.
    """

    cluster: str
    principal: str
    service: str | None
    operation: str
    pattern: str
    topic: str
    host: str
    first_seen: datetime
    denied: tuple[str, ...] = ()


def list_permissions(
    *, cluster: str | None = None, topic: str | None = None, as_of: datetime | None = None
) -> list[Permitted]:
    """List who may read and write, or who may do so on one topic, now or at `as_of`.

    Raises ThingMissingError when there is no such cluster. Nothing here was seen to happen.
    """
    at = as_of or timezone.now()
    rows = Permission.objects.filter(first_seen__lte=at).filter(Q(gone_at=None) | Q(gone_at__gt=at))
    if cluster:
        rows = rows.filter(cluster=find_cluster(cluster))
    entries = [it for it in rows.select_related("cluster") if topic is None or covers(it, topic)]
    denials: dict[tuple[int, str], list[Permission]] = defaultdict(list)
    for entry in entries:
        if not entry.allowed:
            for operation in _TRAFFIC[entry.operation]:
                denials[entry.cluster_id, operation].append(entry)
    known = recogniser()
    found = []
    for entry in entries:
        for operation in _TRAFFIC[entry.operation] if entry.allowed else ():
            against = [
                it
                for it in denials[entry.cluster_id, operation]
                if it.principal in {entry.principal, "User:*"} and it.host in {entry.host, "*"}
            ]
            if any(_takes_all(it, entry, topic) for it in against):
                continue
            service = known.service_of("principal", entry.principal)
            found.append(
                Permitted(
                    entry.cluster.name,
                    entry.principal,
                    service.name if service else None,
                    operation,
                    entry.pattern,
                    entry.topic,
                    entry.host,
                    entry.first_seen,
                    tuple(sorted(_overlapping(against, entry))),
                )
            )
    return sorted(found, key=lambda it: (it.cluster, it.topic, it.operation, it.principal, it.host))


def covers(entry: Permission, topic: str) -> bool:
    """Whether an entry speaks of a topic (KIP-290)."""
    if entry.pattern == "prefixed":
        return topic.startswith(entry.topic)
    return entry.topic in {topic, _ALL_TOPICS}


def _takes_all(denial: Permission, entry: Permission, topic: str | None) -> bool:
    """Whether a denial leaves nothing of what an entry allows, or nothing on the one topic."""
    if topic is not None:
        return True
    if entry.pattern == "prefixed":
        whole = denial.pattern == "prefixed" and entry.topic.startswith(denial.topic)
        return whole or (denial.pattern == "literal" and denial.topic == _ALL_TOPICS)
    if entry.topic == _ALL_TOPICS:
        return denial.pattern == "literal" and denial.topic == _ALL_TOPICS
    return covers(denial, entry.topic)


def _overlapping(denials: Iterable[Permission], entry: Permission) -> set[str]:
    whole = entry.pattern == "literal" and entry.topic == _ALL_TOPICS
    return {
        it.topic
        for it in denials
        if whole or (entry.pattern == "prefixed" and it.topic.startswith(entry.topic))
    }
