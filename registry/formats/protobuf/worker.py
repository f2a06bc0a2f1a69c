"""The process that runs protoc: reads files to compile on stdin, answers on stdout.

Run as a script by `compiler`, apart from everything else, because protoc writes its errors to
file descriptor 2, keeps no limits, and takes its process down when it fails. Frames are a 4-byte
length and that many bytes; a request is JSON, an answer b"+" and a FileDescriptorSet or b"-" and
the errors.
"""

import json
import os
import resource
import shutil
import signal
import struct
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from grpc_tools import _protoc_compiler  # type: ignore[attr-defined,unused-ignore]

# Above what the process has mapped once it is warm; a schema of 10 MB compiles in half of it.
MEMORY = 384 * 1024 * 1024
# Of computing, for one request; the signal of that clock ends the process.
SECONDS = 1.5


class Protoc:
    """protoc, and the built-in files compiled once, in a folder of its own."""

    def __init__(self, folder: Path, includes: Sequence[str], builtins: Sequence[str]) -> None:
        self._folder = folder
        self._errors = os.open(folder / "errors", os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(self._errors, 2)
        self._sets: dict[str, Path] = {}
        for number, name in enumerate(builtins):
            target = folder / f"builtin-{number}"
            arguments = [*(f"-I{include}" for include in includes), "--include_imports"]
            if self._run([*arguments, f"--descriptor_set_out={target}", name]) == 0:
                self._sets[name] = target

    def compile(self, root: str, files: dict[str, str], builtins: Sequence[str]) -> bytes:
        """The answer to one request; its files are gone afterwards."""
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            for name, text in files.items():
                path = Path(folder, "in", name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8", newline="")
            target = Path(folder, "out")
            arguments = [f"-I{Path(folder, 'in')}", "--include_imports"]
            if known := [str(self._sets[name]) for name in builtins if name in self._sets]:
                arguments.append(f"--descriptor_set_in={':'.join(known)}")
            os.ftruncate(self._errors, 0)
            os.lseek(self._errors, 0, os.SEEK_SET)
            if self._run([*arguments, f"--descriptor_set_out={target}", root]) == 0:
                return b"+" + target.read_bytes()
            return b"-" + os.pread(self._errors, 20_000, 0).replace(f"{folder}/in/".encode(), b"")

    @staticmethod
    def _run(arguments: Sequence[str]) -> int:
        code: int = _protoc_compiler.run_main([b"protoc", *(part.encode() for part in arguments)])
        return code


def _read(stream: BinaryIO) -> bytes | None:
    header = stream.read(4)
    return stream.read(struct.unpack(">I", header)[0]) if len(header) == 4 else None


def _write(stream: BinaryIO, answer: bytes) -> None:
    stream.write(struct.pack(">I", len(answer)) + answer)
    stream.flush()


def _limit() -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def serve(folder: Path, includes: Sequence[str], builtins: Sequence[str]) -> None:
    """Answer requests until stdin ends; the folder goes with the process."""
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        protoc = Protoc(folder, includes, builtins)
        if Path("/proc/self/statm").exists():
            _limit()
        _write(sink, b"ready")
        while (request := _read(source)) is not None:
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            _write(sink, protoc.compile(**json.loads(request)))
            signal.setitimer(signal.ITIMER_PROF, 0)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    setup = json.loads(sys.argv[1])
    serve(Path(setup["folder"]), setup["includes"], setup["builtins"])
