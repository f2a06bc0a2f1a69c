"""The live engine: poll, fold to the last per key, decode, merge; offsets move with the rows.

It knows no Django and no kind of database. It may be killed at any instruction: what was not
committed in the target is read again, what was committed is not.
"""

import gc
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from broker.records import Partition, Record, ends_of
from lineage.connectors.columns import Layout
from lineage.connectors.engine_fold import Changes, Preparation
from lineage.connectors.engine_packing import PackedChanges
from lineage.connectors.engine_parts import Place, place_of
from lineage.connectors.errors import FencedError, SinkRefusedError
from lineage.connectors.sinks.contract import Fence, Live, Move, Position, Sink, TakesPacked

BATCH = 50_000
"""Records a merge takes at most: a bigger batch folds away more and commits less often."""


_STEP_SECONDS = 1.0
_MUCH = 1_000
"""So many records at once mean that there are more: the next step need not be waited for."""


NO_COLUMNS = Layout((), 0)
"""The layout of a table that does not exist yet: nothing but tombstones has come."""


def spare_collector() -> None:
    """Look for garbage less often: batches are some hundred thousand tuples, and none a cycle.

    With Python's own thresholds the collector walks over them again and again, for a third of the
    engine's time.
    """
    gc.set_threshold(500_000, 20, 100)


class Reader(Protocol):
    """What the engine needs of a reader of the log; `broker.consume.PartitionReader` is one."""

    positions: dict[Partition, int]

    def poll(self, limit: int, timeout: float) -> Sequence[Record]:
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


@dataclass
class _Batch:
    """Records on their way into the target."""

    records: Sequence[Record]
    changes: Changes | PackedChanges
    layout: Layout | None
    fence: Fence
    written: Future[None] | None = None


class LiveEngine:
    """Keeps one copy up to date with the partitions that it owns.

    `overlap`: the target writes a batch while the next one is read and decoded; worth it where
    the target is another process. Nothing is under way when `step` has returned.
    """

    look_seconds = 3.0
    """At rest the target is asked this often whose copy it is: nothing else would tell."""

    def __init__(
        self,
        name: str,
        table: str,
        reader: Reader,
        preparation: Preparation,
        sink: Sink,
        *,
        batch: int = BATCH,
        overlap: bool = False,
    ) -> None:
        self._name = name
        self._table = table
        self._reader = reader
        self._preparation = preparation
        self._sink = sink
        self._batch = batch
        self._stored: dict[Partition, Position] = {}
        self._writer = ThreadPoolExecutor(1, "merge") if overlap else None
        self._under_way: _Batch | None = None
        self._looked = time.monotonic()
        self.live = Live(0, table, None)

    def claim(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Become the owner of partitions; return the offset at which each goes on."""
        with suppress(FencedError):  # whoever fenced it has written what we did not
            self._settle()
        self.live, self._stored = self._sink.claim(self._name, self._table, partitions)
        self._preparation.adopt(self.live.layout)
        return {partition: position.next for partition, position in self._stored.items()}

    def step(self, timeout: float) -> Step:
        """Copy what has come, for a second at most or one batch.

        Raises FencedError when the partitions belong to somebody else now.
        """
        done, end = Step(), time.monotonic() + _STEP_SECONDS
        try:
            while records := self._reader.poll(self._batch, timeout):
                changes = self._take(records)
                done = Step(
                    done.records + len(records),
                    done.upserts + len(changes.upserts),
                    done.deletes + len(changes.deletes),
                )
                if len(records) < _MUCH or time.monotonic() > end:
                    break
            self._settle()
        except FencedError:
            self._reclaim()
            return Step()
        finally:
            self._wait()
        now = time.monotonic()
        if done.records:
            self._looked = now
        elif self.live.number and now - self._looked >= self.look_seconds:
            self._looked = now
            self._look()
        return done

    def _look(self) -> None:
        """Notice what a write would notice by its fence: a swap, or another owner.

        Raises FencedError for the latter.
        """
        live = self._sink.live(self._name)
        if live is None or live.number != self.live.number:
            self._reclaim()
            return
        found = self._sink.positions(self._name)
        for place in self._reader.positions.keys() & self._stored.keys():
            if place not in found or found[place].epoch != self._stored[place].epoch:
                raise FencedError(f"{self._name}: another owner has taken over")

    def _wait(self) -> None:
        """Let go of a batch under way, whatever becomes of it: its offsets tell."""
        batch, self._under_way = self._under_way, None
        if batch is not None and batch.written is not None:
            batch.written.exception()

    def _reclaim(self) -> None:
        """Go on behind a swap; without one, the fence says that we were thought dead."""
        now = self._sink.live(self._name)
        if now is None or now.number == self.live.number:
            raise FencedError(f"{self._name}: another owner has taken over")
        self._reader.assign(self.claim(list(self._stored)))

    def _take(self, records: Sequence[Record]) -> Changes | PackedChanges:
        """Decode a batch while the one before is written, then begin to write it."""
        changes = self._changes(records)
        self._settle()
        self._shape()
        batch = _Batch(records, changes, self._preparation.layout, self._fence(records))
        self._under_way = batch
        if self._writer is not None:
            batch.written = self._writer.submit(self._write, batch)
        else:
            self._settle()
        return changes

    def _changes(self, records: Sequence[Record]) -> Changes | PackedChanges:
        """Fold a batch: straight to bytes where it can be, and the target takes them."""
        packed = None
        if isinstance(self._sink, TakesPacked):
            packed = self._preparation.packing.changes(records)
        return self._preparation.changes(records) if packed is None else packed

    def _write(self, batch: _Batch) -> None:
        table, layout, changes = self.live.table, batch.layout or NO_COLUMNS, batch.changes
        if isinstance(changes, Changes):
            rows = list(changes.upserts.values())
            self._sink.merge(table, layout, rows, changes.deletes, batch.fence)
        else:
            assert isinstance(self._sink, TakesPacked)
            self._sink.merge_packed(table, layout, changes.upserts, changes.deletes, batch.fence)

    def _settle(self) -> None:
        """Wait until the batch under way is written."""
        batch, self._under_way = self._under_way, None
        if batch is None:
            return
        try:
            if batch.written is None:
                self._write(batch)
            else:
                batch.written.result()
        except SinkRefusedError:
            self._write_the_rest(batch)
        for move in batch.fence.moves:
            self._stored[move.partition] = Position(move.next, move.epoch)

    def _write_the_rest(self, batch: _Batch) -> None:
        """Put aside the records that the database refuses, and write their batch without them."""
        skip: frozenset[Place] = frozenset()
        while True:
            # the layout may have grown since the batch was decoded
            batch.changes = changes = self._preparation.changes(batch.records, skip)
            self._shape()
            batch.layout = self._preparation.layout
            try:
                self._write(batch)
            except SinkRefusedError as refusal:
                skip |= put_aside(self._sink, self.live.table, self._preparation, changes, refusal)
            else:
                return

    def _shape(self) -> None:
        """Give the table the columns that the batch brought."""
        layout = self._preparation.layout
        if layout is not None and layout != self.live.layout:
            wider = self._sink.shape(self._name, self.live.number, layout)
            self.live = Live(self.live.number, self.live.table, wider)

    def _fence(self, records: Sequence[Record]) -> Fence:
        moves = []
        for partition, end in ends_of(records).items():
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
