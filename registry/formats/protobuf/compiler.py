"""protoc in killable worker processes: real semantics, bounded time and memory, warm."""

import atexit
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from registry.formats.contract import SchemaInvalidError

# A worker ends itself after too much computing; this is for one that sleeps or has no processor.
TIMEOUT = 10.0
# Starting a worker compiles the built-in files, on a busy machine slowly.
START_TIMEOUT = 20.0
WORKERS = 2
_HERE = Path(__file__).parent
_CHUNK = 1 << 16


@cache
def include_folders() -> tuple[str, ...]:
    """Where the built-in files are: ours, protoc's own, and google/type."""
    folders = [_HERE / "builtin"]
    tools = find_spec("grpc_tools")
    if tools is not None and tools.origin is not None:
        folders.append(Path(tools.origin).parent / "_proto")
    types = find_spec("google.type")
    if types is not None and types.submodule_search_locations:
        folders.append(Path(next(iter(types.submodule_search_locations))).parents[1])
    return tuple(map(str, folders))


@cache
def builtin_names() -> frozenset[str]:
    """The files anyone may import without a reference."""
    patterns = ("confluent/**/*.proto", "google/protobuf/*.proto", "google/type/*.proto")
    return frozenset(
        path.relative_to(folder).as_posix()
        for folder in map(Path, include_folders())
        for pattern in patterns
        for path in folder.glob(pattern)
    )


class _Worker:
    """One worker process and the socket to it."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._folder = tempfile.mkdtemp(prefix="insideout-protoc-")
        setup = {
            "folder": self._folder,
            "includes": include_folders(),
            "builtins": sorted(builtin_names()),
        }
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(_HERE / "worker.py"), json.dumps(setup)],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.DEVNULL,
                env={},
                start_new_session=True,
            )
        self.owner = os.getpid()
        self._receive(time.monotonic() + START_TIMEOUT)

    def ask(self, request: bytes) -> bytes:
        """The answer; TimeoutError when it takes too long, ConnectionError when there is none."""
        deadline = time.monotonic() + TIMEOUT
        self._socket.settimeout(TIMEOUT)
        self._socket.sendall(struct.pack(">I", len(request)) + request)
        return self._receive(deadline)

    def _receive(self, deadline: float) -> bytes:
        return self._exactly(struct.unpack(">I", self._exactly(4, deadline))[0], deadline)

    def _exactly(self, size: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            part = self._socket.recv(min(_CHUNK, size - len(parts)))
            if not part:
                raise ConnectionResetError("the worker ended")
            parts += part
        return bytes(parts)

    def is_alive(self) -> bool:
        """Whether the process is there, and this process's own."""
        return self.owner == os.getpid() and self._process.poll() is None

    def stop(self) -> None:
        """Kill the process; one inherited through a fork is only let go."""
        self._socket.close()
        if self.owner == os.getpid():
            self._process.kill()
            self._process.wait()
            shutil.rmtree(self._folder, ignore_errors=True)

    def exit_signal(self) -> int:
        """Which signal ended the process; 0 while none has."""
        try:
            return -self._process.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            return 0


class Compiler:
    """A few workers, started when first needed, replaced when one fails."""

    def __init__(self) -> None:
        self._idle: list[_Worker] = []
        self._free = threading.BoundedSemaphore(WORKERS)
        atexit.register(self.close)

    def compile(self, root: str, files: Mapping[str, str], builtins: Sequence[str]) -> bytes:
        """A serialised FileDescriptorSet of the root and all it imports.

        SchemaInvalidError carries protoc's own words, or that it took too long or failed.
        """
        request = json.dumps({"root": root, "files": files, "builtins": builtins}).encode()
        with self._free:
            answer = self._ask(request)
        if answer[:1] == b"+":
            return answer[1:]
        raise SchemaInvalidError(_errors(answer[1:].decode(errors="replace"), root))

    def close(self) -> None:
        """Stop all workers."""
        while self._idle:
            self._idle.pop().stop()

    def _ask(self, request: bytes) -> bytes:
        worker = self._take()
        try:
            answer = worker.ask(request)
        except TimeoutError as error:
            worker.stop()
            raise SchemaInvalidError(f"no answer from protoc within {TIMEOUT} s") from error
        except OSError as error:
            late = worker.exit_signal() == signal.SIGPROF
            worker.stop()
            reason = "took too many seconds of computing" if late else "failed"
            raise SchemaInvalidError(f"protoc {reason} on this schema") from error
        except BaseException:
            # whoever interrupts leaves an answer behind, which the next would take for its own
            worker.stop()
            raise
        self._idle.append(worker)
        return answer

    def _take(self) -> _Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive():
                return worker
            worker.stop()
        return _Worker()


def _errors(output: str, root: str) -> str:
    """protoc's errors without its warnings, the root's name left out."""
    lines = [
        line.removeprefix(f"{root}:") for line in output.splitlines() if ": warning:" not in line
    ]
    return "; ".join(lines[:20]) or "protoc refused the schema without saying why"


COMPILER = Compiler()
