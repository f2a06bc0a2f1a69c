"""Columns of an Avro schema (Avro 1.12, "Logical Types"), and a decoder with times as numbers.

Making a datetime of each timestamp halves the speed of decoding, and the sinks want numbers.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

from fastavro import parse_schema, schemaless_reader

from lineage.connectors.columns import (
    Column,
    Convert,
    Kind,
    Plan,
    SourceColumn,
    day,
    identifier,
    instant,
    local_instant,
    nested_json,
    time_of_day,
    to_json,
    unite,
)
from lineage.connectors.mapping import plan_of, source

_PRIMITIVES: dict[str, tuple[Kind, Convert | None]] = {
    "int": ("integer", None),
    "long": ("bigint", None),
    "float": ("real", None),
    "double": ("double", None),
    "boolean": ("boolean", None),
    "string": ("text", None),
    "bytes": ("bytes", None),
    "fixed": ("bytes", None),
    "enum": ("text", None),
}
_TIMES: dict[str, tuple[Kind, int, Convert]] = {
    "timestamp-millis": ("timestamptz", 3, instant(1000)),
    "timestamp-micros": ("timestamptz", 6, instant(1)),
    "timestamp-nanos": ("timestamptz", 6, instant(1, 1000)),
    "local-timestamp-millis": ("timestamp", 3, local_instant(1000)),
    "local-timestamp-micros": ("timestamp", 6, local_instant(1)),
    "local-timestamp-nanos": ("timestamp", 6, local_instant(1, 1000)),
    "time-millis": ("time", 3, time_of_day(1000)),
    "time-micros": ("time", 6, time_of_day(1)),
    "date": ("date", 0, day),
}
_ARRAY_ITEMS: dict[str, str] = {
    "integer": "integer",
    "bigint": "bigint",
    "real": "double",
    "double": "double",
    "boolean": "boolean",
    "text": "text",
}
RECORD_TYPE = "$type"
"""Where the decoder puts the name of the record that a value is, if its schema is several."""
_DEEPEST = 8

Named = Mapping[str, Any]


def plan(text: str, dependencies: Sequence[str] = ()) -> Plan:
    """Return the columns of a schema; records are flattened, what has no column type is JSON."""
    named: dict[str, Any] = {}
    for dependency in dependencies:
        _collect(json.loads(dependency), named, "")
    schema = json.loads(text)
    _collect(schema, named, "")
    branches = [_resolved(branch, named, "") for branch in _branches(schema)]
    records = [branch for branch in branches if _type(branch) == "record"]
    if not records or len(records) != len(branches):
        return plan_of(_columns(schema, (), named, ""))
    if len(records) == 1:
        return plan_of(_fields(records[0], (), named))
    return _united(records, named)


def _united(records: list[Any], named: Named) -> Plan:
    """Give a union of records the columns of all of them; the first to name one types it."""
    found: dict[tuple[str, ...], SourceColumn] = {}
    for record in records:
        for column in _fields(record, (), named):
            known = found.setdefault(column.path, column)
            if known.column.kind == column.column.kind == "text":
                both = unite(known.column, column.column)
                found[column.path] = replace(known, column=both)
            elif known.column != column.column:
                found[column.path] = source(column.path, "json", to_json)
    tag = SourceColumn(Column("record_type", "text"), (RECORD_TYPE,))
    return plan_of([tag, *found.values()])


def _branches(schema: Any) -> list[Any]:
    branches = schema if isinstance(schema, list) else [schema]
    return [branch for branch in branches if branch != "null"]


def _type(schema: Any) -> str:
    found = schema.get("type") if isinstance(schema, dict) else schema
    return found if isinstance(found, str) else ""


def _full_name(schema: Mapping[str, Any], space: str) -> tuple[str, str]:
    """Return the full name of a named type, and the namespace that it opens."""
    name = str(schema["name"])
    space = name.rpartition(".")[0] if "." in name else str(schema.get("namespace") or space)
    short = name.rpartition(".")[2]
    return (f"{space}.{short}" if space else short), space


def _collect(schema: Any, named: dict[str, Any], space: str) -> None:
    """Find every named type, so that a name can be followed to it."""
    if isinstance(schema, list):
        for branch in schema:
            _collect(branch, named, space)
    elif isinstance(schema, dict):
        if schema.get("type") in {"record", "error", "enum", "fixed"}:
            name, space = _full_name(schema, space)
            named[name] = schema
        for inner in ("type", "items", "values"):
            if not isinstance(schema.get(inner), str):
                _collect(schema.get(inner), named, space)
        for member in schema.get("fields", ()):
            _collect(member["type"], named, space)


def _resolved(schema: Any, named: Named, space: str) -> Any:
    """Follow a name to its type, and unwrap a type that only stands around another."""
    while True:
        if isinstance(schema, dict) and isinstance(schema.get("type"), dict | list):
            schema = schema["type"]
        elif isinstance(schema, str) and schema not in _PRIMITIVES:
            target = named.get(f"{space}.{schema}" if space and "." not in schema else schema)
            target = named.get(schema) if target is None else target
            if target is None:
                return schema
            schema = target
        else:
            return schema


def _fields(
    record: Any, path: tuple[str, ...], named: Named, space: str = ""
) -> Iterator[SourceColumn]:
    space = _full_name(record, space)[1]
    for member in record["fields"]:
        yield from _columns(member["type"], (*path, member["name"]), named, space)


def _columns(
    schema: Any, path: tuple[str, ...], named: Named, space: str
) -> Iterator[SourceColumn]:
    branches = _branches(schema)
    one = _resolved(branches[0], named, space) if len(branches) == 1 else None
    kind = _type(one)
    if kind in {"record", "error"} and len(path) < _DEEPEST and not _recursive(one, named):
        yield from _fields(one, path, named, space)
    elif kind == "array":
        yield _array(one, path, named, space)
    elif kind in _PRIMITIVES:
        yield _simple(one, path)
    elif path and _are_records(branches, named, space):
        # the name would be lost in the record alone
        tag = Column(f"{'_'.join(path)}_type", "text")
        yield SourceColumn(tag, path, lambda value: _split(value)[0])
        yield source(path, "json", lambda value: nested_json(_split(value)[1]))
    else:
        yield source(path or ("",), "json", nested_json)


def _are_records(branches: list[Any], named: Named, space: str) -> bool:
    types = [_type(_resolved(branch, named, space)) for branch in branches]
    return len(types) > 1 and all(each == "record" for each in types)


def _split(value: Any) -> tuple[str | None, Any]:
    """Part the name of a union's record from the record, as fastavro joins them."""
    return value if isinstance(value, tuple) else (None, value)


