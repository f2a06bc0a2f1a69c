"""Consume, transform, produce as one transaction (KIP-98, KIP-447).

A service's memory is folded from the log alone. With every offset it commits the offset from which
its memory must be read again; so an abort, a restart and a kill are all the same: begin anew.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from examples.shop.clients import (
    CALL_SECONDS,
    await_topics,
    common,
    decode,
    make_consumer,
    poll,
)
from examples.shop.events import Fact, now
from examples.shop.running import InterruptedSessionError
from examples.shop.setting import Setting
from examples.shop.wire import Outgoing, Record, Wire

log = logging.getLogger("shop")

_Place = tuple[str, int]
# Offsets that brought no output are committed this often, not at each poll.
_QUIET_COMMIT_SECONDS = 5.0
_TRIES = 3


class Transformer(Protocol):
    """What one service makes of what it reads."""

    service: str
    output: str
    """The topic it writes."""
    inputs: tuple[str, ...]
    """Topics read with the group, each record once."""
    tables: tuple[str, ...]
    """Compacted topics read whole at the start of each session."""

    def remember(self, record: Record) -> None:
        """Take in a record that was answered before."""

    def answer(self, record: Record, at: datetime) -> Iterable[Fact]:
        """Take in a new record and return what follows from it."""

    def tick(self, at: datetime) -> Iterable[Fact]:
        """Return what follows from the passing of time."""

    def memory(self, topic: str, partition: int) -> int | None:
        """Return the oldest offset that must be remembered after a restart, if any."""


class Exchange:
    """One session of a transformer: from init_transactions to close, or to the first failure."""

    def __init__(
        self, setting: Setting, wire: Wire, transformer: Transformer, stop: threading.Event
    ) -> None:
        self._setting = setting
        self._wire = wire
        self._transformer = transformer
        self._stop = stop
        self._positions: dict[_Place, int] = {}
        self._committed: dict[_Place, tuple[int, int]] = {}
        self._tables_end: dict[_Place, int] = {}
        self._assigned = False
        self._closing = False
        self._last_commit = time.monotonic()

    def run(self) -> None:
        """Work until stopped; raises KafkaException or InterruptedSessionError."""
        transformer = self._transformer
        read = {*transformer.inputs, *transformer.tables}
        partitions = await_topics(self._setting, transformer.output, sorted(read))
        service = transformer.service
        producer = Producer({
            **common(self._setting, service),
            "transactional.id": f"{service}-1",
            "transaction.timeout.ms": 15000,
            "linger.ms": 5,
        })
        producer.init_transactions(CALL_SECONDS)
        consumer = make_consumer(self._setting, service, protocol="classic")
        try:
            self._remember(consumer, partitions)
            log.info("ready: reads %s, writes %s", sorted(read), transformer.output)
            self._work(consumer, producer)
        finally:
            self._closing = True
            consumer.close()

    # -- memory -----------------------------------------------------------------------------

    def _remember(self, consumer: Consumer, partitions: dict[str, int]) -> None:
        """Fold the tables, and of the inputs what lies between memory and committed offset."""
        tables, inputs = self._transformer.tables, self._transformer.inputs
        spans: dict[_Place, tuple[int, int | None]] = {
            (name, number): (OFFSET_BEGINNING, None)
            for name in tables
            for number in range(partitions[name])
        }
        asked = [
            TopicPartition(name, number)
            for name in inputs
            if name not in tables
            for number in range(partitions[name])
        ]
        for place in consumer.committed(asked, CALL_SECONDS):
            if place.error is not None:
                raise KafkaException(place.error)
            if place.offset >= 0 and place.metadata and int(place.metadata) < place.offset:
                spans[place.topic, place.partition] = (int(place.metadata), place.offset)
        ends = self._replay(spans)
        self._tables_end = {place: end for place, end in ends.items() if place[0] in tables}

    def _replay(self, spans: dict[_Place, tuple[int, int | None]]) -> dict[_Place, int]:
        """Read each span once, from its offset to its end or to the log's; return the ends."""
        ends: dict[_Place, int] = {}
        if not spans:
            return ends
        reader = make_consumer(
            self._setting,
            self._transformer.service,
            protocol="classic",
            **{"enable.partition.eof": True},
        )
        try:
            reader.assign([TopicPartition(*place, span[0]) for place, span in spans.items()])
            while len(ends) < len(spans):
                if self._stop.is_set():
                    raise InterruptedSessionError("stopped while reading its memory")
                for message in reader.consume(500, CALL_SECONDS):
                    self._replay_one(message, spans, ends)
        finally:
            reader.close()
        return ends

    def _replay_one(
        self,
        message: Message,
        spans: dict[_Place, tuple[int, int | None]],
        ends: dict[_Place, int],
    ) -> None:
        place = (message.topic() or "", message.partition() or 0)
        offset = message.offset() or 0
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
            raise KafkaException(error)
        upto = spans[place][1]
        if place in ends:
            return
        if error is not None or (upto is not None and offset >= upto):
            ends[place] = offset
            return
        record = decode(self._wire, message)
        if record is not None:
            self._transformer.remember(record)

    # -- work -------------------------------------------------------------------------------

    def _assign(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        """Begin tables where the replay ended, all else where the group left off."""
        if self._assigned:
            raise InterruptedSessionError("partitions were assigned anew")
        self._assigned = True
        for place in places:
            place.offset = self._tables_end.get((place.topic, place.partition), place.offset)
        if self._setting.group_protocol == "consumer":
            consumer.incremental_assign(places)
        else:
            consumer.assign(places)

    def _lose(self, _consumer: Consumer, _places: list[TopicPartition]) -> None:
        if not self._closing:
            raise InterruptedSessionError("partitions were taken away")

    def _work(self, consumer: Consumer, producer: Producer) -> None:
        consumer.subscribe(
            list(self._transformer.inputs), on_assign=self._assign, on_revoke=self._lose
        )
        while not self._stop.is_set():
            facts = [fact for message in poll(consumer) for fact in self._read(message)]
            if self._assigned:
                facts.extend(self._transformer.tick(now()))
            quiet = time.monotonic() - self._last_commit > _QUIET_COMMIT_SECONDS
            if facts or (quiet and self._moved()):
                self._commit(consumer, producer, facts)
        if self._moved():
            self._commit(consumer, producer, [])

    def _read(self, message: Message) -> Iterable[Fact]:
        place = (message.topic() or "", message.partition() or 0)
        self._positions[place] = (message.offset() or 0) + 1
        record = decode(self._wire, message)
        return [] if record is None else self._transformer.answer(record, now())

    def _moved(self) -> dict[_Place, tuple[int, int]]:
        """Return offset and memory of the places where either differs from what is committed."""
        present: dict[_Place, tuple[int, int]] = {}
        for place, offset in self._positions.items():
            memory = self._transformer.memory(*place)
            present[place] = (offset, offset if memory is None else memory)
        return {
            place: state for place, state in present.items() if self._committed.get(place) != state
        }

    def _commit(self, consumer: Consumer, producer: Producer, facts: list[Fact]) -> None:
        """Write the facts and the offsets they follow from, all or nothing."""
        records = [self._wire.encode(self._transformer.output, fact) for fact in facts]
        moved = self._moved()
        producer.begin_transaction()
        try:
            self._write(consumer, producer, records, moved)
        except KafkaException as error:
            if error.args[0].fatal():
                raise
            self._abort(producer)
            raise InterruptedSessionError(f"transaction aborted: {error.args[0].str()}") from error
        self._committed.update(moved)
        self._last_commit = time.monotonic()

    def _write(
        self,
        consumer: Consumer,
        producer: Producer,
        records: list[Outgoing],
        moved: dict[_Place, tuple[int, int]],
    ) -> None:
        for record in records:
            producer.produce(
                record.topic, value=record.value, key=record.key, headers=list(record.headers)
            )
            producer.poll(0)
        if moved:
            offsets = [
                TopicPartition(topic, partition, offset, str(memory))
                for (topic, partition), (offset, memory) in moved.items()
            ]
            group = consumer.consumer_group_metadata()
            self._insist(lambda: producer.send_offsets_to_transaction(offsets, group, CALL_SECONDS))
        self._insist(lambda: producer.commit_transaction(CALL_SECONDS))

    def _insist(self, call: Callable[[], None]) -> None:
        """Repeat a call that may be repeated; a new session does better than many tries."""
        for tries_left in reversed(range(_TRIES)):
            try:
                call()
            except KafkaException as error:
                failed = error.args[0]
                hopeless = failed.fatal() or failed.txn_requires_abort() or not failed.retriable()
                if hopeless or not tries_left or self._stop.is_set():
                    raise
            else:
                return

    def _abort(self, producer: Producer) -> None:
        try:
            producer.abort_transaction(CALL_SECONDS)
        except KafkaException as error:
            # the next session's init_transactions ends what this one could not
            log.info("abort is left to the broker: %s", error.args[0].str())
