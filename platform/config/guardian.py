"""Ends process groups whose supervisor is gone: run as a program of its own, before any other.

It reads `+PID` and `-PID` lines from its standard input: groups begun and ended. When the input
ends, the supervisor has ended; groups still on the list get SIGTERM, and after a grace SIGKILL.
This covers what PR_SET_PDEATHSIG cannot: grandchildren, and children that do not end when asked.
"""

import os
import signal
import sys
import time
from contextlib import suppress

_GRACE_SECONDS = 6.0


def _remaining(groups: set[int]) -> set[int]:
    alive = set()
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, 0)
            alive.add(group)
    return alive


def _send(groups: set[int], number: signal.Signals) -> None:
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


def watch() -> None:
    """Keep the list until the input ends, then end every group that is left on it."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    _send(groups, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_SECONDS
    while time.monotonic() < deadline and _remaining(groups):
        time.sleep(0.1)
    _send(_remaining(groups), signal.SIGKILL)


if __name__ == "__main__":
    watch()
