"""What a Protobuf schema may be, what it may import, and what is refused, in bounded time."""

import base64
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import pytest
from google.protobuf import timestamp_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.formats.contract import Dependency, Parsed, SchemaInvalidError
from registry.formats.protobuf import FORMAT, compiler
from registry.formats.protobuf.compiler import COMPILER, builtin_names
from registry.formats.protobuf.strings import decode

START = 'syntax = "proto3"; '


def refused(text: str, dependencies: Sequence[Dependency] = ()) -> str:
    """The error's words; it must come quickly (protoc's own time has its limit)."""
    start = time.process_time()
    with pytest.raises(SchemaInvalidError) as caught:
        FORMAT.parse(text, dependencies)
    assert time.process_time() - start < 1.5
    return str(caught.value)


INVALID = [
    ("message M { string a = 1; string b = 1; }", "number 1"),
    ("message M { string a = 1; string a = 2; }", "already defined"),
    ("message M { Missing a = 1; }", '"Missing" is not defined'),
    ("message M { string a = 0; }", "positive"),
    ("message M { string a = 19000; }", "reserved"),
    ("message M { reserved 1; string a = 1; }", "reserved"),
    ("message M { string a = 1 }", "expected ';'"),
    ("message M { string a; }", "expected '='"),
    ("enum E { A = 1; }", "zero"),
    ("enum E {}", "must contain at least one value"),
    ("message M {} message M {}", "already defined"),
    ("message M {", "expected a name"),
    ("garbage", "top-level declaration"),
    ("message M { int32 1a = 1; }", "expected a name"),
    ("import 'missing.proto';", "not among the references"),
    ("option (unknown.option) = 1;", "unknown"),
    ("message M { oneof o {} }", "Expected"),
    ("message M { map<float, string> m = 1; }", "Key"),
    ('message M { string a = 1 [default = "x"]; }', "default"),
    ("package a; package b;", "second package"),
    ('message "M" {}', "expected a name"),
    ("message M { string a = 99999999999999999999; }", ""),
    ("message M {} /* as yet", "a comment does not end (at line 1 column 33)"),
    ("option java_package = 'a\n';", "a string does not end (at line 1 column 42)"),
]


@pytest.mark.parametrize(("text", "words"), INVALID)
def test_invalid_schemas(text: str, words: str) -> None:
    assert words in refused(START + text)


def test_errors_say_where() -> None:
    assert refused(f"{START}\n\n  message M {{ Missing a = 1; }}").startswith("3:15:")
    assert "line 2 column 3" in refused(f"{START}\n  ?")


def test_all_syntaxes() -> None:
    for start in ("", 'syntax = "proto2";', 'syntax = "proto3";', 'edition = "2023";'):
        assert FORMAT.parse(f"{start} enum E {{ Z = 0; }}").text.endswith("enum E {\n  Z = 0;\n}\n")
    assert "unknown syntax" in refused('syntax = "proto4";')
    assert refused('edition = "1999";')


def test_byte_order_marks_and_line_ends_do_not_matter() -> None:
    plain = FORMAT.parse(f"{START}\nmessage M {{}}\n").text
    assert FORMAT.parse(f"\ufeff{START}\r\nmessage M {{}}\r\n").text == plain


def test_well_known_and_confluent_types_need_no_reference() -> None:
    for name in sorted(builtin_names()):
        schema = FORMAT.parse(f'{START} import "{name}"; message M {{}}')
        assert f'import "{name}";' in schema.text
    assert {"google/protobuf/any.proto", "google/type/money.proto"} <= builtin_names()
    assert not any(name.startswith("grpc") or ".." in name for name in builtin_names())


