"""Audit a copy: one pass over the log against digests that the database computes.

Phases: *hash copy*, digests of ranges of keys and the copy's offsets, of one moment; *read log*,
the same digests of the log up to these offsets; *compare*, key by key, in ranges that differ, each
slice of them as of a moment of its own, for the live copy moves on meanwhile.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from broker.records import Partition
from lineage.connectors.audits.comparing import (
    KINDS,
    Difference,
    Expected,
    compare,
    differing_ranges,
)
from lineage.connectors.audits.folding import LogFold
from lineage.connectors.audits.reading import LogReading
from lineage.connectors.columns import Digest, Layout, Row
from lineage.connectors.engine_fold import Preparation
from lineage.connectors.engine_load import Progress
from lineage.connectors.engine_parts import Key
from lineage.connectors.errors import SinkMismatchError
from lineage.connectors.sinks.contract import Live, Sink
from lineage.connectors.sinks.ranges import RANGES, Moment, at_one_moment, nan_is_null, total
from lineage.connectors.words import numbered

MOST_DIFFERENCES = 100_000
"""Differences that are kept and repaired; of more only the number is told: regenerate."""

SLICE_ROWS = 200_000
"""Rows that are compared by key at a time."""

PHASES = ("hash copy", "read log", "compare")


def never(_topic: str) -> bool:
    """Tell that no topic is compacted."""
    return False


@dataclass(frozen=True)
class Outcome:
    """What an audit found; `begins` and `moment` bound the offsets it covers.

    `unjudged` counts keys of which compaction, or quarantine, left nothing to judge by.
    """

    moment: Moment
    begins: dict[Partition, int]
    copy: Digest
    log: Digest
    differences: list[Difference] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    unjudged: int = 0
    hash_seconds: float = 0.0
    log_seconds: float = 0.0

    @property
    def differing(self) -> int:
        """How many keys differ."""
        return sum(self.counts.values())


@dataclass
class Auditor:
    """Audits one copy once. `compacted` tells topics that nothing but compaction shortens,
    `compacts` those that it shortens at all; `since` is when the first key was compared.
    """

    name: str
    sink: Sink
    reading: LogReading
    fold: LogFold
    preparation: Preparation
    progress: Progress
    compacted: Callable[[str], bool] = never
    compacts: Callable[[str], bool] = never
    slice_rows: int = SLICE_ROWS
    since: dict[Partition, int] = field(default_factory=dict)

    def run(self) -> Outcome:
        """Audit; raises SinkError, BrokerError, LogIncompleteError, RunCancelledError."""
        self.progress("hash copy", 0, None, "hashing the copy in its database")
        began = time.perf_counter()
        moment, copy = at_one_moment(
            self.sink,
            self.name,
            lambda live: self.sink.hash_ranges(live.table, _layout(live), RANGES),
        )
        hash_seconds, began = time.perf_counter() - began, time.perf_counter()
        copy = copy or {}
        held = total(copy.values())
        self.progress(
            "hash copy", held.rows, held.rows, f"{numbered(held.rows, 'row')} hashed, digest {held}"
        )
        begins = self.reading.reach(moment.positions, self.compacted)
        if moment.live is None or moment.live.layout is None:
            return Outcome(moment, begins, held, held, hash_seconds=hash_seconds)
        layout = moment.live.layout
        self.preparation.adopt(layout)
        log = self.fold.digests(
            moment.positions, layout, RANGES, nan_is_null=nan_is_null(self.sink)
        )
        said = total(log.values())
        log_seconds = time.perf_counter() - began
        wanted = differing_ranges(log, copy)
        self.progress(
            "read log",
            said.rows,
            said.rows,
            f"{numbered(said.rows, 'row')} by the log, digest {said}; "
            f"{len(wanted)} of {RANGES} ranges differ",
        )
        self.since = dict(moment.positions)
        differences, unjudged = self._compare_all(moment.live, wanted, log, copy)
        counts: dict[str, int] = {
            kind: sum(1 for it in differences if it.kind == kind) for kind in KINDS
        }
        return Outcome(
            moment,
            begins,
            held,
            said,
            differences[:MOST_DIFFERENCES],
            counts,
            unjudged,
            hash_seconds,
            log_seconds,
        )

    # -- by key -----------------------------------------------------------------------------------
    def _compare_all(
        self,
        live: Live,
        wanted: Sequence[int],
        log: dict[int, Digest],
        copy: dict[int, Digest],
    ) -> tuple[list[Difference], int]:
        differences: list[Difference] = []
        unjudged, done = 0, 0
        none = Digest(0, 0)
        part: list[int] = []
        rows = 0
        for place in wanted:
            part.append(place)
            rows += max(log.get(place, none).rows, copy.get(place, none).rows)
            if rows < self.slice_rows and place != wanted[-1]:
                continue
            self.progress("compare", done, len(wanted))
            found, unknown = self.compare_ranges(live, part)
            differences += found
            unjudged += unknown
            done += len(part)
            part, rows = [], 0
        if wanted:
            self.progress(
                "compare",
                done,
                done,
                f"{len(differences)} keys differ, {unjudged} cannot be judged",
            )
        return differences, unjudged

    def compare_ranges(
        self, live: Live, places: Collection[int], only: Collection[Key] | None = None
    ) -> tuple[list[Difference], int]:
        """Compare some ranges, or some keys in them, as of now."""

        def read(now: Live) -> list[Row]:
            layout = _layout(now)
            found = self.sink.read_ranges(now.table, layout, RANGES, places)
            return [row for row in found if only is None or tuple(row[: layout.keys]) in only]

        moment, rows = at_one_moment(self.sink, self.name, read)
        if moment.live is None or moment.live.layout is None or moment.live.number != live.number:
            raise SinkMismatchError(
                "another generation became live while the copy was audited: audit again"
            )
        layout = moment.live.layout
        expected = self._expected(moment, layout, places, only)
        differences, unjudged = compare(
            layout, expected, rows or [], nan_is_null=nan_is_null(self.sink)
        )
        excused = self._compacted_meanwhile(differences, moment)
        return [it for it in differences if it.key not in excused], unjudged + len(excused)

    def _expected(
        self, moment: Moment, layout: Layout, places: Collection[int], only: Collection[Key] | None
    ) -> dict[Key, Expected]:
        expected = self.fold.expected(moment.positions, layout, RANGES, places, self.compacts)
        if only is None:
            return expected
        return {key: one for key, one in expected.items() if key in only}

    def _compacted_meanwhile(self, differences: Sequence[Difference], moment: Moment) -> set[Key]:
        """Return keys of which compaction may have removed the record that the copy was made of:
        such that a later one, which the copy has not read yet, is in the log.
        """
        places = {p: at for p, at in moment.positions.items() if self.compacts(p.topic)}
        keys = {it.key for it in differences if it.kind != "missing"}
        if not places or not keys:
            return set()
        return set(self.fold.latest(keys, places, self.reading.ends(places)))


def _layout(live: Live) -> Layout:
    assert live.layout is not None
    return live.layout
