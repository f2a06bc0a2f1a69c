import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.record.memory_records import MemoryRecordsBuilder

from broker.observe import OffsetCommit, Partition, offsets_partition_of, parse_batches
from broker.observe.batches import java_hash
from broker.observe.contents import (
    LoggedTransaction,
    parse_commit,
    parse_transaction,
    read_claims,
)

PLACE = Partition("t", 0)


def written(
    records: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]],
    producer_id: int = 5,
    *,
    transactional: bool = False,
) -> bytes:
    builder = MemoryRecordsBuilder(magic=2, compression_type=0, batch_size=1 << 20)
    for key, value, headers in records:
        builder.append(timestamp=1000, key=key, value=value, headers=headers)
    if producer_id >= 0:
        builder.set_producer_state(producer_id, 0, 0, transactional)
    builder.close()
    return bytes(builder.buffer())


def commit_key(group: str, topic: str, version: int = 1) -> bytes:
    parts = struct.pack(">h", version)
    for text in (group, topic):
        parts += struct.pack(">h", len(text.encode())) + text.encode()
    return parts + struct.pack(">i", 0)


@pytest.mark.parametrize(
    ("text", "code"),
    [("", 0), ("a", 97), ("hello", 99162322), ("polygenelubricants", -(1 << 31)), ("😀", 1772899)],
)
def test_hashes_as_java_does(text: str, code: int) -> None:
    assert java_hash(text) == code


def test_the_smallest_hash_is_in_partition_zero() -> None:
    assert offsets_partition_of("polygenelubricants", 50) == 0


@given(st.text(max_size=30), st.integers(1, 100))
def test_a_group_is_in_one_of_the_partitions(group: str, partitions: int) -> None:
    assert 0 <= offsets_partition_of(group, partitions) < partitions


def test_reads_who_wrote_and_what_is_stamped() -> None:
    data = written([(None, b"v", [("ce_source", b"/orders"), ("x", b"y")]), (None, b"v", [])])
    (batch,) = parse_batches(PLACE, data)
    assert (batch.producer_id, batch.transactional) == (5, False)
    assert batch.stamps == {"/orders"}
    assert (batch.base_offset, batch.next_offset) == (0, 2)


def test_a_writer_that_is_not_idempotent_has_no_id() -> None:
    (batch,) = parse_batches(PLACE, written([(None, b"v", [])], -1))
    assert batch.producer_id == -1


def test_a_batch_that_is_cut_off_is_left_out() -> None:
    one = written([(None, b"v", [])])
    assert len(list(parse_batches(PLACE, one + one[:-3]))) == 1
    assert list(parse_batches(PLACE, one[:-3])) == []


def test_what_lies_before_the_position_is_left_out() -> None:
    data = written([(None, b"v", [])])
    assert list(parse_batches(PLACE, data, from_offset=1)) == []


def test_reads_commits_and_skips_deletions_and_metadata() -> None:
    data = written(
        [
            (commit_key("g", "orders"), b"x", []),
            (commit_key("gone", "orders"), None, []),
            (commit_key("meta", "orders", version=2), b"x", []),
        ],
        transactional=True,
    )
    (batch,) = parse_batches(Partition("__consumer_offsets", 0), data)
    assert batch.commits == {OffsetCommit("g", "orders")}
    assert batch.transactional


@given(st.binary(max_size=200))
def test_damage_is_no_exception(data: bytes) -> None:
    list(parse_batches(PLACE, data))
    parse_commit(data)
    parse_transaction(b"\0\0\0\0", data)
    parse_transaction(data, b"\0\1" + data)
    read_claims([("content-type", b"application/cloudevents+json"), ("traceparent", data)], data)


def logged_key(name: str) -> bytes:
    return b"\0\0" + struct.pack(">h", len(name)) + name.encode()


def test_reads_the_transaction_log_of_both_versions() -> None:
    head = struct.pack(">qhib", 7, 3, 60000, 2)
    old = b"\0\0" + head + struct.pack(">ih", 1, 8) + b"invoices" + struct.pack(">iii", 2, 0, 1)
    new = b"\0\1" + head + b"\x02\x09invoices\x03" + struct.pack(">ii", 0, 1) + b"\0"
    expected = LoggedTransaction("tx", 7, "PrepareCommit", frozenset({"invoices"}))
    rest = struct.pack(">qq", 1, 1)
    assert parse_transaction(logged_key("tx"), old + rest) == expected
    assert parse_transaction(logged_key("tx"), new + rest + b"\0") == expected
    assert parse_transaction(logged_key("tx"), None) is None


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    ("headers", "value", "source", "trace"),
    [
        ([("ce_source", b"/a"), ("traceparent", PARENT.encode())], b"", "/a", TRACE),
        (
            [("content-type", b"application/cloudevents+json; charset=UTF-8")],
            b'{"source": "/b", "traceparent": "%s"}' % PARENT.encode(),
            "/b",
            TRACE,
        ),
        ([("Content-Type", b"application/json")], b'{"source": "/b"}', "", ""),
        ([("content-type", b"application/cloudevents+json")], b"{", "", ""),
        ([("content-type", b"application/cloudevents+json")], b'{"source": 5}', "", ""),
        ([("traceparent", f"00-{0:032x}-00f067aa0ba902b7-01".encode())], b"", "", ""),
    ],
)
def test_reads_what_records_claim(
    headers: list[tuple[str, bytes | None]], value: bytes, source: str, trace: str
) -> None:
    claims = read_claims(headers, value)
    assert (claims.source, claims.trace) == (source, trace)
