"""Build a copy anew from the log, beside the live one, prove it, and swap it in.

Phases: *read* the whole log, keeping the last raw record of each key, undecoded; *load* what
survived into a shadow table; *verify* the shadow read back against the fold; *catch-up* with what
was written meanwhile, merged just as the live copy merges; *swap*. The live copy goes on until the
swap and from its offsets after it.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, islice
from typing import Protocol

from broker.consume import BEGINNING, Partition, Record
from lineage.connectors.columns import Digest, Layout, Row
from lineage.connectors.engine import BATCH, Reader, put_aside
from lineage.connectors.engine_builds import (
    Kept,
    Notes,
    keep,
    kept,
    made_anew,
    note_topics,
    topic_ids,
)
from lineage.connectors.engine_fold import FoldKey, Key, Place, Preparation, later, place_of
from lineage.connectors.engine_proof import Tally
from lineage.connectors.engine_survivors import MEMORY, Survivors
from lineage.connectors.errors import (
    CopyDivergedError,
    LogIncompleteError,
    PoisonRecordError,
    SchemaChangedError,
    SinkRefusedError,
    SinkUnavailableError,
)
from lineage.connectors.sinks.contract import BehindError, Live, Sink, shadow_of

_POLL_SECONDS = 0.2
_CHUNK = 5_000
# of so many survivors one is asked for its columns before the load
_SAMPLE = 100
# a swap waits for its lock some milliseconds only: tried again for some minutes, ever more slowly
_SWAP_ATTEMPTS = 200
_SWAP_PAUSE = 0.05
_LONGEST_SWAP_PAUSE = 2.0
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


class _LayoutGrewError(Exception):
    """A record in the midst of a load needs another layout."""


class BuildInterruptedError(Exception):
    """The build stops here, and another worker goes on with what is proven of it."""


@dataclass(frozen=True)
class Built:
    """A generation that is live now: what was proven, and up to which offsets it has read."""

    number: int
    digest: Digest
    begins: dict[Partition, int]
    ends: dict[Partition, int]


@dataclass
class Regeneration:
    """One build of one copy; `compacted` tells topics that compaction alone may shorten.

    `memory` bounds the bytes of the fold; beyond it goes to disk. `identity` tells the definition:
    a build that was left is gone on with under the same one; without it every build begins anew.
    `begins_later`: the copy is made of a log without its head.
    """

    name: str
    table: str
    topics: Sequence[str]
    reader: LogReader
    preparation: Preparation
    sink: Sink
    progress: Progress
    compacted: Callable[[str], bool] = lambda _topic: False
    memory: int = MEMORY
    identity: str = ""
    begins_later: bool = False

    def __post_init__(self) -> None:
        self._shadow = shadow_of(self.table)
        self._begins: dict[Partition, int] = {}
        self._until: dict[Partition, int] | None = None
        self._topic_ids: dict[str, str] = {}
        self._survivors = Survivors(self.memory)
        self._troubled: set[FoldKey] = set()
        self._left_out: set[Place] = set()
        self._layout = self._loaded = Layout((), 0)
        self._expected = Tally(self._layout)

    def run(self) -> Built:
        """Build, prove and swap; the shadow is dropped where anything fails."""
        before = self.sink.live(self.name)
        number = (before.number if before else 0) + 1
        self._topic_ids = topic_ids(self.reader, self.topics)
        try:
            proven = self._resumed(number) or self._proven(number, before)
            self._catch_up()
            ends = self._swap(Live(number, self.table, self._layout))
        except BuildInterruptedError:
            raise
        except BaseException:
            self._abandon()
            raise
        finally:
            self._survivors.close()
        return Built(number, proven, self._begins, ends)

    def run_as_of(self, until: Mapping[Partition, int], table: str) -> Built:
        """Build a table of its own from the log before the given offsets, and prove it.

        It is nobody's generation: not swapped in, not followed.
        """
        self._shadow, self._until = table, dict(until)
        self._refuse_compacted()
        try:
            self._build(self.sink.live(self.name))
            proven = self._verify()
        except BaseException:
            self._abandon()
            raise
        finally:
            self._survivors.close()
        return Built(0, proven, self._begins, self._until)

    def _refuse_compacted(self) -> None:
        for topic in self.topics:
            if self.compacted(topic):
                raise LogIncompleteError(
                    f"{topic} is compacted: of each key it keeps the last value only, and what it "
                    "held at an earlier time is gone. That needs cleanup.policy=delete"
                )

    def _proven(self, number: int, before: Live | None) -> Digest:
        """Fill the shadow and prove it; leave word of it."""
        self._build(before)
        proven = self._verify()
        if self.identity:
            offsets = dict(self.reader.positions)
            build = Kept(
                self.identity,
                number,
                self._layout,
                self._begins,
                offsets,
                self._topic_ids,
                proven,
            )
            keep(self.sink, self.name, build)
        return proven

    def _resumed(self, number: int) -> Digest | None:
        """Go on with the shadow that a worker left, where it is one of the same build."""
        left = kept(self.sink, self.name) if self.identity else None
        if left is None or (left.identity, left.number) != (self.identity, number):
            return None
        reachable = all(
            self.reader.watermarks(place)[0] <= max(at, 0) for place, at in left.offsets.items()
        )
        if left.topics != self._topic_ids or not reachable:
            return None
        if self.sink.count(self._shadow) == 0 < left.digest.rows:
            return None
        self.preparation.adopt(left.layout)
        self._layout, self._begins = left.layout, dict(left.begins)
        self.reader.assign(left.offsets)
        self.progress("catch-up", 0, None, f"going on with {self._shadow}, proven before")
        return left.digest

    def _build(self, before: Live | None) -> None:
        """Fill the shadow with the log as it is now."""
        self._read()
        self._load(before)
        if self._troubled:
            past = self._past_of_troubled()
            self._mend(past)
            if self._layout != self._loaded:  # the past has columns that no survivor has
                self._send()
                self._mend(past)
        self._survivors.close()

    def _abandon(self) -> None:
        try:
            self.sink.drop(self._shadow)
            if self._until is None:  # a table as of a time leaves a build to be gone on with alone
                keep(self.sink, self.name, None)
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
            accepted = self.begins_later or self.compacted(partition.topic)
            if low > 0 and begin == low and not accepted:
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
        if self._until is not None:
            ends = {place: min(end, self._until.get(place, 0)) for place, end in ends.items()}
        total = sum(max(0, end - self._begins[p]) for p, end in ends.items())
        self.progress("read", 0, total, f"reading {total} offsets of {len(ends)} partitions")
        self.reader.assign(dict.fromkeys(ends, BEGINNING))
        count = 0
        for found in self._through(ends):
            records = found if self._until is None else _before(found, ends)
            self._survivors.put(self.preparation.last_of(records))
            count += len(records)
            self.progress("read", min(count, total), total)
        where = "records on disk" if self._survivors.spilled else "keys"
        self.progress("read", total, total, f"{count} records, {len(self._survivors)} {where}")

    # -- load -----------------------------------------------------------------------------------
    def _load(self, live: Live | None) -> None:
        self._fit(sample=True)
        if self.preparation.layout is None and live is not None:
            self.preparation.adopt(live.layout)
        if self.preparation.layout is None and self._past_layout() is None:
            raise LogIncompleteError("the log holds no record to make a table of")
        self.progress("load", 0, len(self._survivors), f"loading {self._shadow}")
        try:
            self._send()
        except _LayoutGrewError:
            self._fit(sample=False)
            self._send()
        total = len(self._survivors)
        self.progress("load", total, total, f"{self._expected.rows} rows loaded")

    def _fit(self, *, sample: bool) -> None:
        """Widen the layout to hold the survivors: a few of them as a guess, or each."""
        for chunk in self._survivors.chunks(_CHUNK):
            self.preparation.fit_all(chunk[:: _SAMPLE if sample else 1])

    def _send(self) -> None:
        """Load the rows; where the database refuses some, the rest without them."""
        assert self.preparation.layout is not None
        self._layout = self._loaded = self.preparation.layout
        try:
            self.sink.load(self._shadow, self._layout, self._rows())
        except SinkRefusedError as refusal:
            if not self._find_equal_keys():
                self._find_refused(self._layout, refusal)
            self.sink.load(self._shadow, self._layout, self._rows())

    def _past_layout(self) -> Layout | None:
        """Look for columns in what was deleted since: every key ends in a tombstone."""
        ends = dict(self.reader.positions)
        self.reader.assign(dict.fromkeys(ends, BEGINNING))
        for records in self._through(ends):
            self.preparation.fit_all(records)
        self.reader.assign(ends)
        return self.preparation.layout

    def _rows(self) -> Iterator[Row]:
        """Decode the survivors; tally the rows, and note which could not be read."""
        self._expected = Tally(self._layout, named=True)
        done, total = 0, len(self._survivors)
        for chunk in self._survivors.chunks(_CHUNK):
            self.progress("load", done, total)
            done += len(chunk)
            rows = self._read_rows(chunk)[1]
            self._expected.add(rows)
            yield from rows

    def _read_rows(self, records: Sequence[Record]) -> tuple[list[Record], list[Row]]:
        """Return what becomes a row, and the rows; the unreadable goes into quarantine."""
        if self._left_out:
            records = [one for one in records if place_of(one) not in self._left_out]
        try:
            made = self.preparation.rows_of(records)
        except SchemaChangedError as error:
            raise _LayoutGrewError from error
        if self.preparation.layout != self._layout:
            raise _LayoutGrewError
        for record, row in zip(records, made, strict=True):
            if isinstance(row, PoisonRecordError):
                self._leave_out(record, str(row))
        sources = list(compress(records, (type(row) is list for row in made)))
        return sources, [row for row in made if isinstance(row, list)]

    def _leave_out(self, record: Record, reason: str) -> None:
        self.preparation.poison(record, reason)
        self._left_out.add(place_of(record))
        self._troubled.add(self.preparation.fold_key(record))

    def _find_equal_keys(self) -> bool:
        """Leave out rows whose primary key a later record has too, under another raw key."""
        keys = self._layout.keys
        latest: dict[Key, Record] = {}
        before = len(self._left_out)
        for chunk in self._survivors.chunks(_CHUNK):
            for record, row in zip(*self._read_rows(chunk), strict=True):
                one, other = latest.setdefault(tuple(row[:keys]), record), record
                if one is not other:
                    first, last = (other, one) if later(one, other) else (one, other)
                    self._left_out.add(place_of(first))
                    latest[tuple(row[:keys])] = last
        return len(self._left_out) > before

    def _find_refused(self, layout: Layout, refusal: SinkRefusedError) -> None:
        """Bisect the survivors for what the database refuses."""
        found = False
        for chunk in self._survivors.chunks(_CHUNK):
            found |= self._refuse(layout, *self._read_rows(chunk))
        if not found:
            raise refusal

    def _refuse(self, layout: Layout, records: list[Record], rows: list[Row]) -> bool:
        self.progress("load", 0, len(self._survivors))
        refused = self.sink.refusals(self._shadow, layout, rows)
        for index, reason in refused.items():
            self._leave_out(records[index], f"refused by the database: {reason}")
        return bool(refused)

    def _past_of_troubled(self) -> list[Record]:
        """Read again what the log has of keys whose last record is in quarantine."""
        ends = self._until or dict(self.reader.positions)
        count = len(self._troubled)
        self.progress("load", 0, None, f"{count} keys end in quarantine: reading their past")
        self.reader.assign(dict.fromkeys(ends, BEGINNING))
        past = [
            record
            for records in self._through(ends)
            for record in _before(records, ends)
            if self.preparation.fold_key(record) in self._troubled
        ]
        self.reader.assign(ends)
        return past

    def _mend(self, past: Sequence[Record]) -> None:
        """Give each troubled key the last record that is not in quarantine."""
        self._expected.add(self._merge(past))

    # -- catch-up -------------------------------------------------------------------------------
    def _merge(self, records: Sequence[Record]) -> list[Row]:
        """Write records into the shadow; return the rows written."""
        skip = frozenset(self._left_out)
        while True:
            changes = self.preparation.changes(records, skip)
            self._widen()
            rows = list(changes.upserts.values())
            try:
                self.sink.merge(self._shadow, self._layout, rows, changes.deletes)
            except SinkRefusedError as refusal:
                skip |= put_aside(self.sink, self._shadow, self.preparation, changes, refusal)
            else:
                return rows

    def _widen(self) -> None:
        """Add and widen the columns as a batch asks."""
        layout = self.preparation.layout or self._layout
        if layout != self._layout:
            altered = self._layout.altered(layout)
            if altered:
                self.sink.alter(self._shadow, altered)
            self.sink.widen(self._shadow, layout.columns[len(self._layout.columns) :])
            self._layout = layout

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
        """Prove that the shadow read back is the fold of what was read of the log."""
        expected = self._expected
        self.progress(
            "verify", 0, expected.rows, f"expecting {expected.rows} rows, {expected.digest}"
        )
        found = Tally(self._layout)
        rows = self.sink.read(self._shadow, self._layout)
        while chunk := list(islice(rows, _CHUNK)):
            found.add(chunk)
            self.progress("verify", min(found.rows, expected.rows), expected.rows)
        if not found.equals(expected):
            raise CopyDivergedError(
                f"the shadow read back is not what the log says: {found.rows} rows of "
                f"{expected.rows}, or other content"
            )
        self.progress("verify", found.rows, found.rows, f"{found.rows} rows equal the log")
        return expected.digest

    def _swap(self, live: Live) -> dict[Partition, int]:
        """Swap as soon as the shadow has read at least as far as the live table."""
        self.progress("swap", 0, 1, "swapping")
        for attempt in range(_SWAP_ATTEMPTS):
            try:
                ends = dict(self.reader.positions)
                self._restart_topics_made_anew()
                self.sink.swap(
                    self.name, Live(live.number, live.table, self._layout), self._layout, ends
                )
            except (BehindError, SinkUnavailableError) as error:
                if attempt == _SWAP_ATTEMPTS - 1:
                    raise SinkUnavailableError(f"the swap found no gap: {error}") from error
                time.sleep(min(_LONGEST_SWAP_PAUSE, _SWAP_PAUSE * 1.05**attempt))
                self._catch_up()
            else:
                keep(self.sink, self.name, None)
                note_topics(self.sink, self.name, self._topic_ids)
                self.progress("swap", 1, 1, f"generation {live.number} is live")
                return ends
        raise AssertionError

    def _restart_topics_made_anew(self) -> None:
        """Let the swap pass where the live copy has read further, in a topic that is gone."""
        anew = made_anew(self.sink, self.name, self._topic_ids)
        if anew and isinstance(self.sink, Notes):
            self.sink.restart(self.name, anew)


def _before(records: Sequence[Record], ends: Mapping[Partition, int]) -> list[Record]:
    """Return the records before the ends."""
    return [one for one in records if one.offset < ends.get(Partition(one.topic, one.partition), 0)]
