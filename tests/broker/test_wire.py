"""What we read by hand is what kafka-python reads from the same bytes, and what it would ask."""

import struct
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from confluent_kafka import Producer
from kafka.protocol.consumer import (
    FetchRequest,
    FetchResponse,
    ListOffsetsRequest,
    ListOffsetsResponse,
    OffsetFetchResponse,
)
from kafka.protocol.metadata import MetadataResponse

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.observe import Observer, Partition
from broker.observe.by_hand import ByHand
from broker.observe.wire import (
    CommitsReader,
    LayoutReader,
    read_ends,
    read_fetched,
    write_end_request,
    write_fetch_request,
)

_THROTTLE = 4
LONG = "t" * 249


def _ends(*topics: tuple[str, list[tuple[int, int, int]]]) -> Any:
    topic, part = (
        ListOffsetsResponse.ListOffsetsTopicResponse,
        ListOffsetsResponse.ListOffsetsTopicResponse.ListOffsetsPartitionResponse,
    )
    return ListOffsetsResponse(
        throttle_time_ms=0,
        topics=[
            topic(
                name=name,
                partitions=[
                    part(
                        partition_index=number,
                        error_code=error,
                        timestamp=-1,
                        offset=offset,
                        leader_epoch=3,
                    )
                    for number, error, offset in parts
                ],
            )
            for name, parts in topics
        ],
    )


@pytest.mark.parametrize("version", [6, 7, 8, 9])
def test_end_offsets(version: int) -> None:
    answer = _ends(("a", [(0, 0, 7), (2, 0, 1 << 40)]), (LONG, [(1, 6, -1)]), ("empty", []))
    ends = read_ends(bytes(answer.encode(version=version)), _THROTTLE, version)
    assert ends.offsets == {Partition("a", 0): 7, Partition("a", 2): 1 << 40}
    assert ends.refused == [(Partition(LONG, 1), 6)]


def test_fields_of_later_versions_are_refused_where_they_would_be_misread() -> None:
    data = bytearray(_ends(("a", [(0, 0, 7)])).encode(version=7))
    # a tagged field within the partition: its count stands before those of topic and message
    data[-3] = 1
    with pytest.raises(IndexError):
        read_ends(bytes(data), _THROTTLE, 7)


@pytest.mark.parametrize("cut", [2, 3, 10, 30])
def test_an_answer_that_is_cut_off_is_an_error(cut: int) -> None:
    data = bytes(_ends(("a", [(0, 0, 7), (1, 0, 8)])).encode(version=7))
    with pytest.raises((IndexError, struct.error)):
        read_ends(data[:-cut], _THROTTLE, 7)


@pytest.mark.parametrize("version", [6, 7, 8, 9])
def test_the_request_for_end_offsets(version: int) -> None:
    wanted = {"a": [0, 2], LONG: [1]}
    asked = ListOffsetsRequest.decode(write_end_request(wanted, -1, version), version=version)
    assert asked.replica_id == -1
    assert asked.isolation_level == 0
    assert {it.name: [part.partition_index for part in it.partitions] for it in asked.topics} == (
        wanted
    )
    parts = [part for it in asked.topics for part in it.partitions]
    assert {(it.timestamp, it.current_leader_epoch) for it in parts} == {(-1, -1)}


def test_the_request_for_batches() -> None:
    wanted = {"a": [(0, 5), (2, 1 << 40)], LONG: [(1, 0)]}
    asked = FetchRequest.decode(write_fetch_request(wanted, 1000, 9000, 12), version=12)
    assert (asked.max_bytes, asked.max_wait_ms, asked.min_bytes) == (9000, 0, 0)
    assert (asked.replica_id, asked.session_id, asked.session_epoch) == (-1, 0, -1)
    assert (asked.forgotten_topics_data, asked.rack_id, asked.isolation_level) == ([], "", 0)
    places = {
        it.topic: [(part.partition, part.fetch_offset) for part in it.partitions]
        for it in asked.topics
    }
    assert places == wanted
    parts = [part for it in asked.topics for part in it.partitions]
    assert {it.partition_max_bytes for it in parts} == {1000}
    assert {(it.current_leader_epoch, it.last_fetched_epoch) for it in parts} == {(-1, -1)}


