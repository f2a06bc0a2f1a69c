"""From raw records to the changes of a table: fold to the last per key, decode what is left.

Nothing here knows Django, a database or a Kafka client: records come in, rows go out, and what
cannot be read is handed to `poison`. A superseded record is never decoded: that is the speed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from broker.consume import Record
from lineage.connectors.columns import Column, Layout, Plan, Row
from lineage.connectors.errors import PoisonRecordError, SchemaChangedError
from lineage.connectors.packing import UNFIT
from lineage.connectors.row_making import Lead, compiled_maker, compiled_packer

Key = tuple[Any, ...]
FoldKey = Any
Place = tuple[str, int, int]
RowReader = Callable[[Lead, bytes], Row]
RowPacker = Callable[[Lead, bytes], bytes]
Poison = Callable[[Record, str], None]


class Direct(Protocol):
    """Makes, for a layout with so many leading columns, what reads payloads without a decoder."""

    def reader(self, layout: Layout, plan: Plan, lead: int, /) -> RowReader:
        """Return what reads them into rows; it raises what it pleases."""
        ...

    def packer(self, layout: Layout, plan: Plan, lead: int, /) -> RowPacker:
        """Return what reads them into the bytes of rows (`packing`); it raises what it pleases."""
        ...


@dataclass(frozen=True, eq=False)
class Writer:
    """What one schema brings: its columns, and how a payload written with it is decoded."""

    plan: Plan
    decode: Callable[[bytes], Any]
    direct: Direct | None = None

    def reader(self, layout: Layout, lead: int) -> RowReader:
        """Return what turns leading values and a payload into a row; it raises what it pleases."""
        decode, make = self.decode, compiled_maker(layout, self.plan, lead)
        if self.direct is None:
            return lambda values, payload: make(values, decode(payload))
        read = self.direct.reader(layout, self.plan, lead)

        def read_or_tell(values: Lead, payload: bytes) -> Row:
            try:
                return read(values, payload)
            except UNFIT:
                return make(values, decode(payload))

        return read_or_tell

    def packer(self, layout: Layout, lead: int) -> RowPacker:
        """Return what turns them into the bytes of a row; it raises what it pleases."""
        if self.direct is not None:
            return self.direct.packer(layout, self.plan, lead)
        decode, pack = self.decode, compiled_packer(layout, self.plan, lead)
        return lambda values, payload: pack(values, decode(payload))


DELETION = Writer(Plan(()), lambda _payload: None)
"""What a deletion brings: nothing but its key."""


class Decoder(Protocol):
    """Finds the schema of a record; raises PoisonRecordError where none can be."""

    def writer(self, record: Record) -> tuple[Writer, bytes]:
        """Return the writer's schema and the payload behind its frame."""
        ...

    def key(self, raw: bytes) -> tuple[Plan, Any]:
        """Decode a key that was written with a schema."""
        ...


class Keying(Protocol):
    """What makes a row of the copy: which records replace each other, and the leading columns."""

    mode: str

    def fold_key(self, record: Record, /) -> FoldKey:
        """Return what the later record of two replaces; None where the record has no key."""
        ...

    def columns(self, record: Record, plan: Plan, /) -> tuple[tuple[Column, ...], int]:
        """Return the leading columns, and how many of them are the primary key."""
        ...

    def lead(self, record: Record, layout: Layout, /) -> Key:
        """Return the values of the leading columns; raises PoisonRecordError."""
        ...

    def removes(self, record: Record, /) -> bool:
        """Whether the record is a tombstone."""
        ...


@dataclass
class Changes:
    """What a batch does to the table: rows by primary key to write, primary keys to delete."""

    upserts: dict[Key, Row] = field(default_factory=dict)
    deletes: set[Key] = field(default_factory=set)
    sources: dict[Key, Record] = field(default_factory=dict)


def place_of(record: Record) -> Place:
    """Return where a record stands in the log."""
    return record.topic, record.partition, record.offset


