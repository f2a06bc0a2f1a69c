"""The phase of a regeneration that fills its shadow with the survivors of the fold. Pure.

Where the target takes rows as bytes (`packing`), they go there from the bytes of the log without
becoming values in between; what has no such form, and all of it in other targets, goes as rows.
What cannot be decoded, or is refused by the database, is left out and put into quarantine.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, compress, islice
from typing import Protocol

from broker.records import Record
from lineage.connectors.columns import Digest, Layout, Row
from lineage.connectors.engine_beside import ProcessGoneError
from lineage.connectors.engine_fold import Preparation, later
from lineage.connectors.engine_marks import DELETED_ELSEWHERE, TOO_MANY_DELETED
from lineage.connectors.engine_packing import PIECE
from lineage.connectors.engine_parts import FoldKey, Key, Place, place_of
from lineage.connectors.engine_proof import Tally, prove
from lineage.connectors.engine_shares import Rows, Shares
from lineage.connectors.engine_survivors import Survivors
from lineage.connectors.errors import (
    LogIncompleteError,
    PoisonRecordError,
    SchemaChangedError,
    SinkRefusedError,
)
from lineage.connectors.packing import UNFIT, has_form, row_packer
from lineage.connectors.sinks.contract import Live, Sink, TakesPacked
from lineage.connectors.words import numbered

_CHUNK = 5_000
# of so many survivors one is asked for its columns before the load
_SAMPLE = 100
# deleted keys of shares that may be spelt in two ways, to be looked up when all is loaded
_MOST_DELETED = 200_000


class Progress(Protocol):
    """Told how far a run is; raises RunCancelledError when it shall stop."""

    def __call__(self, phase: str, done: int, total: int | None, note: str = "") -> None:
        """Take note; `note` is a line for the run's log."""
        ...


class _LayoutGrewError(Exception):
    """A record in the midst of a load needs another layout."""


class _NoFormError(Exception):
    """A row has no form in bytes: all go as rows."""