def _fetched(*parts: tuple[str, int, int, bytes | None], error: int = 0) -> bytes:
    topic = FetchResponse.FetchableTopicResponse
    part = topic.PartitionData
    answer = FetchResponse(
        throttle_time_ms=0,
        error_code=error,
        session_id=0,
        responses=[
            topic(
                topic=name,
                partitions=[
                    part(
                        partition_index=number,
                        error_code=code,
                        high_watermark=9,
                        last_stable_offset=9,
                        log_start_offset=0,
                        aborted_transactions=[
                            part.AbortedTransaction(producer_id=1, first_offset=2)
                        ],
                        preferred_read_replica=-1,
                        records=records,
                    )
                ],
            )
            for name, number, code, records in parts
        ],
    )
    return bytes(answer.encode(version=12))


def test_batches() -> None:
    data = _fetched(
        ("a", 0, 0, b"r" * 300), (LONG, 1, 0, None), ("b", 0, 1, None), ("c", 3, 0, b"")
    )
    found = read_fetched(data, _THROTTLE, 12)
    assert found.batches == {
        Partition("a", 0): b"r" * 300,
        Partition(LONG, 1): b"",
        Partition("c", 3): b"",
    }
    assert found.refused == [(Partition("b", 0), 1)]
    with pytest.raises(ValueError, match="error 70"):
        read_fetched(_fetched(error=70), _THROTTLE, 12)
    with pytest.raises((IndexError, struct.error)):
        read_fetched(_fetched(("a", 0, 0, b"r" * 300))[:-20], _THROTTLE, 12)


Parts = Sequence[tuple[int, int, int, str | None]]


def _commits(groups: Mapping[str, Mapping[str, Parts]], error: int = 0) -> bytes:
    group = OffsetFetchResponse.OffsetFetchResponseGroup
    topic = group.OffsetFetchResponseTopics
    part = topic.OffsetFetchResponsePartitions
    answer = OffsetFetchResponse(
        throttle_time_ms=0,
        groups=[
            group(
                group_id=name,
                error_code=error,
                topics=[
                    topic(
                        name=it,
                        partitions=[
                            part(
                                partition_index=number,
                                committed_offset=offset,
                                committed_leader_epoch=-1,
                                metadata=metadata,
                                error_code=code,
                            )
                            for number, offset, code, metadata in parts
                        ],
                    )
                    for it, parts in topics.items()
                ],
            )
            for name, topics in groups.items()
        ],
    )
    return bytes(answer.encode(version=8))


def test_committed_offsets_with_the_clients_own_words_among_them() -> None:
    data = _commits({
        "g": {"a": [(0, 5, 0, ""), (1, 6, 0, "x" * 300), (2, 7, 0, None), (3, -1, 0, "")]},
        "h": {LONG: [(0, 1, 0, "word"), (1, 2, 29, "")]},
        "nothing": {},
    })
    found = CommitsReader().read(data, _THROTTLE, 8)
    assert found.groups == {
        "g": {Partition("a", 0): 5, Partition("a", 1): 6, Partition("a", 2): 7},
        "h": {Partition(LONG, 0): 1},
        "nothing": {},
    }
    assert not found.refused


def test_a_group_that_says_the_same_is_read_once_and_any_other_anew() -> None:
    reader = CommitsReader()
    before: dict[str, dict[str, Parts]] = {"g": {"a": [(0, 5, 0, "")]}, "h": {"a": [(0, 1, 0, "")]}}
    first = reader.read(_commits(before), _THROTTLE, 8).groups
    after: dict[str, dict[str, Parts]] = {"h": {"a": [(0, 2, 0, "")]}, "g": {"a": [(0, 5, 0, "")]}}
    second = reader.read(_commits(after), _THROTTLE, 8).groups
    assert second == {"g": {Partition("a", 0): 5}, "h": {Partition("a", 0): 2}}
    assert second["g"] is first["g"]
    grown: dict[str, dict[str, Parts]] = {
        "g": {"a": [(0, 5, 0, "")], "b": [(0, 9, 0, "")]},
        "h": {},
    }
    third = reader.read(_commits(grown), _THROTTLE, 8).groups
    assert third == {"g": {Partition("a", 0): 5, Partition("b", 0): 9}, "h": {}}
    reader.keep({"h": None})
    assert reader.read(_commits({"g": grown["g"]}), _THROTTLE, 8).groups["g"] is not third["g"]


def test_a_group_that_is_refused_is_told_and_not_remembered() -> None:
    reader = CommitsReader()
    found = reader.read(_commits({"g": {}}, error=30), _THROTTLE, 8)
    assert (found.groups, found.refused) == ({}, [("g", 30)])
    assert reader.read(_commits({"g": {}}), _THROTTLE, 8).groups == {"g": {}}


