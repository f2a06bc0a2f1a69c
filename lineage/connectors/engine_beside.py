"""Other processes that work for a build, as the engine sees them, and one thing that they do. Pure.

A `Task` says how work of one kind is done, and is sent once; then it is asked for, any number of
times. A process may end at any instruction: whoever asked keeps what it needs to do it alone.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lineage.connectors.columns import Layout
from lineage.connectors.digests import summed
from lineage.connectors.sinks.contract import Part, TakesPacked

Result = tuple[Any, ...]
"""Numbers, texts, bytes, None, and tuples or lists of them."""

# parts that a process has at once: one in work, one behind it
_AT_ONCE = 2
_WAIT_SECONDS = 0.2


class ProcessGoneError(Exception):
    """A process has ended, could not do what it was asked for, or stands still: says which."""


class UnfinishableError(Exception):
    """What a process cannot finish: says why, in words that hold nothing of a record."""


class Works(Protocol):
    """Does work of one kind, time and again; raises what it pleases."""

    def __call__(self, *args: Any) -> Iterator[Result]:
        """Do it, yielding results."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


class Task(Protocol):
    """How work of one kind is done, in any process: it can be pickled."""

    def works(self) -> Works:
        """Return what does it; raises what it pleases."""
        ...


class Process(Protocol):
    """Another process, which does what it is asked for in that order."""

    @property
    def unfinished(self) -> int:
        """Of how many askings the last result has not come."""
        ...

    def ask(self, task: Task, /, *args: Any) -> None:
        """Ask for work; raises ProcessGoneError."""
        ...

    def hear(self) -> list[Result | None]:
        """Return the results that came, None behind the last of each asking.

        Raises ProcessGoneError; the process is ended then.
        """
        ...


class Beside(Protocol):
    """The other processes."""

    @property
    def most(self) -> int:
        """How many there may be."""
        ...

    @property
    def processes(self) -> Sequence[Process]:
        """Those that are there."""
        ...

    def start(self, count: int, /) -> Sequence[Process]:
        """Start so many; return those that could be."""
        ...

    def wait(self, seconds: float, /) -> None:
        """Wait so long for one of them to tell something."""
        ...

    def close(self) -> None:
        """End them."""
        ...


# -- reading a table back -------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class ReadingBack:
    """Tally a table, part by part, over a connection of one's own."""

    opened: Callable[[], TakesPacked]
    table: str
    layout: Layout

    def works(self) -> "_ReadsBack":
        """Return what counts the rows of a part, and sums their hashes."""
        return _ReadsBack(self)


class _ReadsBack:
    def __init__(self, task: ReadingBack) -> None:
        self._task = task
        self._sink = task.opened()

    def __call__(self, *part: Part) -> Iterator[Result]:
        """Read parts."""
        for one in part:
            yield read_back(self._sink, self._task.table, self._task.layout, one)

    def close(self) -> None:
        """Let go of the connection."""
        self._sink.close()


def read_back(sink: TakesPacked, table: str, layout: Layout, part: Part) -> tuple[int, int]:
    """Count the rows of a part of a table, and sum their hashes."""
    rows = total = 0
    for some in sink.read_packed(table, layout, part):
        rows += len(some)
        total += summed(some)
    return rows, total


def read_parts(
    sink: TakesPacked, table: str, layout: Layout, beside: Beside | None
) -> Iterator[Result]:
    """Read a table back by parts, here and beside us; yield rows and sums as they come."""
    task = ReadingBack(sink.opener(), table, layout)
    readers = [_Reader(process, task) for process in (beside.processes if beside else ())]
    parts = deque(sink.parts(table))
    while parts or any(reader.parts for reader in readers):
        for reader in readers:
            yield from reader.move(parts)
        if parts:
            yield read_back(sink, table, layout, parts.popleft())
        elif beside and any(reader.parts for reader in readers):
            beside.wait(_WAIT_SECONDS)
            yield 0, 0  # for who wants to stop


class _Reader:
    """A process that reads parts; one that is gone gives back what it had."""

    def __init__(self, process: Process, task: ReadingBack) -> None:
        self.parts: deque[Part] = deque()
        self._process: Process | None = process
        self._task = task

    def move(self, waiting: deque[Part]) -> list[Result]:
        """Take some of the parts that wait; return what was read."""
        if self._process is None:
            return []
        try:
            while waiting and len(self.parts) < _AT_ONCE:
                self.parts.append(waiting.popleft())
                self._process.ask(self._task, self.parts[-1])
            found = [each for each in self._process.hear() if each is not None]
        except ProcessGoneError:
            waiting.extend(self.parts)
            self.parts.clear()
            self._process = None
            return []
        for _ in found:
            self.parts.popleft()
        return found
