"""Read records in batches, from offsets that the caller keeps.

A copy keeps its offsets in its own database, in the transaction that writes its rows. So a group,
where there is one, only shares out the partitions (and lets Kafka see us); where to begin is
asked of the caller each time a partition is assigned.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from broker.connection import Connection
from broker.errors import BrokerError, BrokerUnavailableError, translate, translated
from broker.records import Partition, Records

BEGINNING = -1
"""Where to begin a partition of which nothing was read yet: its first record."""

# so few messages are still in the processor's cache when they are looked through
_AT_ONCE = 5_000

_NOT_IN_A_REBALANCE = frozenset({
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.ILLEGAL_GENERATION,
})


class OffsetGoneError(BrokerError):
    """The offset to begin at is no longer, or not yet, in the log (KIP-107, KIP-392)."""

    code = "offset-gone"
    http_status = 409


Offsets = Mapping[Partition, int]
Claim = Callable[[Sequence[Partition]], Offsets]
"""Asked whenever partitions are assigned: the next offset to read of each."""


class PartitionReader:
    """Reads committed records only (KIP-98) of assigned or of subscribed partitions.

    `positions` holds, for each partition, the next offset to read. Transaction markers and
    compacted records leave gaps; they are passed when the end of the partition is met.
    """

    def __init__(
        self,
        connection: Connection,
        group: str,
        *,
        instance: str | None = None,
        session_timeout: float = 6.0,
    ) -> None:
        """Join nothing yet. `instance` makes a static member (KIP-345): a restarted one takes
        its partitions back at once; without it they are free after `session_timeout` seconds, of
        which brokers allow no fewer than 6 by default (group.min.session.timeout.ms).
        """
        self.trouble = ""
        self.positions: dict[Partition, int] = {}
        self.ended: set[Partition] = set()
        self._claim: Claim | None = None
        self._failure: Exception | None = None
        self._rebalanced = False
        self._client: AdminClient | None = None
        self._connection = connection
        static = {"group.instance.id": instance} if instance else {}
        self._consumer = Consumer(
            connection.confluent(
                group_id=group,
                enable_auto_commit=False,
                enable_auto_offset_store=False,
                auto_offset_reset="error",
                isolation_level="read_committed",
                enable_partition_eof=True,
                allow_auto_create_topics=False,
                session_timeout_ms=int(session_timeout * 1000),
                heartbeat_interval_ms=int(session_timeout * 1000 / 4),
                max_poll_interval_ms=300_000,
                fetch_wait_max_ms=100,
                queued_min_messages=100_000,
                queued_max_messages_kbytes=8_192,
                # a full queue is emptied by the next poll: not worth the second that is the default
                fetch_queue_backoff_ms=10,
                error_cb=self._note,
            )
            | static
        )

    def _note(self, error: KafkaError) -> None:
        """Keep what librdkafka complains about on its own threads, to be shown."""
        self.trouble = error.str()

    # -- where to read --------------------------------------------------------------------------
    def assign(self, offsets: Offsets) -> None:
        """Read these partitions from these offsets, in no group."""
        self.positions = dict(offsets)
        self.ended = set()
        with translated():
            self._consumer.assign([
                TopicPartition(p.topic, p.partition, OFFSET_BEGINNING if o < 0 else o)
                for p, o in offsets.items()
            ])

    def subscribe(self, topics: Sequence[str], claim: Claim) -> None:
        """Join the group; read what it assigns to us from where `claim` says."""
        self._claim = claim
        with translated():
            self._consumer.subscribe(
                list(topics),
                on_assign=self._assigned,
                on_revoke=self._revoked,
                on_lost=self._revoked,
            )

    def _assigned(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._rebalanced = True
        owned = [Partition(p.topic, p.partition) for p in partitions]
        try:
            self.assign(self._claim(owned) if self._claim else {})
        except Exception as failure:  # noqa: BLE001  (raised again by poll: C code stands between)
            self._failure = failure
            self._consumer.assign([])

    def _revoked(self, _consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        self._rebalanced = True
        self.positions = {}
        self.ended = set()
        self._consumer.unassign()

    # -- reading --------------------------------------------------------------------------------
    def poll(self, limit: int, timeout: float) -> Records:
        """Return up to `limit` records, waiting `timeout` seconds at most.

        What was fetched before a rebalance is dropped and read again from what was claimed:
        it may belong to somebody else by now.
        """
        messages: list[Message] = []
        ends: dict[Partition, int] = {}
        end = time.monotonic() + timeout
        while len(messages) < limit:
            asked = min(limit - len(messages), _AT_ONCE)
            try:
                with translated():
                    found = self._consumer.consume(asked, max(0.0, end - time.monotonic()))
                good = () if self._rebalanced else self._judged(found)
            except BrokerError as fault:
                if self._rebalanced or not messages:
                    raise
                # what we have has been passed: it is not to be lost
                self._failure = fault
                break
            if self._failure is not None:
                failure, self._failure = self._failure, None
                raise failure
            if self._rebalanced:
                self._rebalanced = False
                if found or messages:
                    self.assign(dict(self.positions))
                return Records((), {})
            messages += good
            ends |= self._passed(good)
            if len(found) < asked:
                break
        return Records(messages, ends)

    def _judged(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Return those without an error."""
        if not any(map(Message.error, messages)):
            return messages
        for message in messages:
            if message.error() is not None:
                self._judge(message)
        return [message for message in messages if message.error() is None]

    def _passed(self, messages: Sequence[Message]) -> dict[Partition, int]:
        """Take note that messages were read; return the offset behind those of each partition."""
        if not messages:
            return {}
        known = {partition.topic for partition in self.positions}
        # asking each for its topic makes a text of it
        topics: list[Any] = (
            [*known] * len(messages) if len(known) == 1 else list(map(Message.topic, messages))
        )
        numbers: list[Any] = list(map(Message.partition, messages))
        offsets: list[Any] = list(map(Message.offset, messages))
        last = dict(zip(zip(topics, numbers, strict=True), offsets, strict=True))
        ends = {Partition(*place): offset + 1 for place, offset in last.items()}
        for place, behind in ends.items():
            self._pass(place, behind)
        self.trouble = ""
        return ends

    def _pass(self, partition: Partition, offset: int) -> None:
        self.positions[partition] = max(offset, self.positions.get(partition, BEGINNING))

    def _judge(self, message: Message) -> None:
        """Pass the end of a partition; raise what is no mere interruption."""
        error = message.error()
        assert error is not None
        code = error.code()
        if code == KafkaError._PARTITION_EOF:  # noqa: SLF001  (librdkafka's public constant)
            place = Partition(str(message.topic()), int(message.partition() or 0))
            self._pass(place, int(message.offset() or 0))
            self.ended.add(place)
            self.trouble = ""
        elif code == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001
            raise OffsetGoneError(f"{message.topic()}/{message.partition()}: {error.str()}")
        elif error.retriable() or code in _NOT_IN_A_REBALANCE:
            self.trouble = error.str()
        else:
            raise translate(KafkaException(error))

    # -- the log's ends, and what Kafka may see ----------------------------------------------------
    def partitions(self, topics: Iterable[str], timeout: float = 10.0) -> list[Partition]:
        """Name the partitions of the topics."""
        found: list[Partition] = []
        for topic in topics:
            with translated():
                described = self._consumer.list_topics(topic, timeout).topics[topic]
            if described.error is not None:
                raise translate(KafkaException(described.error))
            found += [Partition(topic, number) for number in sorted(described.partitions)]
        return found

    def watermarks(self, partition: Partition, timeout: float = 10.0) -> tuple[int, int]:
        """Return the first offset, and the one behind the last committed record (LSO, KIP-98)."""
        with translated():
            low, high = self._consumer.get_watermark_offsets(
                TopicPartition(partition.topic, partition.partition), timeout
            )
        return low, high

    def all_watermarks(
        self, partitions: Iterable[Partition], timeout: float = 10.0
    ) -> dict[Partition, tuple[int, int]]:
        """As `watermarks`, of many at once and by a client of its own.

        On our connection each question waits behind a fetch: a tenth of a second at the log's end.
        """
        places = {TopicPartition(p.topic, p.partition): p for p in partitions}
        if not places:
            return {}
        with translated():
            client = self._asking(timeout)
            lows = client.list_offsets(
                dict.fromkeys(places, OffsetSpec.earliest()), request_timeout=timeout
            )
            highs = client.list_offsets(
                dict.fromkeys(places, OffsetSpec.latest()),
                request_timeout=timeout,
                isolation_level=IsolationLevel.READ_COMMITTED,
            )
            return {
                place: (lows[asked].result().offset, highs[asked].result().offset)
                for asked, place in places.items()
            }

    def _asking(self, timeout: float) -> AdminClient:
        """Return the client for questions; one that knows no broker yet may take seconds."""
        if self._client is None:
            client = AdminClient(self._connection.confluent())
            client.describe_cluster(request_timeout=timeout).result()
            self._client = client
        return self._client

    def offsets_at(
        self, partitions: Iterable[Partition], instant: int, timeout: float = 10.0
    ) -> dict[Partition, int]:
        """Return of each partition the first offset written at or after an instant, in ms.

        Where there is none it is the end of what is committed.
        """
        asked = [TopicPartition(p.topic, p.partition, instant) for p in partitions]
        with translated():
            found = self._consumer.offsets_for_times(asked, timeout)
        return {
            (place := Partition(one.topic, one.partition)): (
                one.offset if one.offset >= 0 else self.watermarks(place, timeout)[1]
            )
            for one in found
        }

    def topic_ids(self, topics: Iterable[str], timeout: float = 10.0) -> dict[str, str]:
        """Return the id of each topic: one made anew under its name has another (KIP-516)."""
        with translated():
            client = self._asking(timeout)
            described = client.describe_topics(
                TopicCollection(list(topics)), request_timeout=timeout
            )
            return {name: str(one.result().topic_id) for name, one in described.items()}

    def lag(self) -> int | None:
        """Count the offsets not yet read of what we own, as of the last fetch."""
        total = 0
        for partition, position in list(self.positions.items()):
            with translated():
                known = self._consumer.get_watermark_offsets(
                    TopicPartition(partition.topic, partition.partition), cached=True
                )
            if known is None or known[1] < 0:
                return None
            total += max(0, known[1] - max(position, known[0], 0))
        return total

    def commit(self, *, wait: bool = False) -> None:
        """Tell the group how far we are, for others to see; we never read it back."""
        places = [
            TopicPartition(p.topic, p.partition, o) for p, o in self.positions.items() if o >= 0
        ]
        if not places:
            return
        try:
            if wait:
                self._consumer.commit(offsets=places, asynchronous=False)
            else:
                self._consumer.commit(offsets=places, asynchronous=True)
        except KafkaException as error:
            self.trouble = translate(error).args[0]

    def check(self, timeout: float = 5.0) -> None:
        """Raise BrokerUnavailableError where no broker answers."""
        try:
            with translated():
                self._consumer.list_topics(timeout=timeout)
        except BrokerError as error:
            raise BrokerUnavailableError(str(error)) from error

    def close(self) -> None:
        """Leave the group (a static member stays until its session ends) and let go."""
        self._consumer.close()
