"""`format=`: the same schema spelt otherwise."""

import base64

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from tests.registry.conftest import Registry, record

PROTO = 'syntax = "proto3";\nmessage Shipment {\n  string id = 1;\n}\n'
WHERE = [
    "/subjects/s/versions/1?format={}",
    "/schemas/ids/1?format={}",
    "/schemas/ids/1?format={}&subject=s",
]


@pytest.mark.parametrize("where", WHERE)
def test_serialized(registry: Registry, where: str) -> None:
    registry.register("s", PROTO, schemaType="PROTOBUF")
    text = registry.get(where.format("serialized"))["schema"]
    assert FileDescriptorProto.FromString(base64.b64decode(text)).message_type[0].name == "Shipment"
    assert "message Shipment" in registry.get(where.format(""))["schema"]
    assert "message Shipment" in registry.get(where.format("nonsense"))["schema"]


def test_the_text_alone_serialized(registry: Registry) -> None:
    guid = registry.register("s", PROTO, schemaType="PROTOBUF")["guid"]
    status, text = registry.call("GET", "/schemas/ids/1/schema?format=serialized")
    assert (status, base64.b64decode(text)[:1] != b"") == (200, True)
    assert registry.get(f"/schemas/guids/{guid}?format=serialized")["schema"] == text
    assert registry.call("GET", "/subjects/s/versions/1/schema?format=serialized")[1] == text


def test_resolved(registry: Registry) -> None:
    registry.register("item", record("Item", sku="string"))
    reference = {"name": "Item", "subject": "item", "version": 1}
    registry.register("s", record(item="Item"), references=[reference])
    assert '"sku"' not in registry.get("/subjects/s/versions/1")["schema"]
    assert '"sku"' in registry.get("/subjects/s/versions/1?format=resolved")["schema"]
