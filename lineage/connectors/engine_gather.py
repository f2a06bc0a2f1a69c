"""The phase of a regeneration that reads a log, here and in shares of others. Pure."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from broker.consume import BEGINNING
from broker.records import Partition
from lineage.connectors.engine_beside import ProcessGoneError
from lineage.connectors.engine_fold import Preparation
from lineage.connectors.engine_marks import MOST, TOO_MANY_DELETED, Marks
from lineage.connectors.engine_reading import READ_AT_ONCE, LogReader, before, read_through
from lineage.connectors.engine_shares import Shares
from lineage.connectors.engine_survivors import Survivors
from lineage.connectors.words import numbered

Told = Callable[[int, int | None, str], None]
"""Told how many records were read, of how many; and a line for the run's log, or nothing."""


@dataclass
class Gathering:
    """Puts the last record of each key of a log among the survivors, but for what shares keep.

    `exact`: what lies behind the ends is not taken.
    """

    reader: LogReader
    preparation: Preparation
    survivors: Survivors
    shares: Shares
    told: Told
    exact: bool = False

    def __post_init__(self) -> None:
        self._ends: Mapping[Partition, int] = {}
        self._total = 0
        self._lost = ""
        self._theirs: frozenset[Partition] = frozenset()

    def read(
        self, begins: Mapping[Partition, int], ends: Mapping[Partition, int], *, shared: bool
    ) -> None:
        """Read all partitions up to their ends; `shared`: others may read some of them."""
        self._ends = ends
        self._total = sum(max(0, end - begins[place]) for place, end in ends.items())
        places = numbered(len(ends), "partition")
        self.told(0, self._total, f"reading {numbered(self._total, 'offset')} of {places}")
        if shared:
            self._hand_out(begins, ends)
        count = self._fold({place: ends[place] for place in ends if place not in self._theirs})
        count += self._await_shares(count)
        held = "record" if self.survivors.spilled or self.shares.spilled else "key"
        kept = numbered(len(self.survivors) + self.shares.kept, held)
        self.told(self._total, self._total, f"{numbered(count, 'record')}, {kept} kept")

    def _hand_out(self, begins: Mapping[Partition, int], ends: Mapping[Partition, int]) -> None:
        """Let others read some of the partitions."""
        try:
            self.shares.hand_out(begins, ends, exact=self.exact)
        except ProcessGoneError as gone:
            self._lost = str(gone)
        self._theirs = frozenset(self.shares.places)
        if not self._theirs:
            return
        self.survivors.limit(self.shares.memory)
        theirs = numbered(len(self._theirs), "partition")
        workers = numbered(self.shares.count, "process", "processes")
        self.told(0, self._total, f"{theirs} of them by {workers} beside this one")
        if self._lost:
            self.shares.drop()

    def _fold(self, ends: Mapping[Partition, int]) -> int:
        """Read partitions from their beginning, keep the last of each key; count the records."""
        self.reader.assign(dict.fromkeys(ends, BEGINNING))
        count = 0
        for found in read_through(self.reader, ends, READ_AT_ONCE):
            records = before(found, ends) if self.exact else found
            self.survivors.put(self.preparation.last_of(records))
            count += len(records)
            self._hear(count)
        return count

    # -- shares -----------------------------------------------------------------------------------
    def _hear(self, count: int) -> None:
        if not self._lost:
            try:
                self.shares.hear()
            except ProcessGoneError as gone:
                self._lost = str(gone)
                self.shares.drop()  # the others would work for nothing
        self.told(min(count + self.shares.read, self._total), self._total, "")

    def _await_shares(self, count: int) -> int:
        """Wait until the shares are read too; return how many records they were."""
        if not self._theirs:
            return 0
        self.shares.delete(self._gone())
        while self.shares.reading and not self._lost:
            self.shares.wait()
            self._hear(count)
        self._lost = self._lost or self.shares.overlap(self.survivors)
        if self._lost:
            return self.bring_home(self._lost)
        self.reader.assign(self.reader.positions | self.shares.positions)
        return self.shares.read

    def _gone(self) -> AbstractSet[bytes | None]:
        """Return the keys that are deleted in our own partitions."""
        marks = Marks()
        if self.preparation.replaces and not self._lost:
            for chunk in self.survivors.chunks(READ_AT_ONCE):
                marks.add(chunk)
            if len(marks.gone) > MOST:
                self._lost = TOO_MANY_DELETED
        return marks.gone

    def bring_home(self, why: str) -> int:
        """Read the shares here, and have none any more; count the records."""
        theirs, positions = self._theirs, dict(self.reader.positions)
        self.shares.drop()
        self.survivors.limit(None)
        self._lost, self._theirs = "", frozenset()
        self.told(0, None, f"{numbered(len(theirs), 'partition')} to be read here again: {why}")
        count = self._fold({place: self._ends[place] for place in theirs})
        self.reader.assign(positions | self.reader.positions)
        return count
