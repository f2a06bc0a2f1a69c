"""The processes beside, and how work gets to them and results back without waiting for either.

All is done by the thread that asks: pipes are filled and emptied as far as they are ready.
"""

import fcntl
import logging
import math
import os
import select
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Semaphore
from typing import Any, Self

from lineage.connectors.beside.frames import (
    FAILED,
    FOLDER,
    RESULT,
    Incoming,
    asked_frame,
    result_in,
    task_frame,
)
from lineage.connectors.engine_beside import Process, ProcessGoneError, Result, Task

_PIPE = 1 << 20
# what is taken at once of what a process tells; it waits while the rest fills the pipe
_MOST_AT_ONCE = 4 << 20
PATIENCE_SECONDS = 60.0
"""A process that tells nothing for so long stands still."""

logger = logging.getLogger(__name__)


class _Process:
    """One process beside; `engine_beside.Process` tells the rest. `ended`: told when it has."""

    def __init__(self, ended: Callable[[], None]) -> None:
        self._ended = ended
        paths = [path for path in sys.path if path]
        # it may be killed, and then what it left is ours to remove
        self._folder = TemporaryDirectory(prefix=FOLDER, ignore_cleanup_errors=True)
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "lineage.connectors.beside.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "TMPDIR": self._folder.name},
        )
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._writes, self._reads = self._popen.stdin.fileno(), self._popen.stdout.fileno()
        for pipe in (self._writes, self._reads):
            os.set_blocking(pipe, False)
            with suppress(OSError, AttributeError):  # Linux alone has such pipes, up to a limit
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
        self.unfinished = 0
        self.gone = False
        self._tasks: dict[Task, int] = {}
        self._outgoing: deque[memoryview] = deque()
        self._incoming = Incoming()
        self._heard = time.monotonic()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._popen.pid

    @property
    def pipes(self) -> dict[int, int]:
        """What to wait for: pipes, and when they are ready."""
        if self.gone or not self.unfinished:
            return {}
        sends = {self._writes: select.POLLOUT} if self._outgoing else {}
        return {self._reads: select.POLLIN} | sends

    def ask(self, task: Task, /, *args: Any) -> None:
        """Ask for work; raises ProcessGoneError, and what pickle and marshal do."""
        frames = []
        if task not in self._tasks:
            frames.append(task_frame(task))
            self._tasks[task] = len(self._tasks)
        frames.append(asked_frame(self._tasks[task], args))
        if not self.unfinished:
            self._heard = time.monotonic()
        self.unfinished += 1
        self._outgoing.extend(map(memoryview, frames))
        self._move(self._send)

    def hear(self) -> list[Result | None]:
        """Return what came; raises ProcessGoneError, and the process is ended then."""
        heard: list[Result | None] = []
        self._move(self._send)
        self._move(lambda: self._receive(heard))
        if self.unfinished and time.monotonic() - self._heard > PATIENCE_SECONDS:
            self._lose(f"it told nothing for {PATIENCE_SECONDS:g} s")
        return heard

    def _move(self, step: Any) -> None:
        if self.gone:
            raise ProcessGoneError("a process beside this one has ended")
        try:
            with suppress(BlockingIOError):
                step()
        except OSError as error:
            self._lose(str(error))

    def _send(self) -> None:
        while self._outgoing:
            sent = os.write(self._writes, self._outgoing[0])
            self._outgoing[0] = self._outgoing[0][sent:]
            if not self._outgoing[0]:
                self._outgoing.popleft()

    def _receive(self, heard: list[Result | None]) -> None:
        taken = 0
        while taken < _MOST_AT_ONCE:
            data = os.read(self._reads, _PIPE)
            if not data:
                self._lose("it ended")
            taken += len(data)
            self._heard = time.monotonic()
            for kind, body in self._incoming.add(data):
                if kind == FAILED:
                    self._lose(body.decode())
                elif kind == RESULT:
                    heard.append(result_in(body))
                else:
                    self.unfinished -= 1
                    heard.append(None)

    def _lose(self, why: str) -> None:
        logger.warning("process %s beside this one: %s", self.pid, why)
        self.end()
        raise ProcessGoneError(f"a process beside this one is gone: {why}")

    def end(self) -> None:
        """Kill the process, and let go of its pipes."""
        if self.gone:
            return
        self.gone = True
        self._popen.kill()
        self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()
        self._folder.cleanup()
        self._ended()


class Pool:
    """Up to so many processes beside, as far as there are places, which others may want too.

    Used by one thread; whoever made it closes it, or uses it as a context.
    """

    def __init__(self, most: int, places: Semaphore | None = None) -> None:
        self.most = most
        self._places = places or Semaphore(most)
        self._processes: list[_Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def processes(self) -> Sequence[Process]:
        """Those that are there."""
        return [process for process in self._processes if not process.gone]

    @property
    def pids(self) -> list[int]:
        """Their numbers."""
        return [process.pid for process in self._processes if not process.gone]

    def start(self, count: int) -> Sequence[Process]:
        """Start so many; return those that could be."""
        started: list[_Process] = []
        while len(started) < count and self._places.acquire(blocking=False):
            try:
                started.append(_Process(self._places.release))
            except OSError as error:
                self._places.release()
                logger.warning("no process could be started beside this one: %s", error)
                break
        self._processes += started
        return started

    def wait(self, seconds: float) -> None:
        """Wait so long for one of them to tell something."""
        # `select` knows no descriptors beyond 1,023
        waiting = select.poll()
        for process in self._processes:
            for pipe, ready in process.pipes.items():
                waiting.register(pipe, ready)
        waiting.poll(seconds * 1000)

    def close(self) -> None:
        """End them."""
        for process in self._processes:
            process.end()
        self._processes = []


def spare_processors() -> int:
    """Count the processors that this process may use beside its own, as far as is told."""
    usable = getattr(os, "sched_getaffinity", None)
    count = len(usable(0)) if usable else os.cpu_count() or 1
    with suppress(OSError, ValueError, ZeroDivisionError):  # a container's share, if it has one
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        count = min(count, math.ceil(int(quota) / int(period)))
    return count - 1
