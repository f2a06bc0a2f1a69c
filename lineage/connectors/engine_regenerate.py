"""Build a copy anew from the log, beside the live one, prove it, and swap it in.

Phases: *read* the whole log, keeping the last raw record of each key, undecoded; *load* what
survived into a shadow table; *verify* the shadow read back against the fold; *catch-up* with what
was written meanwhile, merged just as the live copy merges; *swap*. The live copy goes on until the
swap and from its offsets after it.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from broker.consume import BEGINNING
from broker.records import Partition, Record
from lineage.connectors.columns import Digest, Layout
from lineage.connectors.engine import BATCH, put_aside
from lineage.connectors.engine_builds import (
    Kept,
    Notes,
    keep,
    kept,
    made_anew,
    note_topics,
    topic_ids,
)
from lineage.connectors.engine_fold import Changes, Preparation
from lineage.connectors.engine_gather import Gathering
from lineage.connectors.engine_load import Load, Progress
from lineage.connectors.engine_proof import prove_merged
from lineage.connectors.engine_reading import LogReader, before, read_through
from lineage.connectors.engine_shares import Shares, Sharing
from lineage.connectors.engine_survivors import MEMORY, Survivors
from lineage.connectors.errors import (
    LogIncompleteError,
    SinkRefusedError,
    SinkUnavailableError,
)
from lineage.connectors.packing import has_form
from lineage.connectors.sinks.contract import BehindError, Live, Sink, TakesPacked, shadow_of
from lineage.connectors.words import numbered

# a swap waits for its lock some milliseconds only: tried again for some minutes, ever more slowly
_SWAP_ATTEMPTS = 200
_SWAP_PAUSE = 0.05
_LONGEST_SWAP_PAUSE = 2.0


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
    `begins_later`: the copy is made of a log without its head. `sharing`: with other processes.
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
    sharing: Sharing | None = None

    def __post_init__(self) -> None:
        self._shadow = shadow_of(self.table)
        self._begins: dict[Partition, int] = {}
        self._until: dict[Partition, int] | None = None
        self._topic_ids: dict[str, str] = {}
        self._survivors = Survivors(self.memory)
        self._layout = Layout((), 0)
        self._begin()

    def _begin(self) -> None:
        """Make ready what reads and what loads."""
        shares = Shares(self.sharing, self.preparation.poison)
        self._gathering = Gathering(
            self.reader,
            self.preparation,
            self._survivors,
            shares,
            lambda done, total, note: self.progress("read", done, total, note),
            exact=self._until is not None,
        )
        self._load = Load(
            self._survivors,
            self.preparation,
            self.sink,
            self._shadow,
            self.progress,
            shares,
            self._gathering.bring_home,
        )

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
        self._begin()
        self._refuse_compacted()
        try:
            self._build(self.sink.live(self.name))
            proven = self._load.prove(self._layout)
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
        proven = self._load.prove(self._layout)
        self._gathering.shares.drop()  # nobody needs them any more
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
        marks = self.reader.all_watermarks(left.offsets)
        reachable = all(marks[place][0] <= max(at, 0) for place, at in left.offsets.items())
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
        self._read(before)
        self._load.run(before, self._past_layout)
        self._layout = self._load.layout
        if self._load.troubled:
            past = self._past_of_troubled()
            self._mend(past)
            if self._layout != self._load.layout:  # the past has columns that no survivor has
                self._load.send()
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
        partitions = self.reader.partitions(self.topics)
        for partition, (low, high) in self.reader.all_watermarks(partitions).items():
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

    def _read(self, before: Live | None) -> None:
        # only rows that go as bytes are made elsewhere
        by_values = before is not None and before.layout is not None and not has_form(before.layout)
        ends = self._ends()
        if self._until is not None:
            ends = {place: min(end, self._until.get(place, 0)) for place, end in ends.items()}
        shared = isinstance(self.sink, TakesPacked) and not by_values
        self._gathering.read(self._begins, ends, shared=shared)

    def _through(self, ends: Mapping[Partition, int]) -> Iterator[Sequence[Record]]:
        """Poll until every partition has been read up to its end."""
        return read_through(self.reader, ends, BATCH)

    # -- the past -----------------------------------------------------------------------------
    def _past_layout(self) -> Layout | None:
        """Look for columns in what was deleted since: every key ends in a tombstone."""
        ends = dict(self.reader.positions)
        self.reader.assign(dict.fromkeys(ends, BEGINNING))
        for records in self._through(ends):
            self.preparation.fit_all(records)
        self.reader.assign(ends)
        return self.preparation.layout

    def _past_of_troubled(self) -> list[Record]:
        """Read again what the log has of keys whose last record is in quarantine."""
        ends = self._until or dict(self.reader.positions)
        count = len(self._load.troubled)
        troubled = f"{numbered(count, 'key')} in quarantine at the end: reading the past"
        self.progress("load", 0, None, troubled)
        self.reader.assign(dict.fromkeys(ends, BEGINNING))
        past = [
            record
            for records in self._through(ends)
            for record in before(records, ends)
            if self.preparation.fold_key(record) in self._load.troubled
        ]
        self.reader.assign(ends)
        return past

    def _mend(self, past: Sequence[Record]) -> None:
        """Give each troubled key the last record that is not in quarantine."""
        held, rivals = self._load.rivals(past)
        changes = self._merge([*past, *rivals])
        self._load.mended(list(changes.upserts.values()), held)

    # -- catch-up -------------------------------------------------------------------------------
    def _merge(self, records: Sequence[Record]) -> Changes:
        """Write records into the shadow; return what was written."""
        skip = frozenset(self._load.left_out)
        while True:
            changes = self.preparation.changes(records, skip)
            self._widen()
            rows = list(changes.upserts.values())
            try:
                self.sink.merge(self._shadow, self._layout, rows, changes.deletes)
            except SinkRefusedError as refusal:
                skip |= put_aside(self.sink, self._shadow, self.preparation, changes, refusal)
            else:
                return changes

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
        """Merge what was written up to now, proving each batch as it is read back."""
        ends = self._ends()
        fresh = {p: BEGINNING for p in ends if p not in self.reader.positions}
        if fresh:
            self.reader.assign(self.reader.positions | fresh)
        total = sum(max(0, end - self.reader.positions.get(p, 0)) for p, end in ends.items())
        done = 0
        for records in self._through(ends):
            if records:
                changes = self._merge(records)
                rows = list(changes.upserts.values())
                prove_merged(self.sink, self._shadow, self._layout, rows, changes.deletes)
                done += len(records)
            self.progress("catch-up", min(done, total), total)
        if done:
            self.progress(
                "catch-up", total, total, f"{numbered(done, 'record')} merged, and read back"
            )

    # -- swap --------------------------------------------------------------------------------------
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
