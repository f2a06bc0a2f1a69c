"""The log's side of an audit: what it says of every key up to given offsets, in bounded memory.

Records of a table are folded to the last of each key, undecoded, and only those are decoded. Where
they exceed the budget, the keys are divided and the log is read once for each part. Events replace
nothing: they are hashed as they come.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from zlib import crc32

from broker.consume import BEGINNING
from broker.records import Partition, Record
from lineage.connectors.audits.comparing import Expected
from lineage.connectors.audits.reading import LogReading
from lineage.connectors.columns import Digest, Layout, Row
from lineage.connectors.engine_fold import Preparation
from lineage.connectors.engine_load import Progress
from lineage.connectors.engine_parts import FoldKey, Key, Place, place_of
from lineage.connectors.errors import PoisonRecordError, SchemaChangedError
from lineage.connectors.sinks.canonical import hasher, ranger

BUDGET = 256 * 2**20
"""Bytes of records that are held at a time."""

_OVERHEAD = 300
_REPORT_EVERY = 5_000


class Part(NamedTuple):
    """The keys whose checksum has this remainder."""

    modulus: int
    remainder: int

    def holds(self, key: FoldKey) -> bool:
        """Whether a key belongs to this part."""
        raw = key if isinstance(key, bytes) else repr(key).encode()
        return crc32(raw) % self.modulus == self.remainder

    def halved(self) -> tuple["Part", "Part"]:
        """Return two parts that make up this one."""
        twice = 2 * self.modulus
        return Part(twice, self.remainder), Part(twice, self.remainder + self.modulus)


@dataclass
class Folded:
    """The last record of each key; records in quarantine stand aside, where they are later.

    `unreadable`: the last record of these keys cannot be read and yet is not in quarantine: it
    could be read when it was copied.
    """

    last: dict[FoldKey, Record] = field(default_factory=dict)
    aside: dict[FoldKey, list[Record]] = field(default_factory=dict)
    unreadable: dict[FoldKey, Record] = field(default_factory=dict)

    def size(self) -> int:
        """Return about how many bytes it holds."""
        return sum(
            _OVERHEAD + len(record.value or b"") + len(record.key or b"")
            for record in self.last.values()
        )

    def keep(self, part: Part) -> None:
        """Forget what belongs to other parts."""
        self.last = {key: it for key, it in self.last.items() if part.holds(key)}
        self.aside = {key: it for key, it in self.aside.items() if part.holds(key)}


class LogFold:
    """Folds the log as a copy does that left out the records in quarantine (`skip`)."""

    def __init__(
        self,
        reading: LogReading,
        preparation: Preparation,
        progress: Progress,
        *,
        skip: frozenset[Place] = frozenset(),
        replaces: bool = True,
        budget: int = BUDGET,
    ) -> None:
        self.passes = 0
        self._reading = reading
        self._preparation = preparation
        self._progress = progress
        self._skip = skip
        self._replaces = replaces
        self._budget = budget
        # all of the log up to `_at`, where the budget allowed to keep it
        self._whole: Folded | None = None
        self._at: dict[Partition, int] = {}

    # -- digests --------------------------------------------------------------------------------
    def digests(
        self, ends: Mapping[Partition, int], layout: Layout, ranges: int, *, nan_is_null: bool
    ) -> dict[int, Digest]:
        """Return the digest of each range of keys, as of these offsets."""
        counts: dict[int, int] = {}
        sums: dict[int, int] = {}
        hashed = hasher(layout, ranges, nan_is_null=nan_is_null)
        width = len(layout.columns)
        for row in self._rows(ends):
            if len(row) > width:
                raise SchemaChangedError(
                    "the definition was changed since the copy was built, and makes other columns: "
                    "regenerate it, then audit"
                )
            place, value = hashed(row if len(row) == width else row + [None] * (width - len(row)))
            counts[place] = counts.get(place, 0) + 1
            sums[place] = sums.get(place, 0) + value
        return {place: Digest(count, sums[place] % 2**64) for place, count in counts.items()}

    def _rows(self, ends: Mapping[Partition, int]) -> Iterator[Row]:
        """Decode what the copy should hold."""
        if not self._replaces:
            yield from self._streamed(ends)
            return
        parts = [Part(1, 0)]
        while parts:
            part = parts.pop()
            folded, rest = self._fold(part, ends)
            parts += rest
            if part.modulus == 1 and not rest:
                self._whole, self._at = folded, dict(ends)
            yield from self._decoded(folded, ends)

    def _streamed(self, ends: Mapping[Partition, int]) -> Iterator[Row]:
        self.passes += 1
        for record in self._read({}, ends):
            if self._preparation.fold_key(record) is None or place_of(record) in self._skip:
                continue
            row = self._row(record)
            if row is not None:
                yield row

    def _fold(self, part: Part, ends: Mapping[Partition, int]) -> tuple[Folded, list[Part]]:
        """Fold one part; what the budget has no room for is left to parts of their own."""
        self.passes += 1
        folded, rest = Folded(), list[Part]()
        full = self._budget
        size = 0
        for record in self._read({}, ends):
            self._put(folded, record, part)
            size += _OVERHEAD + len(record.value or b"")
            if size <= full:
                continue
            size = folded.size()
            if size > self._budget // 2:
                part, other = part.halved()
                rest.append(other)
                folded.keep(part)
                size = folded.size()
        return folded, rest

    def _put(self, folded: Folded, record: Record, part: Part | None = None) -> None:
        key = self._preparation.fold_key(record)
        if key is None or (part is not None and part.modulus > 1 and not part.holds(key)):
            return
        if self._skip and place_of(record) in self._skip:
            folded.aside.setdefault(key, []).append(record)
            return
        folded.last[key] = record
        if folded.aside:
            folded.aside.pop(key, None)
        if folded.unreadable:
            folded.unreadable.pop(key, None)

    def _read(
        self, start: Mapping[Partition, int], ends: Mapping[Partition, int]
    ) -> Iterator[Record]:
        """Read records and say how far it is."""
        total = sum(max(0, end - max(start.get(p, 0), 0)) for p, end in ends.items())
        done = 0
        for records in self._reading.through(start, ends):
            yield from records
            done += len(records)
            self._progress("read log", min(done, total), total)

    def _row(self, record: Record) -> Row | None:
        """Return the row of a record; None where it has none, or cannot be read."""
        try:
            return None if self._preparation.removes(record) else self._preparation.row_of(record)
        except PoisonRecordError as error:
            self._preparation.poison(record, str(error))
            return None

    def _decoded(self, folded: Folded, ends: Mapping[Partition, int]) -> Iterator[Row]:
        troubled: set[FoldKey] = set()
        total = len(folded.last)
        for done, (key, record) in enumerate(folded.last.items()):
            if done % _REPORT_EVERY == 0:
                self._progress("read log", done, total)
            if self._preparation.removes(record):
                continue
            row = self._row(record)
            if row is None:
                troubled.add(key)
            else:
                yield row
        if troubled:
            self._go_back(folded, troubled, ends)
            rows = (self._row(folded.last[key]) for key in troubled if key in folded.last)
            yield from (row for row in rows if row is not None)

    def _go_back(
        self, folded: Folded, troubled: Collection[FoldKey], ends: Mapping[Partition, int]
    ) -> None:
        """Give keys whose last record cannot be read the last one that can."""
        past: dict[FoldKey, list[Record]] = {key: [] for key in troubled}
        for record in self._read({}, ends):
            key = self._preparation.fold_key(record)
            if key in past and place_of(record) not in self._skip:
                past[key].append(record)
        folded.unreadable |= {key: folded.last[key] for key in troubled}
        for key, records in past.items():
            del folded.last[key]
            while records:
                record = records.pop()
                if self._preparation.removes(record) or self._row(record) is not None:
                    folded.last[key] = record
                    break

    # -- by key ---------------------------------------------------------------------------------
    def expected(
        self,
        ends: Mapping[Partition, int],
        layout: Layout,
        ranges: int,
        wanted: Collection[int],
        compacts: Callable[[str], bool],
    ) -> dict[Key, Expected]:
        """Return what the log says of the keys in some ranges, as of these offsets."""
        self._preparation.adopt(layout)
        place, chosen = ranger(layout, ranges), frozenset(wanted)

        def inside(record: Record) -> bool:
            key = self._key(record)
            return key is not None and place(key) in chosen

        folded = self._brought_to(ends, inside)
        found: dict[Key, Expected] = {}
        for record in folded.last.values():
            if inside(record):
                self._add(found, record, Expected(self._row(record)))
        for raw, records in folded.aside.items():
            if inside(records[-1]):
                before = folded.last.get(raw)
                one = self._with_quarantine(before, records)
                one.unknown = before is None and compacts(records[-1].topic)
                self._add(found, records[-1], one, replace=True)
        for record in folded.unreadable.values():
            if inside(record):
                self._add(found, record, Expected(None, unknown=True), replace=True)
        return found

    def _brought_to(
        self, ends: Mapping[Partition, int], inside: Callable[[Record], bool]
    ) -> Folded:
        """Return a fold up to these offsets that holds the wanted keys at least."""
        if self._whole is not None:
            folded, start = self._whole, self._at
            for record in self._read(start, ends):
                self._put(folded, record)
            self._at = dict(ends)
        else:
            folded = Folded()
            self.passes += 1
            for record in self._read({}, ends):
                if inside(record):
                    self._put(folded, record)
        troubled = [
            key
            for key, record in folded.last.items()
            if inside(record) and not self._preparation.removes(record) and not self._row(record)
        ]
        if troubled:
            self._go_back(folded, troubled, ends)
        return folded

    def _add(
        self, found: dict[Key, Expected], record: Record, one: Expected, *, replace: bool = False
    ) -> None:
        """Take down what the log says; keys framed with two schemas may be one primary key."""
        key = self._key(record)
        assert key is not None
        known = found.get(key)
        if known is not None and not replace:
            known.others.append(one.row)
        else:
            found[key] = one

    def _with_quarantine(self, before: Record | None, records: list[Record]) -> Expected:
        """Accept a row with or without what stands in quarantine: it may be readable by now."""
        others: list[Row | None] = []
        for record in records:
            if self._preparation.removes(record):
                others.append(None)
            elif (row := self._row(record)) is not None:
                others.append(row)
        return Expected(self._row(before) if before is not None else None, others)

    def _key(self, record: Record) -> Key | None:
        try:
            return self._preparation.key_of(record)
        except PoisonRecordError:
            return None

    def latest(
        self,
        keys: Collection[Key],
        start: Mapping[Partition, int],
        ends: Mapping[Partition, int],
    ) -> dict[Key, Expected]:
        """Return what the log says from `start` on of those of the keys that it mentions there."""
        found: dict[Key, Expected] = {}
        for record in self._read({p: start.get(p, BEGINNING) for p in ends}, ends):
            key = self._key(record)
            if key is None or key not in keys or place_of(record) in self._skip:
                continue
            removes = self._preparation.removes(record)
            row = None if removes else self._row(record)
            if removes or row is not None:
                found[key] = Expected(row)
        return found
