"""Columns of a copy, and how a decoded value becomes a row. Pure: no database, no Django.

A row holds *canonical* values, the same whatever the target; each sink maps them to its own types:

kind                            canonical value
integer, bigint                 int within 32 or 64 bits
real, double, boolean, text     float, float, bool, str
bytes, decimal, uuid            bytes, Decimal, str of 36 characters
timestamptz, timestamp          int, microseconds since 1970-01-01 (UTC; local)
date, time                      int, days since 1970-01-01; int, microseconds since midnight
json, array                     str, JSON with sorted keys; list of one simple kind
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Literal, cast
from uuid import UUID

import orjson

from lineage.connectors.errors import PoisonRecordError, SchemaChangedError

Kind = Literal[
    "integer",
    "bigint",
    "real",
    "double",
    "boolean",
    "text",
    "bytes",
    "decimal",
    "timestamptz",
    "timestamp",
    "date",
    "time",
    "uuid",
    "json",
    "array",
]
Convert = Callable[[Any], Any]
Row = list[Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOCAL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (a local timestamp has no zone)
_FIRST_DAY = date(1970, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Column:
    """A column: `precision` counts digits (of a decimal) or of a second; `item` types an array.

    `symbols` are all that a text may be, where it is an enum; none: any text.
    """

    name: str
    kind: Kind
    precision: int = 0
    scale: int = 0
    item: str = ""
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceColumn:
    """A column as one schema gives it: where its value lies, and how it becomes canonical.

    An empty path hands the whole value to `convert`. `uses` names the fields that the column is
    made from where its path does not say so, `how` what was done to them.
    """

    column: Column
    path: tuple[str, ...]
    convert: Convert | None = None
    uses: tuple[tuple[str, ...], ...] | None = None
    how: str = ""


@dataclass(frozen=True, eq=False)
class Plan:
    """How values written with one schema become columns; compared by identity."""

    columns: tuple[SourceColumn, ...]

    def find(self, name: str) -> SourceColumn | None:
        """Return the source of one column."""
        return next((source for source in self.columns if source.column.name == name), None)


@dataclass(frozen=True)
class Layout:
    """The columns of a table; the first `keys` of them are its primary key."""

    columns: tuple[Column, ...]
    keys: int

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def key(self) -> tuple[str, ...]:
        """The primary key's columns."""
        return self.names[: self.keys]

    def united(self, columns: Iterable[Column]) -> "Layout":
        """Return the layout that holds these columns too, widening where kinds differ."""
        held = {column.name: column for column in self.columns}
        key = set(self.key)
        for column in columns:
            known = held.get(column.name)
            if known is None:
                held[column.name] = column
            else:
                united = unite(known, column)
                # a key of two kinds is text: JSON would put quotes around it
                other = column.name in key and united.kind == "json" != known.kind
                held[column.name] = Column(column.name, "text") if other else united
        return Layout(tuple(held.values()), self.keys)

    def evolved(self, columns: Iterable[Column]) -> "Layout":
        """Return the layout with new columns, and those widened that a table can widen in place.

        Raises SchemaChangedError for any other change.
        """
        wider = self.united(columns)
        for before, after in zip(self.columns, wider.columns, strict=False):
            if before != after and not _widens(before, after):
                raise _changed(before, after)
        return wider

    def check_lead(self, lead: Sequence[Column]) -> None:
        """Raise SchemaChangedError where a key has other columns than the table's."""
        names = tuple(column.name for column in lead)
        if names != self.names[: len(names)]:
            raise SchemaChangedError(
                f"the key was {', '.join(self.key)} and is now {', '.join(names)}: "
                "one table cannot hold both"
            )

    def altered(self, wider: "Layout") -> tuple[Column, ...]:
        """Return the columns of a wider layout that are ours by name and of another type."""
        held = {column.name: column for column in self.columns}
        return tuple(column for column in wider.columns if held.get(column.name, column) != column)

    def extended(self, columns: Iterable[Column]) -> "Layout":
        """Return the layout with new columns added; raise SchemaChangedError where one differs."""
        wider = self.united(columns)
        for before, after in zip(self.columns, wider.columns, strict=False):
            if before != after:
                raise _changed(before, after)
        return wider

    def dump(self) -> str:
        """Return the layout as JSON, to be kept beside the table."""
        return orjson.dumps({
            "keys": self.keys,
            "columns": [asdict(column) for column in self.columns],
        }).decode()

    @classmethod
    def load(cls, text: str) -> "Layout":
        """Return the layout that `dump` wrote."""
        read = orjson.loads(text)
        return cls(
            tuple(
                Column(**column | {"symbols": tuple(column.get("symbols", ()))})
                for column in read["columns"]
            ),
            read["keys"],
        )


