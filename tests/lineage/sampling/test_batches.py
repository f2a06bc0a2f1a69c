import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.record.memory_records import MemoryRecordsBuilder

from broker.observe import OffsetCommit, Partition, offsets_partition_of, parse_batches
from broker.observe.batches import java_hash, parse_commit

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
    (batch,) = parse_batches(PLACE, data, offsets_topic=True)
    assert batch.commits == {OffsetCommit("g", "orders")}
    assert batch.transactional


@given(st.binary(max_size=200))
def test_damage_is_no_exception(data: bytes) -> None:
    list(parse_batches(PLACE, data))
    parse_commit(data)
