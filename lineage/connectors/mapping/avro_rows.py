"""From the bytes of a flat Avro record to a row, by a function compiled for schema and layout.

A general decoder asks of each value what it is, and makes a dictionary that is taken apart again.
For records of primitives, enums and times (nullable or not) the answers are known beforehand: one
function that reads field after field is twice as fast (Avro 1.12, "Binary Encoding"). Another goes
from bytes to bytes, and makes no text of what stays UTF-8 (see `packing`). Other schemas have no
such functions; bytes that they cannot read are given to the general decoder, which then says what
is wrong. Tests hold all of them equal.
"""

import json
from collections.abc import Callable, Collection, Sequence
from struct import Struct
from typing import TYPE_CHECKING, Any

from lineage.connectors.columns import Column, Layout, Plan, SourceColumn, adapted
from lineage.connectors.mapping import avro
from lineage.connectors.packing import Cell, joined, lead_cells

if TYPE_CHECKING:
    from lineage.connectors.batches import Read
    from lineage.connectors.mapping.avro_vectors import Shape

Reader = Callable[[tuple[Any, ...], bytes], list[Any]]
Packer = Callable[[tuple[Any, ...], bytes], bytes]

_MOST_FIELDS = 400
# what a timestamp's number, as it is on the wire, is multiplied by, to be microseconds
_FACTORS = {"timestamp-millis": 1000, "timestamp-micros": 1}
_NEGATIVE_OR_LONG = 0x81
_SEVEN_BITS = 0x7F
_MOST_SHIFT = 63


def direct(text: str, dependencies: Sequence[str] = ()) -> "Direct | None":
    """Return what compiles functions for a layout; None where the schema is not flat."""
    named = avro.named_types(text, dependencies)
    schema = json.loads(text)
    if not isinstance(schema, dict) or schema.get("type") != "record":
        return None
    fields = [(member["name"], _Field.of(member["type"], named)) for member in schema["fields"]]
    known = [(name, field) for name, field in fields if field is not None]
    if len(known) < len(fields) or len(known) > _MOST_FIELDS:
        return None
    return Direct(known)


class _Field:
    """How one field is read: `kind` as Avro names it, and where null stands if it may be null."""

    def __init__(self, schema: Any, kind: str, null: int | None) -> None:
        self.kind = kind
        self.null = null
        plain = schema if isinstance(schema, dict) else {}
        self.logical = str(plain.get("logicalType", ""))
        self.symbols = tuple(plain.get("symbols", ()))
        self.size = int(plain.get("size", 0))

    @classmethod
    def of(cls, schema: Any, named: avro.Named) -> "_Field | None":
        """Return the field, None where only a general decoder reads it."""
        null = None
        if isinstance(schema, list):
            if len(schema) != 2 or "null" not in schema:
                return None
            null = schema.index("null")
            schema = schema[1 - null]
        schema = avro.resolved(schema, named)
        kind = schema.get("type") if isinstance(schema, dict) else schema
        if kind not in _READ:
            return None
        field = cls(schema, str(kind), null)
        simple = not field.logical or avro.is_time(field.logical, field.kind)
        return field if simple else None

    def lines(self, name: str, *, raw: bool = False) -> list[str]:
        """Return the statements that read the field from `b` at `i` into a variable.

        `raw`: a text stays bytes.
        """
        symbols: tuple[str | bytes, ...] = self.symbols
        if raw:
            symbols = tuple(symbol.encode() for symbol in self.symbols)
        lines = [
            line.format(v=name, symbols=symbols, size=self.size)
            for line in _READ["bytes" if raw and self.kind == "string" else self.kind]
        ]
        if self.null is None:
            return lines
        return [
            "n = b[i]; i += 1",
            f"if n == {2 * self.null}: {name} = None",
            f"elif n != {2 - 2 * self.null}: raise ValueError('no such branch')",
            "else:",
            *[f"    {line}" for line in lines],
        ]


# small numbers take a byte each; `varint` reads the others
_LENGTH = (
    "n = b[i]; i += 1",
    f"if n & {_NEGATIVE_OR_LONG}: n, i = length(b, i - 1)",
    "else: n >>= 1",
)
_NUMBER = (
    "{v} = b[i]",
    "if {v} < 128: i += 1",
    "elif (n := b[i + 1]) < 128: {v} += (n << 7) - 0x80; i += 2",
    "elif (m := b[i + 2]) < 128: {v} += (n << 7) + (m << 14) - 0x4080; i += 3",
    "elif (o := b[i + 3]) < 128: {v} += (n << 7) + (m << 14) + (o << 21) - 0x204080; i += 4",
    "elif (p := b[i + 4]) < 128:",
    "    {v} += (n << 7) + (m << 14) + (o << 21) + (p << 28) - 0x10204080; i += 5",
    "elif (q := b[i + 5]) < 128:",
    "    {v} += (n << 7) + (m << 14) + (o << 21) + (p << 28) + (q << 35) - 0x810204080; i += 6",
    "else: {v}, i = varint(b, i)",
    "{v} = ({v} >> 1) ^ -({v} & 1)",
)
_READ: dict[str, tuple[str, ...]] = {
    "int": _NUMBER,
    "long": _NUMBER,
    "string": (*_LENGTH, "n += i", "{v} = b[i:n].decode(); i = n"),
    "bytes": (*_LENGTH, "n += i", "{v} = b[i:n]; i = n"),
    "boolean": ("{v} = b[i] != 0; i += 1",),
    "float": ("({v},) = float4(b, i); i += 4",),
    "double": ("({v},) = float8(b, i); i += 8",),
    "enum": (*_LENGTH, "{v} = {symbols!r}[n]"),
    "fixed": ("n = i + {size}", "{v} = b[i:n]; i = n"),
}


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the unsigned number of any length that begins at a place, and the place behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & _SEVEN_BITS) << shift
        if byte <= _SEVEN_BITS:
            return value, at
        shift += 7
        if shift > _MOST_SHIFT:
            raise ValueError("a number of more than 64 bits")


