"""Build a copy anew from the log, beside the live one, prove it, and swap it in.

Phases: *read* the whole log, keeping the last raw record of each key, undecoded; *load* what
survived into a shadow table; *catch-up* with what was written meanwhile; *verify* the shadow read
back against the fold; *swap*. The live copy goes on until the swap and from its offsets after it.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from broker.consume import BEGINNING, Partition, Record
from lineage.connectors.columns import Digest, Layout, Row, digest, fingerprint
from lineage.connectors.engine import BATCH, Reader, put_aside
from lineage.connectors.engine_fold import FoldKey, Key, Place, Preparation, place_of
from lineage.connectors.errors import (
    CopyDivergedError,
    LogIncompleteError,
    PoisonRecordError,
    SinkRefusedError,
    SinkUnavailableError,
)
from lineage.connectors.sinks.contract import BehindError, Live, Sink, shadow_of

_POLL_SECONDS = 0.2
_REPORT_EVERY = 5_000
_SWAP_ATTEMPTS = 100
_SWAP_PAUSE = 0.05
_STILL_FOR = 60.0


class LogReader(Reader, Protocol):
    """A reader that can also tell where the log begins and ends."""

    ended: set[Partition]

    def partitions(self, topics: Sequence[str]) -> list[Partition]:
        """Name the partitions of topics."""
        ...

    def watermarks(self, partition: Partition) -> tuple[int, int]:
        """Return the first offset and the one behind the last committed record."""
        ...


class Progress(Protocol):
    """Told how far a run is; raises RunCancelledError when it shall stop."""

    def __call__(self, phase: str, done: int, total: int | None, note: str = "") -> None:
        """Take note; `note` is a line for the run's log."""
        ...


@dataclass(frozen=True)
class Built:
    """A generation that is live now: what was proven, and up to which offsets."""

    number: int
    digest: Digest
    begins: dict[Partition, int]
    ends: dict[Partition, int]


