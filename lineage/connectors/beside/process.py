"""The process beside: reads tasks and what is asked of them from its standard input, and answers.

python -m lineage.connectors.beside.process

It ends when its parent does. It has its environment, and else knows only what it was sent.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from traceback import extract_tb
from typing import BinaryIO

from lineage.connectors.beside.frames import (
    DONE,
    FAILED,
    FOLDER,
    TASK,
    asked_in,
    framed,
    read_frames,
    result_frame,
    task_in,
)
from lineage.connectors.engine import spare_collector
from lineage.connectors.engine_beside import UnfinishableError, Works


def answers(tasks: list[Works], kind: bytes, body: bytes) -> Iterator[bytes]:
    """Learn a task, or do what is asked of one: yield the frames of the answer."""
    if kind == TASK:
        tasks.append(task_in(body).works())
        return
    task, args = asked_in(body)
    for result in tasks[task](*args):
        yield result_frame(result)
    yield framed(DONE)


def serve(asked: BinaryIO, answered: BinaryIO) -> None:
    """Answer until nothing more is asked, or something failed."""
    tasks: list[Works] = []
    try:
        for kind, body in read_frames(asked):
            for frame in answers(tasks, kind, body):
                answered.write(frame)
                answered.flush()
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  (libraries raise what they please)
        answered.write(framed(FAILED, _told(error).encode()))
        answered.flush()
    finally:
        for works in tasks:
            works.close()


def _told(error: Exception) -> str:
    """Say what went wrong, and where, but nothing of what records hold."""
    if isinstance(error, UnfinishableError):
        return str(error)
    place = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}"


def main() -> None:
    """Serve on the standard pipes; what is printed goes where errors do."""
    # Ctrl-C goes to all processes of a terminal, and ours ends with its parent
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answered = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    spare_collector()
    # a broken pipe: the parent is gone
    with suppress(BrokenPipeError):
        serve(sys.stdin.buffer, answered)
    sys.stdout.flush()
    # our parent made it for us, and may have been killed
    folder = Path(tempfile.gettempdir())
    if folder.name.startswith(FOLDER):
        with suppress(OSError):
            folder.rmdir()
    # without the last flush of `answered`, which would fail
    os._exit(0)


if __name__ == "__main__":
    main()
