"""Whatever protoc accepts is accepted, and its stored text means the same and stays as it is."""

from collections.abc import Iterable
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.formats.protobuf import FORMAT, serialized
from registry.formats.protobuf.model import Model
from registry.formats.protobuf.parse import parse
from registry.formats.protobuf.render import render

PROTO3, PROTO2 = 'syntax = "proto3";', 'syntax = "proto2";'
OPTIONS = """
import "google/protobuf/descriptor.proto";
extend google.protobuf.FieldOptions {
  optional Foo foo = 50000; repeated string many = 50001; bytes raw = 50003; uint64 big = 50004;
  sint32 small = 50005; E kind = 50006; bool yes = 50007; float f = 50008; double d = 50009;
}
extend google.protobuf.OneofOptions { int32 weight = 50000; }
extend google.protobuf.ServiceOptions { Foo service_foo = 50000; }
enum E { Z = 0; Y = 1; }
message Foo {
  string a = 1; Foo foo = 2; repeated Foo foos = 3; map<string, int32> counts = 4; float f = 5;
  E kind = 6; oneof o { int32 i = 8; } google.protobuf.FieldOptions any = 9;
}
"""
VALID = [
    # names that are words of the language
    f"""{PROTO3} message M {{ string message = 1; int32 enum = 2; bool option = 3; int32 map = 4;
    string reserved = 5; int32 oneof = 6; string to = 7; string max = 8; string stream = 9;
    string group = 10; string repeated = 11; string optional = 12; string extensions = 13;
    string extend = 14; string import = 15; string inf = 16; string export = 17; }}""",
    f"{PROTO3} message message {{}} message enum {{}} message M {{ .message m = 1; .enum e = 2; }}",
    f"{PROTO3} enum E {{ Z = 0; max = 1; to = 2; message = 3; rpc = 4; }}",
    f"""{PROTO3} service S {{ rpc rpc (stream stream) returns (.stream) {{ ; }} }}
    message stream {{}}""",
    # numbers
    f"{PROTO3} message M {{ int32 a = 0x0A; int32 b = 017; reserved 1, 0x14 to 30, 100 to max; }}",
    f"{PROTO3} enum E {{ Z = 0; N = -0x7; O = - 5; reserved -100 to -10, 7 to max; }}",
    f"{PROTO3} message M {{ string a = 536870911; reserved 100 to 18999; }}",
    f"{PROTO2} enum E {{ reserved 2147483647; A = 2147483646; B = -2147483648; }}",
    # spacing, comments, empty statements
    f"{PROTO3};;message M{{;string a=1;;}};message N{{M m=1;}}",
    f"/*a*/{PROTO3} message/*b*/M/*c*/{{/*d*/string/*e*/a/*f*/=/*g*/1/*h*/;/*i*/}}// j",
    f"""{PROTO3} package a . b ; message M {{ a . b . M m = 1; map < int32 , M . N > b = 2;
    message N {{}} }}""",
    # options
    f"""{PROTO3} option java_package = "a" 'b\\'' "c\\x41"; option optimize_for = CODE_SIZE;""",
    f"""{PROTO3} message M {{ int64 j = 5 [json_name = "@j", jstype = JS_STRING, deprecated = true];
    repeated int32 a = 1 [packed = false]; string c = 3 [debug_redact = true,
    retention = RETENTION_RUNTIME, targets = TARGET_TYPE_FIELD, targets = TARGET_TYPE_FILE]; }}""",
    f"""{PROTO3} {OPTIONS} message M {{
    string a = 1 [(foo).a = 'x', (foo).foo.a = "y", (many) = 'p', (many) = 'q', (raw) = '\\xff\\1'];
    string b = 2 [(.foo) = {{a: 'z' foo <a: 'b'> foos: [{{a:'1'}}, {{a:'2'}}], f: -inf; kind: Y
      counts: {{key: 'k' value: 3}} i: -1 any {{ deprecated: true [foo] {{a: "é"}} }} }}];
    string c = 3 [(big) = 18446744073709551615, (small) = -5, (kind) = Y, (yes) = false];
    string e = 4 [(f) = inf, (d) = -1.5E-3]; string g = 5 [(f) = -inf, (d) = nan];
    string h = 6 [(f) = .1, (d) = 5.]; string i = 7 [(foo) = {{}}];
    oneof o {{ option (weight) = 1; string j = 8; M k = 9 [deprecated = true]; }} }}
    service S {{ option (service_foo) = {{ a: "s" }}; rpc A (M) returns (M) {{
    option deprecated = true; option idempotency_level = NO_SIDE_EFFECTS; }} }}""",
    f"""{PROTO3} import "google/protobuf/any.proto"; import "google/protobuf/descriptor.proto";
    extend google.protobuf.MessageOptions {{ google.protobuf.Any any = 50000; }}
    message P {{ int32 x = 1; }}
    message M {{ option (any) = {{ [type.googleapis.com/P] {{ x: 1 }} }}; }}""",
    # files that are imported in other ways
    f"{PROTO3} import weak 'google/protobuf/any.proto'; import public 'google/type/date.proto';",
    # a package that hides the outer one of its name
    f"""{PROTO3} package io.confluent.x; import "confluent/meta.proto"; message M {{
    option (.confluent.message_meta).doc = "m"; string a = 1 [(.confluent.field_meta).doc = "x"];
    }}""",
    # proto2
    f"""{PROTO2} message M {{ optional int32 a = 1 [default = -0x7F]; optional uint64 b = 2 [default
    = 0777]; optional double d = 4 [default = -.5e-3]; optional string f = 6 [default = 'it\\'s' " "
    '\\x41']; optional bytes g = 7 [default = "\\377\\000"]; optional E h = 8 [default = Y];
    enum E {{ Y = -1; Z = 0; }} optional double i = 9 [default = inf]; optional float l = 12 [
    default = 0.1, json_name = "L", deprecated = true];
    optional double n = 14 [default = -0]; }}""",
    f"""{PROTO2} message M {{ required group G = 1 [deprecated = true, lazy = false] {{
    repeated group H = 2 {{ optional M m = 1; }} }} oneof o {{ string s = 3; group I = 4 {{
    optional int32 x = 1; }} }} extensions 10 to 20, 30 to 536870911; message N {{ extend .M {{
    optional N n = 10; repeated group J = 11 {{ optional int32 b = 1; }} }} }} }}
    extend M {{ optional group K = 12 {{ optional M b = 1; }} }} message Last {{}}""",
    f"{PROTO2} message M {{ option message_set_wire_format = true; extensions 4 to max; }}",
    f"""{PROTO2} message M {{ extensions 50 to 60 [declaration = {{ number: 51, full_name: ".a.b",
    type: ".M" }}, verification = DECLARATION]; }}""",
    "message M { required string a = 1; }",
    # editions
    """edition = "2023"; option features.field_presence = IMPLICIT; option features.enum_type =
    CLOSED; message M { string a = 1 [features.field_presence = EXPLICIT]; reserved a_b, c;
    enum E { option features.enum_type = OPEN; Z = 0; reserved foo; } extensions 10 to 20; }
    extend M { string e = 10; repeated M r = 11 [features.message_encoding = DELIMITED]; }""",
    """edition = '20' "23"; import "google/protobuf/cpp_features.proto"; option
    features.(pb.cpp).string_type = VIEW; message M { bytes s = 1 [
    features.(pb.cpp).string_type = CORD]; map<string, M> m = 7; }""",
    """edition = "2024"; package a.b; option features.default_symbol_visibility = EXPORT_ALL;
    import option "confluent/meta.proto"; local message M { export enum E { EMPTY = 0; } }
    export message Two { string s = 1 [(confluent.field_meta).doc = "x"]; }""",
]


