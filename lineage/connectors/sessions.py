"""Open what a connector works with: a reader of its log, its target, and what decodes between."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from threading import Semaphore

from django.conf import settings
from django.utils import timezone

from broker.admin import read_topic_ids
from broker.consume import OffsetGoneError, PartitionReader
from broker.records import Partition, Record
from broker.starting import StartingReader
from catalog.actions import connection_of
from catalog.models import Topic
from lineage.connectors.actions import definition_of, target_url
from lineage.connectors.beside.pool import Pool, spare_processors
from lineage.connectors.decoding import RegistryDecoder
from lineage.connectors.definition import Definition
from lineage.connectors.discretion import Discretion
from lineage.connectors.engine import LiveEngine, spare_collector
from lineage.connectors.engine_builds import note_topics
from lineage.connectors.engine_fold import Preparation
from lineage.connectors.engine_parts import Poison
from lineage.connectors.engine_share import Share
from lineage.connectors.engine_shares import Sharing
from lineage.connectors.errors import TargetUnsetError, TopicRecreatedError
from lineage.connectors.framing import FramedDecoder
from lineage.connectors.models import Connector, Quarantine
from lineage.connectors.shaped_parts import parts_of
from lineage.connectors.shaping import Shaper
from lineage.connectors.sinks import open_sink
from lineage.connectors.sinks.contract import Sink

GROUP_PREFIX = "insideout.connector."
_LONGEST_REASON = 2_000
# targets that work in a process of their own, while ours goes on
_SERVERS = frozenset({"postgresql", "mysql"})

logger = logging.getLogger(__name__)


@dataclass
class Session:
    """One connector at work; used by one thread, closed by whoever opened it."""

    connector: Connector
    definition: Definition
    reader: PartitionReader
    preparation: Preparation
    sink: Sink
    discretion: Discretion
    decoder: FramedDecoder
    share: Share

    @contextmanager
    def sharing(self) -> Iterator[Sharing]:
        """Share work with other processes, as far as there are processors to spare."""
        with Pool(_processes(), _places()) as pool:
            yield Sharing(pool, self.share, self.decoder)


@contextmanager
def opened(
    connector: Connector, group: str, instance: str | None = None, *, poison: Poison | None = None
) -> Iterator[Session]:
    """Open target and log; raises SinkError, BrokerError, TargetInvalidError.

    `poison` is told of records that cannot be copied; without it they go into quarantine. Either is
    told no more than may be shown.
    """
    spare_collector()
    definition = definition_of(connector)
    shaper, decoder = shaper_of(definition), RegistryDecoder()
    parts = parts_of(definition, shaper)
    discretion = Discretion(definition, settings.MASK_SECRET.encode())

    def left_out(record: Record, reason: str) -> None:
        reason = discretion.reason(reason)
        if poison is not None:
            poison(record, reason)
        else:
            put_into_quarantine(connector, record, discretion.key(record.key), reason)

    sink = open_sink(target_url(connector.target))
    try:
        reads = partial(
            StartingReader, connection_of(connector.cluster), group, start=definition.start
        )
        reader = reads(instance=instance)
        try:
            preparation = Preparation(*parts(decoder), left_out)
            share = Share(reads, parts, _memory(), keys=definition.key_format == "schema")
            yield Session(
                connector, definition, reader, preparation, sink, discretion, decoder, share
            )
        finally:
            reader.close()
    finally:
        sink.close()


def _processes() -> int:
    """Count the processes that a build may start."""
    return max(0, min(settings.CONNECTOR_PROCESSES, spare_processors()))


@cache
def _places() -> Semaphore:
    """Return the places for processes that all builds of this worker have together."""
    return Semaphore(_processes())


def _memory() -> int:
    """Return the bytes that the fold of one process may take, where as many share as may."""
    return (settings.CONNECTOR_MEMORY_MIB << 20) // (1 + _processes())


def shaper_of(definition: Definition) -> Shaper:
    """Return what shapes a copy's columns; raises TargetUnsetError where its secret is not set."""
    if definition.columns.hashes and not settings.MASK_SECRET:
        raise TargetUnsetError(
            f"connector {definition.name}: mask: hash needs MASK_SECRET, which is not set"
        )
    return Shaper(definition, settings.MASK_SECRET.encode())


