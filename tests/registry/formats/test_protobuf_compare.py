"""Named changes of Protobuf schemas and their verdicts, one small pair each."""

import time

import pytest

from registry.formats.contract import Dependency
from registry.formats.protobuf import FORMAT


def found(original: str, update: str, syntax: str = "proto3") -> list[tuple[str, str, bool]]:
    old, new = (FORMAT.parse(f'syntax = "{syntax}"; {text}') for text in (original, update))
    return [(change.kind, change.path, change.compatible) for change in FORMAT.compare(old, new)]


def message(body: str) -> str:
    return f"message M {{ {body} }}"


ONEOF = message("oneof o { int32 a = 1; int32 b = 2; }")
CHANGES = [
    # original, update, changes, compatible
    ("message A {}", "message A {} message B {}", ["MESSAGE_ADDED #/B"], True),
    ("message A {} message B {}", "message A {}", ["MESSAGE_REMOVED #/B"], False),
    ("message A {} message B {}", "message B {} message A {}",
     ["MESSAGE_MOVED #/A", "MESSAGE_MOVED #/B"], True),
    ("message A {} enum E { Z = 0; }", "enum E { Z = 0; } message A {}", [], True),
    ("package a; message A {}", "package b; message A {}", ["PACKAGE_CHANGED #/"], False),
    ("enum E { Z = 0; }", "", ["ENUM_REMOVED #/E"], True),
    ("", "enum E { Z = 0; }", ["ENUM_ADDED #/E"], True),
    ("enum E { Z = 0; }", "enum E { Z = 0; Y = 1; }", ["ENUM_CONST_ADDED #/E/1"], True),
    ("enum E { Z = 0; Y = 1; }", "enum E { Z = 0; }", ["ENUM_CONST_REMOVED #/E/1"], True),
    ("enum E { Z = 0; }", "enum E { X = 0; }", ["ENUM_CONST_CHANGED #/E/0"], True),
    (message("message N {}"), message(""), ["MESSAGE_REMOVED #/M/N"], False),
    (message("map<string, int32> m = 1;"), message(""), ["FIELD_REMOVED #/M/1"], True),
    (message(""), message("int32 a = 1;"), ["FIELD_ADDED #/M/1"], True),
    (message("int32 a = 1;"), message(""), ["FIELD_REMOVED #/M/1"], True),
    (message("int32 a = 1;"), message("int32 b = 1;"), ["FIELD_NAME_CHANGED #/M/1"], True),
    (message("string a = 1;"), message("repeated string a = 1;"),
     ["FIELD_STRING_OR_BYTES_LABEL_CHANGED #/M/1"], True),
    (message("int32 a = 1;"), message("repeated int32 a = 1;"),
     ["FIELD_NUMERIC_LABEL_CHANGED #/M/1"], False),
    (message("enum E { Z = 0; } E a = 1;"), message("enum E { Z = 0; } repeated E a = 1;"),
     ["FIELD_NUMERIC_LABEL_CHANGED #/M/1"], False),
    (message("optional int32 a = 1;"), message("int32 a = 1;"), [], True),
    (message("int32 a = 1;"), message("M a = 1;"), ["FIELD_KIND_CHANGED #/M/1"], False),
    (message("map<string, int32> a = 1;"), message("M a = 1;"),
     ["FIELD_KIND_CHANGED #/M/1"], False),
    (message("message N {} N a = 1;"), message("message N {} M a = 1;"),
     ["FIELD_NAMED_TYPE_CHANGED #/M/1"], False),
    (message("map<string, int32> a = 1;"), message("map<string, int64> a = 1;"), [], True),
    (message("map<string, int32> a = 1;"), message("map<string, string> a = 1;"),
     ["FIELD_SCALAR_KIND_CHANGED #/M/1"], False),
    (message("map<string, int32> a = 1;"), message("map<int32, int32> a = 1;"),
     ["FIELD_SCALAR_KIND_CHANGED #/M/1"], False),
    (ONEOF, message(""), ["ONEOF_REMOVED #/M/o"], True),
    (message(""), ONEOF, ["ONEOF_ADDED #/M/o"], True),
    (ONEOF, message("oneof o { int32 a = 1; }"), ["ONEOF_FIELD_REMOVED #/M/o/2"], False),
    (ONEOF, message("oneof o { int32 a = 1; int32 b = 2; int32 c = 3; }"),
     ["ONEOF_FIELD_ADDED #/M/o/3"], True),
    (ONEOF, message("oneof o { int32 a = 1; } int32 b = 2;"),
     ["ONEOF_FIELD_MOVED_TO_TOP_LEVEL #/M/o/2"], True),
    (ONEOF, message("int32 a = 1; int32 b = 2;"),
     ["ONEOF_FIELD_MOVED_TO_TOP_LEVEL #/M/o/1", "ONEOF_FIELD_MOVED_TO_TOP_LEVEL #/M/o/2",
      "ONEOF_REMOVED #/M/o"], True),
    (ONEOF, message("int32 a = 1;"),
     ["ONEOF_FIELD_MOVED_TO_TOP_LEVEL #/M/o/1", "ONEOF_FIELD_REMOVED #/M/o/2",
      "ONEOF_REMOVED #/M/o"], False),
    (ONEOF, message("oneof p { int32 a = 1; int32 b = 2; }"),
     ["ONEOF_REMOVED #/M/o", "ONEOF_ADDED #/M/p"], True),
    (ONEOF, message("oneof o { string a = 1; int32 b = 2; }"),
     ["FIELD_SCALAR_KIND_CHANGED #/M/1"], False),
    (ONEOF, message("oneof o { int32 b = 2; } oneof p { string a = 1; }"),
     ["ONEOF_ADDED #/M/p", "FIELD_SCALAR_KIND_CHANGED #/M/1"], False),
    (message("int32 a = 1;"), message("oneof o { int32 a = 1; int32 b = 2; }"),
     ["ONEOF_ADDED #/M/o"], True),
    (message("int32 a = 1; int32 b = 2;"), ONEOF,
     ["ONEOF_ADDED #/M/o", "MULTIPLE_FIELDS_MOVED_TO_ONEOF #/M/o"], False),
    (message("oneof o { int32 a = 1; } int32 b = 2;"), ONEOF,
     ["FIELD_MOVED_TO_EXISTING_ONEOF #/M/o/2"], False),
    (message("oneof o { int32 a = 1; } oneof p { int32 b = 2; }"), ONEOF,
     ["ONEOF_REMOVED #/M/p", "MULTIPLE_FIELDS_MOVED_TO_ONEOF #/M/o"], False),
    (message("reserved 5 to 7;"), message("reserved 5, 6, 7;"), [], True),
    (message("reserved 5 to 7;"), message("reserved 5 to max;"), [], True),
    (message("reserved 5 to 7;"), message("reserved 5, 7;"),
     ["RESERVED_RANGE_REMOVED #/M/reserved/5"], False),
    (message("reserved 5 to 7;"), message("int32 a = 6;"),
     ["RESERVED_RANGE_REUSED #/M/reserved/5", "FIELD_ADDED #/M/6"], False),
    ("service S {}", "", [], True),
    (message("M m = 1;"), message("M m = 1;"), [], True),
]  # fmt: skip