class Preparation:
    """Turns batches into changes, and lets the layout grow with the schemas it meets.

    `strict`: a column that would have to change raises SchemaChangedError; otherwise it is widened.
    """

    def __init__(
        self, decoder: Decoder, keying: Keying, poison: Poison, *, layout: Layout | None = None
    ) -> None:
        self.layout = layout
        self._decoder = decoder
        self._keying = keying
        self._poison = poison
        self._readers: dict[Plan, RowReader] = {}
        self._packers: dict[Plan, RowPacker] = {}
        self._lead = 0

    # -- the layout -----------------------------------------------------------------------------
    def adopt(self, layout: Layout | None) -> None:
        """Use this layout from now on."""
        if layout != self.layout:
            self.layout = layout
            self._readers.clear()
            self._packers.clear()

    def fit(self, record: Record, writer: Writer, *, strict: bool) -> None:
        """Make sure that the layout has the columns of a writer's schema."""
        plan = writer.plan
        if plan in self._readers:
            return
        lead, keys = self._keying.columns(record, plan)
        layout = self.layout or Layout(lead, keys)
        own = {column.name for column in lead}
        wanted = [source.column for source in plan.columns if source.column.name not in own]
        layout.check_lead(lead)
        self.adopt((layout.evolved if strict else layout.united)([*lead, *wanted]))
        self._lead = len(lead)
        assert self.layout is not None
        self._readers[plan] = writer.reader(self.layout, self._lead)

    def fit_all(self, records: Iterable[Record]) -> None:
        """Widen the layout to hold every readable record of a whole log."""
        for record in records:
            if record.value is not None and not self._keying.removes(record):
                try:
                    writer, _ = self._decoder.writer(record)
                    self.fit(record, writer, strict=False)
                except PoisonRecordError:
                    continue  # met again, and put into quarantine, when its row is made

    # -- rows -----------------------------------------------------------------------------------
    def key_of(self, record: Record) -> Key:
        """Return the primary key of a record's row; the layout must be known."""
        assert self.layout is not None
        return self._keying.lead(record, self.layout)[: self.layout.keys]

    def row_of(self, record: Record) -> Row:
        """Decode a record into its row; raises PoisonRecordError, SchemaChangedError."""
        if record.value is None and self._keying.mode == "history":
            return self._deletion(record)
        writer, payload = self._decoder.writer(record)
        read = self._readers.get(writer.plan)
        if read is None:
            self.fit(record, writer, strict=True)
            read = self._readers[writer.plan]
        assert self.layout is not None
        lead = self._keying.lead(record, self.layout)
        try:
            return read(lead, payload)
        except Exception as error:
            raise PoisonRecordError(f"cannot be decoded: {error!r}") from error

    def _deletion(self, record: Record) -> Row:
        """Return the row that ends a history: its leading columns, and nothing beside them."""
        if self.layout is None:
            self.fit(record, DELETION, strict=True)
        assert self.layout is not None
        lead = self._keying.lead(record, self.layout)
        return [*lead, *[None] * (len(self.layout.columns) - len(lead))]

    def rows_of(self, records: Sequence[Record]) -> list[Row | PoisonRecordError | None]:
        """Decode many records; None stands for a tombstone, an error for what cannot be read.

        A record that needs a new column widens the layout: rows before it stay shorter.
        """
        rows: list[Row | PoisonRecordError | None] = []
        keep, readers, find = rows.append, self._readers, self._decoder.writer
        removes, lead = self._keying.removes, self._keying.lead
        ends = self._keying.mode == "history"
        for record in records:
            try:
                if record.value is None and (removes(record) or ends):
                    keep(self._deletion(record) if ends else None)
                    continue
                writer, payload = find(record)
                read = readers.get(writer.plan)
                if read is None:
                    self.fit(record, writer, strict=True)
                    read = readers[writer.plan]
                assert self.layout is not None
                keep(read(lead(record, self.layout), payload))
            except SchemaChangedError:
                raise
            except PoisonRecordError as error:
                keep(error)
            except Exception as error:  # noqa: BLE001  (decoders raise what they please)
                keep(PoisonRecordError(f"cannot be decoded: {error!r}"))
        return rows

    def packed(self, records: Sequence[Record]) -> list[bytes | None]:
        """Make the bytes of rows; None stands for what only `rows_of` can tell.

        The layout must have a form in bytes (`packing.has_form`).
        """
        rows: list[bytes | None] = []
        keep, packers, find, lead = (
            rows.append,
            self._packers,
            self._decoder.writer,
            self._keying.lead,
        )
        layout = self.layout
        assert layout is not None
        for record in records:
            if record.value is None:
                keep(None)
                continue
            try:
                writer, payload = find(record)
                pack = packers.get(writer.plan) or self._packer(writer)
                keep(pack(lead(record, layout), payload) if pack else None)
            except Exception:  # noqa: BLE001  (decoders raise what they please)
                keep(None)
        return rows

    def _packer(self, writer: Writer) -> RowPacker | None:
        """Compile a packer; None where the layout was not fitted to the schema yet."""
        if writer.plan not in self._readers or self.layout is None:
            return None
        pack = self._packers[writer.plan] = writer.packer(self.layout, self._lead)
        return pack

    def removes(self, record: Record) -> bool:
        """Whether the record is a tombstone."""
        return self._keying.removes(record)

    def poison(self, record: Record, reason: str) -> None:
        """Hand a record to quarantine."""
        self._poison(record, reason)

    def fold_key(self, record: Record) -> FoldKey:
        """Return what the later record of two replaces; None (and quarantine) without a key."""
        key = self._keying.fold_key(record)
        if key is None:
            self._poison(record, "has no key: a row of a table needs one")
        return key

    # -- batches --------------------------------------------------------------------------------
    def changes(self, records: Sequence[Record], skip: frozenset[Place] = frozenset()) -> Changes:
        """Fold a batch; a record in `skip` or one that cannot be read leaves its predecessor."""
        if skip:
            records = [record for record in records if place_of(record) not in skip]
        last = list(self.last_of(records).values())
        rows = self.rows_of(last)
        kept: list[tuple[Record, Row | None]] = []
        retry: set[FoldKey] = set()
        unread = set(skip)
        for record, row in zip(last, rows, strict=True):
            if isinstance(row, PoisonRecordError):
                self._poison(record, str(row))
                unread.add(place_of(record))
                retry.add(self._keying.fold_key(record))
            else:
                kept.append((record, row))
        if retry:
            kept += self._earlier(records, retry, unread)
        return self._collected(kept)

    def last_of(self, records: Sequence[Record]) -> dict[FoldKey, Record]:
        """Return the last record of each key; what has no key goes into quarantine."""
        keys = list(map(self._keying.fold_key, records))
        last = dict(zip(keys, records, strict=True))
        if None in last:
            del last[None]
            for key, record in zip(keys, records, strict=True):
                if key is None:
                    self.fold_key(record)
        return last

    def _earlier(
        self, records: Sequence[Record], keys: set[FoldKey], unread: set[Place]
    ) -> list[tuple[Record, Row | None]]:
        """Find the last readable record of each key whose last one was not."""
        found: dict[FoldKey, tuple[Record, Row | None]] = {}
        for record in reversed(records):
            key = self._keying.fold_key(record)
            if key not in keys or key in found or place_of(record) in unread:
                continue
            try:
                found[key] = (record, None if self.removes(record) else self.row_of(record))
            except PoisonRecordError as error:
                self._poison(record, str(error))
        return list(found.values())

    def _collected(self, rows: list[tuple[Record, Row | None]]) -> Changes:
        """Key the rows; where two raw keys mean one primary key, the later record counts."""
        changes = Changes()
        if self.layout is None:
            return changes  # tombstones only, of a table that does not exist yet
        width, keys = len(self.layout.columns), self.layout.keys
        for record, made in rows:
            row = made
            if row is None:
                try:
                    key = self.key_of(record)
                except PoisonRecordError as error:
                    self._poison(record, str(error))
                    continue
            else:
                # the layout may have grown within the batch
                if len(row) < width:
                    row = [*row, *[None] * (width - len(row))]
                key = tuple(row[:keys])
            before = changes.sources.get(key)
            if before is not None and later(before, record):
                continue
            changes.sources[key] = record
            if row is None:
                changes.upserts.pop(key, None)
                changes.deletes.add(key)
            else:
                changes.deletes.discard(key)
                changes.upserts[key] = row
        return changes


def later(one: Record, other: Record) -> bool:
    """Whether `one` was written after `other`: by place in a partition, by time across them."""
    if one.partition == other.partition:
        return one.offset > other.offset
    return (one.timestamp, one.partition) > (other.timestamp, other.partition)