def describe(column: Column) -> str:
    """Return the kind of a column in words."""
    if column.kind == "decimal":
        return f"decimal({column.precision},{column.scale})"
    if column.symbols:
        return f"{column.kind} in {', '.join(column.symbols)}"
    return f"{column.kind} of {column.item}" if column.item else column.kind


def _changed(before: Column, after: Column) -> SchemaChangedError:
    return SchemaChangedError(
        f"column {before.name} is {describe(before)} and would have to become "
        f"{describe(after)}: regenerate"
    )


# -- widening -----------------------------------------------------------------------------------
_WIDER: dict[frozenset[str], Kind] = {
    frozenset({"integer", "bigint"}): "bigint",
    frozenset({"real", "double"}): "double",
    frozenset({"integer", "double"}): "double",
    frozenset({"integer", "real"}): "double",
    frozenset({"text", "uuid"}): "text",
}


def unite(one: Column, other: Column) -> Column:
    """Return the narrowest column that holds the values of both; at the last, JSON does."""
    if one == other:
        return one
    if one.kind == other.kind == "decimal":
        scale = max(one.scale, other.scale)
        whole = max(one.precision - one.scale, other.precision - other.scale)
        known = one.precision and other.precision
        return replace(one, precision=whole + scale if known else 0, scale=scale if known else 0)
    if one.kind == other.kind and one.item == other.item:
        # text of any kind beside an enum is text of any kind
        symbols = one.symbols and other.symbols and (*one.symbols, *other.symbols)
        return replace(
            one,
            precision=max(one.precision, other.precision),
            symbols=tuple(dict.fromkeys(symbols)),
        )
    wider = _WIDER.get(frozenset({one.kind, other.kind}))
    return Column(one.name, wider or "json")


_IN_PLACE = frozenset({("integer", "bigint"), ("real", "double"), ("integer", "double")})


def _widens(before: Column, after: Column) -> bool:
    """Whether every value of a column stays what it is when its type becomes the other."""
    if before.kind == after.kind:
        return before.item == after.item
    return (before.kind, after.kind) in _IN_PLACE


def adapted(source: SourceColumn, target: Column) -> Convert | None:
    """Return how a value of the source becomes canonical in a column that may be wider."""
    if source.column.kind == target.kind or target.kind in {"bigint", "text"}:
        return source.convert
    convert, kind = source.convert, source.column.kind
    final: Convert = float if target.kind == "double" else (lambda value: jsonified(value, kind))
    if convert is None:
        return final

    def adapt(value: Any) -> Any:
        found = convert(value)
        return None if found is None else final(found)

    return adapt


def jsonified(value: Any, kind: str) -> str:
    """Return a canonical value as JSON text; times become ISO 8601."""
    if kind == "json":
        return str(value)
    if kind == "timestamptz":
        value = (_EPOCH + value * _MICROSECOND).isoformat()
    elif kind == "timestamp":
        value = (_LOCAL_EPOCH + value * _MICROSECOND).isoformat()
    elif kind == "date":
        value = date.fromordinal(_FIRST_DAY + value).isoformat()
    elif kind == "time":
        value = (_LOCAL_EPOCH + value * _MICROSECOND).time().isoformat()
    return to_json(value)


# -- rows ---------------------------------------------------------------------------------------
def row_maker(layout: Layout, plan: Plan, lead: int) -> Callable[[Mapping[str, Any]], Row]:
    """Return what turns a decoded value into the row's part behind the first `lead` columns."""
    names: list[str] = []
    nested: list[tuple[int, tuple[str, ...]]] = []
    converts: list[tuple[int, Convert]] = []
    for index, column in enumerate(layout.columns[lead:]):
        source = plan.find(column.name)
        names.append(source.path[0] if source and len(source.path) == 1 else "")
        if source is None:
            continue
        if len(source.path) != 1:
            nested.append((index, source.path))
        convert = adapted(source, column)
        if convert is not None:
            converts.append((index, convert))

    def make(value: Mapping[str, Any]) -> Row:
        get = value.get
        row = [get(name) for name in names]
        for index, path in nested:
            row[index] = walk(value, path)
        for index, convert in converts:
            if row[index] is not None:
                row[index] = convert(row[index])
        return row

    return make