@dataclass
class Regeneration:
    """One build of one copy; `compacted` tells topics that compaction alone may shorten."""

    name: str
    table: str
    topics: Sequence[str]
    reader: LogReader
    preparation: Preparation
    sink: Sink
    progress: Progress
    compacted: Callable[[str], bool] = lambda _topic: False

    def __post_init__(self) -> None:
        self._shadow = shadow_of(self.table)
        self._begins: dict[Partition, int] = {}
        self._survivors: dict[FoldKey, Record] = {}
        self._troubled: set[FoldKey] = set()
        self._refused: set[Place] = set()
        self._hashes: dict[Key, int] = {}
        self._layout = Layout((), 0)

    def run(self) -> Built:
        """Build, prove and swap; the shadow is dropped where anything fails."""
        before = self.sink.live(self.name)
        number = (before.number if before else 0) + 1
        try:
            self._read()
            self._load(before)
            self._mend()
            self._catch_up()
            proven = self._verify()
            ends = self._swap(Live(number, self.table, self._layout))
        except BaseException:
            self._abandon()
            raise
        return Built(number, proven, self._begins, ends)

    def _abandon(self) -> None:
        try:
            self.sink.drop(self._shadow)
        except SinkUnavailableError:
            return  # the next build begins by dropping it

    # -- read -----------------------------------------------------------------------------------
    def _ends(self) -> dict[Partition, int]:
        """Return where the log ends now; raise LogIncompleteError where its head is gone."""
        ends = {}
        missing = []
        for partition in self.reader.partitions(self.topics):
            low, high = self.reader.watermarks(partition)
            begin = self._begins.setdefault(partition, low)
            ends[partition] = high
            if low > 0 and begin == low and not self.compacted(partition.topic):
                missing.append(f"{partition.topic}/{partition.partition}: offsets 0 to {low - 1}")
        if missing:
            raise LogIncompleteError(
                "the log no longer reaches back to its beginning; deleted are "
                + "; ".join(missing)
                + ". Set retention.ms=-1 and retention.bytes=-1, or compact the topic"
            )
        return ends

    def _through(self, ends: Mapping[Partition, int]) -> Iterator[list[Record]]:
        """Poll until every partition has been read up to its end."""
        self.reader.ended.clear()
        moved = time.monotonic()
        while any(
            self.reader.positions.get(p, BEGINNING) < end and p not in self.reader.ended
            for p, end in ends.items()
        ):
            records = self.reader.poll(BATCH, _POLL_SECONDS)
            if records:
                moved = time.monotonic()
            elif time.monotonic() - moved > _STILL_FOR:
                raise LogIncompleteError(f"the log gave no record for {_STILL_FOR:g} s")
            yield records

    def _read(self) -> None:
        ends = self._ends()
        total = sum(end - self._begins[p] for p, end in ends.items())
        self.progress("read", 0, total, f"reading {total} offsets of {len(ends)} partitions")
        self.reader.assign(dict.fromkeys(ends, BEGINNING))
        fold_key, survivors, count = self.preparation.fold_key, self._survivors, 0
        for records in self._through(ends):
            for record in records:
                key = fold_key(record)
                if key is not None:
                    survivors[key] = record
            count += len(records)
            self.progress("read", min(count, total), total)
        self.progress("read", total, total, f"{count} records, {len(survivors)} keys")

    # -- load -----------------------------------------------------------------------------------
    def _load(self, live: Live | None) -> None:
        self.preparation.fit_all(self._survivors.values())
        if self.preparation.layout is None and live is not None:
            self.preparation.adopt(live.layout)
        layout = self.preparation.layout or self._past_layout()
        if layout is None:
            raise LogIncompleteError("the log holds no record to make a table of")
        self._layout = layout
        self.progress("load", 0, len(self._survivors), f"loading {self._shadow}")
        try:
            self.sink.load(self._shadow, layout, self._rows())
        except SinkRefusedError as refusal:
            self._find_refused(layout, refusal)
            self.sink.load(self._shadow, layout, self._rows())
        total = len(self._survivors)
        self.progress("load", total, total, f"{len(self._hashes)} rows loaded")

    def _past_layout(self) -> Layout | None:
        """Look for columns in what was deleted since: every key ends in a tombstone."""
        ends = dict(self.reader.positions)
        self.reader.assign(dict.fromkeys(ends, BEGINNING))
        for records in self._through(ends):
            self.preparation.fit_all(records)
        self.reader.assign(ends)
        return self.preparation.layout

    def _rows(self) -> Iterator[Row]:
        """Decode the survivors; remember the hash of each row, and which could not be read."""
        self._hashes.clear()
        hashed, keys = fingerprint(self._layout), self._layout.keys
        row_of, removes = self.preparation.row_of, self.preparation.removes
        total = len(self._survivors)
        for done, (key, record) in enumerate(self._survivors.items()):
            if done % _REPORT_EVERY == 0:
                self.progress("load", done, total)
            if removes(record) or place_of(record) in self._refused:
                continue
            try:
                row = row_of(record)
            except PoisonRecordError as error:
                self.preparation.poison(record, str(error))
                self._troubled.add(key)
                continue
            self._hashes[tuple(row[:keys])] = hashed(row)
            yield row

    def _find_refused(self, layout: Layout, refusal: SinkRefusedError) -> None:
        """Bisect the survivors for what the database refuses."""
        rows: list[tuple[FoldKey, Record, Row]] = []
        found = False
        for key, record in self._survivors.items():
            if self.preparation.removes(record):
                continue
            try:
                rows.append((key, record, self.preparation.row_of(record)))
            except PoisonRecordError:
                continue  # in quarantine already
            if len(rows) == _REPORT_EVERY:
                found |= self._refuse(layout, rows)
                rows.clear()
        if not (self._refuse(layout, rows) or found):
            raise refusal

    def _refuse(self, layout: Layout, rows: list[tuple[FoldKey, Record, Row]]) -> bool:
        self.progress("load", 0, len(self._survivors))
        refused = self.sink.refusals(self._shadow, layout, [row for _, _, row in rows])
        for index, reason in refused.items():
            key, record, _ = rows[index]
            self.preparation.poison(record, f"refused by the database: {reason}")
            self._refused.add(place_of(record))
            self._troubled.add(key)
        return bool(refused)

    def _mend(self) -> None:
        """Give each key whose last record is in quarantine the last one that is not."""
        if not self._troubled:
            return
        ends = dict(self.reader.positions)
        count = len(self._troubled)
        self.progress("load", 0, None, f"{count} keys end in quarantine: reading their past")
        self.reader.assign(dict.fromkeys(ends, BEGINNING))
        past = [
            record
            for records in self._through(ends)
            for record in records
            if self.preparation.fold_key(record) in self._troubled
            and record.offset < ends[Partition(record.topic, record.partition)]
        ]
        self.reader.assign(ends)
        self._merge(past)

    # -- catch-up -------------------------------------------------------------------------------
    def _merge(self, records: Sequence[Record]) -> None:
        """Write records into the shadow, and keep the hashes of its rows."""
        skip = frozenset(self._refused)
        while True:
            changes = self.preparation.changes(records, skip)
            self._widen()
            try:
                self.sink.merge(
                    self._shadow, self._layout, list(changes.upserts.values()), changes.deletes
                )
            except SinkRefusedError as refusal:
                skip |= put_aside(self.sink, self._shadow, self.preparation, changes, refusal)
            else:
                break
        hashed = fingerprint(self._layout)
        for key, row in changes.upserts.items():
            self._hashes[key] = hashed(row)
        for key in changes.deletes:
            self._hashes.pop(key, None)

    def _widen(self) -> None:
        """Add and widen the columns as a batch asks; a row's hash covers what is empty, too."""
        layout = self.preparation.layout or self._layout
        if layout != self._layout:
            altered = self._layout.altered(layout)
            if altered:
                self.sink.alter(self._shadow, altered)
            self.sink.widen(self._shadow, layout.columns[len(self._layout.columns) :])
            self._layout = layout
            hashed, keys = fingerprint(layout), layout.keys
            rows = self.sink.read(self._shadow, layout)
            self._hashes = {tuple(row[:keys]): hashed(row) for row in rows}

    def _catch_up(self) -> None:
        """Read what was written up to now."""
        ends = self._ends()
        fresh = {p: BEGINNING for p in ends if p not in self.reader.positions}
        if fresh:
            self.reader.assign(self.reader.positions | fresh)
        total = sum(max(0, end - self.reader.positions.get(p, 0)) for p, end in ends.items())
        done = 0
        for records in self._through(ends):
            if records:
                self._merge(records)
                done += len(records)
            self.progress("catch-up", min(done, total), total)

    # -- verify and swap --------------------------------------------------------------------------
    def _verify(self) -> Digest:
        expected = Digest(len(self._hashes), sum(self._hashes.values()) % 2**64)
        self.progress("verify", 0, expected.rows, f"expecting {expected.rows} rows, {expected}")

        def counted() -> Iterator[Row]:
            for done, row in enumerate(self.sink.read(self._shadow, self._layout)):
                if done % _REPORT_EVERY == 0:
                    self.progress("verify", min(done, expected.rows), expected.rows)
                yield row

        found = digest(self._layout, counted())
        if found != expected:
            raise CopyDivergedError(
                f"the shadow holds {found.rows} rows with digest {found}; "
                f"the log says {expected.rows} with {expected}"
            )
        self.progress("verify", found.rows, found.rows, f"{found.rows} rows equal the log")
        return found

    def _swap(self, live: Live) -> dict[Partition, int]:
        """Swap as soon as the shadow has read at least as far as the live table."""
        self.progress("swap", 0, 1, "swapping")
        for attempt in range(_SWAP_ATTEMPTS):
            try:
                ends = dict(self.reader.positions)
                self.sink.swap(
                    self.name, Live(live.number, live.table, self._layout), self._layout, ends
                )
            except (BehindError, SinkUnavailableError) as error:
                if attempt == _SWAP_ATTEMPTS - 1:
                    raise SinkUnavailableError(f"the swap found no gap: {error}") from error
                time.sleep(_SWAP_PAUSE)
                self._catch_up()
            else:
                self.progress("swap", 1, 1, f"generation {live.number} is live")
                return ends
        raise AssertionError