@pytest.mark.parametrize(("original", "update", "expected", "compatible"), CHANGES)
def test_changes(original: str, update: str, expected: list[str], compatible: bool) -> None:
    listed = found(original, update)
    assert sorted(f"{kind} {path}" for kind, path, _ in listed) == sorted(expected)
    assert all(verdict for _, _, verdict in listed) is compatible


PROTO2 = [
    (message(""), message("required int32 a = 1;"), ["REQUIRED_FIELD_ADDED #/M/1"], False),
    (message("required int32 a = 1;"), message(""), ["REQUIRED_FIELD_REMOVED #/M/1"], False),
    (message("optional int32 a = 1;"), message("required int32 a = 1;"),
     ["REQUIRED_FIELD_ADDED #/M/1"], False),
    (message("required int32 a = 1;"), message("optional int32 a = 1;"), [], True),
    (message("optional group G = 1 {}"), message("message G {} optional G g = 1;"),
     ["MESSAGE_ADDED #/M/G", "FIELD_KIND_CHANGED #/M/1"], False),
]  # fmt: skip


@pytest.mark.parametrize(("original", "update", "expected", "compatible"), PROTO2)
def test_proto2(original: str, update: str, expected: list[str], compatible: bool) -> None:
    listed = [
        change for change in found(original, update, "proto2") if change[0] != "FIELD_NAME_CHANGED"
    ]
    assert [f"{kind} {path}" for kind, path, _ in listed] == expected
    assert all(verdict for _, _, verdict in listed) is compatible


GROUPS = [
    ["int32", "int64", "uint32", "uint64", "bool", "E"],
    ["sint32", "sint64"],
    ["string", "bytes"],
    ["fixed32", "sfixed32"],
    ["fixed64", "sfixed64"],
    ["float"],
    ["double"],
]


def test_scalars_are_read_as_others_of_their_group_only() -> None:
    """One message per ordered pair of types, all compared at once."""
    group = {name: index for index, names in enumerate(GROUPS) for name in names}
    pairs = [(one, other) for one in group for other in group]
    start = "enum E { Z = 0; } "
    original = start + "".join(f"message M{i} {{ {a} f = 1; }}" for i, (a, _) in enumerate(pairs))
    update = start + "".join(f"message M{i} {{ {b} f = 1; }}" for i, (_, b) in enumerate(pairs))
    changed = {
        path.split("/")[1]
        for kind, path, _ in found(original, update)
        if kind == "FIELD_SCALAR_KIND_CHANGED"
    }
    assert changed == {f"M{i}" for i, (a, b) in enumerate(pairs) if group[a] != group[b]}


def test_messages_of_other_files_are_compared_by_reference() -> None:
    text = 'syntax = "proto3"; import "r.proto"; message M { r.R r = 1; }'

    def with_reference(body: str) -> Dependency:
        return Dependency("r.proto", f'syntax = "proto3"; package r; message R {{ {body} }}')

    original = FORMAT.parse(text, [with_reference("int32 a = 1; R self = 2;")])
    changed = FORMAT.parse(text, [with_reference("string a = 1; R self = 2;")])
    assert [(c.kind, c.path) for c in FORMAT.compare(original, changed)] == [
        ("FIELD_SCALAR_KIND_CHANGED", "#/M/1/1")
    ]
    moved = Dependency(
        "r.proto", 'syntax = "proto3"; package s; message R { int32 a = 1; R self = 2; }'
    )
    other = FORMAT.parse(text.replace("r.R", "s.R"), [moved])
    assert FORMAT.compare(original, other) == []


def test_large_messages_are_compared_in_time() -> None:
    numbers = ", ".join(str(2 * number) for number in range(10_000, 18_000))
    oneofs = "".join(f"oneof o{n} {{ int32 f{n} = {n}; }}" for n in range(1, 3_000))
    schema = FORMAT.parse(f'syntax = "proto3"; message M {{ reserved {numbers}; {oneofs} }}')
    start = time.process_time()
    assert FORMAT.compare(schema, schema) == []
    assert time.process_time() - start < 1
