"""Each name of a change: a pair that must give it, and a neighbour that must not."""

import pytest

from registry.formats.contract import Dependency, Parsed
from registry.formats.protobuf import FORMAT
from registry.formats.protobuf.compare import INCOMPATIBLE

PROTO3, PROTO2, EDITION = 'syntax = "proto3";', 'syntax = "proto2";', 'edition = "2023";'
E3 = "enum E { Z = 0; } "


def parse(text: str, *references: Dependency) -> Parsed:
    starts = ("syntax", "edition")
    return FORMAT.parse(text if text.startswith(starts) else f"{PROTO3} {text}", references)


def changes(original: Parsed, update: Parsed) -> list[str]:
    """Kind and path of each change, sorted; the verdicts must be those of the contract."""
    found = FORMAT.compare(original, update)
    assert all(each.compatible == (each.kind not in INCOMPATIBLE) for each in found)
    assert all(f"path '{each.path}'" in each.description for each in found)
    return sorted(f"{each.kind} {each.path}" for each in found)


def m(body: str, before: str = "") -> str:
    return f"{before} message M {{ {body} }}"


def m2(body: str) -> str:
    return m(body, PROTO2)


def me(body: str, options: str = "") -> str:
    return m(body, f"{EDITION} {options}")


O = "oneof o { int32 a = 1; int32 b = 2; }"  # noqa: E741
OP = "oneof o { int32 a = 1; } oneof p { int32 b = 2; }"

