"""Write records and know that they were written."""

from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from broker.connection import Connection
from broker.errors import BrokerTimeoutError, translate, translated

_FULL_QUEUE_WAIT = 0.1


class RecordWriter:
    """Writes through an idempotent producer (KIP-98); `flush` raises what any record met."""

    def __init__(
        self,
        connection: Connection,
        *,
        client_id: str = "insideout",
        linger_ms: int = 20,
        max_record_bytes: int = 1_000_000,
    ) -> None:
        self._failure: KafkaError | None = None
        self._producer = Producer(
            connection.confluent(
                client_id=client_id,
                enable_idempotence=True,
                compression_type="lz4",
                linger_ms=linger_ms,
                message_max_bytes=max_record_bytes,
                queue_buffering_max_messages=500_000,
            )
        )

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failure = error

    def write(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        *,
        headers: Iterable[tuple[str, bytes]] = (),
        partition: int = -1,
        timestamp: int = 0,
    ) -> None:
        """Queue one record; waits while the queue is full. A `None` value is a tombstone,
        partition -1 the one that the key's hash selects, timestamp 0 (ms since 1970) now.
        """
        while True:
            try:
                self._producer.produce(
                    topic,
                    value,
                    key,
                    headers=list(headers),
                    on_delivery=self._delivered,
                    partition=partition,
                    timestamp=timestamp,
                )
            except BufferError:
                self._producer.poll(_FULL_QUEUE_WAIT)
            else:
                return

    def flush(self, timeout: float = 30.0) -> None:
        """Wait until all are acknowledged by every in-sync replica, or raise."""
        with translated():
            left = self._producer.flush(timeout)
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise translate(KafkaException(failure))
        if left:
            raise BrokerTimeoutError(f"{left} records were not acknowledged in {timeout:g} s")
