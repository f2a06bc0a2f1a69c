"""One client that keeps its connections from sample to sample and asks all the questions."""

import logging
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TypeVar

from kafka import errors as kafka_python

from broker.connection import Connection
from broker.errors import BrokerError, BrokerUnavailableError, translate
from broker.observe.batches import Batch, Chunk, next_offset_of, parse_batches
from broker.observe.found import (
    Acl,
    Found,
    Group,
    GroupListing,
    Layout,
    Partition,
    Producer,
    Transaction,
)
from broker.observe.requests import EARLIEST, Requests

T = TypeVar("T")
_UNREACHABLE = (
    kafka_python.KafkaConnectionError,
    kafka_python.NodeNotReadyError,
    kafka_python.KafkaTimeoutError,
    kafka_python.RequestTimedOutError,
    kafka_python.UnknownBrokerIdError,
)
_MOVED = (
    kafka_python.CoordinatorLoadInProgressError,
    kafka_python.CoordinatorNotAvailableError,
    kafka_python.NotCoordinatorError,
)
_ATTEMPTS = 3
_PAUSE_SECONDS = 0.15
_PROBE_SECONDS = 3.0

# kafka-python tells each lost connection; whoever asks is told by an exception
logging.getLogger("kafka").setLevel(logging.CRITICAL)