def put_into_quarantine(connector: Connector, record: Record, key: str, reason: str) -> None:
    """Keep the place of a record that cannot be copied; met again, once, with its reason now."""
    logger.warning(
        "%s: %s/%s@%s left out: %s",
        connector.name,
        record.topic,
        record.partition,
        record.offset,
        reason,
    )
    Quarantine.objects.update_or_create(
        connector=connector,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        defaults={
            "key": key.replace("\x00", "\\x00"),
            "reason": reason.replace("\x00", "\\x00")[:_LONGEST_REASON],
            "tried_at": timezone.now(),
        },
    )


def live_engine(session: Session) -> LiveEngine:
    """Join the connector's group; the target says where each partition goes on."""
    engine = LiveEngine(
        session.connector.name,
        session.definition.table,
        session.reader,
        session.preparation,
        session.sink,
        overlap=session.sink.kind in _SERVERS,
    )

    def claim(partitions: Sequence[Partition]) -> dict[Partition, int]:
        ids = check_topics(session.connector, session.definition.topics)
        note_topics(session.sink, session.connector.name, ids)
        offsets = engine.claim(partitions)
        for partition, offset in offsets.items():
            _check_reach(session.reader, partition, offset)
        return offsets

    session.reader.subscribe(session.definition.topics, claim)
    return engine


def topic_ids(connector: Connector, topics: Sequence[str]) -> dict[str, str]:
    """Ask Kafka for the identity of topics (KIP-516)."""
    return read_topic_ids(connection_of(connector.cluster), topics)


def check_topics(connector: Connector, topics: Sequence[str]) -> dict[str, str]:
    """Return the topics' ids, or raise TopicRecreatedError where one is not the copy's own."""
    ids = topic_ids(connector, topics)
    kept = Connector.objects.values_list("topic_ids", flat=True).get(pk=connector.pk)
    for topic, known in kept.items():
        if topic in ids and ids[topic] != known:
            raise TopicRecreatedError(
                f"{topic} was deleted and made anew: what the copy holds is of the old topic, and "
                "its offsets mean other records in the new one"
            )
    if ids.items() - kept.items():
        Connector.objects.filter(pk=connector.pk).update(topic_ids=kept | ids)
    return ids


def _check_reach(reader: PartitionReader, partition: Partition, offset: int) -> None:
    """Raise OffsetGoneError where the log has lost what the copy has not read yet."""
    if offset < 0:
        return
    low, high = reader.watermarks(partition)
    place = f"{partition.topic}/{partition.partition}"
    if offset < low:
        raise OffsetGoneError(
            f"{place}: offsets {offset} to {low - 1} were deleted before they were copied"
        )
    if offset > high:
        raise OffsetGoneError(
            f"{place}: the copy stands at offset {offset}, the log ends at {high}: "
            "the topic was made anew, or lost records"
        )


def only_compacted(connector: Connector, topic: str) -> bool:
    """Whether compaction alone shortens a topic: it never removes the last value of a key."""
    policy = Topic.objects.filter(cluster=connector.cluster, name=topic)
    return policy.values_list("cleanup_policy", flat=True).first() == "compact"


def begins_later(session: Session, topic: str) -> bool:
    """Whether a log without its head is all the same what the copy is made of.

    So it is where compaction alone shortens it, and where the copy starts at a time.
    """
    return session.definition.start is not None or only_compacted(session.connector, topic)


def is_compacted(connector: Connector, topic: str) -> bool:
    """Whether compaction removes values that later ones replaced."""
    policy = Topic.objects.filter(cluster=connector.cluster, name=topic)
    return "compact" in (policy.values_list("cleanup_policy", flat=True).first() or "")
