"""The last record of each key of a whole log: in memory, or on disk where that gets too much.

Beyond its budget the fold goes into files, parted by the hash of the key, each in the order of the
log; one part is then folded at a time. The files live as long as the build.
"""

import marshal
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from broker.records import Record, taken_up

MEMORY = 1 << 30
"""Bytes that the survivors of one build may take before they go to disk."""

# what a record in a dictionary takes beside its key and value, as measured
_OVERHEAD = 330
_PARTS = 64
_LENGTH = 8
_SAMPLE = 200


class Survivors:
    """Records by fold key, the last put winning."""

    def __init__(self, memory: int = MEMORY, folder: Path | None = None) -> None:
        """Hold about `memory` bytes, then write into a folder of our own beneath `folder`."""
        self._whole = self._memory = memory
        self._beneath = folder
        self._held: dict[Any, Any] = {}
        self._folder: TemporaryDirectory[str] | None = None
        self._files: list[BinaryIO] = []
        self._spilled = 0

    def __len__(self) -> int:
        """Count keys; once on disk, records: how many keys they are is not known yet."""
        return len(self._held) + self._spilled

    @property
    def spilled(self) -> bool:
        """Whether they are on disk."""
        return self._folder is not None

    def limit(self, memory: int | None) -> None:
        """Hold about so many bytes from now on; None: as many as at first."""
        self._memory = self._whole if memory is None else min(memory, self._whole)

    def put(self, last: Mapping[Any, Any]) -> None:
        """Take what is held (`records.held`) of the last record of each key of a batch."""
        self._held.update(last)
        if self._folder is not None or self._size(last) > self._memory:
            self._spill()

    def hold_any(self, keys: Iterable[Any]) -> bool:
        """Whether any of these keys is held in memory."""
        return any(key in self._held for key in keys)

    def _size(self, last: Mapping[Any, Any]) -> float:
        """Estimate the memory taken, from what the records of the latest batch hold."""
        if not last:
            return 0
        some = taken_up(list(islice(last.values(), _SAMPLE)))
        held = sum(len(one.key or b"") + len(one.value or b"") for one in some)
        return (held / len(some) + _OVERHEAD) * len(self._held)

    def _spill(self) -> None:
        if self._folder is None:
            self._folder = TemporaryDirectory(prefix="insideout-fold-", dir=self._beneath)
            place = Path(self._folder.name)
            self._files = [(place / str(number)).open("w+b") for number in range(_PARTS)]
        parts: list[list[tuple[Any, ...]]] = [[] for _ in self._files]
        for key, record in zip(self._held, taken_up(list(self._held.values())), strict=True):
            parts[_part(key)].append((key, *record))
        for file, part in zip(self._files, parts, strict=True):
            if part:
                block = marshal.dumps(part)
                file.write(len(block).to_bytes(_LENGTH, "big") + block)
        self._spilled += len(self._held)
        self._held = {}

    def chunks(self, size: int) -> Iterator[Sequence[Record]]:
        """Return the last record of each key, up to `size` at once, any number of times."""
        folds = map(self._folded, self._files) if self._files else iter([self._held])
        for fold in folds:
            waiting = iter(fold.values())
            while chunk := list(islice(waiting, size)):
                yield taken_up(chunk)

    @staticmethod
    def _folded(file: BinaryIO) -> dict[Any, Record]:
        file.seek(0)
        fold: dict[Any, Record] = {}
        while head := file.read(_LENGTH):
            block = file.read(int.from_bytes(head, "big"))
            # our own file: nobody else wrote it
            for key, *record in marshal.loads(block):  # noqa: S302
                fold[key] = Record._make(record)
        return fold

    def close(self) -> None:
        """Let go of memory and disk."""
        self._held = {}
        for file in self._files:
            file.close()
        self._files = []
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def _part(key: Hashable) -> int:
    return hash(key) % _PARTS
