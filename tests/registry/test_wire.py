"""The two wire formats, there and back."""

import contextlib
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry import wire


@given(st.binary(), st.integers(0, 2**32 - 1))
def test_an_id_travels_in_front(payload: bytes, schema_id: int) -> None:
    framed = wire.unframe(wire.frame(payload, schema_id))
    assert framed == wire.Framed(payload, schema_id=schema_id)


@given(st.binary(), st.uuids(), st.lists(st.integers(0, 2**20), min_size=1, max_size=6))
def test_a_guid_travels_in_a_header(payload: bytes, guid: UUID, path: list[int]) -> None:
    header = wire.frame_guid(guid, wire.write_message_path(tuple(path)))
    for headers in ({wire.VALUE_HEADER: header}, [("x", None), (wire.VALUE_HEADER, header)]):
        framed = wire.unframe(payload, headers)
        assert (framed.guid, framed.schema_id) == (guid, None)
        assert wire.split_message_path(framed) == (tuple(path), payload)


@given(st.binary(), st.lists(st.integers(0, 2**20), min_size=1, max_size=6))
def test_a_message_path_travels_after_the_id(payload: bytes, path: list[int]) -> None:
    data = wire.frame(wire.write_message_path(tuple(path)) + payload, 7)
    assert wire.split_message_path(wire.unframe(data)) == (tuple(path), payload)


@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(wire.UnframedError):
        wire.split_message_path(wire.unframe(data))


@pytest.mark.parametrize("data", [b"", b"\x00\x00", b"\x02aaaaaaaaaaaaaaaaaa", b'{"a":1}'])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(wire.UnframedError):
        wire.unframe(data)


def test_the_key_has_its_own_header() -> None:
    guid = UUID(int=5)
    headers = {wire.KEY_HEADER: wire.frame_guid(guid)}
    assert wire.unframe(b"k", headers, key=True).guid == guid
    with pytest.raises(wire.UnframedError):
        wire.unframe(b"k", headers)


def test_the_first_message_is_one_byte() -> None:
    assert wire.write_message_path((0,)) == b"\x00"
    assert wire.read_message_path(b"\x02\x04rest") == ((2,), b"rest")
