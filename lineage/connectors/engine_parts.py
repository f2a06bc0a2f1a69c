"""What the fold is given: the schema of a record, how its payload is read, what makes a row. Pure.

`decoding` and `shaping` implement the decoder, `keying` the keyings, `mapping` brings the writers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from broker.records import Record, held, keys_of
from lineage.connectors.columns import Column, Layout, Plan, Row
from lineage.connectors.packing import UNFIT
from lineage.connectors.row_making import Lead, compiled_maker, compiled_packer

if TYPE_CHECKING:
    from lineage.connectors.batches import Pack, Read

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

    def reads(self, layout: Layout, plan: Plan, lead: int, /) -> "Read | None":
        """Return what reads many at once into columns; None where only one by one does."""
        ...


@dataclass(frozen=True, eq=False)
class Writer:
    """What one schema brings: its columns, and how a payload written with it is decoded.

    `origin` makes its like in another process: a function that can be pickled.
    """

    plan: Plan
    decode: Callable[[bytes], Any]
    direct: Direct | None = None
    origin: "Callable[[], Writer] | None" = None

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

    def packs(self, layout: Layout, lead: int) -> "Pack | None":
        """Return what makes the bytes of many rows at once; None where only one by one does."""
        # it brings numpy, which only processes that copy need
        from lineage.connectors.batches import packs, reads

        read = None
        if self.direct is not None:
            read = self.direct.reads(layout, self.plan, lead)
        else:
            read = reads(layout, self.plan, lead, self.decode)
        return None if read is None else packs(layout, read)


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


@runtime_checkable
class DecodesAlike(Protocol):
    """A decoder that tells at once of many records that they have the same schema."""

    def alike(self, records: Sequence[Record], /) -> tuple[Writer, list[bytes]] | None:
        """Return their one schema and their payloads; None where each has to be looked at."""
        ...


class Keying(Protocol):
    """What makes a row of the copy: which records replace each other, and the leading columns.

    `by_key`: the fold key is the record's, as it is.
    """

    mode: str
    by_key: bool

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

    def is_raw(self, layout: Layout, /) -> bool:
        """Whether the one leading column is the record's key as text, where that is UTF-8."""
        ...

    def spells_once(self, record: Record, layout: Layout, /) -> bool:
        """Whether no other raw key than this record's makes the same primary key, for certain."""
        ...


def place_of(record: Record) -> Place:
    """Return where a record stands in the log."""
    return record.topic, record.partition, record.offset


def folded(keying: Keying, records: Sequence[Record]) -> dict[FoldKey, Any]:
    """Return what to hold (`records.held`) of the last record of each key; None: without one."""
    if keying.by_key:
        return dict(zip(keys_of(records), held(records), strict=True))
    return dict(zip(map(keying.fold_key, records), records, strict=True))
