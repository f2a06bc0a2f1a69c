"""What a cluster says about itself, its topics and its offsets; and making topics.

Every call opens its own client and closes it: callers are samplers and jobs, not request handlers.
"""

import time
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec, ResourceType
from confluent_kafka.admin import NewTopic as ConfluentNewTopic

from broker.connection import Connection
from broker.errors import AccessDeniedError, BrokerTimeoutError, BrokerUnavailableError, translated

T = TypeVar("T")
_BATCH = 500
_UNREADABLE = frozenset({
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
})


@dataclass(frozen=True)
class ClusterDescription:
    """A cluster: its id, its brokers' addresses (`id` → `host:port`) and its controller's id."""

    cluster_id: str
    brokers: Mapping[int, str]
    controller_id: int | None


@dataclass(frozen=True)
class TopicDescription:
    """A topic as Kafka describes it; `None` is what the cluster would not tell us."""

    name: str
    topic_id: str
    internal: bool
    partitions: int
    replication_factor: int
    configs: Mapping[str, str]
    size_bytes: int | None
    # between the low and high watermarks; compaction and transactions make it an upper bound
    records: int | None


@dataclass(frozen=True)
class NewTopic:
    """A topic to be made; replication factor -1 takes the cluster's default."""

    name: str
    partitions: int = 1
    replication_factor: int = -1
    configs: Mapping[str, str] = field(default_factory=dict)


def _result(future: "Future[T]", timeout: float) -> T:
    try:
        return future.result(timeout + 1)
    except TimeoutError:
        raise BrokerTimeoutError(f"no answer within {timeout:g} s") from None


def _result_unless(future: "Future[T]", timeout: float, excused: Container[int]) -> T | None:
    """Return the result, or `None` when Kafka answers with one of the excused error codes."""
    try:
        return _result(future, timeout)
    except KafkaException as error:
        if error.args[0].code() not in excused:
            raise
        return None


@contextmanager
def _client(connection: Connection, timeout: float) -> Iterator[AdminClient]:
    with translated():
        yield AdminClient(connection.confluent(socket_timeout_ms=int(timeout * 1000)))


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]


def describe_cluster(connection: Connection, timeout: float = 5.0) -> ClusterDescription:
    """Return the cluster's identity; the cheapest proof that it can be reached.

    Raises BrokerUnavailableError when no broker answers within `timeout` seconds.
    """
    try:
        with _client(connection, timeout) as client:
            answer = _result(client.describe_cluster(request_timeout=timeout), timeout)
    except BrokerTimeoutError:
        raise BrokerUnavailableError(
            f"no broker of {connection.bootstrap_servers} answered within {timeout:g} s"
        ) from None
    controller = answer.controller
    return ClusterDescription(
        cluster_id=answer.cluster_id or "",
        brokers={node.id: f"{node.host}:{node.port}" for node in answer.nodes},
        controller_id=controller.id if controller is not None else None,
    )


def describe_topics(connection: Connection, timeout: float = 30.0) -> list[TopicDescription]:
    """Describe every topic that we may see, by name; internal ones included."""
    with _client(connection, timeout) as client:
        names = sorted(client.list_topics(timeout=timeout).topics)
        described = [
            topic for batch in _batches(names) for topic in _describe(client, batch, timeout)
        ]
        configs = {
            name: settings
            for batch in _batches(names)
            for name, settings in _read_configs(client, batch, timeout).items()
        }
        partitions = [
            TopicPartition(topic.name, partition.id)
            for topic in described
            for partition in topic.partitions
            if partition.leader is not None
        ]
        records: dict[str, int] = defaultdict(int)
        for (name, _), (low, high) in _read_watermarks(client, partitions, timeout).items():
            records[name] += high - low
    sizes = _read_sizes(connection, timeout)
    return [
        TopicDescription(
            name=topic.name,
            topic_id=str(topic.topic_id),
            internal=topic.is_internal,
            partitions=len(topic.partitions),
            replication_factor=max((len(part.replicas) for part in topic.partitions), default=0),
            configs=configs.get(topic.name, {}),
            size_bytes=sizes.get(topic.name) if sizes is not None else None,
            records=records.get(topic.name),
        )
        for topic in described
    ]


def read_topic_ids(
    connection: Connection, names: Sequence[str], timeout: float = 10.0
) -> dict[str, str]:
    """Return the identity of topics (KIP-516): one that is deleted and made anew has another.

    A topic that is not there, or that we may not see, is left out.
    """
    with _client(connection, timeout) as client:
        return {topic.name: str(topic.topic_id) for topic in _describe(client, names, timeout)}


def read_cleanup_policies(
    connection: Connection, names: Sequence[str], timeout: float = 10.0
) -> dict[str, str]:
    """Return the cleanup.policy of topics; one that we may not see is left out."""
    with _client(connection, timeout) as client:
        configs = _read_configs(client, names, timeout)
    return {name: config.get("cleanup.policy", "") for name, config in configs.items()}


