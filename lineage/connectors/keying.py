"""What makes a row: the record's key, or its place in the log. Pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from broker.records import Record
from lineage.connectors.columns import Column, Kind, Layout, Plan, SourceColumn
from lineage.connectors.engine_parts import Decoder, FoldKey, Key, Keying
from lineage.connectors.errors import PoisonRecordError
from lineage.connectors.sinks.history_view import HISTORY_COLUMNS, HISTORY_KEYS

if TYPE_CHECKING:
    from lineage.connectors.definition import Definition, KeyFormat, Mode

RECORD_KEY = "record_key"
_KEY_KINDS: tuple[Kind, ...] = ("integer", "bigint", "uuid", "text")


def keying_of(definition: "Definition", decoder: Decoder) -> Keying:
    """Return the keying that a definition asks for."""
    return keying_by(definition.mode, definition.key_format, definition.key, decoder)


def keying_by(
    mode: "Mode", key_format: "KeyFormat", key: Sequence[str], decoder: Decoder
) -> Keying:
    """As `keying_of`, of what a definition says of keys."""
    if mode == "events":
        return EventKeying()
    keying: Keying = (
        SchemaKeying(decoder, key)
        if key_format == "schema"
        else TextKeying(key[0] if key else RECORD_KEY)
    )
    return HistoryKeying(keying) if mode == "history" else keying


def plain_parts(
    mode: "Mode", key_format: "KeyFormat", key: Sequence[str], decoder: Decoder
) -> tuple[Decoder, Keying]:
    """Return a decoder, and the keying by it: what a copy with all columns is made with."""
    return decoder, keying_by(mode, key_format, key, decoder)


def key_text(raw: bytes | None) -> str:
    """Return a raw key as text; what is not UTF-8 as hexadecimal behind `\\x`."""
    if raw is None:
        return ""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "\\x" + raw.hex()


class _TableKeying:
    """Rows by record key: the last value wins, a null value removes."""

    mode = "table"
    by_key = True

    def fold_key(self, record: Record) -> FoldKey:
        """Return the raw key: equal bytes are equal keys, as they are to compaction."""
        return record.key

    def removes(self, record: Record) -> bool:
        """Whether the value is null."""
        return record.value is None

    def is_raw(self, _layout: Layout) -> bool:
        """Tell that the key is decoded first."""
        return False

    def spells_once(self, _record: Record, _layout: Layout) -> bool:
        """Tell that it need not: two schemas, or two spellings, may give one key."""
        return False


class TextKeying(_TableKeying):
    """The key is text in one column, or a number or UUID where the value's field is one."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._kind: Kind = "text"

    def columns(self, _record: Record, plan: Plan) -> tuple[tuple[Column, ...], int]:
        """Return the key column, of the kind that the value's field of that name has.

        A schema without that field has the kind of the schema before it.
        """
        source = plan.find(self._column)
        if source is not None:
            self._kind = source.column.kind if source.column.kind in _KEY_KINDS else "text"
        return (Column(self._column, self._kind),), 1

    def is_raw(self, layout: Layout) -> bool:
        """Whether the key is text."""
        return layout.columns[0].kind == "text"

    def spells_once(self, record: Record, layout: Layout) -> bool:
        """Whether the key is text, and none that another key's hexadecimal could be."""
        key = record.key or b""
        return (
            self.is_raw(layout)
            and key_text(key) == key.decode(errors="replace")
            and (not key.startswith(b"\\x"))
        )

    def lead(self, record: Record, layout: Layout) -> Key:
        """Return the key, converted to its column's kind."""
        try:
            text = record.key.decode()  # type: ignore[union-attr]
        except (AttributeError, UnicodeDecodeError):
            text = key_text(record.key)
        if layout.columns[0].kind in {"integer", "bigint"}:
            try:
                return (int(text),)
            except ValueError:
                raise PoisonRecordError(f"key {text!r} is no whole number") from None
        return (text,)


