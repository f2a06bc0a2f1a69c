"""The texts of a Protobuf schema: canonical, normal and serialised."""

import base64

import pytest
from google.protobuf import descriptor_pb2

from registry.formats.contract import Dependency
from registry.formats.protobuf import FORMAT, serialized
from registry.formats.protobuf.parse import parse
from registry.formats.protobuf.render import render
from registry.formats.protobuf.syntax import Message

WRITTEN = """\
// A licence that is nobody's documentation.
syntax = 'proto3';
  package com.acme;
import public "public.proto"; import "line.proto";
option java_package = "com" ".acme";

/* An order,
 * as placed. */
message Order {
  Line first = 2;  // the first line
  repeated com.acme.Line lines=1[deprecated=true,json_name="l"];
  message Nested { }
  enum State { option allow_alias = true; UNKNOWN = 0; OPEN = 1; ALIAS = 1; }
  map < string , Nested > nested = 0x10;
  oneof choice { string text = 5; bytes raw = 6; }
  option deprecated = false;
  reserved 7, 9 to 11, 100 to max; reserved "old", "older";
  optional int32 count = 4;
}
enum Colour { RED = 0; }
message Empty {}
service Orders { rpc Place (Order) returns (stream Empty); rpc Two(stream Empty) returns (Empty) {
 option deprecated = true; } }
"""
CANONICAL = """\
syntax = "proto3";
package com.acme;

import "line.proto";
import public "public.proto";

option java_package = "com.acme";

message Order {
  reserved 7, 9 to 11, 100 to max;
  reserved "old", "older";

  option deprecated = false;

  Line first = 2;
  repeated com.acme.Line lines = 1 [
    deprecated = true,
    json_name = "l"
  ];
  map<string, Nested> nested = 16;
  optional int32 count = 4;

  oneof choice {
    string text = 5;
    bytes raw = 6;
  }

  message Nested {}
  enum State {
    option allow_alias = true;
    UNKNOWN = 0;
    OPEN = 1;
    ALIAS = 1;
  }
}
enum Colour {
  RED = 0;
}
message Empty {}

service Orders {
  rpc Place (Order) returns (stream Empty);
  rpc Two (stream Empty) returns (Empty) {
    option deprecated = true;
  };
}
"""
NORMAL = """\
syntax = "proto3";
package com.acme;

import "line.proto";
import public "public.proto";

option java_package = "com.acme";

message Order {
  reserved 7, 9 to 11, 100 to max;
  reserved "old", "older";

  option deprecated = false;

  repeated .com.acme.Line lines = 1 [
    deprecated = true,
    json_name = "l"
  ];
  .com.acme.Line first = 2;
  optional int32 count = 4;
  map<string, .com.acme.Order.Nested> nested = 16;

  oneof choice {
    string text = 5;
    bytes raw = 6;
  }

  message Nested {}
  enum State {
    option allow_alias = true;
    UNKNOWN = 0;
    OPEN = 1;
    ALIAS = 1;
  }
}
message Empty {}
enum Colour {
  RED = 0;
}

service Orders {
  rpc Place (.com.acme.Order) returns (stream .com.acme.Empty);
  rpc Two (stream .com.acme.Empty) returns (.com.acme.Empty) {
    option deprecated = true;
  };
}
"""
REFERENCES = (
    Dependency("line.proto", 'syntax = "proto3"; package com.acme; message Line {}'),
    Dependency("public.proto", 'syntax = "proto3";'),
)


def test_the_stored_text_is_canonical_and_the_normal_text_sorted() -> None:
    schema = FORMAT.parse(WRITTEN, REFERENCES)
    assert schema.text == CANONICAL
    assert schema.normal == NORMAL
    again = FORMAT.parse(CANONICAL, REFERENCES)
    assert (again.text, again.normal) == (CANONICAL, NORMAL)
    assert FORMAT.parse(NORMAL, REFERENCES).normal == NORMAL


PROTO2 = """\
package a.b;

import "google/protobuf/descriptor.proto";

message M {
  required string name = 1 [default = "a\\"b"];
  optional bytes raw = 2 [default = "\\001"];
  repeated int32 numbers = 3 [packed = true];
  optional E e = 4 [default = B];
  optional double d = 5 [default = -1.5];

  optional group Part = 6 {
    optional int32 x = 1;
  }

  extensions 100 to 199, 300;

  extend M {
    optional string nested = 101;
  }

  enum E {
    reserved 5, 7 to max;
    A = 1;
    B = 2 [(note) = "b"];
  }
}

extend M {
  optional string more = 100;
}
extend google.protobuf.EnumValueOptions {
  optional string note = 50000;
}
"""
EDITION = """\
edition = "2023";

option features.field_presence = IMPLICIT;

message M {
  reserved foo, bar;

  int32 a = 1 [features.field_presence = EXPLICIT];
}
"""
EDITION_2024 = """\
edition = "2024";

import option "confluent/meta.proto";

export message A {
  string b = 1 [(confluent.field_meta) = {
    doc: "x"
  }];

  local enum E {
    Z = 0;
  }
}
"""
LITERAL = """\
syntax = "proto3";

import "confluent/meta.proto";

option (confluent.file_meta).doc = "A file";

message M {
  option (confluent.message_meta) = {
    doc: "A message",
    params: [
      {
        key: "a",
        value: "b"
      },
      {
        key: "c",
        value: "d"
      }
    ]
  };

  string f = 1 [(confluent.field_meta) = {
    tags: [
      "PII",
      "PRIVATE"
    ]
  }];
}
"""