class Observer:
    """Observes one cluster. Not for several threads at once; close it, or use it in a `with`.

    Every question raises BrokerError; after one the connections are made anew. What only some
    topics or groups refuse is no error: it is told in `Found.problems`.
    """

    def __init__(self, connection: Connection, timeout: float = 10.0) -> None:
        """Connect at the first question; `timeout` (seconds) holds for each request."""
        self._connection = connection
        self._timeout = timeout
        self._requests: Requests | None = None
        self._layout: Layout | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections; the next question makes new ones."""
        requests, self._requests = self._requests, None
        if requests is not None:
            requests.close()

    @contextmanager
    def _asking(self) -> Iterator[Requests]:
        try:
            if self._requests is None:
                self._requests = self._connect()
            yield self._requests
        except _UNREACHABLE as error:
            self.close()
            raise BrokerUnavailableError(
                f"no broker of {self._connection.bootstrap_servers} answers: {error}"
            ) from error
        except kafka_python.KafkaError as error:
            self.close()
            raise translate(error) from error
        except OSError as error:
            self.close()
            raise BrokerUnavailableError(str(error)) from error
        except BrokerError:
            self.close()
            raise

    def _coordinated(self, ask: Callable[[Requests], T]) -> T:
        """Ask coordinators; again, over new connections, where one has moved or still loads."""
        for left in reversed(range(_ATTEMPTS)):
            try:
                with self._asking() as requests:
                    return ask(requests)
            except BrokerError as error:
                if not left or not isinstance(error.__cause__, _MOVED):
                    raise
            time.sleep(_PAUSE_SECONDS * (_ATTEMPTS - left))
        raise AssertionError("unreachable")

    def _connect(self) -> Requests:
        self._probe()
        milliseconds = int(self._timeout * 1000)
        return Requests(
            **self._connection.kafka_python(
                bootstrap_timeout_ms=milliseconds,
                request_timeout_ms=milliseconds,
                reconnect_backoff_max_ms=1000,
            )
        )

    def _probe(self) -> None:
        """Find one address that takes connections: told at once, without the library's retries."""
        refused = OSError("no address given")
        for address in self._connection.addresses:
            try:
                socket.create_connection(address, min(self._timeout, _PROBE_SECONDS)).close()
            except OSError as error:
                refused = error
            else:
                return
        servers = self._connection.bootstrap_servers
        raise BrokerUnavailableError(f"no broker of {servers} answers: {refused}")

    # -- the questions ----------------------------------------------------------------------------
    def layout(self) -> Layout:
        """Return every topic's partitions and their leaders."""
        with self._asking() as requests:
            self._layout = requests.layout()
            return self._layout

    def _leaders(self, requests: Requests, asked: Iterable[Partition]) -> Layout:
        """Return the layout that was asked for last; anew when it lacks a partition.

        Of 40,000 partitions it costs a second.
        """
        if self._layout is None or any(it not in self._layout.leaders for it in asked):
            self._layout = requests.layout()
        return self._layout

    def list_groups(self) -> list[GroupListing]:
        """List the groups of all four kinds."""
        return self._coordinated(lambda requests: requests.list_groups())

    def groups(self, listings: Sequence[GroupListing] | None = None) -> Found[list[Group]]:
        """Describe groups of all four kinds; one that vanished since it was listed is left out."""
        return self._coordinated(
            lambda requests: requests.describe_groups(
                requests.list_groups() if listings is None else listings
            )
        )

    def committed_offsets(self, groups: Sequence[str]) -> Found[dict[str, dict[Partition, int]]]:
        """Return each group's committed offset per partition: the next record it will read."""
        return self._coordinated(lambda requests: requests.committed_offsets(groups))

    def producers(
        self, partitions: Iterable[Partition] | None = None
    ) -> Found[dict[Partition, tuple[Producer, ...]]]:
        """Return the producers that each partition's leader remembers; all partitions if None.

        A leader forgets a producer `producer.id.expiration.ms` (a day) after its last batch.
        """
        with self._asking() as requests:
            return self._persistently(
                lambda places: requests.producers(places, self._leaders(requests, places)),
                list(partitions) if partitions is not None else list(self.layout().leaders),
            )

    def transactions(self) -> list[Transaction]:
        """Return all transactional ids, with the partitions of those that are under way."""
        return self._coordinated(lambda requests: requests.transactions())

    def end_offsets(self, partitions: Sequence[Partition]) -> Found[dict[Partition, int]]:
        """Return the offset one past the last record of each partition."""
        with self._asking() as requests:
            return self._persistently(
                lambda places: requests.end_offsets(places, self._leaders(requests, places)),
                list(partitions),
            )

    def begin_offsets(self, partitions: Sequence[Partition]) -> Found[dict[Partition, int]]:
        """Return the offset of the first record that each partition still keeps."""
        with self._asking() as requests:
            return self._persistently(
                lambda places: requests.end_offsets(places, requests.layout(), EARLIEST),
                list(partitions),
            )

    def acls(self) -> list[Acl] | None:
        """Return the access control entries on topics; None where there is no authorizer."""
        with self._asking() as requests:
            return requests.acls()

    def batches(
        self,
        positions: Mapping[Partition, int],
        *,
        partition_bytes: int = 128 * 1024,
        total_bytes: int = 16 * 1024 * 1024,
    ) -> Found[list[Batch]]:
        """Fetch batches from these offsets on, committed or not: one bounded chunk a partition.

        Reads no more than about `total_bytes` in all; what is beyond is left for the next call.
        """
        chunks = self.chunks(positions, partition_bytes=partition_bytes, total_bytes=total_bytes)
        return Found(
            [batch for chunk in chunks.items.values() for batch in chunk.batches], chunks.problems
        )

    def chunks(
        self, positions: Mapping[Partition, int], *, partition_bytes: int, total_bytes: int
    ) -> Found[dict[Partition, Chunk]]:
        """Fetch as `batches` does; tell of each partition how far the chunk reaches."""
        with self._asking() as requests:
            fetched = requests.fetch(
                positions,
                self._leaders(requests, positions),
                partition_bytes=partition_bytes,
                total=total_bytes,
            )
        return Found(
            {
                partition: Chunk(
                    tuple(parse_batches(partition, data, from_offset=positions[partition])),
                    next_offset_of(data, positions[partition]),
                )
                for partition, data in fetched.items.items()
            },
            fetched.problems,
        )

    def _persistently(
        self,
        ask: Callable[[list[Partition]], tuple[dict[Partition, T], dict[str, str], set[Partition]]],
        partitions: list[Partition],
    ) -> Found[dict[Partition, T]]:
        """Ask again for partitions that have no leader yet (a topic that was just created)."""
        items: dict[Partition, T] = {}
        problems: dict[str, str] = {}
        missing: set[Partition] = set()
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(_PAUSE_SECONDS * attempt)
                # leaders may have moved
                self._layout = None
            found, refused, missing = ask(partitions)
            items |= found
            problems |= refused
            partitions = sorted(missing)
            if not partitions:
                break
        for partition in missing:
            problems.setdefault(partition.topic, "no leader answers for a partition")
        return Found(items, problems)