def _metadata(version: int, *, leader: int = 1, throttle: int = 0) -> bytes:
    topic = MetadataResponse.MetadataResponseTopic
    part = topic.MetadataResponsePartition
    broker = MetadataResponse.MetadataResponseBroker

    def parts(*leaders: int) -> list[Any]:
        return [
            part(
                error_code=0,
                partition_index=number,
                leader_id=one,
                leader_epoch=4,
                replica_nodes=[1, 2, 3],
                isr_nodes=[1, 2],
                offline_replicas=[3],
            )
            for number, one in enumerate(leaders)
        ]

    def made(name: str, partitions: list[Any], error: int = 0, **more: Any) -> Any:
        more = {"topic_id": None, "is_internal": False, **more}
        return topic(
            error_code=error,
            name=name,
            partitions=partitions,
            authorized_operations=set(),
            **more,
        )

    answer = MetadataResponse(
        throttle_time_ms=throttle,
        brokers=[
            broker(node_id=1, host="one", port=9092, rack=None),
            broker(node_id=2, host="h" * 200, port=9093, rack="west"),
        ],
        cluster_id="c",
        controller_id=1,
        topics=[
            made("a", parts(leader, 2), topic_id=UUID(int=7)),
            made("__consumer_offsets", parts(2), is_internal=True),
            made("__own", parts(1)),
            made(LONG, parts(-1, 2), topic_id=UUID(int=8)),
            made("refused", [], 29),
        ],
        authorized_operations=set(),
        error_code=0,
    )
    return bytes(answer.encode(version=version))


@pytest.mark.parametrize("version", [9, 10, 12, 13])
def test_layout(version: int) -> None:
    layout = LayoutReader().read(_metadata(version), _THROTTLE, version)
    assert layout.leaders == {
        Partition("a", 0): 1,
        Partition("a", 1): 2,
        Partition("__consumer_offsets", 0): 2,
        Partition("__own", 0): 1,
        Partition(LONG, 1): 2,
    }
    assert layout.internal == {"__consumer_offsets", "__own"}
    assert layout.partitions == {"a": 2, "__consumer_offsets": 1, "__own": 1, LONG: 2}
    assert layout.cluster_id == "c"
    assert layout.ids["a"] == (str(UUID(int=7)) if version >= 10 else "")
    assert layout.ids["__own"] == ""


def test_a_layout_is_the_same_object_until_something_changes() -> None:
    reader = LayoutReader()
    first = reader.read(_metadata(13), _THROTTLE, 13)
    assert reader.read(_metadata(13, throttle=250), _THROTTLE, 13) is first
    moved = reader.read(_metadata(13, leader=2), _THROTTLE, 13)
    assert moved.leaders[Partition("a", 0)] == 2


def test_an_answer_that_cannot_be_read_is_told_as_kafka_python_expects_it() -> None:
    request: ByHand[Any] = ByHand(ListOffsetsRequest(replica_id=-1, topics=[]), read_ends)
    request.API_VERSION = 7
    request.with_header(1, "test")
    assert request.header is not None
    buffer = type("Buffer", (), {"read": lambda _: b"\0\0\0\0\x05"})()
    with pytest.raises(ValueError, match="protocol"):
        request.header.get_response_class().decode(buffer)


@pytest.mark.kafka
def test_a_live_broker_understands_and_is_understood(kafka: Connection) -> None:
    with Observer(kafka) as observer:
        layout = observer.layout()
        assert observer.layout() is layout
        ends = observer.end_offsets(list(layout.leaders))
        assert ends.items.keys() == layout.leaders.keys()
        assert not ends.problems


@pytest.mark.kafka
def test_no_partition_goes_without_its_batches_for_the_sake_of_others(kafka: Connection) -> None:
    """Large batches fill a request; the ones behind them, and one larger than a share, come too."""
    topic = f"t-{uuid4().hex[:8]}"
    create_topics(kafka, [NewTopic(topic, 60)])
    producer = Producer(kafka.confluent(compression_type="none", linger_ms=0))
    for number in range(60):
        producer.produce(topic, b"x" * (700_000 if number % 9 == 5 else 110_000), partition=number)
    assert producer.flush(30) == 0
    places = {Partition(topic, number): 0 for number in range(60)}
    with Observer(kafka) as observer:
        observer.layout()
        found = observer.chunks(places, partition_bytes=128 * 1024, total_bytes=64 * 1024 * 1024)
    assert {it: chunk.next_offset for it, chunk in found.items.items()} == dict.fromkeys(places, 1)
    assert {len(chunk.batches) for chunk in found.items.values()} == {1}
