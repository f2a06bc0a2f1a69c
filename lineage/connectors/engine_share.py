"""One share of a log, in the process that has it: read, folded, made into rows. Pure.

What is no plain case goes back as it is, to be judged where the run is.
"""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from broker.consume import BEGINNING
from broker.records import Partition, Record
from lineage.connectors.columns import Layout
from lineage.connectors.digests import summed
from lineage.connectors.engine_beside import Result, UnfinishableError
from lineage.connectors.engine_fold import Preparation
from lineage.connectors.engine_marks import DELETED_ELSEWHERE, Marks, are_gone
from lineage.connectors.engine_packing import PIECE
from lineage.connectors.engine_parts import Decoder, Keying
from lineage.connectors.engine_reading import READ_AT_ONCE, LogReader, before, read_through
from lineage.connectors.engine_survivors import Survivors
from lineage.connectors.errors import PoisonRecordError
from lineage.connectors.framing import FramedDecoder, Origin

READ, LEFT_OUT, KEPT, ROWS = "read", "left out", "kept", "rows"
"""What a result tells: records read; one without a key, and why; the whole; rows."""


@dataclass(frozen=True, eq=False)
class Share:
    """How a share is read and made into rows; `parts` makes of a decoder that of a definition.

    `memory` bounds the bytes of its fold; `keys`: they have schemas too.
    """

    reader: Callable[[], LogReader]
    parts: Callable[[FramedDecoder], tuple[Decoder, Keying]]
    memory: int
    keys: bool = False

    def works(self) -> "_Held":
        """Return what does one of its verbs: `read`, `pack`."""
        return _Held(self)


def described(
    layout: Layout, origins: Mapping[bytes, Origin], gone: AbstractSet[bytes | None]
) -> bytes:
    """Return what `pack` is given: the table's layout, schemas by frame, keys deleted elsewhere."""
    return pickle.dumps((layout, origins, gone))


class _Held:
    """A share, held in memory between reading and packing."""

    def __init__(self, share: Share) -> None:
        self._reader = share.reader()
        self._decoder = FramedDecoder()
        self._left_out: list[tuple[Record, str]] = []
        self._shaped, keying = share.parts(self._decoder)
        self._preparation = Preparation(
            self._shaped, keying, lambda record, why: self._left_out.append((record, why))
        )
        self._survivors = Survivors(share.memory)
        self._keys = share.keys
        self._samples: dict[bytes, Record] = {}

    def __call__(self, verb: str, *args: Any) -> Iterator[Result]:
        """Do what a verb says."""
        verbs: Mapping[str, Callable[..., Iterator[Result]]] = {
            "read": self.read,
            "pack": self.pack,
        }
        return verbs[verb](*args)

    def close(self) -> None:
        """Let go of the log, and of what is kept."""
        self._reader.close()
        self._survivors.close()

    def read(self, ends: Sequence[tuple[str, int, int]], exact: bool) -> Iterator[Result]:
        """Read partitions up to their ends, and no further if `exact`; tell what is kept."""
        until = {Partition(topic, number): end for topic, number, end in ends}
        # a client that knows a topic already begins to fetch at once, and else in half a second
        self._reader.partitions(sorted({topic for topic, _, _ in ends}))
        self._reader.assign(dict.fromkeys(until, BEGINNING))
        for found in read_through(self._reader, until, READ_AT_ONCE):
            records = before(found, until) if exact else found
            self._survivors.put(self._preparation.last_of(records))
            yield READ, len(records)
            for record, why in self._left_out:
                yield LEFT_OUT, tuple(record), why
            self._left_out.clear()
        positions = [(*place, at) for place, at in self._reader.positions.items()]
        self._reader.close()
        marks = Marks()
        for chunk in self._survivors.chunks(READ_AT_ONCE):
            self._decoder.add_frames(self._samples, chunk, keys=self._keys)
            if self._preparation.replaces:
                marks.add(chunk)
            yield READ, 0
        samples = [tuple(record) for record in self._samples.values()]
        yield KEPT, len(self._survivors), self._survivors.spilled, positions, samples, *marks.told()
        # what packing needs: it takes a while, and the builder has something else to do
        import lineage.connectors.batches  # noqa: F401
        import lineage.connectors.writers  # noqa: F401

    def pack(self, told: bytes) -> Iterator[Result]:
        """Make rows of what is kept; records that only another can judge go with them."""
        layout, origins, gone = pickle.loads(told)  # noqa: S301  (`described`, by our own parent)
        self._decoder.learn(origins)
        self._preparation.adopt(layout)
        for record in self._samples.values():
            try:
                writer, _ = self._shaped.writer(record)
                self._preparation.fit(record, writer, strict=True)
            except PoisonRecordError:
                continue
        if self._preparation.layout != layout:
            raise UnfinishableError("a record needs another column")
        for chunk in self._survivors.chunks(PIECE):
            if are_gone(chunk, gone):
                raise UnfinishableError(DELETED_ELSEWHERE)
            yield ROWS, *self._packed(chunk)

    def _packed(self, records: Sequence[Record]) -> tuple[Any, ...]:
        """Return how many rows, the sum of their hashes, their bytes, and what gave none."""
        made = self._preparation.packing.rows(records)
        rows = [row for row in made if row is not None]
        left = []
        if len(rows) < len(made):
            unmade = (records[at] for at, row in enumerate(made) if row is None)
            prepared = self._preparation
            # a deletion concerns the builder only where it may be of another spelling's row
            left = [
                tuple(one)
                for one in unmade
                if not (prepared.removes(one) and prepared.spells_once(one))
            ]
        return len(rows), summed(rows), b"".join(rows), left
