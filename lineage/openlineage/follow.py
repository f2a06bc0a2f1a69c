"""Emitting again and again until told to stop."""

import time
from collections.abc import Callable
from threading import Event

from django.db import OperationalError, close_old_connections

from lineage.openlineage.destinations import Destination
from lineage.openlineage.emit import emit_once
from lineage.openlineage.errors import ReceiverAwayError

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class _Turn:
    """A destination, and when it is told again."""

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._failures = 0
        self.due = 0.0

    def take(self, period: float, report: Callable[[str], None]) -> None:
        """Emit; after a failure wait a second, then twice as long each time, a minute at most."""
        name = self._destination.name
        pause = period
        try:
            outcome = emit_once(self._destination)
        except (ReceiverAwayError, OperationalError) as error:
            if not self._failures:
                report(f"{name}: {error}")
            pause = min(_FIRST_PAUSE * 2**self._failures, _LONGEST_PAUSE)
            self._failures = min(self._failures + 1, 10)
        else:
            if self._failures:
                report(f"{name}: back again")
            self._failures = 0
            if outcome.emitted:
                report(f"{name}: {outcome.emitted} events")
            for job, why in outcome.refused.items():
                report(f"{name}: {job} refused: {why}")
        self.due = time.monotonic() + pause


def emit_forever(
    destinations: list[Destination],
    period: float,
    stop: Event,
    *,
    report: Callable[[str], None],
) -> None:
    """Emit every `period` seconds until `stop` is set; who is away is asked ever less often."""
    turns = [_Turn(destination) for destination in destinations]
    while not stop.is_set():
        close_old_connections()
        for turn in turns:
            if turn.due <= time.monotonic() and not stop.is_set():
                turn.take(period, report)
        stop.wait(max(0.05, min(turn.due for turn in turns) - time.monotonic()))
    for destination in destinations:
        destination.close()
