"""Columns and rows of registered schemas of the three formats, and what cannot be decoded."""

import json
from decimal import Decimal
from typing import Any

import pytest

from broker.records import Record
from lineage.connectors.decoding import RegistryDecoder
from lineage.connectors.engine_fold import Preparation
from lineage.connectors.errors import SchemaChangedError
from lineage.connectors.keying import EventKeying, TextKeying
from lineage.connectors.shaped_parts import ShapedDecoder
from registry.actions import Submission, register
from tests.lineage.connectors.orders import encode

pytestmark = pytest.mark.django_db
AVRO: dict[str, Any] = {
    "type": "record",
    "name": "Order",
    "namespace": "shop",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "day", "type": ["null", {"type": "int", "logicalType": "date"}]},
        {
            "name": "price",
            "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
        },
        {
            "name": "home",
            "type": [
                "null",
                {
                    "type": "record",
                    "name": "Address",
                    "fields": [
                        {"name": "city", "type": "string"},
                        {"name": "zip", "type": ["null", "string"]},
                    ],
                },
            ],
        },
        {"name": "work", "type": ["null", "Address"]},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
        {"name": "extra", "type": {"type": "map", "values": "int"}},
        {"name": "either", "type": ["int", "string"]},
    ],
}
VALUE: dict[str, Any] = {
    "id": 7,
    "at": 1_700_000_000_123,
    "day": None,
    "price": Decimal("1.50"),
    "home": {"city": "Bonn", "zip": None},
    "work": None,
    "tags": ["a", "b"],
    "extra": {"y": 2, "x": 1},
    "either": "e",
}
PROTO = """syntax = "proto3";
import "google/protobuf/timestamp.proto";
message Parcel { string id = 1; int32 count = 2; google.protobuf.Timestamp at = 3; }"""


def record(value: bytes | None, key: bytes = b"7", offset: int = 0) -> Record:
    return Record("t", 0, offset, 1000, key, value, None)


def registered(text: str, kind: str = "AVRO") -> int:
    return register(f"{kind}-value", Submission(text, kind)).schema.id


def prepared(key: str = "record_key") -> tuple[Preparation, list[str]]:
    reasons: list[str] = []
    keying = TextKeying(key)
    decoder = RegistryDecoder()
    return Preparation(decoder, keying, lambda _record, reason: reasons.append(reason)), reasons


def row(preparation: Preparation, *records: Record) -> dict[str, Any]:
    changes = preparation.changes(records)
    assert preparation.layout is not None
    (found,) = changes.upserts.values()
    return dict(zip(preparation.layout.names, found, strict=True))


def test_avro() -> None:
    schema_id = registered(json.dumps(AVRO))
    preparation, _ = prepared("id")
    assert row(preparation, record(encode(AVRO, schema_id, VALUE))) == {
        "id": 7,
        "at": 1_700_000_000_123_000,
        "day": None,
        "price": Decimal("1.50"),
        "home_city": "Bonn",
        "home_zip": None,
        "work_city": None,
        "work_zip": None,
        "tags": ["a", "b"],
        "extra": '{"x":1,"y":2}',
        "either": '"e"',
    }
    assert preparation.layout is not None
    kinds = [column.kind for column in preparation.layout.columns]
    assert kinds[:4] == ["bigint", "timestamptz", "date", "decimal"]


def test_json_schema() -> None:
    schema = {
        "type": "object",
        "properties": {
            "n": {"type": "integer"},
            "at": {"type": "string", "format": "date-time"},
            "in": {"type": "object", "properties": {"x": {"type": ["number", "null"]}}},
            "any": {},
        },
    }
    frame = b"\x00" + registered(json.dumps(schema), "JSON").to_bytes(4, "big")
    value = {"n": 1, "at": "1970-01-01T00:00:01Z", "in": {"x": 2}, "any": [1]}
    preparation, _ = prepared()
    assert row(preparation, record(frame + json.dumps(value).encode())) == {
        "record_key": "7",
        "n": 1,
        "at": 1_000_000,
        "in_x": 2.0,
        "any": "[1]",
    }


def test_protobuf() -> None:
    frame = b"\x00" + registered(PROTO, "PROTOBUF").to_bytes(4, "big") + b"\x00"
    preparation, _ = prepared()
    payload = b"\x0a\x01p\x10\x03\x1a\x02\x08\x05"
    assert row(preparation, record(frame + payload)) == {
        "record_key": "7",
        "id": "p",
        "count": 3,
        "at": 5_000_000,
    }


def test_what_cannot_be_read_leaves_what_was_before_it() -> None:
    schema_id = registered(json.dumps(AVRO))
    good = encode(AVRO, schema_id, VALUE)
    preparation, reasons = prepared()
    unknown = b"\x00\x00\x00\xff\xff" + good[5:]
    records = [record(good), record(good[:8], offset=1), record(b"{}", offset=2)]
    assert row(preparation, *records, record(unknown, offset=3))["id"] == 7
    assert len(reasons) == 3
    assert "not found" in reasons[0]
    assert "not framed" in reasons[1]
    assert "cannot be decoded" in reasons[2]


def test_a_new_nullable_field_is_a_new_column_another_type_is_refused() -> None:
    first = {"type": "record", "name": "A", "fields": [{"name": "n", "type": "int"}]}
    wider = first | {"fields": [*first["fields"], {"name": "m", "type": ["null", "long"]}]}
    other = first | {"fields": [{"name": "n", "type": "string"}]}
    ids = [
        register(f"s{index}", Submission(json.dumps(schema))).schema.id
        for index, schema in enumerate((first, wider, other))
    ]
    preparation, _ = prepared()
    preparation.changes([record(encode(first, ids[0], {"n": 1}))])
    assert row(preparation, record(encode(wider, ids[1], {"n": 1, "m": 2})))["m"] == 2
    with pytest.raises(SchemaChangedError, match="n is integer"):
        preparation.changes([record(encode(other, ids[2], {"n": "x"}))])


def test_events_are_rows_by_their_place_in_the_log() -> None:
    schema_id = registered(json.dumps(AVRO))
    value = encode(AVRO, schema_id, VALUE)
    preparation = Preparation(RegistryDecoder(), EventKeying(), lambda *_: None)
    changes = preparation.changes([record(value), record(value, offset=1)])
    assert list(changes.upserts) == [("t", 0, 0), ("t", 0, 1)]


def test_records_of_one_schema_are_told_at_once() -> None:
    one = registered(json.dumps({"type": "record", "name": "A", "fields": []}))
    text = json.dumps({"properties": {"n": {"type": "integer"}}})
    other = registered(text, "JSON")
    frame, second = (b"\0" + each.to_bytes(4, "big") for each in (one, other))
    decoder = RegistryDecoder()
    alike = [record(frame), record(frame + b"\x02")]
    # nobody has looked the schema up yet
    assert decoder.alike(alike) is None
    writer, _ = decoder.writer(alike[0])
    assert decoder.alike(alike) == (writer, [b"", b"\x02"])
    decoder.writer(record(second + b"{}"))
    framed = alike[0]._replace(headers=(("x", b"y"),))
    for others in ([record(second + b"{}")], [record(b"?")], [framed], [record(None)]):
        assert decoder.alike([*alike, *others]) is None
    assert decoder.alike([]) is None
    shaped = ShapedDecoder(decoder, lambda plan: plan)
    found = shaped.alike(alike)
    assert found is not None
    assert found == (shaped.writer(alike[0])[0], [b"", b"\x02"])
    assert shaped.alike([framed]) is None
