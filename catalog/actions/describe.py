"""Topics and services as pages and REST show them: declared, observed, and the verdict on both.

Observation is asked for once a cluster, however many topics are described.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from catalog.errors import ThingMissingError
from catalog.models import Cluster, Service, Topic
from catalog.observation import Access, observed_accesses
from catalog.policies.single_writer import Verdict, judge

# more topics than this are asked for as a whole cluster
_NAMED_AT_ONCE = 500


@dataclass(frozen=True)
class WriterView:
    """The declared writer against the observed ones, newest first; names of services or actors."""

    declared: str | None
    observed: tuple[str, ...]
    verdict: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class ReaderView:
    """One who reads: the service, or the actor's own name while it is not recognised."""

    name: str
    context: str | None
    recognised: bool
    last_seen: datetime
    active: bool


@dataclass(frozen=True)
class TopicView:
    """One topic: its row, its writer and verdict, its readers, and every access behind them."""

    topic: Topic
    writer: WriterView
    active_readers: tuple[ReaderView, ...]
    accesses: tuple[Access, ...]

    @property
    def name(self) -> str:
        """Return the topic's name."""
        return self.topic.name

    @property
    def cluster(self) -> str:
        """Return the name of the topic's cluster."""
        return self.topic.cluster.name

    @property
    def kind(self) -> str:
        """Return what its records are."""
        return self.topic.kind

    @property
    def context(self) -> str | None:
        """Return the name of the context that owns it."""
        return self.topic.context.name if self.topic.context else None

    @property
    def present(self) -> bool:
        """Return whether Kafka had it when it was last asked."""
        return self.topic.synchronised_at is not None and self.topic.gone_at is None

    @property
    def readers(self) -> tuple[str, ...]:
        """Return the names of those who read it now."""
        return tuple(reader.name for reader in self.active_readers)


@dataclass(frozen=True)
class ServiceView:
    """One service: its row, the topics it is declared to write, and those it was seen at."""

    service: Service
    declared_writes: tuple[str, ...]
    writes: tuple[str, ...]
    reads: tuple[str, ...]
    accesses: tuple[tuple[str, Access], ...]

    @property
    def name(self) -> str:
        """Return the service's name."""
        return self.service.name

    @property
    def context(self) -> str | None:
        """Return the name of the context it belongs to."""
        return self.service.context.name if self.service.context else None


def find_topic(cluster: str, name: str) -> Topic:
    """Return a topic; raises ThingMissingError."""
    found = (
        Topic.objects
        .select_related("cluster", "context", "writer__context")
        .filter(cluster__name=cluster, name=name)
        .first()
    )
    if found is None:
        raise ThingMissingError(f"no topic {name!r} in the cluster {cluster!r}")
    return found


def find_service(name: str) -> Service:
    """Return a service; raises ThingMissingError."""
    found = Service.objects.select_related("context").filter(name=name).first()
    if found is None:
        raise ThingMissingError(f"no service is called {name!r}")
    return found


def describe_topic(topic: Topic, as_of: datetime | None = None) -> TopicView:
    """Describe one topic, now or as of an instant."""
    return describe_topics([topic], as_of)[0]


def describe_topics(
    topics: QuerySet[Topic] | Iterable[Topic], as_of: datetime | None = None
) -> list[TopicView]:
    """Describe topics in their order, with one question to the witness a cluster."""
    if isinstance(topics, QuerySet):
        topics = topics.select_related("cluster", "context", "writer")
    rows = list(topics)
    accesses = accesses_by_topic(rows, as_of)
    now = as_of or timezone.now()
    return [_describe(row, accesses.get((row.cluster_id, row.name), []), now) for row in rows]


def accesses_by_topic(
    topics: Sequence[Topic], as_of: datetime | None = None
) -> dict[tuple[int, str], list[Access]]:
    """Return who was observed at the topics, by cluster id and topic name."""
    clusters: dict[int, list[Topic]] = defaultdict(list)
    for topic in topics:
        clusters[topic.cluster_id].append(topic)
    found: dict[tuple[int, str], list[Access]] = defaultdict(list)
    for cluster_id, rows in clusters.items():
        names = [row.name for row in rows] if len(rows) <= _NAMED_AT_ONCE else None
        for access in observed_accesses(rows[0].cluster.name, names, as_of):
            found[cluster_id, access.topic].append(access)
    return found


def judge_topic(topic: Topic, accesses: Sequence[Access], now: datetime) -> Verdict:
    """Return the verdict on a topic; of Kafka's own topics nothing is expected."""
    if topic.kind == Topic.Kind.INTERNAL:
        return Verdict("unverified", ("a topic of Kafka itself: no single writer is expected",))
    return judge(topic.writer.name if topic.writer else None, accesses, now)


def _describe(topic: Topic, accesses: Sequence[Access], now: datetime) -> TopicView:
    newest = sorted(accesses, key=lambda access: (access.last_seen, access.actor), reverse=True)
    verdict = judge_topic(topic, accesses, now)
    writing = [access for access in newest if access.direction == "writes" and access.active]
    readers: dict[str, ReaderView] = {}
    for access in newest:
        if access.direction == "reads" and access.active:
            readers.setdefault(_name(access), _reader(access))
    return TopicView(
        topic=topic,
        writer=WriterView(
            declared=topic.writer.name if topic.writer else None,
            observed=tuple(dict.fromkeys(_name(access) for access in writing)),
            verdict=verdict.verdict,
            reasons=verdict.reasons,
        ),
        active_readers=tuple(sorted(readers.values(), key=lambda reader: reader.name)),
        accesses=tuple(newest),
    )


def _name(access: Access) -> str:
    return access.service or access.actor


def _reader(access: Access) -> ReaderView:
    return ReaderView(
        name=_name(access),
        context=access.context,
        recognised=access.service is not None,
        last_seen=access.last_seen,
        active=access.active,
    )


def describe_service(service: Service, as_of: datetime | None = None) -> ServiceView:
    """Describe one service, now or as of an instant."""
    return describe_services([service], as_of)[0]


def describe_services(
    services: QuerySet[Service] | Iterable[Service], as_of: datetime | None = None
) -> list[ServiceView]:
    """Describe services in their order, with one question to the witness a cluster."""
    if isinstance(services, QuerySet):
        services = services.select_related("context")
    rows = list(services)
    declared: dict[int, list[str]] = defaultdict(list)
    written = Topic.objects.filter(writer__in=[row.pk for row in rows]).order_by("name")
    for writer, name in written.values_list("writer_id", "name"):
        if writer is not None:
            declared[writer].append(name)
    accesses = _accesses_by_service(as_of)
    return [
        _describe_service(row, declared.get(row.pk, []), accesses.get(row.name, [])) for row in rows
    ]


def _accesses_by_service(as_of: datetime | None) -> dict[str, list[tuple[str, Access]]]:
    found: dict[str, list[tuple[str, Access]]] = defaultdict(list)
    for cluster in Cluster.objects.order_by("name").values_list("name", flat=True):
        for access in observed_accesses(cluster, None, as_of):
            if access.service is not None:
                found[access.service].append((cluster, access))
    return found


def _describe_service(
    service: Service, declared: Iterable[str], accesses: Sequence[tuple[str, Access]]
) -> ServiceView:
    def seen(direction: str) -> tuple[str, ...]:
        active = (access for _, access in accesses if access.active)
        return tuple(sorted({each.topic for each in active if each.direction == direction}))

    return ServiceView(
        service=service,
        declared_writes=tuple(dict.fromkeys(declared)),
        writes=seen("writes"),
        reads=seen("reads"),
        accesses=tuple(accesses),
    )