def _length(data: bytes, at: int) -> tuple[int, int]:
    value, at = _varint(data, at)
    if value & 1:
        raise ValueError("a negative length")
    return value >> 1, at


class Direct:
    """Compiles the functions of one flat schema."""

    def __init__(self, fields: Sequence[tuple[str, _Field]]) -> None:
        self._fields = {name: (f"v{at}", field) for at, (name, field) in enumerate(fields)}

    def reader(self, layout: Layout, plan: Plan, lead: int) -> Reader:
        """Return what turns leading values and a payload into a row."""
        known: dict[str, Any] = {}
        parts = [self._value(column, plan, known) for column in layout.columns[lead:]]
        made: Reader = self._compiled(frozenset(), f"[*lead, {', '.join(parts)}]", known)
        return made

    def packer(self, layout: Layout, plan: Plan, lead: int) -> Packer:
        """Return what turns them into a row's bytes; NaN raises ValueError: it has several."""
        known: dict[str, Any] = {}
        made_text = {
            self._fields[source.path[0]][0]
            for column in layout.columns[lead:]
            if (source := plan.find(column.name)) and not self._stays(column, source)
        }
        raw = {variable for variable, _ in self._fields.values()} - made_text
        cells = lead_cells(layout, lead)
        for column in layout.columns[lead:]:
            text = self._value(column, plan, known)
            source = plan.find(column.name)
            variable, field = self._fields[source.path[0]] if source else ("", None)
            nullable = field is None or field.null is not None
            cells.append(Cell(column, text, nullable, raw=variable in raw))
        made: Packer = self._compiled(raw, joined(cells, known, "refused"), known)
        return made

    def reads(self, layout: Layout, plan: Plan, lead: int) -> "Read | None":
        """Return what reads many payloads at once; None where a text has to be converted."""
        # it brings numpy, which only processes that copy need
        from lineage.connectors.mapping import avro_vectors

        fields = {
            name: avro_vectors.Field(field.kind, field.null, field.symbols, field.size)
            for name, (_, field) in self._fields.items()
        }
        shapes: list[tuple[str, Shape] | None] = []
        for column in layout.columns[lead:]:
            source = plan.find(column.name)
            if source is None:
                shapes.append(None)
                continue
            field = self._fields[source.path[0]][1]
            convert = adapted(source, column)
            alone = convert is source.convert
            factor = _FACTORS.get(field.logical, 0) if convert and alone else 0
            shape = avro_vectors.shape_of(fields[source.path[0]], column, convert, factor)
            if shape is None:
                return None
            shapes.append((source.path[0], shape))
        return avro_vectors.reads(list(fields.items()), shapes)

    def _stays(self, column: Column, source: SourceColumn) -> bool:
        """Whether a text may be sent as the bytes that it is."""
        kind = self._fields[source.path[0]][1].kind
        plain = adapted(source, column) is None
        return kind in {"string", "enum"} and column.kind == "text" and plain

    def _compiled(self, raw: Collection[str], result: str, known: dict[str, Any]) -> Any:
        """Compile a function that reads all fields into variables, and returns an expression."""
        known |= {
            "varint": _varint,
            "length": _length,
            "float4": Struct("<f").unpack_from,
            "float8": Struct("<d").unpack_from,
        }
        lines = ["i = 0"]
        for variable, field in self._fields.values():
            lines += field.lines(variable, raw=variable in raw)
        lines.append("if i > len(b): raise ValueError('the payload ends too soon')")
        lines.append(f"return {result}")
        text = "def read(lead, b):\n" + "\n".join(f"    {line}" for line in lines)
        # the text holds symbols and sizes as literals, and nothing else of the schema
        exec(text, known)  # noqa: S102
        return known["read"]

    def _value(self, column: Column, plan: Plan, known: dict[str, Any]) -> str:
        """Return the expression of one column."""
        source = plan.find(column.name)
        if source is None:
            return "None"
        variable, field = self._fields[source.path[0]]
        convert = adapted(source, column)
        if convert is None:
            return variable
        inline = _FACTORS.get(field.logical)
        if inline is not None and convert is source.convert:
            made = variable if inline == 1 else f"{variable} * {inline}"
        else:
            name = f"c{len(known)}"
            known[name] = convert
            made = f"{name}({variable})"
        return made if field.null is None else f"(None if {variable} is None else {made})"
