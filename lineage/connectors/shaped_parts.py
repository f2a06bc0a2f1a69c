"""What a copy is made with, around a decoder: keying and columns as a definition declares. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from broker.records import Record
from lineage.connectors.columns import Column, Layout, Plan
from lineage.connectors.definition import Definition
from lineage.connectors.engine_parts import Decoder, DecodesAlike, FoldKey, Key, Keying, Writer
from lineage.connectors.keying import keying_of, plain_parts
from lineage.connectors.shaping import Lead, Shaper, only_moved


def parts_of(definition: Definition, shaper: Shaper) -> Callable[[Decoder], tuple[Decoder, Keying]]:
    """Return what makes, of a decoder, the parts that a copy is made with; it can be pickled."""
    if shaper.idle:
        return partial(plain_parts, definition.mode, definition.key_format, definition.key)
    return partial(_shaped_parts, definition, shaper)


def _shaped_parts(
    definition: Definition, shaper: Shaper, decoder: Decoder
) -> tuple[Decoder, Keying]:
    keying = keying_of(definition, decoder)
    return ShapedDecoder(decoder, shaper.plan), ShapedKeying(keying, shaper)


class ShapedDecoder:
    """Decodes as another decoder does, into the declared columns; keys stay as they are."""

    def __init__(self, decoder: Decoder, shape: Callable[[Plan], Plan]) -> None:
        self._decoder = decoder
        self._shape = shape
        self._writers: dict[Writer, Writer] = {}
        self.key = decoder.key

    def writer(self, record: Record) -> tuple[Writer, bytes]:
        """Return the schema's writer with its plan shaped; raises PoisonRecordError."""
        writer, payload = self._decoder.writer(record)
        return self._writers.get(writer) or self._shaped(writer), payload

    def alike(self, records: Sequence[Record]) -> tuple[Writer, list[bytes]] | None:
        """Return the shaped writer of records that the decoder knows to be alike."""
        same = self._decoder.alike(records) if isinstance(self._decoder, DecodesAlike) else None
        return None if same is None else (self._shaped(same[0]), same[1])

    def _shaped(self, writer: Writer) -> Writer:
        shaped = self._writers.get(writer)
        if shaped is None:
            plan = self._shape(writer.plan)
            shaped = self._writers[writer] = replace(
                writer, plan=plan, direct=writer.direct if only_moved(writer.plan, plan) else None
            )
        return shaped


class ShapedKeying:
    """Makes rows as another keying does, with leading columns masked or left out."""

    def __init__(self, keying: Keying, shaper: Shaper) -> None:
        self.mode = keying.mode
        self.by_key = keying.by_key
        self.fold_key: Callable[[Record], FoldKey] = keying.fold_key
        self.removes: Callable[[Record], bool] = keying.removes
        self._keying = keying
        self._shaper = shaper
        self._leads: list[Lead] = []
        self._plain = False
        self._inner: Layout = Layout((), 0)

    def columns(self, record: Record, plan: Plan) -> tuple[tuple[Column, ...], int]:
        """Return the leading columns that are kept."""
        found, keys = self._keying.columns(record, plan)
        if found != self._inner.columns:
            self._inner = Layout(found, keys)
            self._leads = self._shaper.lead(found, keys)
            self._plain = all(lead.kept and lead.hide is None for lead in self._leads)
        return tuple(lead.column for lead in self._leads if lead.kept), keys

    def is_raw(self, layout: Layout) -> bool:
        """Whether the key is the only leading column, and not masked."""
        return self._plain and self._keying.is_raw(layout)

    def spells_once(self, record: Record, layout: Layout) -> bool:
        """Whether the key is not masked, and has one spelling."""
        return self._plain and self._keying.spells_once(record, layout)

    def lead(self, record: Record, layout: Layout) -> Key:
        """Return the values of the leading columns that are kept."""
        if not self._leads:
            self.columns(record, Plan(()))
        if self._plain:
            return self._keying.lead(record, layout)
        held = {column.name: column for column in layout.columns}
        whole = tuple(
            # a hidden column is text in the table, whatever kind its key is read as
            lead.column if lead.hide else held.get(column.name, column)
            for lead, column in zip(self._leads, self._inner.columns, strict=True)
        )
        values = self._keying.lead(record, Layout(whole, self._inner.keys))
        return tuple(
            value if lead.hide is None or value is None else lead.hide(value)
            for lead, value in zip(self._leads, values, strict=True)
            if lead.kept
        )