def _means(text: str) -> FileDescriptorProto:
    """What protoc makes of a text, without the order that has no meaning."""
    model = FORMAT.parse(text).model
    assert isinstance(model, Model)
    file = FileDescriptorProto()
    file.CopyFrom(model.root)
    public = sorted(file.dependency[index] for index in file.public_dependency)
    file.dependency.sort()
    for field in ("public_dependency", "weak_dependency"):
        file.ClearField(field)
    file.option_dependency.extend(f"public {name}" for name in public)
    _sort(file.extension, lambda each: (each.extendee, each.number))
    bodies = {each.type_name for each in file.extension if each.type == each.TYPE_GROUP}
    scope = f".{file.package}." if file.package else "."
    _sort(file.message_type, lambda each: f"{scope}{each.name}" in bodies)
    for method in (each for service in file.service for each in service.method):
        if not method.options.ByteSize():
            method.ClearField("options")
    for message in file.message_type:
        _sort_message(message)
    return file


def _sort(items: Any, key: Any) -> None:
    kept = sorted(items, key=key)
    del items[:]
    items.extend(kept)


def _sort_message(message: DescriptorProto) -> None:
    names = [oneof.name for oneof in message.oneof_decl]
    _sort(message.oneof_decl, lambda oneof: oneof.name)
    for field in message.field:
        if field.HasField("oneof_index"):
            field.oneof_index = sorted(names).index(names[field.oneof_index])
    _sort(message.field, lambda field: field.number)
    _sort(message.extension, lambda each: (each.extendee, each.number))
    _sort(message.nested_type, lambda nested: nested.name)
    for nested in message.nested_type:
        _sort_message(nested)


