"""What every service's process does: start, wait for what is away, stop when told."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

import httpx2
from confluent_kafka import KafkaException
from confluent_kafka.schema_registry import SchemaRegistryClient, SchemaRegistryError
from confluent_kafka.serialization import SerializationError

from examples.shop.clients import TopicsMissingError
from examples.shop.setting import Setting, read_setting
from examples.shop.wire import connect_registry

log = logging.getLogger("shop")

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 5.0
# A session that lasted so long had begun well: what ends it is news.
_SETTLED_SECONDS = 10.0
# A closing client may wait for a broker that is away. All state is in Kafka or in a database's
# transaction, so ending without it is safe.
_STOP_SECONDS = 2.5
Session = Callable[[Setting, SchemaRegistryClient, threading.Event], None]


class InterruptedSessionError(Exception):
    """A transaction was aborted or partitions were taken away: begin anew from the log."""


class _NoRepeats(logging.Filter):
    """Drops a line that says what the line before said."""

    def __init__(self) -> None:
        super().__init__()
        self._last = ""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the line is news."""
        message = record.getMessage()
        is_news = message != self._last
        self._last = message
        return is_news


def _reason(error: Exception) -> str:
    if isinstance(error, KafkaException):
        return f"Kafka: {error.args[0].str()}"
    if isinstance(error, SchemaRegistryError | httpx2.TransportError):
        return f"schema registry: {error}"
    return str(error)


def _is_fatal(error: Exception) -> bool:
    return isinstance(error, KafkaException) and error.args[0].fatal()


def _end_late() -> None:
    os._exit(0)


def _listen(stop: threading.Event) -> None:
    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if not stop.is_set():
            stop.set()
            last_resort = threading.Timer(_STOP_SECONDS, _end_late)
            last_resort.daemon = True
            last_resort.start()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)


def _repeat(session: Session, setting: Setting, stop: threading.Event) -> int:
    """Run sessions until told to stop; a failed one is told once and tried again later."""
    registry = connect_registry(setting.registry_url)
    wait, told = _FIRST_WAIT, ""
    while not stop.is_set():
        begun = time.monotonic()
        try:
            registry.get_subjects()
            session(setting, registry, stop)
        except (
            KafkaException,
            SchemaRegistryError,
            SerializationError,
            httpx2.TransportError,
            TopicsMissingError,
            InterruptedSessionError,
        ) as error:
            if _is_fatal(error):
                log.error("ending: %s", _reason(error))
                return 1
            if time.monotonic() - begun > _SETTLED_SECONDS:
                wait, told = _FIRST_WAIT, ""
            if _reason(error) != told:
                told = _reason(error)
                log.warning("waiting: %s", told)
            stop.wait(wait)
            wait = min(wait * 2, _LONGEST_WAIT)
    return 0


def _work(service: str, session: Session) -> int:
    stop = threading.Event()
    _listen(stop)
    try:
        setting = read_setting()
    except ValueError as error:
        log.error("%s", error)
        return 2
    ends: list[int] = []
    # Python answers signals in its main thread only, which no call of a client may block
    worker = threading.Thread(
        target=lambda: ends.append(_repeat(session, setting, stop)), name=service, daemon=True
    )
    worker.start()
    worker.join()
    log.info("stopped")
    # a worker that raised left its traceback and no status
    return ends[0] if ends else 1


def run(service: str, session: Session) -> NoReturn:
    """Run one service until SIGTERM or SIGINT, and end its process."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format=f"%(asctime)s {service}: %(message)s"
    )
    log.addFilter(_NoRepeats())
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    status = _work(service, session)
    logging.shutdown()
    # All is closed. The interpreter's own end can wait for ever for a client's thread that waits
    # for the interpreter.
    os._exit(status)