# original, update, changes; pairs that belong together stand together
ROWS: dict[str, list[tuple[str, str, list[str]]]] = {
    "packages": [
        ("package a; message M {}", "package b; message M {}", ["PACKAGE_CHANGED #/"]),
        ("message M {}", "package b; message M {}", ["PACKAGE_CHANGED #/"]),
        ("package a.b; message M { M m = 1; }", "package a.c; message M { M m = 1; }",
         ["PACKAGE_CHANGED #/"]),
        ("package a; message M { M m = 1; }", "package a; message M { .a.M m = 1; }", []),
    ],
    "messages": [
        (m(""), m("") + " message N {}", ["MESSAGE_ADDED #/N"]),
        (m(""), m("message N {}"), ["MESSAGE_ADDED #/M/N"]),
        (m("message N {}"), m(""), ["MESSAGE_REMOVED #/M/N"]),
        (m("message N { message O {} }"), m("message N {}"), ["MESSAGE_REMOVED #/M/N/O"]),
        (m("message N {}"), m("") + " message N {}",
         ["MESSAGE_ADDED #/N", "MESSAGE_REMOVED #/M/N"]),
        (m(""), "message L {}" + m(""), ["MESSAGE_ADDED #/L", "MESSAGE_MOVED #/M"]),
        ("message A {} message B {} message C {}", "message A {} message C {}",
         ["MESSAGE_MOVED #/C", "MESSAGE_REMOVED #/B"]),
        (m("message A {} message B {}"), m("message B {} message A {}"),
         ["MESSAGE_MOVED #/M/A", "MESSAGE_MOVED #/M/B"]),
        (m("message A {} enum E { Z = 0; }"), m("enum E { Z = 0; } message A {}"), []),
        (m("message A {}"), m("map<string, A> m = 1; message A {}"), ["FIELD_ADDED #/M/1"]),
        (m(""), "message N {}", ["MESSAGE_ADDED #/N", "MESSAGE_REMOVED #/M"]),
        (m("map<string, int32> m = 1;"), m(""), ["FIELD_REMOVED #/M/1"]),
        ("", m(""), ["MESSAGE_ADDED #/M"]),
    ],
    "enums": [
        (m(""), m(E3), ["ENUM_ADDED #/M/E"]),
        (m(E3), m(""), ["ENUM_REMOVED #/M/E"]),
        (m(E3), E3 + m(""), ["ENUM_ADDED #/E", "ENUM_REMOVED #/M/E"]),
        (E3, "enum E { Z = 0; A = -1; }", ["ENUM_CONST_ADDED #/E/-1"]),
        ("enum E { Z = 0; A = 5; }", E3, ["ENUM_CONST_REMOVED #/E/5"]),
        (E3, "enum E { Y = 0; }", ["ENUM_CONST_CHANGED #/E/0"]),
        ("enum E { Z = 0; A = 1; }", "enum E { Z = 0; A = 2; }",
         ["ENUM_CONST_ADDED #/E/2", "ENUM_CONST_REMOVED #/E/1"]),
        ("enum E { Z = 0; A = 1; B = 2; }", "enum E { Z = 0; B = 2; A = 1; }", []),
        (E3, "enum E { option allow_alias = true; Z = 0; Y = 0; }", ["ENUM_CONST_CHANGED #/E/0"]),
        ("enum E { option allow_alias = true; Z = 0; Y = 0; }",
         "enum E { option allow_alias = true; Z = 0; X = 0; }", ["ENUM_CONST_CHANGED #/E/0"]),
        ("enum E { option allow_alias = true; Z = 0; Y = 0; }",
         "enum E { option allow_alias = true; Y = 0; Z = 0; }", []),
        ("enum E { reserved 5; Z = 0; }", "enum E { Z = 0; F = 5; }", ["ENUM_CONST_ADDED #/E/5"]),
        ("enum E { Z = 0; } enum F { Y = 0; }" + m("E e = 1;"),
         "enum E { Z = 0; } enum F { Y = 0; }" + m("F e = 1;"), []),
    ],
    "fields": [
        (m(""), m("M a = 1;"), ["FIELD_ADDED #/M/1"]),
        (m("repeated M a = 1;"), m(""), ["FIELD_REMOVED #/M/1"]),
        (m("int32 a = 1;"), m("int32 a = 2;"), ["FIELD_ADDED #/M/2", "FIELD_REMOVED #/M/1"]),
        (m("int32 a = 1; int32 b = 2;"), m("int32 b = 2; int32 a = 1;"), []),
        (m("int32 a = 1; int32 b = 2;"), m("int32 b = 1; int32 a = 2;"),
         ["FIELD_NAME_CHANGED #/M/1", "FIELD_NAME_CHANGED #/M/2"]),
        (m("int32 a = 1;"), m("int32 a = 1 [json_name = 'A', deprecated = true];"), []),
        (m("message N { int32 a = 1; }"), m("message N { string b = 1; }"),
         ["FIELD_NAME_CHANGED #/M/N/1", "FIELD_SCALAR_KIND_CHANGED #/M/N/1"]),
    ],
    "kinds": [
        (m("int32 a = 1;"), m("M a = 1;"), ["FIELD_KIND_CHANGED #/M/1"]),
        (m("M a = 1;"), m("bytes a = 1;"), ["FIELD_KIND_CHANGED #/M/1"]),
        (m("M a = 1;"), m("map<string, M> a = 1;"), ["FIELD_KIND_CHANGED #/M/1"]),
        (m("map<string, M> a = 1;"), m("string a = 1;"), ["FIELD_KIND_CHANGED #/M/1"]),
        (m("map<string, int32> a = 1;"),
         m("message AEntry { string key = 1; int32 value = 2; } repeated AEntry a = 1;"),
         ["FIELD_KIND_CHANGED #/M/1", "MESSAGE_ADDED #/M/AEntry"]),
        (E3 + m("E a = 1;"), E3 + m("M a = 1;"), ["FIELD_KIND_CHANGED #/M/1"]),
        (E3 + m("E a = 1;"), E3 + m("int64 a = 1;"), []),
        (E3 + m("E a = 1;"), E3 + m("sint32 a = 1;"), ["FIELD_SCALAR_KIND_CHANGED #/M/1"]),
    ],
    "maps": [
        (m("map<string, int32> a = 1;"), m("map<string, bool> b = 1;"),
         ["FIELD_NAME_CHANGED #/M/1"]),
        (m("map<string, int32> a = 1;"), m("map<int32, int32> a = 1;"),
         ["FIELD_SCALAR_KIND_CHANGED #/M/1"]),
        (m("map<string, int32> a = 1;"), m("map<string, fixed32> a = 1;"),
         ["FIELD_SCALAR_KIND_CHANGED #/M/1"]),
        (m("map<string, int32> a = 1;"), m("map<string, M> a = 1;"), ["FIELD_KIND_CHANGED #/M/1"]),
        (m("message N {} map<string, N> a = 1;"), m("message N {} map<string, M> a = 1;"),
         ["FIELD_NAMED_TYPE_CHANGED #/M/1"]),
        (E3 + m("map<string, E> a = 1;"), E3 + m("map<string, int32> a = 1;"), []),
    ],
    "message types": [
        (m("message N {} N a = 1;"), m("message N {} M a = 1;"),
         ["FIELD_NAMED_TYPE_CHANGED #/M/1"]),
        (m("message N {} N a = 1;"), m("message N {} .M.N a = 1;"), []),
        ("message A { int32 x = 1; } message B { int32 x = 1; } message M { A f = 1; }",
         "message A { int32 x = 1; } message B { int32 x = 1; } message M { B f = 1; }",
         ["FIELD_NAMED_TYPE_CHANGED #/M/1"]),
        ("message A { B b = 1; } message B { A a = 1; }",
         "message A { B b = 1; } message B { A a = 1; string s = 2; }", ["FIELD_ADDED #/B/2"]),
    ],
    "labels": [
        (m("bytes a = 1;"), m("repeated bytes a = 1;"),
         ["FIELD_STRING_OR_BYTES_LABEL_CHANGED #/M/1"]),
        (m("repeated string a = 1;"), m("optional string a = 1;"),
         ["FIELD_STRING_OR_BYTES_LABEL_CHANGED #/M/1"]),
        (m("M a = 1;"), m("repeated M a = 1;"), ["FIELD_STRING_OR_BYTES_LABEL_CHANGED #/M/1"]),
        (m("repeated double a = 1;"), m("double a = 1;"), ["FIELD_NUMERIC_LABEL_CHANGED #/M/1"]),
        (m("repeated bool a = 1;"), m("int32 a = 1;"), ["FIELD_NUMERIC_LABEL_CHANGED #/M/1"]),
        (E3 + m("E a = 1;"), E3 + m("repeated E a = 1;"), ["FIELD_NUMERIC_LABEL_CHANGED #/M/1"]),
        (m("optional int32 a = 1;"), m("int32 a = 1;"), []),
        (m("int32 a = 1;"), m("optional int32 a = 1;"), []),
        (m("repeated int32 a = 1 [packed = false];"), m("repeated int32 a = 1;"), []),
        (m("oneof o { string a = 1; }"), m("repeated string a = 1;"),
         ["FIELD_STRING_OR_BYTES_LABEL_CHANGED #/M/1", "ONEOF_FIELD_MOVED_TO_TOP_LEVEL #/M/o/1",
          "ONEOF_REMOVED #/M/o"]),
    ],
    "required": [
        (m2(""), m2("required M a = 1;"), ["REQUIRED_FIELD_ADDED #/M/1"]),
        (m2(""), m2("optional M a = 1;"), ["FIELD_ADDED #/M/1"]),
        (m2("required string a = 1;"), m2(""), ["REQUIRED_FIELD_REMOVED #/M/1"]),
        (m2("optional string a = 1;"), m2(""), ["FIELD_REMOVED #/M/1"]),
        (m2("optional string a = 1;"), m2("required string a = 1;"),
         ["REQUIRED_FIELD_ADDED #/M/1"]),
        (m2("required string a = 1;"), m2("optional string a = 1;"), []),
        (m2("optional string a = 1 [default = 'x'];"), m2("optional string a = 1;"), []),
        (m2("optional string a = 1;"), m("string a = 1;"), []),
    ],
    "editions": [
        (me("int32 a = 1;"), me("int32 a = 1 [features.field_presence = LEGACY_REQUIRED];"),
         ["REQUIRED_FIELD_ADDED #/M/1"]),
        (me("int32 a = 1 [features.field_presence = LEGACY_REQUIRED];"), me(""),
         ["REQUIRED_FIELD_REMOVED #/M/1"]),
        (me("int32 a = 1;"), me("int32 a = 1 [features.field_presence = IMPLICIT];"), []),
        (me("repeated int32 a = 1;"),
         me("repeated int32 a = 1 [features.repeated_field_encoding = EXPANDED];"), []),
        (me("M a = 1;"), me("M a = 1 [features.message_encoding = DELIMITED];"),
         ["FIELD_KIND_CHANGED #/M/1"]),
        (me("M a = 1; map<string, M> b = 2;"),
         me("M a = 1; map<string, M> b = 2;", "option features.message_encoding = DELIMITED;"),
         ["FIELD_KIND_CHANGED #/M/1"]),
        (me("M a = 1;"),
         me("M a = 1 [features.message_encoding = LENGTH_PREFIXED];",
            "option features.message_encoding = DELIMITED;"), []),
        (m2("optional group G = 1 {}"),
         me("message G {} G g = 1 [features.message_encoding = DELIMITED];"), []),
        (m("string a = 1; M b = 2;"), me("string a = 1; M b = 2;"), []),
    ],
    "groups": [
        (m2("optional group G = 1 { optional int32 x = 1; }"), m2(""), ["FIELD_REMOVED #/M/1"]),
        (m2(""), m2("optional group G = 1 { optional int32 x = 1; }"), ["FIELD_ADDED #/M/1"]),
        (m2("optional group G = 1 { optional int32 x = 1; }"),
         m2("optional group G = 1 { optional string x = 1; }"),
         ["FIELD_SCALAR_KIND_CHANGED #/M/G/1"]),
        (m2("optional group G = 1 {}"), m2("repeated group G = 1 {}"),
         ["FIELD_STRING_OR_BYTES_LABEL_CHANGED #/M/1"]),
        (m2("message N {} optional group G = 1 {}"),
         m2("optional group G = 1 {} message N {}"), []),
        (m2("optional group G = 1 {}"), m2("message G {} optional G g = 1;"),
         ["FIELD_KIND_CHANGED #/M/1", "MESSAGE_ADDED #/M/G"]),
    ],
    "oneofs": [
        (m(""), m(O), ["ONEOF_ADDED #/M/o"]),
        (m(O), m(""), ["ONEOF_REMOVED #/M/o"]),
        (m(O), m("int32 c = 3;"), ["FIELD_ADDED #/M/3", "ONEOF_REMOVED #/M/o"]),
        (m(O), m("oneof o { int32 a = 1; }"), ["ONEOF_FIELD_REMOVED #/M/o/2"]),
        (m(O), m("oneof p { int32 a = 1; }"),
         ["ONEOF_ADDED #/M/p", "ONEOF_FIELD_REMOVED #/M/o/2", "ONEOF_REMOVED #/M/o"]),
        (m("oneof o { int32 a = 1; }"), m("oneof o { int32 b = 2; }"),
         ["ONEOF_FIELD_ADDED #/M/o/2", "ONEOF_FIELD_REMOVED #/M/o/1"]),
        (m("oneof o { int32 a = 1; }"), m(O), ["ONEOF_FIELD_ADDED #/M/o/2"]),
        (m(O), m("oneof o { int32 b = 2; int32 a = 1; }"), []),
        (m(O), m("oneof q { int32 a = 1; int32 b = 2; }"),
         ["ONEOF_ADDED #/M/q", "ONEOF_REMOVED #/M/o"]),
        (m(O), m("oneof o { int32 a = 1; } int32 b = 2;"),
         ["ONEOF_FIELD_MOVED_TO_TOP_LEVEL #/M/o/2"]),
        (m(O), m("oneof o { string a = 1; int32 b = 2; }"),
         ["FIELD_SCALAR_KIND_CHANGED #/M/1"]),
        (m(O), m("oneof o { int32 x = 1; int32 b = 2; }"), ["FIELD_NAME_CHANGED #/M/1"]),
        (m(O), m("oneof o { int32 b = 2; } string a = 1;"),
         ["FIELD_SCALAR_KIND_CHANGED #/M/1", "ONEOF_FIELD_MOVED_TO_TOP_LEVEL #/M/o/1"]),
    ],
    "moves into oneofs": [
        (m("int32 a = 1;"), m("oneof o { int32 a = 1; }"), ["ONEOF_ADDED #/M/o"]),
        (m("string a = 1;"), m(O), ["FIELD_SCALAR_KIND_CHANGED #/M/1", "ONEOF_ADDED #/M/o"]),
        (m("int32 a = 1; int32 b = 2;"), m(O),
         ["MULTIPLE_FIELDS_MOVED_TO_ONEOF #/M/o", "ONEOF_ADDED #/M/o"]),
        (m("optional int32 a = 1; optional int32 b = 2;"), m(O),
         ["MULTIPLE_FIELDS_MOVED_TO_ONEOF #/M/o", "ONEOF_ADDED #/M/o"]),
        (m("int32 a = 1; int32 b = 2;"), m(OP), ["ONEOF_ADDED #/M/o", "ONEOF_ADDED #/M/p"]),
        (m("optional int32 a = 1;"), m("oneof _a { int32 a = 1; }"), ["ONEOF_ADDED #/M/_a"]),
        (m("oneof o { int32 a = 1; } int32 b = 2;"), m(O),
         ["FIELD_MOVED_TO_EXISTING_ONEOF #/M/o/2"]),
        (m("oneof o { int32 a = 1; } optional int32 b = 2;"), m(O),
         ["FIELD_MOVED_TO_EXISTING_ONEOF #/M/o/2"]),
        (m("oneof o { int32 a = 1; } int32 b = 2;"),
         m("oneof o { int32 a = 1; int32 c = 3; } int32 b = 2;"),
         ["ONEOF_FIELD_ADDED #/M/o/3"]),
    ],
    "moves between oneofs": [
        (m(OP), m(O), ["MULTIPLE_FIELDS_MOVED_TO_ONEOF #/M/o", "ONEOF_REMOVED #/M/p"]),
        (m(O), m(OP), ["ONEOF_ADDED #/M/p"]),
        (m("oneof o { int32 a = 1; int32 c = 3; } oneof p { int32 b = 2; }"),
         m("oneof o { int32 a = 1; } oneof p { int32 b = 2; int32 c = 3; }"),
         ["MULTIPLE_FIELDS_MOVED_TO_ONEOF #/M/p"]),
        (m(O), m("oneof p { string a = 1; } oneof o { int32 b = 2; }"),
         ["FIELD_SCALAR_KIND_CHANGED #/M/1", "ONEOF_ADDED #/M/p"]),
    ],
    "reserved": [
        (m("reserved 5 to 9;"), m("reserved 5, 6 to 8, 9;"), []),
        (m("reserved 5 to 9;"), m("reserved 1 to max;"), []),
        (m(""), m("reserved 5;"), []),
        (m("int32 a = 5;"), m("reserved 5;"), ["FIELD_REMOVED #/M/5"]),
        (m("reserved 'a';"), m(""), []),
        (m("reserved 5;"), m(""), ["RESERVED_RANGE_REMOVED #/M/reserved/5"]),
        (m("reserved 5 to 9;"), m("reserved 5 to 8;"), ["RESERVED_RANGE_REMOVED #/M/reserved/5"]),
        (m("reserved 5;"), m("oneof o { int32 a = 5; }"),
         ["ONEOF_ADDED #/M/o", "RESERVED_RANGE_REUSED #/M/reserved/5"]),
        (m("message N { reserved 5; }"), m("message N { int32 a = 5; reserved 6; }"),
         ["FIELD_ADDED #/M/N/5", "RESERVED_RANGE_REUSED #/M/N/reserved/5"]),
    ],
    "what no reader sees": [
        (m("") + "service S { rpc A (M) returns (M); }", m(""), []),
        (m(""), "option java_package = 'x';" + m("option deprecated = true;"), []),
        (m2("extensions 10 to 20;"), m2(""), []),
        (m2("extensions 10 to 20;"),
         m2("extensions 10 to 20;") + "extend M { optional int32 x = 10; }", []),
        ("import 'google/protobuf/any.proto';" + m(""), m(""), []),
        (m("string a = 1;"), "// a comment\n" + m("string a = 1; /* another */"), []),
    ],
    "well-known types": [
        ("import 'google/protobuf/timestamp.proto';" + m("google.protobuf.Timestamp a = 1;"),
         "import 'google/protobuf/timestamp.proto';" + m(".google.protobuf.Timestamp a = 1;"), []),
        ("import 'google/protobuf/timestamp.proto';" + m("google.protobuf.Timestamp a = 1;"),
         "import 'google/protobuf/duration.proto';" + m("google.protobuf.Duration a = 1;"),
         ["FIELD_NAMED_TYPE_CHANGED #/M/1"]),
        ("import 'google/protobuf/wrappers.proto';" + m("google.protobuf.Int32Value a = 1;"),
         m("int32 a = 1;"), ["FIELD_KIND_CHANGED #/M/1"]),
        # another message of that name, with another shape
        ("import 'google/protobuf/timestamp.proto';" + m("google.protobuf.Timestamp a = 1;"),
         m("Timestamp a = 1;") + "message Timestamp { string seconds = 1; int32 nanos = 2; }",
         ["FIELD_SCALAR_KIND_CHANGED #/M/1/1", "MESSAGE_ADDED #/Timestamp"]),
        ("import 'google/type/decimal.proto';" + m("google.type.Decimal a = 1;"),
         "import 'confluent/type/decimal.proto';" + m("confluent.type.Decimal a = 1;"),
         ["FIELD_ADDED #/M/1/2", "FIELD_ADDED #/M/1/3"]),
        ("import 'confluent/types/decimal.proto';" + m("confluent.type.Decimal a = 1;"),
         "import 'confluent/type/decimal.proto';" + m("confluent.type.Decimal a = 1;"), []),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("original", "update", "expected"),
    [row for rows in ROWS.values() for row in rows],
    ids=[f"{name}-{at}" for name, rows in ROWS.items() for at in range(len(rows))],
)
def test_row(original: str, update: str, expected: list[str]) -> None:
    assert changes(parse(original), parse(update)) == expected


@pytest.mark.parametrize(
    "text", sorted({text for rows in ROWS.values() for row in rows for text in row[:2]})
)
def test_nothing_changes_between_a_text_and_its_stored_normal_and_serialised_form(
    text: str,
) -> None:
    schema = parse(text)
    assert changes(schema, FORMAT.parse(schema.text)) == []
    again = FORMAT.parse(schema.normal)
    assert [each for each in FORMAT.compare(schema, again) if each.kind != "MESSAGE_MOVED"] == []


def test_every_incompatible_kind_is_in_a_row() -> None:
    shown = {change.split()[0] for rows in ROWS.values() for row in rows for change in row[2]}
    assert shown >= INCOMPATIBLE


def _file(name: str, body: str) -> Dependency:
    return Dependency(name, f"{PROTO3} {body}")


IMPORTING = "import 'r.proto'; message M { r.R f = 1; repeated r.R g = 2; map<string, r.R> h = 3; }"
IMPORTED = [
    # of r.proto before and after, changes
    ("message R { int32 a = 1; }", "message R { int32 a = 1; }", []),
    ("message R { int32 a = 1; }", "message R { int32 a = 1; int32 b = 2; }",
     ["FIELD_ADDED #/M/1/2"]),
    ("message R { int32 a = 1; }", "message R { string a = 1; }",
     ["FIELD_SCALAR_KIND_CHANGED #/M/1/1"]),
    ("message R { S s = 1; } message S { int32 a = 1; }",
     "message S { string a = 1; } message R { S s = 1; }",
     ["FIELD_SCALAR_KIND_CHANGED #/M/1/1/1"]),
    ("message R { R r = 1; int32 a = 2; }", "message R { R r = 1; M2 a = 2; } message M2 {}",
     ["FIELD_KIND_CHANGED #/M/1/2"]),
    ("message R {} message Unused {}", "message R {}", []),
    ("message R { message N {} }", "message R {}", ["MESSAGE_REMOVED #/M/1/N"]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), IMPORTED)
def test_imported_messages_are_compared(before: str, after: str, expected: list[str]) -> None:
    old = parse(IMPORTING, _file("r.proto", f"package r; {before}"))
    new = parse(IMPORTING, _file("r.proto", f"package r; {after}"))
    assert changes(old, new) == expected


def test_a_message_that_moves_to_an_import_is_compared_too() -> None:
    local = parse("message M { message N {} R f = 1; } message R { int32 a = 1; }")
    text = "import 'r.proto'; message M { message N {} r.R f = 1; }"
    same = parse(text, _file("r.proto", "package r; message R { int32 a = 1; }"))
    assert changes(local, same) == ["MESSAGE_REMOVED #/R"]
    assert changes(same, local) == ["MESSAGE_ADDED #/R"]
    other = parse(text, _file("r.proto", "package r; message R { string a = 1; }"))
    assert changes(other, local) == ["FIELD_SCALAR_KIND_CHANGED #/M/1/1", "MESSAGE_ADDED #/R"]


def test_imports_may_change_their_name_and_pass_through_others() -> None:
    direct = parse(IMPORTING, _file("r.proto", "package r; message R { int32 a = 1; }"))
    public = parse(
        IMPORTING.replace("r.proto", "p.proto"),
        _file("r.proto", "package r; message R { int64 a = 1; }"),
        _file("p.proto", "import public 'r.proto';"),
    )
    assert changes(direct, public) == []
    renamed = parse(
        IMPORTING.replace("r.R", "q.R"), _file("r.proto", "package q; message R { bytes a = 1; }")
    )
    assert changes(direct, renamed) == ["FIELD_SCALAR_KIND_CHANGED #/M/1/1"]


def test_only_the_schema_itself_is_compared_where_nothing_is_referred_to() -> None:
    text = "import 'r.proto'; message M {}"
    old = parse(text, _file("r.proto", "package r; message R { int32 a = 1; }"))
    assert changes(old, parse(text, _file("r.proto", "package s; message S {}"))) == []
