"""The shares of a log that other processes have, seen from the one that builds. Pure.

A log is shared out by partitions. The rows of all shares go into one table, in one transaction. Let
anything be no plain case (a process that ends, a key in two shares, a row that is refused): then
the shares are read again by the builder, who knows what to do, and there are none any more.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from broker.records import Partition, Record
from lineage.connectors.columns import Layout
from lineage.connectors.engine_beside import Beside, Process
from lineage.connectors.engine_marks import TOO_MANY_DELETED, are_gone
from lineage.connectors.engine_parts import Poison
from lineage.connectors.engine_share import KEPT, LEFT_OUT, READ, Share, described
from lineage.connectors.engine_survivors import Survivors
from lineage.connectors.framing import FramedDecoder

# one partition is not shared
_FEWEST = 2
# while a process starts, so much could be read of a log that is just worth it
_START = 3
_WAIT_SECONDS = 0.2


@dataclass(frozen=True)
class Sharing:
    """What it takes to share: the processes, what they do, and whose schemas they shall know.

    Below `worth_it` records, starting processes takes longer than they save.
    """

    beside: Beside
    share: Share
    decoder: FramedDecoder
    worth_it: int = 300_000


@dataclass(frozen=True)
class Rows:
    """Rows that another process made, their sum of hashes, and records to be judged here."""

    count: int
    sum: int
    piece: bytes
    left: list[Record]


@dataclass
class _Lot:
    """One process's partitions, and what it told of them."""

    process: Process
    places: list[Partition]
    read: int = 0
    kept: int | None = None
    spilled: bool = False
    positions: dict[Partition, int] = field(default_factory=dict)
    samples: list[Record] = field(default_factory=list)
    gone: set[bytes | None] | None = field(default_factory=set)
    some: set[bytes | None] = field(default_factory=set)
    rows: deque[Rows] = field(default_factory=deque)


class Shares:
    """What of one log others have; nothing, where nobody is there."""

    def __init__(self, sharing: Sharing | None, left_out: Poison) -> None:
        self._sharing = sharing
        self._left_out = left_out
        self._lots: list[_Lot] = []
        self._gone: AbstractSet[bytes | None] = frozenset()

    # -- reading ----------------------------------------------------------------------------------
    def hand_out(
        self, begins: Mapping[Partition, int], ends: Mapping[Partition, int], *, exact: bool
    ) -> None:
        """Let others read some of the partitions, up to the ends."""
        sizes = {place: max(0, end - begins[place]) for place, end in ends.items()}
        busy = sorted((place for place in sizes if sizes[place]), key=sizes.__getitem__)
        if self._sharing is None or len(busy) < _FEWEST:
            return
        if sum(sizes.values()) < self._sharing.worth_it:
            return
        found = self._sharing.beside.start(min(self._sharing.beside.most, len(busy) - 1))
        lots = [_Lot(process, []) for process in found]
        loads = [0, *[self._sharing.worth_it // _START] * len(lots)]
        for place in reversed(busy):
            least = loads.index(min(loads))
            loads[least] += sizes[place]
            if least:
                lots[least - 1].places.append(place)
        self._lots = [lot for lot in lots if lot.places]
        for lot in self._lots:
            theirs = [(*place, ends[place]) for place in lot.places]
            lot.process.ask(self._sharing.share, "read", theirs, exact)

    @property
    def beside(self) -> Beside | None:
        """The other processes, if there may be any."""
        return None if self._sharing is None else self._sharing.beside

    @property
    def count(self) -> int:
        """How many others have a share."""
        return len(self._lots)

    @property
    def memory(self) -> int | None:
        """The bytes that each fold may take; None: as many as if there were no others."""
        return None if self._sharing is None else self._sharing.share.memory

    @property
    def places(self) -> list[Partition]:
        """The partitions that others read."""
        return [place for lot in self._lots for place in lot.places]

    @property
    def read(self) -> int:
        """How many records they have read."""
        return sum(lot.read for lot in self._lots)

    @property
    def reading(self) -> bool:
        """Whether any still reads."""
        return any(lot.kept is None for lot in self._lots)

    @property
    def kept(self) -> int:
        """How many records they keep."""
        return sum(lot.kept or 0 for lot in self._lots)

    @property
    def spilled(self) -> bool:
        """Whether any keeps them on disk."""
        return any(lot.spilled for lot in self._lots)

    @property
    def positions(self) -> dict[Partition, int]:
        """Up to where they have read."""
        return {place: at for lot in self._lots for place, at in lot.positions.items()}

    @property
    def samples(self) -> list[Record]:
        """One record of each schema that they met."""
        return [record for lot in self._lots for record in lot.samples]

    def overlap(self, survivors: Survivors) -> str:
        """Say why the shares do not stand apart; nothing where they may."""
        seen: set[bytes | None] = set()
        for lot in self._lots:
            if lot.gone is None:
                return TOO_MANY_DELETED
            if not seen.isdisjoint(lot.some) or survivors.hold_any(lot.some):
                return "a key is in more than one partition"
            seen |= lot.some
        return ""

    def delete(self, gone: AbstractSet[bytes | None]) -> None:
        """Take note of the keys that are deleted in our own partitions."""
        self._gone = gone

    def deletes_any(self, records: Sequence[Record]) -> bool:
        """Whether a row of ours is of a key that is deleted in a share."""
        return any(are_gone(records, lot.gone or set()) for lot in self._lots)

    # -- rows -------------------------------------------------------------------------------------
    def pack(self, layout: Layout) -> None:
        """Let them make rows of what they keep."""
        if self._sharing is None:
            return
        origins = self._sharing.decoder.origins()
        for lot in self._lots:
            others = (other.gone or set() for other in self._lots if other is not lot)
            gone = set(self._gone).union(*others)
            lot.rows.clear()
            lot.process.ask(self._sharing.share, "pack", described(layout, origins, gone))

    @property
    def packing(self) -> bool:
        """Whether more rows will come."""
        return any(lot.rows or lot.process.unfinished for lot in self._lots)

    def rows(self) -> Iterator[Rows]:
        """Take the rows that came."""
        self.hear()
        for lot in self._lots:
            while lot.rows:
                yield lot.rows.popleft()

    # -- all the while ----------------------------------------------------------------------------
    def wait(self) -> None:
        """Wait a little for something to be told."""
        if self._sharing is not None:
            self._sharing.beside.wait(_WAIT_SECONDS)

    def hear(self) -> None:
        """Take in what they told; raises ProcessGoneError."""
        for lot in self._lots:
            for result in lot.process.hear():
                if result is not None:
                    self._take_in(lot, *result)

    def _take_in(self, lot: _Lot, what: str, *told: Any) -> None:
        if what == READ:
            lot.read += told[0]
        elif what == LEFT_OUT:
            self._left_out(Record._make(told[0]), told[1])
        elif what == KEPT:
            lot.kept, lot.spilled, positions, samples, gone, some = told
            lot.positions = {Partition(topic, number): at for topic, number, at in positions}
            lot.samples = [Record._make(one) for one in samples]
            lot.gone, lot.some = None if gone is None else set(gone), set(some)
        else:
            count, total, piece, left = told
            lot.rows.append(Rows(count, total, piece, [Record._make(one) for one in left]))

    def drop(self) -> None:
        """Have no shares any more; the processes end."""
        if self._sharing is not None:
            self._sharing.beside.close()
        self._lots = []
