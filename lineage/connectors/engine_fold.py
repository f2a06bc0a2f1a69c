"""From raw records to the changes of a table: fold to the last per key, decode what is left.

Nothing here knows Django, a database or a Kafka client: records come in, rows go out, and what
cannot be read is handed to `poison`. A superseded record is never decoded: that is the speed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from broker.records import Record, taken_up
from lineage.connectors.columns import Layout, Plan, Row
from lineage.connectors.engine_packing import Packing
from lineage.connectors.engine_parts import (
    DELETION,
    Decoder,
    FoldKey,
    Key,
    Keying,
    Place,
    Poison,
    RowReader,
    Writer,
    folded,
    place_of,
)
from lineage.connectors.errors import PoisonRecordError, SchemaChangedError


@dataclass
class Changes:
    """What a batch does to the table: rows by primary key to write, primary keys to delete."""

    upserts: dict[Key, Row] = field(default_factory=dict)
    deletes: set[Key] = field(default_factory=set)
    sources: dict[Key, Record] = field(default_factory=dict)


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
        self._lead = 0
        self.packing = Packing(decoder, keying)

    # -- the layout -----------------------------------------------------------------------------
    def adopt(self, layout: Layout | None) -> None:
        """Use this layout from now on."""
        if layout != self.layout:
            self.layout = layout
            self._readers.clear()
            self.packing.adopt(layout)

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
        self.packing.admit(plan, self._lead)

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

    @property
    def replaces(self) -> bool:
        """Whether the later record of two with one raw key replaces the other, or removes it."""
        return self._keying.by_key

    def spells_once(self, record: Record) -> bool:
        """Whether no other raw key makes the primary key of a record, for certain."""
        assert self.layout is not None
        return self._keying.spells_once(record, self.layout)

    def key_beside(self, record: Record) -> Key | None:
        """Return the primary key where another raw key may make it too; None: none, or no key."""
        if self.spells_once(record):
            return None
        try:
            return self.key_of(record)
        except PoisonRecordError:
            return None

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
        last = list(taken_up(list(self.last_of(records).values())))
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

    def last_of(self, records: Sequence[Record]) -> dict[FoldKey, Any]:
        """Return the last record of each key, to hold (`records.held`) or to be taken up.

        What has no key goes into quarantine.
        """
        last = folded(self._keying, records)
        if None in last:
            del last[None]
            for record in records:
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
