"""Batches whose rows become bytes (`packing`) without being values in between. Pure.

What is plain goes this way: rows of schemas that the layout was fitted to, whose values have a form
in bytes. For all else `Preparation` is asked, which says what is wrong, and with which record.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from broker.records import Record, keys_of, picked, taken_up, values_of
from lineage.connectors.columns import Layout, Plan
from lineage.connectors.engine_parts import (
    Decoder,
    DecodesAlike,
    Key,
    Keying,
    RowPacker,
    Writer,
    folded,
)
from lineage.connectors.errors import PoisonRecordError
from lineage.connectors.packing import has_form

if TYPE_CHECKING:
    from lineage.connectors.batches import Pack
    from lineage.connectors.vectors import Vector

PIECE = 1_000
"""Records packed at once: enough for arrays to pay, few enough to stay in a processor's cache."""


@dataclass(frozen=True)
class PackedChanges:
    """What a batch does to the table: rows to write, as bytes, and primary keys to delete."""

    upserts: list[bytes]
    deletes: set[Key]


class Packing:
    """Packs the records of one copy; `Preparation` tells it the layout and what fits into it."""

    def __init__(self, decoder: Decoder, keying: Keying) -> None:
        self._decoder = decoder
        self._keying = keying
        self._layout: Layout | None = None
        self._formed = False
        self._lead = 0
        self._fitted: set[Plan] = set()
        self._packs: dict[Plan, Pack | None] = {}
        self._packers: dict[Plan, RowPacker] = {}

    def adopt(self, layout: Layout | None) -> None:
        """Use this layout from now on; schemas have to be admitted anew."""
        self._layout = layout
        self._formed = layout is not None and has_form(layout)
        self._fitted.clear()
        self._packs.clear()
        self._packers.clear()

    def admit(self, plan: Plan, lead: int) -> None:
        """Take note that the layout, with so many leading columns, holds a schema's columns."""
        self._lead = lead
        self._fitted.add(plan)

    # -- rows -----------------------------------------------------------------------------------
    def rows(self, records: Sequence[Record]) -> list[bytes | None]:
        """Make the bytes of rows; None stands for what only `Preparation.rows_of` can tell."""
        if not self._formed:
            return [None] * len(records)
        values = values_of(records)
        if None not in values:
            return self._written(records)
        rows: list[bytes | None] = [None] * len(records)
        places = [at for at, value in enumerate(values) if value is not None]
        made = self._written(picked(records, places))
        for at, row in zip(places, made, strict=True):
            rows[at] = row
        return rows

    def _written(self, records: Sequence[Record]) -> list[bytes | None]:
        """Make the bytes of rows of records that have a value."""
        if isinstance(self._decoder, DecodesAlike):
            same = self._decoder.alike(records)
            if same is not None:
                return self._alike(same[0], records, same[1])
        found = list(map(self._found, records))
        rows: list[bytes | None] = [None] * len(records)
        places_of: dict[Writer, list[int]] = {}
        for at, (writer, _) in enumerate(found):
            if writer is not None:
                places_of.setdefault(writer, []).append(at)
        for writer, places in places_of.items():
            payloads = [found[at][1] for at in places]
            made = self._alike(writer, picked(records, places), payloads)
            for at, row in zip(places, made, strict=True):
                rows[at] = row
        return rows

    def _found(self, record: Record) -> tuple[Writer | None, bytes]:
        """Find the schema of a record, and its payload; None where it has none."""
        try:
            return self._decoder.writer(record)
        except PoisonRecordError:
            return None, b""

    def _alike(
        self, writer: Writer, records: Sequence[Record], payloads: Sequence[bytes]
    ) -> list[bytes | None]:
        """Make the bytes of rows of one schema: all at once, or one by one."""
        if writer.plan not in self._fitted or self._layout is None:
            return [None] * len(records)
        if writer.plan not in self._packs:
            self._packs[writer.plan] = writer.packs(self._layout, self._lead)
        pack = self._packs[writer.plan]
        if pack is not None:
            try:
                return pack(lead_vectors(self._keying, records, self._layout), payloads)
            except Exception:  # noqa: BLE001  (decoders raise what they please)
                return self._singly(writer, records, payloads)
        return self._singly(writer, records, payloads)

    def _singly(
        self, writer: Writer, records: Sequence[Record], payloads: Sequence[bytes]
    ) -> list[bytes | None]:
        layout, lead = self._layout, self._keying.lead
        assert layout is not None
        pack = self._packers.get(writer.plan)
        if pack is None:
            pack = self._packers[writer.plan] = writer.packer(layout, self._lead)
        rows: list[bytes | None] = []
        for record, payload in zip(records, payloads, strict=True):
            try:
                rows.append(pack(lead(record, layout), payload))
            except Exception:  # noqa: BLE001  (decoders raise what they please)
                rows.append(None)
        return rows

    # -- changes ----------------------------------------------------------------------------------
    def changes(self, records: Sequence[Record]) -> PackedChanges | None:
        """Fold a batch to the last of each key; None where only `Preparation.changes` can."""
        if not self._formed:
            return None
        held = folded(self._keying, records)
        if None in held:
            return None
        last = taken_up(list(held.values()))
        values = values_of(last)
        removed = [last[at] for at, value in enumerate(values) if value is None]
        if not all(map(self._keying.removes, removed)) or not self._apart(last):
            return None
        written = last
        if removed:
            written = picked(last, (at for at, value in enumerate(values) if value is not None))
        upserts: list[bytes] = []
        for begin in range(0, len(written), PIECE):
            made = self._written(written[begin : begin + PIECE])
            packed = [row for row in made if row is not None]
            if len(packed) < len(made):
                return None
            upserts += packed
        return PackedChanges(upserts, set(map(self._key_of, removed)))

    def _key_of(self, record: Record) -> Key:
        layout = self._layout
        assert layout is not None
        return self._keying.lead(record, layout)[: layout.keys]

    def _apart(self, records: Sequence[Record]) -> bool:
        """Whether what has another raw key has another primary key too, and all have one."""
        layout = self._layout
        assert layout is not None
        try:
            if self._keying.is_raw(layout):
                # a line's end lies within no character
                b"\n".join([key or b"" for key in keys_of(records)]).decode()
                return True
            return len(set(map(self._key_of, records))) == len(records)
        except (PoisonRecordError, UnicodeDecodeError):
            return False


def lead_vectors(keying: Keying, records: Sequence[Record], layout: Layout) -> "list[Vector]":
    """Return the leading columns of records; raises what the keying does, or one of `UNFIT`."""
    # it brings numpy, which only processes that copy need
    from lineage.connectors.vectors import utf8_texts, vector_of

    if keying.is_raw(layout):
        try:
            return [utf8_texts([key or b"" for key in keys_of(records)])]
        except UnicodeDecodeError:
            pass  # such a key is told in another way
    leads = [keying.lead(record, layout) for record in records]
    return [
        vector_of(column, values)
        for column, values in zip(layout.columns, zip(*leads, strict=True), strict=False)
    ]
