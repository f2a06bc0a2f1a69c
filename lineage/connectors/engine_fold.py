"""From raw records to the changes of a table: fold to the last per key, decode what is left.

Nothing here knows Django, a database or a Kafka client: records come in, rows go out, and what
cannot be read is handed to `poison`. A superseded record is never decoded: that is the speed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from broker.consume import Record
from lineage.connectors.columns import Column, Layout, Plan, Row, row_maker
from lineage.connectors.errors import PoisonRecordError

Key = tuple[Any, ...]
FoldKey = Any
Place = tuple[str, int, int]
Poison = Callable[[Record, str], None]


NO_COLUMNS = Plan(())
"""What a deletion brings: nothing but its key."""


@dataclass(frozen=True, eq=False)
class Writer:
    """What one schema brings: its columns, and how a payload written with it is decoded."""

    plan: Plan
    decode: Callable[[bytes], Any]


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

    def put(self, key: Key, row: Row, record: Record) -> None:
        """Write a row."""
        self.deletes.discard(key)
        self.upserts[key] = row
        self.sources[key] = record

    def remove(self, key: Key) -> None:
        """Delete a row."""
        self.upserts.pop(key, None)
        self.deletes.add(key)


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
        self._makers: dict[Plan, Callable[[Any], Row]] = {}
        self._lead = 0

    # -- the layout -----------------------------------------------------------------------------
    def adopt(self, layout: Layout | None) -> None:
        """Use this layout from now on."""
        if layout != self.layout:
            self.layout = layout
            self._makers.clear()

    def fit(self, record: Record, plan: Plan, *, strict: bool) -> None:
        """Make sure that the layout has the columns of a plan."""
        if plan in self._makers:
            return
        lead, keys = self._keying.columns(record, plan)
        layout = self.layout or Layout(lead, keys)
        own = {column.name for column in lead}
        wanted = [source.column for source in plan.columns if source.column.name not in own]
        layout.check_lead(lead)
        self.adopt((layout.evolved if strict else layout.united)([*lead, *wanted]))
        self._lead = len(lead)
        assert self.layout is not None
        self._makers[plan] = row_maker(self.layout, plan, self._lead)

    def fit_all(self, records: Iterable[Record]) -> None:
        """Widen the layout to hold every readable record of a whole log."""
        for record in records:
            if record.value is not None and not self._keying.removes(record):
                try:
                    writer, _ = self._decoder.writer(record)
                    self.fit(record, writer.plan, strict=False)
                except PoisonRecordError:
                    continue  # met again, and put into quarantine, when its row is made

    # -- rows -----------------------------------------------------------------------------------
    def key_of(self, record: Record) -> Key:
        """Return the primary key of a record's row; the layout must be known."""
        assert self.layout is not None
        return self._keying.lead(record, self.layout)[: self.layout.keys]

    def row_of(self, record: Record, *, strict: bool = True) -> Row:
        """Decode a record into its row; raises PoisonRecordError, SchemaChangedError."""
        if record.value is None and self._keying.mode == "history":
            return self._deletion(record, strict=strict)
        writer, payload = self._decoder.writer(record)
        maker = self._makers.get(writer.plan)
        if maker is None:
            self.fit(record, writer.plan, strict=strict)
            maker = self._makers[writer.plan]
        assert self.layout is not None
        lead = self._keying.lead(record, self.layout)
        try:
            value = writer.decode(payload)
            return [*lead, *maker(value if isinstance(value, dict) else {"": value})]
        except Exception as error:
            raise PoisonRecordError(f"cannot be decoded: {error!r}") from error

    def _deletion(self, record: Record, *, strict: bool) -> Row:
        """Return the row that ends a history: its leading columns, and nothing beside them."""
        if self.layout is None:
            self.fit(record, NO_COLUMNS, strict=strict)
        assert self.layout is not None
        lead = self._keying.lead(record, self.layout)
        return [*lead, *[None] * (len(self.layout.columns) - len(lead))]

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
        last: dict[FoldKey, Record] = {}
        for record in records:
            key = self._keying.fold_key(record)
            if key is None:
                self.fold_key(record)
            elif not skip or place_of(record) not in skip:
                last[key] = record
        unread = set(skip)
        retry: set[FoldKey] = set()
        rows: list[tuple[Record, Row | None]] = []
        for key, record in last.items():
            try:
                rows.append((record, None if self.removes(record) else self.row_of(record)))
            except PoisonRecordError as error:
                self._poison(record, str(error))
                unread.add(place_of(record))
                retry.add(key)
        if retry:
            rows += self._earlier(records, retry, unread)
        return self._collected(rows)

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
        changes = Changes()
        if self.layout is None:
            return changes  # tombstones only, of a table that does not exist yet
        width, keys = len(self.layout.columns), self.layout.keys
        for record, row in rows:
            if row is None:
                try:
                    changes.remove(self.key_of(record))
                except PoisonRecordError as error:
                    self._poison(record, str(error))
            else:
                # the layout may have grown within the batch
                whole = row if len(row) == width else row + [None] * (width - len(row))
                changes.put(tuple(whole[:keys]), whole, record)
        return changes