def walk(value: Any, path: tuple[str, ...]) -> Any:
    """Follow a path; the empty one names the value itself, an absent record gives nothing."""
    for name in path:
        if value is None:
            return None
        value = value.get(name) if name else value.get("", value)
    return value


# -- conversions to canonical values --------------------------------------------------------------
def plain(value: Any) -> Any:
    """Show orjson what it does not know."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def to_json(value: Any) -> str:
    """Return JSON with sorted keys; bytes as hexadecimal, decimals as text, times as ISO 8601."""
    return orjson.dumps(
        value, plain, orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z
    ).decode()


def nested_json(value: Any) -> str:
    """Return JSON of what may hold records of a union, as Avro's encoding: `{"shop.Card": {…}}`."""
    return to_json(_spelt(value))


def _spelt(value: Any) -> Any:
    """Tell which record each is that fastavro joined with its name."""
    if isinstance(value, tuple):
        return {value[0]: _spelt(value[1])}
    if isinstance(value, list):
        return [_spelt(item) for item in value]
    if isinstance(value, dict):
        return {name: _spelt(item) for name, item in value.items()}
    return value


def items_of(convert: Convert | None) -> Convert | None:
    """Return the conversion of a list, by that of its items; null items stay."""
    if convert is None:
        return None
    return lambda items: [None if item is None else convert(item) for item in items]


def duration(value: timedelta) -> Decimal:
    """Return a duration in seconds, exact to the microsecond."""
    return Decimal(value // _MICROSECOND).scaleb(-6)


@cache
def instant(unit: int, per: int = 1) -> Convert:
    """Return the conversion of an instant: a number of `unit` / `per` microseconds, or a datetime.

    What is finer than a microsecond is cut off, always towards the past.
    """

    def convert(value: Any) -> int:
        if isinstance(value, int):
            return value * unit // per
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return cast("int", (moment - _EPOCH) // _MICROSECOND)

    return convert


def local_instant(unit: int, per: int = 1) -> Convert:
    """Return the conversion of a timestamp without zone."""

    def convert(value: Any) -> int:
        if isinstance(value, int):
            return value * unit // per
        return cast("int", (value.replace(tzinfo=None) - _LOCAL_EPOCH) // _MICROSECOND)

    return convert


def day(value: Any) -> int:
    """Return days since 1970 of a number of days, a date, or its ISO 8601 text."""
    if isinstance(value, int):
        return value
    found = date.fromisoformat(value) if isinstance(value, str) else value
    return cast("int", found.toordinal() - _FIRST_DAY)


def time_of_day(unit: int) -> Convert:
    """Return the conversion of a time of day: a number of `unit` microseconds, or a time."""

    def convert(value: Any) -> int:
        if isinstance(value, int):
            return value * unit
        found = time.fromisoformat(value) if isinstance(value, str) else value
        seconds = found.hour * 3600 + found.minute * 60 + found.second
        return int(seconds * 1_000_000 + found.microsecond)

    return convert


def identifier(value: Any) -> str:
    """Return a UUID as text; what is none raises ValueError."""
    if isinstance(value, bytes):
        return str(UUID(bytes=value))
    return str(value if isinstance(value, UUID) else UUID(value))


@cache
def within(bits: int) -> Convert:
    """Return the check that a whole number fits into so many bits."""
    limit = 1 << (bits - 1)

    def convert(value: Any) -> int:
        number = int(value)
        if number != value or not -limit <= number < limit:
            raise PoisonRecordError(f"{value!r} is no whole number of {bits} bits")
        return number

    return convert


# -- proof ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Digest:
    """How many rows, and the sum of their fingerprints modulo 2^64."""

    rows: int
    sum: int

    def __str__(self) -> str:
        return f"{self.sum:016x}"
