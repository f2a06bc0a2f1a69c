"""The live engine: poll, fold to the last per key, decode, merge; offsets move with the rows.

It knows no Django and no kind of database. It may be killed at any instruction: what was not
committed in the target is read again, what was committed is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from broker.consume import Partition, Record
from lineage.connectors.columns import Layout
from lineage.connectors.engine_fold import Changes, Place, Preparation, place_of
from lineage.connectors.errors import FencedError, SinkRefusedError
from lineage.connectors.sinks.contract import Fence, Live, Move, Position, Sink

BATCH = 50_000
"""Records a merge takes at most: a bigger batch folds away more and commits less often."""


NO_COLUMNS = Layout((), 0)
"""The layout of a table that does not exist yet: nothing but tombstones has come."""


class Reader(Protocol):
    """What the engine needs of a reader of the log; `broker.consume.PartitionReader` is one."""

    positions: dict[Partition, int]

    def poll(self, limit: int, timeout: float) -> list[Record]:
        """Return up to `limit` records within `timeout` seconds."""
        ...

    def assign(self, offsets: Mapping[Partition, int]) -> None:
        """Read these partitions from these offsets."""
        ...


@dataclass(frozen=True)
class Step:
    """What one step did: records read, rows written and deleted."""

    records: int = 0
    upserts: int = 0
    deletes: int = 0


class LiveEngine:
    """Keeps one copy up to date with the partitions that it owns."""

    def __init__(
        self,
        name: str,
        table: str,
        reader: Reader,
        preparation: Preparation,
        sink: Sink,
        *,
        batch: int = BATCH,
    ) -> None:
        self._name = name
        self._table = table
        self._reader = reader
        self._preparation = preparation
        self._sink = sink
        self._batch = batch
        self._stored: dict[Partition, Position] = {}
        self.live = Live(0, table, None)

    def claim(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Become the owner of partitions; return the offset at which each goes on."""
        self.live, self._stored = self._sink.claim(self._name, self._table, partitions)
        self._preparation.adopt(self.live.layout)
        return {partition: position.next for partition, position in self._stored.items()}

    def step(self, timeout: float) -> Step:
        """Copy one batch. Raises FencedError when the partitions belong to somebody else now."""
        records = self._reader.poll(self._batch, timeout)
        if not records:
            return Step()
        try:
            changes = self._merge(records)
        except FencedError:
            self._reclaim()
            return Step()
        return Step(len(records), len(changes.upserts), len(changes.deletes))

    def _reclaim(self) -> None:
        """Go on behind a swap; without one, the fence says that we were thought dead."""
        now = self._sink.live(self._name)
        if now is None or now.number == self.live.number:
            raise FencedError(f"{self._name}: another owner has taken over")
        self._reader.assign(self.claim(list(self._stored)))

    def _merge(self, records: Sequence[Record]) -> Changes:
        """Write a batch; records that the database refuses are put aside and the rest written."""
        skip: frozenset[Place] = frozenset()
        fence = self._fence(records)
        while True:
            changes = self._preparation.changes(records, skip)
            self._shape()
            layout = self._preparation.layout
            rows = list(changes.upserts.values())
            try:
                self._sink.merge(
                    self.live.table, layout or NO_COLUMNS, rows, changes.deletes, fence
                )
            except SinkRefusedError as refusal:
                skip |= put_aside(self._sink, self.live.table, self._preparation, changes, refusal)
            else:
                break
        for move in fence.moves:
            self._stored[move.partition] = Position(move.next, move.epoch)
        return changes

    def _shape(self) -> None:
        """Give the table the columns that the batch brought."""
        layout = self._preparation.layout
        if layout is not None and layout != self.live.layout:
            wider = self._sink.shape(self._name, self.live.number, layout)
            self.live = Live(self.live.number, self.live.table, wider)

    def _fence(self, records: Sequence[Record]) -> Fence:
        ends = {(record.topic, record.partition): record.offset + 1 for record in records}
        moves = []
        for place, end in ends.items():
            partition = Partition(*place)
            stored = self._stored[partition]
            moves.append(Move(partition, stored.next, end, stored.epoch))
        return Fence(self._name, self.live.number, tuple(moves))


def put_aside(
    sink: Sink,
    table: str,
    preparation: Preparation,
    changes: Changes,
    refusal: SinkRefusedError,
) -> frozenset[Place]:
    """Find the rows that the database refused, quarantine their records, return their places.

    Raises the refusal again where no single row is to blame.
    """
    assert preparation.layout is not None
    keys = list(changes.upserts)
    refused = sink.refusals(table, preparation.layout, list(changes.upserts.values()))
    if not refused:
        raise refusal
    for index, reason in refused.items():
        preparation.poison(changes.sources[keys[index]], f"refused by the database: {reason}")
    return frozenset(place_of(changes.sources[keys[index]]) for index in refused)