PATHS = [
    "../../etc/passwd", "/etc/passwd", "a/../../b", "./a", "a//b", "", "a/", "c:\\\\x", "\\0",
    "x" * 10_000, "/".join("x" * 2_000), "default", "a\\nb",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_imports_leave_no_folder(path: str) -> None:
    assert refused(f'{START} import "{path}";', [Dependency(path, START)])
    meant = decode(path).decode()
    assert refused(f'{START} import "{path}";', [Dependency(meant, START)])


def _chain(length: int) -> list[Dependency]:
    return [
        Dependency(f"d{n}.proto", f'{START} import "d{n + 1}.proto"; message M{n} {{}}')
        for n in range(length)
    ] + [Dependency(f"d{length}.proto", START)]


def test_chains_of_imports() -> None:
    root = f'{START} import "d0.proto"; message M {{ M0 m = 1; }}'
    assert isinstance(FORMAT.parse(root, _chain(30)), Parsed)
    assert "nest deeper" in refused(root, _chain(1_000))


def test_comments_are_read_in_time() -> None:
    start = time.process_time()
    for comments in ("// x\n" * 200_000, "/* x */" * 200_000, "string a = 1; /* x */" * 20_000):
        with suppress(SchemaInvalidError):
            FORMAT.parse(f"{START} {comments} message M {{}}")
    assert time.process_time() - start < 3


def test_cycles_of_imports() -> None:
    one = Dependency("one.proto", f'{START} import "two.proto";')
    two = Dependency("two.proto", f'{START} import "one.proto";')
    assert "recursively" in refused(f'{START} import "one.proto";', [one, two])
    own = Dependency("own.proto", f'{START} import "own.proto";')
    assert "recursively" in refused(f'{START} import "own.proto";', [own])


def test_only_what_is_imported_is_visible() -> None:
    one = Dependency("one.proto", f'{START} import "two.proto"; message One {{}}')
    two = Dependency("two.proto", f"{START} message Two {{}}")
    text = f'{START} import "one.proto"; message M {{ Two two = 1; }}'
    assert "Two" in refused(text, [one, two])
    public = Dependency("one.proto", f'{START} import public "two.proto";')
    FORMAT.parse(text, [public, two])


ATTACKS = [
    f"{START} message {'M' * 1_000_000} {{}}",
    f"{START} {'message M {' * 10_000}",
    f"{START} {'message M {' * 30} {'oneof o {' * 30}",
    f"{START} option (a) = {'{a:' * 10_000}",
    f"{START} option a = {'[' * 100_000}",
    f"{START} message M {{ string a = {'9' * 5_000}; }}",
    "/*" * 500_000,
    '"' * 1_000_000,
    "A" * 1_000_000,
    "\0" * 10,
    f"{START} message \u041c {{}}",  # a Cyrillic letter that looks like M
    f"{START} message \u202eM {{}}",
]

WORDS = [
    "message", "enum", "oneof", "o", "{", "}", "{", "}", ";", ";", "=", "1", "2", "string", "int32",
    "M", ".", "[", "]", "option", "reserved", "to", "max", "map", "<", ">", ",", '"a"', "extend",
    "group", "repeated", "optional", "extensions", "(", ")", "-", "/*", "*/", "//",
]  # fmt: skip


@pytest.mark.parametrize("text", ATTACKS, ids=range(len(ATTACKS)))
def test_attacks_are_refused_in_time(text: str) -> None:
    assert refused(text)


@settings(max_examples=80, deadline=None)
@given(at=st.integers(0, 10**6), byte=st.integers(0, 255), cut=st.booleans())
def test_damaged_descriptors_are_read_or_refused(at: int, byte: int, cut: bool) -> None:
    raw = bytearray(timestamp_pb2.DESCRIPTOR.serialized_pb)
    at %= len(raw)
    raw[at] = byte
    with suppress(SchemaInvalidError):
        FORMAT.parse(base64.b64encode(raw[:at] if cut else raw).decode())


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join))
def test_word_salad_is_read_or_refused(text: str) -> None:
    with suppress(SchemaInvalidError):
        FORMAT.parse(f"{START} message M {{ {text}")


def test_large_schemas_are_read_in_time() -> None:
    fields = "".join(f"string field_{n} = {n};" for n in range(1, 5_000))
    start = time.process_time()
    schema = FORMAT.parse(f"{START} message M {{ {fields} }}")
    assert len(FORMAT.fields(schema)) == 4_999
    assert time.process_time() - start < 2


def _idle_worker() -> subprocess.Popen[bytes]:
    """The process that the next schema will be given to."""
    FORMAT.parse(START)
    return COMPILER._idle[-1]._process


def test_a_worker_that_hangs_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = _idle_worker()
    monkeypatch.setattr(compiler, "TIMEOUT", 0.1)
    worker.send_signal(signal.SIGSTOP)
    assert "no answer from protoc" in refused(f"{START} message Late {{}}")
    monkeypatch.undo()
    FORMAT.parse(f"{START} message Again {{}}")


def test_a_worker_that_was_killed_costs_nobody_a_schema() -> None:
    worker = _idle_worker()
    worker.kill()
    worker.wait()
    FORMAT.parse(f"{START} message Found {{}}")


@pytest.mark.parametrize(
    ("end", "words"),
    # the clock that limits a worker's own computing sends SIGPROF
    [(signal.SIGKILL, "protoc failed"), (signal.SIGPROF, "of computing")],
)
def test_a_worker_that_dies_at_work_is_replaced(end: signal.Signals, words: str) -> None:
    worker = _idle_worker()
    worker.send_signal(signal.SIGSTOP)

    def strike() -> None:
        worker.send_signal(end)
        worker.send_signal(signal.SIGCONT)

    timer = threading.Timer(0.3, strike)
    timer.start()
    assert words in refused(f"{START} message Lost {{}}")
    timer.join()
    FORMAT.parse(f"{START} message Again {{}}")


def test_many_threads_share_the_workers() -> None:
    texts: list[str] = []

    def parse(number: int) -> None:
        texts.append(FORMAT.parse(f"{START} message M{number} {{}}").text)

    threads = [threading.Thread(target=parse, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(texts)) == 12
    assert len(COMPILER._idle) <= compiler.WORKERS
