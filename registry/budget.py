"""A bound on what one computation may take, for texts whose cost no limit on their size tells.

Python cannot end a thread, but it can raise an exception in one: a watcher does so in a thread
that has used up its processor time. Only pure computations are run so; whatever holds a
transaction or a file is not.
"""

import ctypes
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")
_LOOK_SECONDS = 0.02


class OutOfTimeError(Exception):
    """The computation took more processor time than it was given."""


@dataclass
class _Watched:
    """A thread at work, and when its own clock says that it is too late."""

    thread: int
    clock: Callable[[], float]
    deadline: float
    stopped: bool = False


@dataclass
class _Watcher:
    """Raises OutOfTimeError in threads that are too late; sleeps while none is at work."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    watched: dict[int, _Watched] = field(default_factory=dict)
    wanted: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def begin(self, each: _Watched) -> None:
        with self.lock:
            self.watched[each.thread] = each
            if self.thread is None or not self.thread.is_alive():
                self.thread = threading.Thread(target=self._watch, name="budget", daemon=True)
                self.thread.start()
        self.wanted.set()

    def end(self, each: _Watched) -> None:
        """Watch no longer, and take back what was raised and has not arrived."""
        with self.lock:
            self.watched.pop(each.thread, None)
            if each.stopped:
                _raise_in(each.thread, None)

    def _watch(self) -> None:
        while True:
            self.wanted.wait()
            time.sleep(_LOOK_SECONDS)
            with self.lock:
                for each in [
                    each for each in self.watched.values() if each.clock() > each.deadline
                ]:
                    each.stopped = True
                    del self.watched[each.thread]
                    _raise_in(each.thread, OutOfTimeError)
                if not self.watched:
                    self.wanted.clear()


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    wanted = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), wanted)


def _clock(thread: int) -> Callable[[], float]:
    """Processor seconds of a thread, readable from others; elsewhere the time of day must do."""
    if hasattr(time, "pthread_getcpuclockid"):
        clock = time.pthread_getcpuclockid(thread)
        return lambda: time.clock_gettime(clock)
    return time.monotonic


_WATCHER = _Watcher()


def within(seconds: float, work: Callable[[], T]) -> T:
    """The work's result; OutOfTimeError once it has computed for so long."""
    thread = threading.get_ident()
    clock = _clock(thread)
    watched = _Watched(thread, clock, clock() + seconds)
    _WATCHER.begin(watched)
    try:
        return work()
    finally:
        _WATCHER.end(watched)


@dataclass
class Budget:
    """Seconds that several computations share."""

    left: float

    def spend(self, work: Callable[[], T]) -> T:
        """Do the work with what is left."""
        began = time.thread_time()
        try:
            return within(self.left, work)
        finally:
            self.left -= time.thread_time() - began
