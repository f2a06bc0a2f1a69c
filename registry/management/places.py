"""What the two commands share: how Kafka is reached, files with secrets, and progress."""

import time
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, OutputWrapper

from broker.connection import Connection

_EVERY_SECONDS = 1.0


class Ticker:
    """Prints how far something is, at most once a second."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out
        self._last = time.monotonic()

    def show(self, what: str, done: int, total: int | None = None) -> None:
        """Say that so many are done."""
        now = time.monotonic()
        if now - self._last >= _EVERY_SECONDS:
            self._last = now
            self._out.write(f"{what}: {done}{'' if total is None else f' of {total}'}")


def add_kafka_arguments(parser: ArgumentParser) -> None:
    """Take how to reach the cluster that has the topic."""
    parser.add_argument(
        "--bootstrap",
        default=settings.KAFKA_BOOTSTRAP_SERVERS,
        help="the cluster that has the topic, as host:port,… (default: KAFKA_BOOTSTRAP_SERVERS)",
    )
    parser.add_argument(
        "--security",
        type=Path,
        metavar="FILE",
        help="file with the client's security settings (security.protocol=…, sasl.username=…)",
    )


def connection_from(options: Mapping[str, Any]) -> Connection:
    """The cluster that the arguments name."""
    if not options["bootstrap"]:
        raise CommandError("--bootstrap or KAFKA_BOOTSTRAP_SERVERS has to name the cluster")
    file = options["security"]
    return Connection(options["bootstrap"], _properties(read_file(file)) if file else {})


def read_file(file: Path) -> str:
    """The text of a file that an argument names."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as wrong:
        raise CommandError(f"{file} cannot be read: {wrong}") from None


def _properties(text: str) -> dict[str, str]:
    """`name=value` lines; empty ones and those with # are passed over."""
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}
