"""From payloads to plain values, with the serializer of the client as the writer."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from google.protobuf import json_format, message_factory
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.formats.protobuf import FORMAT
from registry.formats.protobuf.model import Model

TEXT = """
syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/struct.proto";
import "confluent/type/decimal.proto";

message First { string name = 1; }
message Shipment {
  message Item { string sku = 1; sint64 count = 2; }
  int64 id = 1;
  State state = 2;
  repeated Item items = 3;
  map<string, Item> by_shelf = 4;
  oneof carrier { string post = 5; int32 courier = 6; }
  optional bool insured = 7;
  bytes label = 8;
  google.protobuf.Timestamp at = 9;
  google.protobuf.StringValue note = 10;
  google.protobuf.Struct extra = 11;
  confluent.type.Decimal price = 12;
  Shipment previous = 13;
  repeated State history = 14;
}
enum State { UNKNOWN = 0; SENT = 1; ARRIVED = 2; }
"""
SCHEMA = FORMAT.parse(TEXT)
DECODE = FORMAT.decoder(SCHEMA)


def _class(name: str) -> Any:
    model = SCHEMA.model
    assert isinstance(model, Model)
    return message_factory.GetMessageClass(model.pool.FindMessageTypeByName(name))


def test_every_kind_of_field() -> None:
    message = _class("shop.Shipment")()
    written = {
        "id": "9007199254740993", "state": "SENT", "items": [{"sku": "a", "count": "-2"}],
        "by_shelf": {"x": {"sku": "b"}}, "courier": 7, "label": "AAE=", "note": "n",
        "at": "2026-11-21T08:00:00.5Z", "extra": {"k": [1, None]},
        "price": {"value": "/oM=", "scale": 2}, "previous": {"id": "1"}, "history": ["SENT", 9],
    }  # fmt: skip
    json_format.ParseDict(written, message)
    plain = DECODE(b"\x02\x02" + message.SerializeToString())
    previous = plain.pop("previous")
    assert plain == {
        "id": 9007199254740993, "state": "SENT", "items": [{"sku": "a", "count": -2}],
        "by_shelf": {"x": {"sku": "b", "count": 0}}, "post": None, "courier": 7, "insured": None,
        "label": b"\x00\x01", "at": datetime(2026, 11, 21, 8, 0, 0, 500_000, tzinfo=UTC),
        "note": "n", "extra": {"k": [1.0, None]}, "price": Decimal("-3.81"),
        "history": ["SENT", 9],
    }  # fmt: skip
    assert previous["id"] == 1
    assert previous["previous"] is None
    assert previous["at"] is None


def test_message_indexes_choose_the_message() -> None:
    first = _class("shop.First")(name="n").SerializeToString()
    item = _class("shop.Shipment.Item")(sku="s").SerializeToString()
    assert DECODE(b"\x00" + first) == {"name": "n"}
    assert DECODE(b"\x02\x00" + first) == {"name": "n"}
    assert DECODE(b"\x04\x02\x00" + item) == {"sku": "s", "count": 0}


@pytest.mark.parametrize(
    "payload", [b"", b"\x02", b"\x02\x08", b"\x01", b"\x03\x02", b"\x00\xff\xff", b"\xff" * 12]
)
def test_broken_payloads(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        DECODE(payload)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(-(2**63), 2**63 - 1), st.text(max_size=5), st.binary(max_size=5),
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3),
)  # fmt: skip
def test_values_come_back(number: int, name: str, raw: bytes, counts: list[int]) -> None:
    kind = _class("shop.Shipment")
    items = [{"sku": name, "count": count} for count in counts]
    message = kind(id=number, post=name, label=raw, items=items)
    plain = DECODE(b"\x02\x02" + message.SerializeToString())
    assert (plain["id"], plain["post"], plain["label"]) == (number, name, raw)
    assert plain["items"] == items


def test_fields() -> None:
    text = TEXT.replace("int64 id = 1;", "int64 id = 1; // the key")
    fields = {field.path: field for field in FORMAT.fields(FORMAT.parse(text))}
    assert list(fields)[:3] == ["name", "Shipment.id", "Shipment.state"]
    assert fields["Shipment.id"].doc == "the key"
    assert fields["Shipment.items"].type == "repeated Item"
    assert fields["Shipment.courier"].type == "int32 (oneof carrier)"
    assert fields["Shipment.Item.sku"].type == "string"