class SchemaKeying(_TableKeying):
    """The key was written with a schema of its own: its fields are the key's columns."""

    def __init__(self, decoder: Decoder, names: Sequence[str]) -> None:
        self._decoder = decoder
        self._names = names

    def _sources(self, plan: Plan) -> list[tuple[str, SourceColumn]]:
        columns = plan.columns
        if len(columns) == 1 and columns[0].path == ("",):
            return [(self._names[0] if self._names else RECORD_KEY, columns[0])]
        chosen = [s for s in columns if not self._names or s.column.name in self._names]
        if len(chosen) < max(1, len(self._names)):
            raise PoisonRecordError(f"the key has no {' and '.join(self._names)}")
        return [(source.column.name, source) for source in chosen]

    def columns(self, record: Record, _plan: Plan) -> tuple[tuple[Column, ...], int]:
        """Return the fields of the key's schema as columns."""
        key_plan, _ = self._decoder.key(record.key or b"")
        found = tuple(
            Column(name, s.column.kind, s.column.precision, s.column.scale)
            for name, s in self._sources(key_plan)
        )
        return found, len(found)

    def lead(self, record: Record, layout: Layout) -> Key:
        """Return the decoded fields of the key; a key of two kinds over time is text."""
        # it brings what reads SQL, which few keys need
        from lineage.connectors.expressions.casts import text_of

        plan, value = self._decoder.key(record.key or b"")
        values: list[Any] = []
        for column, (_, source) in zip(layout.columns, self._sources(plan), strict=False):
            found = value
            for name in source.path:
                found = found if name == "" else found[name]
            if found is None:
                raise PoisonRecordError(f"the key's {source.column.name} is null")
            key = source.convert(found) if source.convert else found
            other = column.kind == "text" != source.column.kind
            values.append(text_of(source.column.kind)(key) if other else key)
        return tuple(values)


class HistoryKeying:
    """Rows by key and place: every version of a key is one, a deletion too, and none is replaced.

    What is written depends on the record alone, so that a replay writes the same again. Until when
    a version was valid depends on the next one, and is computed on read (`sinks.history_view`).
    """

    mode = "history"
    by_key = False

    def __init__(self, keying: Keying) -> None:
        self._keying = keying

    def fold_key(self, record: Record) -> FoldKey:
        """Return the record's place; None where it has no key, as in a table."""
        return None if record.key is None else (record.topic, record.partition, record.offset)

    def removes(self, _record: Record) -> bool:
        """Tell that nothing is: a null value is a version too, marked as deleted."""
        return False

    def is_raw(self, _layout: Layout) -> bool:
        """Tell that there is more than the key."""
        return False

    def spells_once(self, _record: Record, _layout: Layout) -> bool:
        """Tell that it does: the place in the log is a part of the key."""
        return True

    def columns(self, record: Record, plan: Plan) -> tuple[tuple[Column, ...], int]:
        """Return the key, the place, and what is told of the version."""
        found, keys = self._keying.columns(record, plan)
        return (*found[:keys], *HISTORY_COLUMNS), keys + HISTORY_KEYS

    def lead(self, record: Record, layout: Layout) -> Key:
        """Return key, partition, offset, the record's time, and whether it deletes."""
        return (
            *self._keying.lead(record, layout)[: layout.keys - HISTORY_KEYS],
            record.partition,
            record.offset,
            record.timestamp * 1000,
            record.value is None,
        )


class EventKeying:
    """Rows by place in the log: nothing is replaced, nothing removed."""

    mode = "events"
    by_key = False
    _COLUMNS = (
        Column("kafka_topic", "text"),
        Column("kafka_partition", "integer"),
        Column("kafka_offset", "bigint"),
        Column("kafka_timestamp", "timestamptz", 3),
        Column("kafka_key", "text"),
    )

    def fold_key(self, record: Record) -> FoldKey:
        """Return the record's place."""
        return record.topic, record.partition, record.offset

    def removes(self, _record: Record) -> bool:
        """Tell that nothing is; a null value is no event, and is left out by its reader."""
        return False

    def is_raw(self, _layout: Layout) -> bool:
        """Tell that there is more than the key."""
        return False

    def spells_once(self, _record: Record, _layout: Layout) -> bool:
        """Tell that it does: the place in the log is a part of the key."""
        return True

    def columns(self, _record: Record, _plan: Plan) -> tuple[tuple[Column, ...], int]:
        """Return place, time and key."""
        return self._COLUMNS, 3

    def lead(self, record: Record, _layout: Layout) -> Key:
        """Return place, time and key of a record."""
        return (
            record.topic,
            record.partition,
            record.offset,
            record.timestamp * 1000,
            key_text(record.key),
        )