def _recursive(record: Any, named: Named) -> bool:
    """Whether a record holds itself."""
    seen: set[str] = set()
    waiting = [record]
    first = True
    while waiting:
        schema = waiting.pop()
        if isinstance(schema, list):
            waiting += schema
            continue
        schema = _resolved(schema, named, "")
        if not isinstance(schema, dict):
            continue
        if "fields" in schema:
            name = _full_name(schema, "")[0]
            if schema is record and not first:
                return True
            if name in seen:
                continue
            seen.add(name)
            waiting += [member["type"] for member in schema["fields"]]
        waiting += [schema[inner] for inner in ("items", "values") if inner in schema]
        first = False
    return False


def _array(schema: Any, path: tuple[str, ...], named: Named, space: str) -> SourceColumn:
    branches = _branches(schema["items"])
    item = _resolved(branches[0], named, space) if len(branches) == 1 else None
    kind = _simple(item, ("",)).column.kind if _type(item) in _PRIMITIVES else "json"
    if kind not in _ARRAY_ITEMS:
        return source(path or ("",), "json", nested_json)
    return SourceColumn(Column("", "array", item=_ARRAY_ITEMS[kind]), path or ("",))


def _simple(schema: Any, path: tuple[str, ...]) -> SourceColumn:
    path = path or ("",)
    logical = schema.get("logicalType") if isinstance(schema, dict) else None
    base = _type(schema)
    if logical in _TIMES and base in {"int", "long"}:
        kind, precision, convert = _TIMES[logical]
        return SourceColumn(Column("", kind, precision), path, convert)
    if logical == "decimal" and base in {"bytes", "fixed"}:
        column = Column("", "decimal", int(schema["precision"]), int(schema.get("scale", 0)))
        return SourceColumn(column, path)
    if logical == "uuid" and base in {"string", "fixed"}:
        return source(path, "uuid", identifier)
    if base == "enum":
        return SourceColumn(Column("", "text", symbols=tuple(schema["symbols"])), path)
    if logical == "duration":
        return source(path, "json", to_json)
    return source(path, *_PRIMITIVES[base])