@pytest.mark.parametrize("text", [PROTO2, EDITION, EDITION_2024, LITERAL])
def test_canonical_texts_stay_as_they_are(text: str) -> None:
    assert FORMAT.parse(text).text == text


@pytest.mark.parametrize("text", [CANONICAL, PROTO2, EDITION, EDITION_2024, LITERAL])
def test_a_serialised_descriptor_has_the_same_normal_form(text: str) -> None:
    references = REFERENCES if text == CANONICAL else ()
    schema = FORMAT.parse(text, references)
    again = FORMAT.parse(serialized(schema), references)
    assert again.normal == schema.normal
    assert FORMAT.parse(again.text, references).text == again.text
    assert FORMAT.compare(schema, again) == []


def test_references_may_be_serialised_too() -> None:
    line = FORMAT.parse(REFERENCES[0].text)
    references = (Dependency("line.proto", serialized(line)), REFERENCES[1])
    assert FORMAT.parse(WRITTEN, references).normal == NORMAL


def test_options_in_aggregate_and_by_path_are_the_same_when_normalised() -> None:
    start = 'syntax = "proto3"; import "confluent/meta.proto"; message M { string f = 1 '
    one = FORMAT.parse(f'{start}[(confluent.field_meta).tags = "PII"]; }}')
    other = FORMAT.parse(f'{start}[(.confluent.field_meta) = {{tags: "PII"}}]; }}')
    assert one.text != other.text
    assert one.normal == other.normal
    assert [field.tags for field in FORMAT.fields(one)] == [("PII",)]
    assert [field.tags for field in FORMAT.fields(other)] == [("PII",)]


def test_clients_read_the_serialised_form() -> None:
    from confluent_kafka.schema_registry.common.protobuf import (
        _init_pool,
        _schema_to_str,
        _str_to_proto,
    )
    from google.protobuf import struct_pb2
    from google.protobuf.descriptor_pool import DescriptorPool

    pool = DescriptorPool()
    _init_pool(pool)
    text = (
        'syntax = "proto3"; import "google/type/date.proto"; message M { google.type.Date d = 1; }'
    )
    pool.Add(_str_to_proto("default", serialized(FORMAT.parse(text))))
    assert pool.FindMessageTypeByName("M").fields_by_name["d"].number == 1
    sent = _schema_to_str(struct_pb2.DESCRIPTOR)
    assert FORMAT.parse(sent).text.startswith('syntax = "proto3";\npackage google.protobuf;\n')


@pytest.mark.parametrize(
    "name",
    ["confluent/meta.proto", "confluent/type/decimal.proto", "confluent/types/decimal.proto",
     "confluent/type/variant.proto"],
)  # fmt: skip
def test_built_in_types_have_the_wire_form_that_clients_have(name: str) -> None:
    """Numbers, types and names as in the client library, whatever else its options say."""
    from confluent_kafka.schema_registry.common.protobuf import _init_pool
    from google.protobuf.descriptor_pool import DescriptorPool

    from registry.formats.protobuf.compiler import COMPILER

    pool = DescriptorPool()
    _init_pool(pool)
    theirs = descriptor_pb2.FileDescriptorProto()
    pool.FindFileByName(name).CopyToProto(theirs)
    root = f'syntax = "proto3"; import "{name}";'
    compiled = COMPILER.compile("r", {"r": root}, [name])
    files = descriptor_pb2.FileDescriptorSet.FromString(compiled).file
    ours = next(file for file in files if file.name == name)
    for file in (ours, theirs):
        file.ClearField("options")
        for field in [*file.extension, *(f for m in file.message_type for f in m.field)]:
            field.ClearField("json_name")
        for nested in (n for m in file.message_type for n in m.nested_type):
            for field in nested.field:
                field.ClearField("json_name")
    assert ours == theirs


def test_comments_of_all_kinds() -> None:
    file = parse(
        """
        // one
        // two
        message A { // after the brace
          /** starred
            * twice */
          string a = 1; // trailing
          string b = 2; /* also */ string c = 3;
          // of nobody
        }
        """
    )
    message = file.types[0]
    assert isinstance(message, Message)
    assert message.doc == "one\ntwo\nafter the brace"
    assert [field.doc for field in message.fields] == ["starred\ntwice\ntrailing", "also", ""]
    assert render(file) == ("message A {\n  string a = 1;\n  string b = 2;\n  string c = 3;\n}\n")


@pytest.mark.parametrize("text", ["", "  ", "AAAA", base64.b64encode(b"\xff\xff\xff").decode()])
def test_neither_text_nor_descriptor(text: str) -> None:
    with pytest.raises(ValueError, match=r"empty|neither"):
        FORMAT.parse(text)
