"""The phase of a regeneration that reads a log, here and in shares of others. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from broker.consume import BEGINNING
from broker.records import Partition
from lineage.connectors.engine_beside import ProcessGoneError
from lineage.connectors.engine_fold import Preparation
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

    def read(
        self, begins: Mapping[Partition, int], ends: Mapping[Partition, int], *, shared: bool
    ) -> None:
        """Read all partitions up to their ends; `shared`: others may read some of them."""
        self._ends = ends
        self._total = sum(max(0, end - begins[place]) for place, end in ends.items())
        places = numbered(len(ends), "partition")
        self.told(0, self._total, f"reading {numbered(self._total, 'offset')} of {places}")
        if shared and self.shares.hand_out(begins, ends, exact=self.exact):
            self.survivors.limit(self.shares.memory)
            theirs = numbered(len(self.shares.places), "partition")
            workers = numbered(self.shares.count, "process", "processes")
            self.told(0, self._total, f"{theirs} of them by {workers} beside this one")
        others = set(self.shares.places)
        count = self._fold({place: end for place, end in ends.items() if place not in others})
        count += self._await_shares(count)
        held = "record" if self.survivors.spilled or self.shares.spilled else "key"
        kept = numbered(len(self.survivors) + self.shares.kept, held)
        self.told(self._total, self._total, f"{numbered(count, 'record')}, {kept} kept")

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
        try:
            self.shares.hear()
        except ProcessGoneError as gone:
            self._lost = str(gone)
        self.told(min(count + self.shares.read, self._total), self._total, "")

    def _await_shares(self, count: int) -> int:
        """Wait until the shares are read too; return how many records they were."""
        while self.shares.reading and not self._lost:
            self.shares.wait()
            self._hear(count)
        if not self._lost and self.shares.overlap(self.survivors):
            self._lost = "a key is in more than one partition"
        if self._lost:
            return self.bring_home(self._lost)
        self.reader.assign(self.reader.positions | self.shares.positions)
        return self.shares.read

    def bring_home(self, why: str) -> int:
        """Read the shares here, and have none any more; count the records."""
        theirs, positions = set(self.shares.places), dict(self.reader.positions)
        self.shares.drop()
        self.survivors.limit(None)
        self._lost = ""
        self.told(0, None, f"{numbered(len(theirs), 'partition')} to be read here again: {why}")
        count = self._fold({place: end for place, end in self._ends.items() if place in theirs})
        self.reader.assign(positions | self.reader.positions)
        return count