def create_topics(
    connection: Connection, topics: Iterable[NewTopic], timeout: float = 15.0
) -> None:
    """Make those topics that do not exist, and return when the brokers know them.

    Those that exist stay as they are.
    """
    wanted = [
        ConfluentNewTopic(
            topic.name,
            num_partitions=topic.partitions,
            replication_factor=topic.replication_factor,
            config=dict(topic.configs),
        )
        for topic in topics
    ]
    if not wanted:
        return
    with _client(connection, timeout) as client:
        made = client.create_topics(wanted, operation_timeout=timeout, request_timeout=timeout)
        for future in made.values():
            _result_unless(future, timeout, {KafkaError.TOPIC_ALREADY_EXISTS})
        _await_topics(client, {topic.topic for topic in wanted}, timeout)


def _await_topics(client: AdminClient, names: set[str], timeout: float) -> None:
    """Wait until the broker that answers has heard of the topics from the controller."""
    deadline = time.monotonic() + timeout
    while not names <= client.list_topics(timeout=timeout).topics.keys():
        if time.monotonic() > deadline:
            raise BrokerTimeoutError(f"made topics are not known after {timeout:g} s")
        time.sleep(0.05)


def watermarks(
    connection: Connection, topics: Sequence[str], timeout: float = 15.0
) -> dict[tuple[str, int], tuple[int, int]]:
    """Return (topic, partition) → (low, high): first offset kept, and one past the last."""
    with _client(connection, timeout) as client:
        partitions = [
            TopicPartition(topic.name, partition.id)
            for batch in _batches(topics)
            for topic in _describe(client, batch, timeout, missing_ok=False)
            for partition in topic.partitions
        ]
        return _read_watermarks(client, partitions, timeout)


def _describe(
    client: AdminClient, names: Sequence[str], timeout: float, *, missing_ok: bool = True
) -> list[Any]:
    """Describe topics; with `missing_ok`, one that was deleted since it was listed is left out."""
    if not names:
        return []
    futures = client.describe_topics(TopicCollection(list(names)), request_timeout=timeout)
    excused = {KafkaError.UNKNOWN_TOPIC_OR_PART} if missing_ok else frozenset()
    answers = [_result_unless(future, timeout, excused) for future in futures.values()]
    return [answer for answer in answers if answer is not None]


def _read_configs(
    client: AdminClient, names: Sequence[str], timeout: float
) -> dict[str, dict[str, str]]:
    """Return each topic's effective configuration; a topic we may not read is left out."""
    if not names:
        return {}
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    found = {}
    for resource, future in client.describe_configs(resources, request_timeout=timeout).items():
        entries = _result_unless(future, timeout, _UNREADABLE)
        if entries is not None:
            found[resource.name] = {
                name: entry.value for name, entry in entries.items() if entry.value is not None
            }
    return found


def _read_watermarks(
    client: AdminClient, partitions: Sequence[TopicPartition], timeout: float
) -> dict[tuple[str, int], tuple[int, int]]:
    """Ask for the first and the last offset; a partition without a leader is left out."""
    low = _read_offsets(client, partitions, OffsetSpec.earliest(), timeout)
    high = _read_offsets(client, partitions, OffsetSpec.latest(), timeout)
    return {key: (low[key], high[key]) for key in low if key in high}


def _read_offsets(
    client: AdminClient, partitions: Sequence[TopicPartition], spec: OffsetSpec, timeout: float
) -> dict[tuple[str, int], int]:
    offsets = {}
    for batch in _batches(partitions):
        futures = client.list_offsets(dict.fromkeys(batch, spec), request_timeout=timeout)
        for partition, future in futures.items():
            answer = _result_unless(future, timeout, _UNREADABLE)
            if answer is not None:
                offsets[partition.topic, partition.partition] = answer.offset
    return offsets


def _read_sizes(connection: Connection, timeout: float) -> dict[str, int] | None:
    """Return the bytes on disk of each topic, all replicas; `None` when we may not ask."""
    # its import costs a quarter of a second, and only samplers and jobs come here
    from kafka import KafkaAdminClient

    milliseconds = int(timeout * 1000)
    settings = connection.kafka_python(
        request_timeout_ms=milliseconds, bootstrap_timeout_ms=milliseconds
    )
    sizes: dict[str, int] = defaultdict(int)
    try:
        with translated(), closing(KafkaAdminClient(**settings)) as admin:
            for broker in admin.describe_log_dirs():
                _add_sizes(broker, sizes)
    except AccessDeniedError:
        return None
    return sizes


def _add_sizes(broker: Mapping[str, Any], sizes: dict[str, int]) -> None:
    for folder in broker["log_dirs"]:
        for topic in folder["topics"]:
            name = topic.get("name") or topic.get("topic")
            sizes[name] += sum(part["partition_size"] for part in topic["partitions"])
