"""What goes through the pipes to a process and back: frames of a kind, a length and a body.

To it go tasks (pickled, numbered as they come) and what is asked of them; back come results, in the
order of the askings, a word behind the last of each, and a word where one failed. Both ends are
ours, and of one version.
"""

import marshal
import pickle
from collections.abc import Iterator
from typing import Any, BinaryIO

from lineage.connectors.engine_beside import Result, Task

TASK, ASKED = b"t", b"a"
RESULT, DONE, FAILED = b"r", b"d", b"f"

FOLDER = "insideout-beside-"
"""How the folder begins that a process has for what is temporary."""

_LENGTH = 8
_HEAD = 1 + _LENGTH


def framed(kind: bytes, body: bytes = b"") -> bytes:
    """Return a frame."""
    return kind + len(body).to_bytes(_LENGTH, "big") + body


def task_frame(task: Task) -> bytes:
    """Return a task as a frame; raises what pickle does."""
    return framed(TASK, pickle.dumps(task))


def task_in(body: bytes) -> Task:
    """Return a task; raises what pickle does."""
    found: Task = pickle.loads(body)  # noqa: S301  (it comes from our own parent)
    return found


def asked_frame(task: int, args: tuple[Any, ...]) -> bytes:
    """Return what is asked of a task as a frame; ValueError where it has no form there."""
    return framed(ASKED, marshal.dumps((task, args)))


def asked_in(body: bytes) -> tuple[int, tuple[Any, ...]]:
    """Return the task's number and what it is given."""
    found: tuple[int, tuple[Any, ...]] = marshal.loads(body)  # noqa: S302  (as above)
    return found


def result_frame(result: Result) -> bytes:
    """Return a result as a frame; ValueError where it has no form there."""
    return framed(RESULT, marshal.dumps(result))


def result_in(body: bytes) -> Result:
    """Return a result."""
    found: Result = marshal.loads(body)  # noqa: S302  (from our own child)
    return found


class Incoming:
    """Frames put together from the pieces that a pipe gives."""

    def __init__(self) -> None:
        self._held = bytearray()

    def add(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Take bytes in; yield the kind and body of each frame that is whole."""
        self._held += data
        while len(self._held) >= _HEAD:
            end = _HEAD + int.from_bytes(self._held[1:_HEAD], "big")
            if len(self._held) < end:
                return
            kind, body = bytes(self._held[:1]), bytes(self._held[_HEAD:end])
            del self._held[:end]
            yield kind, body


def read_frames(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and body of frames, until whoever writes them is gone."""
    while len(head := file.read(_HEAD)) == _HEAD:
        length = int.from_bytes(head[1:], "big")
        body = file.read(length)
        if len(body) < length:
            return
        yield head[:1], body