@dataclass
class Load:
    """One load; `shares` are loaded too, or, where that fails, put among the survivors.

    `bring_home` does so, told why. `troubled` are keys whose last record is in quarantine,
    `left_out` such records.

    `layout` is that of the shadow as loaded, `expected` what it should hold.
    """

    survivors: Survivors
    preparation: Preparation
    sink: Sink
    shadow: str
    progress: Progress
    shares: Shares
    bring_home: Callable[[str], object]

    def __post_init__(self) -> None:
        self.troubled: set[FoldKey] = set()
        self.left_out: set[Place] = set()
        self._ambiguous = False
        self._deleted_elsewhere: set[Key] = set()
        self.layout = Layout((), 0)
        self.expected = Tally(self.layout)
        self._pack = row_packer(self.layout)
        self._proven = False

    def run(self, live: Live | None, past_layout: Callable[[], Layout | None]) -> None:
        """Fit the layout to the survivors, or to what `past_layout` finds, and load them."""
        self._fit(sample=True)
        if self.preparation.layout is None and live is not None:
            self.preparation.adopt(live.layout)
        if self.preparation.layout is None and past_layout() is None:
            raise LogIncompleteError("the log holds no record to make a table of")
        self.progress("load", 0, self._total, f"loading {self.shadow}")
        try:
            self.send()
        except _LayoutGrewError:
            self._fall_back("a record needs another column")
            self._fit(sample=False)
            self.send()

    @property
    def _total(self) -> int:
        return len(self.survivors) + self.shares.kept

    def _fall_back(self, why: str) -> bool:
        """Go on without shares; whether there were any."""
        there = bool(self.shares.places)
        if there:
            self.bring_home(why)
        return there

    def _fit(self, *, sample: bool) -> None:
        """Widen the layout to hold the survivors: a few of them as a guess, or each."""
        self.preparation.fit_all(self.shares.samples)
        for chunk in self._chunks():
            self.preparation.fit_all(chunk[:: _SAMPLE if sample else 1])

    def send(self) -> None:
        """Load the rows; where the database refuses some, the rest without them."""
        assert self.preparation.layout is not None
        self.layout = self.preparation.layout
        while True:
            try:
                self._fill()
            except ProcessGoneError as gone:
                self._fall_back(str(gone))
            except SinkRefusedError as refusal:
                # it tells of one cause at a time
                if not (self._fall_back("a row was refused") or self._find_equal_keys()):
                    self._find_refused(refusal)
            else:
                if not self._find_deleted():
                    return

    def _fill(self) -> None:
        self._ambiguous = False
        self._deleted_elsewhere.clear()
        if isinstance(self.sink, TakesPacked) and has_form(self.layout):
            self.expected = Tally(self.layout, named=True, packed=True)
            self._pack = row_packer(self.layout)
            try:
                self.sink.load_packed(self.shadow, self.layout, self._pieces())
            except _NoFormError:
                self.progress("load", 0, None, "a value is not of its column's kind: row by row")
            else:
                self._tell_loaded()
                with self.sink.adding_key(self.shadow, self.layout):
                    self.prove(self.layout)
                return
        self._fall_back("the rows go by values")
        self.expected = Tally(self.layout, named=True)
        self.sink.load(self.shadow, self.layout, self._rows())
        self._tell_loaded()

    def _tell_loaded(self) -> None:
        self._proven = False
        total = self._total
        self.progress("load", total, total, f"{numbered(self.expected.rows, 'row')} loaded")

    # -- the proof ------------------------------------------------------------------------------
    def mended(self, rows: Sequence[Row], replaced: Sequence[Row]) -> None:
        """Expect these rows too, which were merged into the shadow, some in the place of others."""
        self.expected.take_out(replaced)
        self.expected.add(rows)
        self._proven = False

    def prove(self, layout: Layout) -> Digest:
        """Prove that the shadow read back is what was sent, unless it was since; `layout`: now."""
        expected = self.expected
        if not self._proven:
            self.progress(
                "verify",
                0,
                expected.rows,
                f"expecting {numbered(expected.rows, 'row')}, {expected.digest}",
            )
            prove(
                self.sink,
                self.shadow,
                layout,
                expected,
                lambda rows: self.progress("verify", rows, expected.rows),
                self.shares.beside,
            )
            equal = f"{numbered(expected.rows, 'row')} equal to the log"
            self.progress("verify", expected.rows, expected.rows, equal)
            self._proven = True
        return expected.digest

    # -- as bytes -------------------------------------------------------------------------------
    def _pieces(self) -> Iterator[bytes]:
        """Make the bytes of the survivors' rows, and take those of shares; tally them."""
        done, total = 0, self._total
        self.shares.pack(self.layout)
        for chunk in self.survivors.chunks(PIECE):
            self.progress("load", done, total)
            done += len(chunk)
            if self.shares.deletes_any(chunk):
                raise ProcessGoneError(DELETED_ELSEWHERE)
            yield b"".join(self._packed(chunk))
            for rows in self.shares.rows():
                done += rows.count
                yield self._taken_in(rows)
        while self.shares.packing:
            self.progress("load", done, total)
            self.shares.wait()
            for rows in self.shares.rows():
                done += rows.count
                yield self._taken_in(rows)

    def _taken_in(self, rows: Rows) -> bytes:
        """Tally rows that were made elsewhere; what only we can judge becomes rows here."""
        self.expected.add_sum(rows.count, rows.sum)
        if not rows.left:
            return rows.piece
        self._deleted_elsewhere.update(key for key, _ in self._deletions(rows.left))
        if len(self._deleted_elsewhere) > _MOST_DELETED:
            raise ProcessGoneError(TOO_MANY_DELETED)
        return b"".join([rows.piece, *self._packed_singly(rows.left)])

    def _chunks(self) -> Iterator[Sequence[Record]]:
        return self.survivors.chunks(_CHUNK)

    def _wanted(self, records: Sequence[Record]) -> Sequence[Record]:
        """Return the records without those that are left out."""
        if not self.left_out:
            return records
        return [one for one in records if place_of(one) not in self.left_out]

    def _packed(self, records: Sequence[Record]) -> list[bytes]:
        records = self._wanted(records)
        made = self.preparation.packing.rows(records)
        packed = [row for row in made if row is not None]
        self.expected.add_packed(packed)
        if len(packed) < len(made):
            packed += self._packed_singly([
                records[at] for at, row in enumerate(made) if row is None
            ])
        return packed

    def _packed_singly(self, records: Sequence[Record]) -> list[bytes]:
        """Make rows of what is no plain case (a deletion, NaN, trouble), then their bytes."""
        rows = self._read_rows(records)[1]
        try:
            packed = list(map(self._pack, rows))
        except UNFIT as error:
            raise _NoFormError from error
        self.expected.add(rows)
        return packed

    # -- as rows --------------------------------------------------------------------------------
    def _rows(self) -> Iterator[Row]:
        """Decode the survivors; tally the rows, and note which could not be read."""
        done, total = 0, len(self.survivors)
        for chunk in self._chunks():
            self.progress("load", done, total)
            done += len(chunk)
            rows = self._read_rows(chunk)[1]
            self.expected.add(rows)
            yield from rows

    def _read_rows(self, records: Sequence[Record]) -> tuple[list[Record], list[Row]]:
        """Return what becomes a row, and the rows; the unreadable goes into quarantine."""
        records = self._wanted(records)
        try:
            made = self.preparation.rows_of(records)
        except SchemaChangedError as error:
            raise _LayoutGrewError from error
        if self.preparation.layout != self.layout:
            raise _LayoutGrewError
        for record, row in zip(records, made, strict=True):
            if isinstance(row, PoisonRecordError):
                self._leave_out(record, str(row))
            elif row is None and not self.preparation.spells_once(record):
                self._ambiguous = True
        sources = list(compress(records, (type(row) is list for row in made)))
        return sources, [row for row in made if isinstance(row, list)]

    # -- what is left out -----------------------------------------------------------------------
    def _leave_out(self, record: Record, reason: str) -> None:
        self.preparation.poison(record, reason)
        self.left_out.add(place_of(record))
        self.troubled.add(self.preparation.fold_key(record))

    def _find_equal_keys(self) -> bool:
        """Leave out what has a primary key that a later record has too, under another raw key.

        Decoding them all, it also finds text that is no text. Whether it left out anything.
        """
        latest: dict[Key, Record] = {}
        before = len(self.left_out)
        for chunk in self._chunks():
            for key, record in self._keyed(chunk):
                one, other = latest.setdefault(key, record), record
                if one is not other:
                    first, last = (other, one) if later(one, other) else (one, other)
                    self.left_out.add(place_of(first))
                    latest[key] = last
        return len(self.left_out) > before

    def _keyed(self, records: Sequence[Record]) -> Iterator[tuple[Key, Record]]:
        """Return the primary keys of rows, and of deletions that may be of another's row."""
        for record, row in zip(*self._read_rows(records), strict=True):
            yield tuple(row[: self.layout.keys]), record
        yield from self._deletions(records)

    def _deletions(self, records: Sequence[Record]) -> Iterator[tuple[Key, Record]]:
        for record in self._wanted(records):
            key = self.preparation.key_beside(record) if self.preparation.removes(record) else None
            if key is not None:
                yield key, record

    def _find_deleted(self) -> bool:
        """Leave out rows that a later record deletes under another raw key; whether there are."""
        if not self._ambiguous:
            return False
        ours = ([key for key, _ in self._deletions(chunk)] for chunk in self._chunks())
        if not any(map(self._held, chain(ours, [self._deleted_elsewhere]))):
            return False
        fallen = self._fall_back("a key is spelt in two ways")
        return self._find_equal_keys() or fallen

    def rivals(self, past: Sequence[Record]) -> tuple[list[Row], list[Record]]:
        """Return what is loaded under the primary keys of records, and the survivors with those."""
        found = (self.preparation.key_beside(record) for record in past)
        keys = {key for key in found if key is not None}
        held = self._held(keys)
        if not (held or (keys and self._ambiguous)):
            return [], []
        self._fall_back("a key is spelt in two ways")
        return held, [
            record
            for chunk in self._chunks()
            for record in self._wanted(chunk)
            if self.preparation.key_beside(record) in keys
        ]

    def _held(self, keys: Collection[Key]) -> list[Row]:
        """Return the rows that are loaded under some keys."""
        waiting = iter(keys)
        rows: list[Row] = []
        while some := list(islice(waiting, _CHUNK)):
            rows += self.sink.read_keys(self.shadow, self.layout, some)
        return rows

    def _find_refused(self, refusal: SinkRefusedError) -> None:
        """Bisect the survivors for what the database refuses."""
        found = False
        for chunk in self._chunks():
            found |= self._refuse(*self._read_rows(chunk))
        if not found:
            raise refusal

    def _refuse(self, records: list[Record], rows: list[Row]) -> bool:
        self.progress("load", 0, len(self.survivors))
        refused = self.sink.refusals(self.shadow, self.layout, rows)
        for index, reason in refused.items():
            self._leave_out(records[index], f"refused by the database: {reason}")
        return bool(refused)
