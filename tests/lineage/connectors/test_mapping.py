"""Each row of the mapping: from a value as it was written to the column of both kinds of target."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import psycopg
import pytest
from fastavro import parse_schema, schemaless_writer
from google.protobuf import message_factory
from psycopg import sql

from lineage.connectors.columns import Column, Layout, Row, duration, row_maker
from lineage.connectors.engine_parts import Writer
from lineage.connectors.sinks import open_sink
from lineage.connectors.sinks.contract import Sink
from lineage.connectors.writers import writer_of
from registry import formats
from registry.formats.protobuf.model import ROOT

UID = "123e4567-e89b-12d3-a456-426614174000"
DAY = 86_400_000_000


def logical(base: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": base, "logicalType": name, **more}


def record(name: str, **fields: Any) -> dict[str, Any]:
    members = [{"name": field, "type": kind} for field, kind in fields.items()]
    return {"type": "record", "name": name, "fields": members}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


CARD, CASH = record("shop.Card", number="string"), record("shop.Cash", coins="int")
FIXED = {"type": "fixed", "name": "F", "size": 2}
# the Avro type; a value; its columns: kind, canonical value, type in PostgreSQL
AVRO: dict[str, tuple[Any, Any, list[tuple[str, Any, str]]]] = {
    "int": ("int", -(2**31), [("integer", -(2**31), "integer")]),
    "long": ("long", 2**63 - 1, [("bigint", 2**63 - 1, "bigint")]),
    "float": ("float", 0.5, [("real", 0.5, "real")]),
    "double": ("double", 0.1, [("double", 0.1, "double precision")]),
    "boolean": ("boolean", True, [("boolean", True, "boolean")]),
    "string": ("string", "é", [("text", "é", "text")]),
    "bytes": ("bytes", b"\x00\xff", [("bytes", b"\x00\xff", "bytea")]),
    "fixed": (FIXED, b"\x00\x01", [("bytes", b"\x00\x01", "bytea")]),
    "enum": (
        {"type": "enum", "name": "E", "symbols": ["A", "B"]}, "B", [("text", "B", "text")],
    ),
    "decimal": (
        logical("bytes", "decimal", precision=12, scale=2),
        Decimal("-1.50"),
        [("decimal", Decimal("-1.50"), "numeric(12,2)")],
    ),
    "decimal as fixed": (
        {**FIXED, "size": 6, "logicalType": "decimal", "precision": 12, "scale": 2},
        Decimal("1.50"),
        [("decimal", Decimal("1.50"), "numeric(12,2)")],
    ),
    "uuid": (logical("string", "uuid"), UID, [("uuid", UID, "uuid")]),
    "uuid as fixed": (
        {"type": "fixed", "name": "F", "size": 16, "logicalType": "uuid"},
        UUID(UID).bytes,
        [("uuid", UID, "uuid")],
    ),
    "timestamp-millis": (
        logical("long", "timestamp-millis"),
        utc("1969-12-31T23:59:59"),
        [("timestamptz", -1_000_000, "timestamp(3) with time zone")],
    ),
    "timestamp-micros": (
        logical("long", "timestamp-micros"),
        utc("1970-01-01T00:00:00.000001"),
        [("timestamptz", 1, "timestamp(6) with time zone")],
    ),
    "timestamp-nanos": (
        logical("long", "timestamp-nanos"),
        1_700_000_000_123_456_789,
        [("timestamptz", 1_700_000_000_123_456, "timestamp(6) with time zone")],
    ),
    "timestamp-nanos before 1970": (
        logical("long", "timestamp-nanos"),
        -1,
        [("timestamptz", -1, "timestamp(6) with time zone")],
    ),
    "local-timestamp-millis": (
        logical("long", "local-timestamp-millis"),
        1_000,
        [("timestamp", 1_000_000, "timestamp(3)")],
    ),
    "local-timestamp-micros": (
        logical("long", "local-timestamp-micros"), 5, [("timestamp", 5, "timestamp(6)")],
    ),
    "local-timestamp-nanos": (
        logical("long", "local-timestamp-nanos"), 5_999, [("timestamp", 5, "timestamp(6)")],
    ),
    "date": (logical("int", "date"), date(1969, 12, 31), [("date", -1, "date")]),
    "time-millis": (
        logical("int", "time-millis"), time(0, 0, 1), [("time", 1_000_000, "time(3)")],
    ),
    "time-micros": (
        logical("long", "time-micros"), time(23, 59, 59, 999_999), [("time", DAY - 1, "time(6)")],
    ),
    "duration": (
        {"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"},
        b"\x01" + b"\x00" * 11,
        [("json", '"010000000000000000000000"', "jsonb")],
    ),
    "nullable": (["null", "int"], None, [("integer", None, "integer")]),
    "array of int": (
        {"type": "array", "items": "int"}, [1, -1], [("array", [1, -1], "int4[]")],
    ),
    "array of float": (
        {"type": "array", "items": "float"}, [0.5], [("array", [0.5], "double precision[]")],
    ),
    "array of nullable string": (
        {"type": "array", "items": ["null", "string"]},
        ["a", None, ""],
        [("array", ["a", None, ""], "text[]")],
    ),
    "array of enum": (
        {"type": "array", "items": {"type": "enum", "name": "E", "symbols": ["A"]}},
        ["A"],
        [("array", ["A"], "text[]")],
    ),
    "array of instants": (
        {"type": "array", "items": logical("long", "timestamp-millis")},
        [utc("2026-01-01")],
        [("json", '["2026-01-01T00:00:00Z"]', "jsonb")],
    ),
    "array of record": (
        {"type": "array", "items": CARD},
        [{"number": "1"}],
        [("json", '[{"number":"1"}]', "jsonb")],
    ),
    "array of records": (
        {"type": "array", "items": [CARD, CASH]},
        [("shop.Cash", {"coins": 1})],
        [("json", '[{"shop.Cash":{"coins":1}}]', "jsonb")],
    ),
    "map": ({"type": "map", "values": "int"}, {"b": 1}, [("json", '{"b":1}', "jsonb")]),
    "nested record": (
        record("N", a="int", b=["null", record("M", c="string")]),
        {"a": 1, "b": {"c": "x"}},
        [("integer", 1, "integer"), ("text", "x", "text")],
    ),
    "recursive record": (
        record("T", v="int", next=["null", "T"]),
        {"v": 1, "next": {"v": 2, "next": None}},
        [("json", '{"next":{"next":null,"v":2},"v":1}', "jsonb")],
    ),
    "union of primitives": (["int", "string"], "x", [("json", '"x"', "jsonb")]),
    "union of records": (
        ["null", CARD, CASH],
        ("shop.Card", {"number": "1"}),
        [("text", "shop.Card", "text"), ("json", '{"number":"1"}', "jsonb")],
    ),
}  # fmt: skip

# the JSON Schema; a value; kind, canonical value, type in PostgreSQL
JSON: dict[str, tuple[dict[str, Any], Any, list[tuple[str, Any, str]]]] = {
    "integer": ({"type": "integer"}, 2**53 + 1, [("bigint", 2**53 + 1, "bigint")]),
    "number": ({"type": "number"}, 2, [("double", 2.0, "double precision")]),
    "boolean": ({"type": "boolean"}, False, [("boolean", False, "boolean")]),
    "string": ({"type": "string"}, "", [("text", "", "text")]),
    "enum": ({"enum": ["a", "b"]}, "b", [("text", "b", "text")]),
    "date-time": (
        {"type": "string", "format": "date-time"},
        "2026-01-01T01:00:00+01:00",
        [("timestamptz", 1_767_225_600_000_000, "timestamp(6) with time zone")],
    ),
    "date": ({"type": "string", "format": "date"}, "1970-01-02", [("date", 1, "date")]),
    "uuid": ({"type": "string", "format": "uuid"}, UID.upper(), [("uuid", UID, "uuid")]),
    "nullable": ({"type": ["string", "null"]}, None, [("text", None, "text")]),
    "one of null": (
        {"oneOf": [{"type": "null"}, {"type": "integer"}]}, 1, [("bigint", 1, "bigint")],
    ),
    "array of integer": (
        {"type": "array", "items": {"type": "integer"}}, [1], [("array", [1], "int8[]")],
    ),
    "array of number": (
        {"type": "array", "items": {"type": "number"}},
        [1, None],
        [("array", [1.0, None], "double precision[]")],
    ),
    "array of object": (
        {"type": "array", "items": {"type": "object"}},
        [{"a": 1}],
        [("json", '[{"a":1}]', "jsonb")],
    ),
    "object": (
        {"type": "object", "properties": {"a": {"type": "integer"}}}, {"a": 1},
        [("bigint", 1, "bigint")],
    ),
    "free object": ({"type": "object"}, {"b": [1]}, [("json", '{"b":[1]}', "jsonb")]),
    "several types": ({"type": ["integer", "string"]}, "x", [("json", '"x"', "jsonb")]),
    "anything": ({}, [1, "a"], [("json", '[1,"a"]', "jsonb")]),
}  # fmt: skip

# the field's declaration; a value; kind, canonical value, type in PostgreSQL
PROTOBUF: dict[str, tuple[str, Any, list[tuple[str, Any, str]]]] = {
    "int32": ("int32 f = 1;", -1, [("integer", -1, "integer")]),
    "sint64": ("sint64 f = 1;", -(2**63), [("bigint", -(2**63), "bigint")]),
    "int64": ("int64 f = 1;", 2**63 - 1, [("bigint", 2**63 - 1, "bigint")]),
    "uint32": ("uint32 f = 1;", 2**32 - 1, [("bigint", 2**32 - 1, "bigint")]),
    "uint64": ("uint64 f = 1;", 2**64 - 1, [("decimal", 2**64 - 1, "numeric(20,0)")]),
    "float": ("float f = 1;", 0.5, [("real", 0.5, "real")]),
    "double": ("double f = 1;", 0.1, [("double", 0.1, "double precision")]),
    "bool": ("bool f = 1;", True, [("boolean", True, "boolean")]),
    "string": ("string f = 1;", "é", [("text", "é", "text")]),
    "bytes": ("bytes f = 1;", b"\xff", [("bytes", b"\xff", "bytea")]),
    "enum by name": ("Colour f = 1;", 1, [("text", "RED", "text")]),
    "enum unknown": ("Colour f = 1;", 7, [("text", "7", "text")]),
    "optional": ("optional int32 f = 1;", None, [("integer", None, "integer")]),
    "oneof": (
        "oneof f { string a = 1; int64 b = 2; }",
        {"b": 5},
        [("text", None, "text"), ("bigint", 5, "bigint")],
    ),
    "repeated int32": ("repeated int32 f = 1;", [1, 2], [("array", [1, 2], "int4[]")]),
    "repeated string": ("repeated string f = 1;", ["a"], [("array", ["a"], "text[]")]),
    "repeated enum": ("repeated Colour f = 1;", [1], [("array", ["RED"], "text[]")]),
    "repeated message": (
        "repeated Inner f = 1;", [{"a": 1}], [("json", '[{"a":1}]', "jsonb")],
    ),
    "map": ("map<string, int32> f = 1;", {"a": 1}, [("json", '{"a":1}', "jsonb")]),
    "message": ("Inner f = 1;", {"a": 1}, [("integer", 1, "integer")]),
    "recursive message": (
        "Tree f = 1;",
        {"v": 1, "next": {"v": 2}},
        [("integer", 1, "integer"), ("json", '{"next":null,"v":2}', "jsonb")],
    ),
    "Timestamp": (
        "google.protobuf.Timestamp f = 1;",
        {"seconds": -1, "nanos": 999_999_999},
        [("timestamptz", -1, "timestamp(6) with time zone")],
    ),
    "Duration": (
        "google.protobuf.Duration f = 1;",
        {"seconds": -1, "nanos": -500_000_000},
        [("decimal", Decimal("-1.500000"), "numeric(18,6)")],
    ),
    "Int64Value": (
        "google.protobuf.Int64Value f = 1;", {"value": 3}, [("bigint", 3, "bigint")],
    ),
    "UInt64Value": (
        "google.protobuf.UInt64Value f = 1;", None, [("decimal", None, "numeric(20,0)")],
    ),
    "StringValue": (
        "google.protobuf.StringValue f = 1;", {"value": ""}, [("text", "", "text")],
    ),
    "Struct": (
        "google.protobuf.Struct f = 1;",
        {"a": 1.5},
        [("json", '{"a":1.5}', "jsonb")],
    ),
    "Any": (
        "google.protobuf.Any f = 1;",
        {"type_url": "x/T", "value": b"\x01"},
        [("json", '{"type_url":"x/T","value":"01"}', "jsonb")],
    ),
}  # fmt: skip
_PROTO = """syntax = "proto3";
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/any.proto";
message Row { %s }
message Inner { int32 a = 1; }
message Tree { int32 v = 1; Tree next = 2; }
enum Colour { NONE = 0; RED = 1; }"""


@pytest.fixture(scope="module")
def sinks(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Sink]]:
    """Both kinds of target, open for all rows of the mapping."""
    url: str = request.getfixturevalue("postgres_url")
    name = f"mapping_{uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    postgres = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    folder = tmp_path_factory.mktemp("mapping")
    found = {
        "sqlite": open_sink(f"sqlite:///{folder / 'c.sqlite3'}"),
        "postgresql": open_sink(postgres),
    }
    yield found
    for sink in found.values():
        sink.close()
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def hold(
    sinks: dict[str, Sink], writer: Writer, payload: bytes, expected: list[tuple[str, Any, str]]
) -> None:
    """Decode a payload into a row, and read the row back from a table of each kind."""
    lead = Column("record_key", "text")
    layout = Layout((lead, *(source.column for source in writer.plan.columns)), 1)
    row: Row = ["k", *row_maker(layout, writer.plan, 1)(writer.decode(payload))]
    empty: Row = ["empty", *[None] * (len(layout.columns) - 1)]
    columns = layout.columns[1:]
    assert [column.kind for column in columns] == [kind for kind, _, _ in expected]
    assert row[1:] == [value for _, value, _ in expected]
    for sink in sinks.values():
        sink.load("t", layout, [row, empty])
        kept = {read[0]: read for read in sink.read("t", layout)}
        assert kept["empty"] == empty
        for column, was, read in zip(layout.columns, row, kept["k"], strict=True):
            both = (json.loads(was), json.loads(read)) if column.kind == "json" else (was, read)
            assert both[0] == both[1]
    types = [sinks["postgresql"].column_type(column) for column in columns]
    assert [
        name.replace("integer[]", "int4[]").replace("bigint[]", "int8[]") for name in types
    ] == [name for _, _, name in expected]


@pytest.mark.postgres
@pytest.mark.parametrize("row", AVRO)
def test_avro(row: str, sinks: dict[str, Sink]) -> None:
    kind, value, expected = AVRO[row]
    schema = record("Row", f=kind)
    out = BytesIO()
    schemaless_writer(out, parse_schema(json.loads(json.dumps(schema))), {"f": value})
    parsed = formats.get("AVRO").parse(json.dumps(schema), [])
    hold(sinks, writer_of(parsed), out.getvalue(), expected)


@pytest.mark.postgres
@pytest.mark.parametrize("row", JSON)
def test_json_schema(row: str, sinks: dict[str, Sink]) -> None:
    kind, value, expected = JSON[row]
    text = json.dumps({"type": "object", "properties": {"f": kind}})
    parsed = formats.get("JSON").parse(text, [])
    hold(sinks, writer_of(parsed), json.dumps({"f": value}).encode(), expected)


@pytest.mark.postgres
@pytest.mark.parametrize("row", PROTOBUF)
def test_protobuf(row: str, sinks: dict[str, Sink]) -> None:
    field, value, expected = PROTOBUF[row]
    parsed = formats.get("PROTOBUF").parse(_PROTO % field, [])
    model: Any = parsed.model
    kind = message_factory.GetMessageClass(
        model.pool.FindFileByName(ROOT).message_types_by_name["Row"]
    )
    members = value if field.startswith("oneof") else {"f": value} if value is not None else {}
    hold(sinks, writer_of(parsed), b"\x00" + kind(**members).SerializeToString(), expected)


def test_a_union_at_the_top_has_the_columns_of_all_and_tells_which_it_was() -> None:
    shared = {"type": "enum", "name": "E", "symbols": ["A"]}
    more = {"type": "enum", "name": "E2", "symbols": ["B"]}
    schema = [record("s.A", e=shared, n="int"), record("s.B", e=more, n="string")]
    writer = writer_of(formats.get("AVRO").parse(json.dumps(schema), []))
    out = BytesIO()
    schemaless_writer(
        out, parse_schema(json.loads(json.dumps(schema))), ("s.B", {"e": "B", "n": "x"})
    )
    layout = Layout(tuple(source.column for source in writer.plan.columns), 0)
    assert layout.names == ("record_type", "e", "n")
    assert layout.columns[1].symbols == ("A", "B")
    row = row_maker(layout, writer.plan, 0)(writer.decode(out.getvalue()))
    assert row == ["s.B", "B", '"x"']


def test_durations_are_exact() -> None:
    assert duration(timedelta(days=36_500, microseconds=1)) == Decimal("3153600000.000001")
