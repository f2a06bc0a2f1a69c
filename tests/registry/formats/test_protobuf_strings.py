"""String literals: whatever protoc reads as the same has the same canonical spelling."""

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from hypothesis import given
from hypothesis import strategies as st

from registry.formats.protobuf import FORMAT
from registry.formats.protobuf.model import Model
from registry.formats.protobuf.strings import decode, quote

SPELLINGS = [
    (r"plain ä", '"plain ä"'),
    (r"it\'s", '"it\'s"'),
    (r"\"", r'"\""'),
    (r"\\", r'"\\"'),
    (r"\a\b\f\n\r\t\v\?", r'"\a\b\f\n\r\t\v?"'),
    (r"\x41\X42\103\1", r'"ABC\001"'),
    (r"\0018", r'"\0018"'),
    (r"\xc3\xa4", '"ä"'),
    (r"\377\x80", r'"\377\200"'),
    (r"\u00e4\U0001F600\ud83d\ude00", '"ä😀😀"'),
    (r"\x7f", r'"\177"'),
]


@pytest.mark.parametrize(("inside", "canonical"), SPELLINGS)
def test_one_spelling(inside: str, canonical: str) -> None:
    assert quote(decode(inside)) == canonical
    assert decode(canonical[1:-1]) == decode(inside)


@given(st.binary(max_size=12))
def test_any_bytes_come_back(raw: bytes) -> None:
    assert decode(quote(raw)[1:-1]) == raw


@pytest.mark.parametrize("inside", [inside for inside, _ in SPELLINGS])
def test_protoc_reads_the_same_bytes(inside: str) -> None:
    start = 'syntax = "proto2"; message M { optional bytes b = 1 [default = '
    written = FORMAT.parse(f'{start}"{inside}"]; }}')
    spelt = FORMAT.parse(f"{start}{quote(decode(inside))}]; }}")
    assert written.text == spelt.text
    assert _root(written.model) == _root(spelt.model)


def _root(model: object) -> FileDescriptorProto:
    assert isinstance(model, Model)
    return model.root