def _holds(text: str) -> None:
    schema = FORMAT.parse(text)
    stored, normal = schema.text, schema.normal
    assert render(parse(stored)) == stored
    assert render(parse(normal)) == normal
    assert _means(stored) == _means(text)
    for same in (stored, normal, serialized(schema)):
        again = FORMAT.parse(same)
        assert again.normal == normal
        # the interleaving of messages with the bodies of groups is lost, and moves no message
        assert FORMAT.compare(schema, again) == []


@pytest.mark.parametrize("text", VALID, ids=range(len(VALID)))
def test_valid_texts(text: str) -> None:
    _holds(text)


SCALARS = ["int32", "sint64", "bool", "string", "bytes", "double", "fixed32"]
OPTION_TEXTS = [
    "", "", "", "[deprecated = true]", "[json_name = 'j{}', deprecated = false]",
    "[(confluent.field_meta).doc = 'd\\'\\n']",
    "[(confluent.field_meta) = {{ tags: ['a', 'b'] params {{ key: 'k' value: 'v' }} }}]",
]  # fmt: skip
SPACES = [" ", " ", "\n", "/* c */", " // c\n", "\t"]


class _Writer:
    """Draws a file; every name in it is its own."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._count = 0
        self.proto2 = draw(st.booleans())

    def pick(self, items: Iterable[str]) -> str:
        return str(self._draw(st.sampled_from(list(items))))

    def name(self, start: str) -> str:
        self._count += 1
        return f"{start}{self._count}"

    def options(self) -> str:
        return self.pick(OPTION_TEXTS).format(self._count)

    def field(self, types: list[str], in_oneof: bool = False) -> str:
        type_ = self.pick([*SCALARS, *types])
        name, kinds = self.name("f"), ["plain", "plain"]
        if not in_oneof:
            kinds += ["map"]
        if self.proto2:
            kinds += ["group"]
        kind = self.pick(kinds)
        labels = (
            ["optional", "repeated", "required"] if self.proto2 else ["", "optional", "repeated"]
        )
        label = "" if in_oneof else self.pick(labels)
        if kind == "map":
            return f"map<string,{type_}> {name} = {self._count};"
        if kind == "group":
            number = self._count
            body = f"{self.options()} {{ optional {type_} {self.name('g')} = 1; }}"
            return f"{label} group G{number} = {number}{body}"
        return f"{label} {type_} {name} = {self._count} {self.options()};"

    def members(self, types: list[str], depth: int) -> str:
        nested = [self.name("M") for _ in range(self._draw(st.integers(0, 2)) if depth else 0)]
        known = [*types, *nested]
        parts = [self.message(name, known, depth - 1) for name in nested]
        parts += [self.field(known) for _ in range(self._draw(st.integers(0, 4)))]
        for _ in range(self._draw(st.integers(0, 2))):
            inner = " ".join(self.field(known, in_oneof=True) for _ in range(2))
            parts.append(f"oneof {self.name('o')} {{ {inner} }}")
        if self._draw(st.booleans()):
            parts.append(
                f"reserved 5000 to 6000, {7000 + self._count}; reserved '{self.name('r')}';"
            )
        if self._draw(st.booleans()):
            zero = self.name("Z")
            parts.append(f"enum {self.name('E')} {{ {zero} = 0; {self.name('Y')} = -0x{depth}1; }}")
        if self._draw(st.booleans()):
            parts.append("option deprecated = true;")
        return self.pick(SPACES).join(self._draw(st.permutations(parts)))

    def message(self, name: str, types: list[str], depth: int) -> str:
        return f"message {name}{self.pick(SPACES)}{{ {self.members(types, depth)} }}"


@st.composite
def _files(draw: st.DrawFn) -> str:
    writer = _Writer(draw)
    names = [writer.name("M") for _ in range(draw(st.integers(1, 3)))]
    messages = [writer.message(name, names, 1) for name in names]
    service = f"service S {{ rpc A (stream {names[0]}) returns ({names[-1]}); }}"
    declared = [*messages, service, "enum E { Z = 0; }", "option java_package = \"a\" 'b';"]
    start = f"{PROTO2 if writer.proto2 else PROTO3} package p.q; import 'confluent/meta.proto';"
    return f"{start} {writer.pick(SPACES).join(draw(st.permutations(declared)))}"


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(_files())
def test_generated_texts(text: str) -> None:
    _holds(text)