# -- for a reader of its own ---------------------------------------------------------------------
def named_types(text: str, dependencies: Sequence[str] = ()) -> Named:
    """Return the named types of a schema and of what it refers to, by full name."""
    named: dict[str, Any] = {}
    for one in (*dependencies, text):
        _collect(json.loads(one), named, "")
    return named


def resolved(schema: Any, named: Named) -> Any:
    """Follow a name to its type, and unwrap a type that only stands around another."""
    return _resolved(schema, named, "")


def is_time(logical: str, base: str) -> bool:
    """Whether a logical type is one whose values stay the numbers they are on the wire."""
    return logical in _TIMES and base in {"int", "long"}


# -- decoding -----------------------------------------------------------------------------------
def decoder(text: str, dependencies: Sequence[str] = ()) -> Callable[[bytes], Any]:
    """Return a decoder of payloads whose top-level times stay the numbers they are on the wire."""
    named: dict[str, Any] = {}
    for dependency in dependencies:
        parse_schema(json.loads(dependency), named)
    read = json.loads(text)
    schema = parse_schema(_timeless(read), named)

    def decode(payload: bytes, **options: Any) -> Any:
        try:
            return schemaless_reader(BytesIO(payload), schema, None, **options)
        except EOFError:
            raise ValueError(f"{len(payload):,} bytes end in the midst of a value") from None

    def decode_named(payload: bytes) -> Any:
        # the names of records where a union has several: else they go without saying
        return decode(payload, return_record_name=True, return_record_name_override=True)

    def decode_union(payload: bytes) -> Any:
        name, value = _split(decode_named(payload))
        return value if name is None else {**value, RECORD_TYPE: name}

    if isinstance(read, list):
        return decode_union
    chooses = any(_chooses(each) for each in (read, *map(json.loads, dependencies)))
    return decode_named if chooses else decode


def _chooses(schema: Any) -> bool:
    """Whether a union of records may be in it: several branches that are no primitives."""
    if isinstance(schema, list):
        simple = {*_PRIMITIVES, "null"}
        named = [each for each in schema if not isinstance(each, str) or each not in simple]
        return len(named) > 1 or any(_chooses(branch) for branch in schema)
    if isinstance(schema, dict):
        inner = (schema.get(name) for name in ("type", "items", "values"))
        members = (member["type"] for member in schema.get("fields", ()))
        return any(_chooses(each) for each in (*inner, *members))
    return False


def _timeless(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_timeless(branch) for branch in schema]
    if not isinstance(schema, dict) or "fields" not in schema:
        return schema
    return schema | {
        "fields": [member | {"type": _numeric(member["type"])} for member in schema["fields"]]
    }


def _numeric(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_numeric(branch) for branch in schema]
    if isinstance(schema, dict) and schema.get("logicalType") in _TIMES:
        return schema["type"]
    return schema
