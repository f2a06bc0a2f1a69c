"""The requests behind each question, and how their answers are read."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar, cast

from kafka import errors as kafka_python
from kafka.admin import (
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePatternFilter,
    ResourceType,
)
from kafka.protocol.admin import (
    DescribeProducersRequest,
    DescribeTransactionsRequest,
    ListTransactionsRequest,
)
from kafka.protocol.consumer import FetchRequest, ListOffsetsRequest, OffsetFetchRequest
from kafka.protocol.metadata import CoordinatorType, MetadataRequest

from broker.observe.batches import next_offset_of
from broker.observe.by_hand import ByHand
from broker.observe.describing import GROUP_GONE, Describing
from broker.observe.found import (
    Acl,
    Found,
    GroupListing,
    Layout,
    Partition,
    Producer,
    Transaction,
)
from broker.observe.wire import (
    COMMITTED_SINCE,
    END_OFFSETS_SINCE,
    FETCH_SINCE,
    METADATA_SINCE,
    CommitsReader,
    Fetched,
    LayoutReader,
    read_ends,
    read_fetched,
    write_end_request,
    write_fetch_request,
)

T = TypeVar("T")
_PARTITIONS_A_REQUEST = 2000
# most hold little that is new: many share the bytes of a request
_PARTITIONS_A_FETCH = 1000
_FETCH_BYTES = 4 * 1024 * 1024
LATEST, EARLIEST = -1, -2
_TRAFFIC = frozenset({ACLOperation.READ, ACLOperation.WRITE, ACLOperation.ALL})

# the leader moved, or is not there yet: asking again helps
_TRANSIENT = frozenset({3, 5, 6, 9})
# offset out of range: retention passed us by, the next sample starts at the new end
_OUT_OF_RANGE = 1

Asked = tuple[dict[Partition, T], dict[str, str], set[Partition]]


def say(code: int) -> str:
    """Return Kafka's words for an error code."""
    error = kafka_python.for_code(code)
    return f"{getattr(error, 'message', error.__name__)} (error {code})".lower().replace("_", " ")


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut into lists of at most `size`."""
    everything = list(items)
    for start in range(0, len(everything), size):
        yield everything[start : start + size]


def by_topic(partitions: Iterable[Partition]) -> dict[str, list[int]]:
    """Group partition numbers by topic."""
    found: dict[str, list[int]] = defaultdict(list)
    for topic, number in partitions:
        found[topic].append(number)
    return found


class Requests(Describing):
    """kafka-python's admin client, asking what its public methods answer in part or not at all."""

    def __init__(self, **configs: Any) -> None:
        """Connect; raises KafkaError."""
        super().__init__(**configs)
        self._commits = CommitsReader()
        self._layouts = LayoutReader()

    # -- topics -----------------------------------------------------------------------------------
    def layout(self) -> Layout:
        """Return every topic's partitions and leaders: the same object while nothing changed."""
        request = ByHand(
            MetadataRequest(topics=None, min_version=METADATA_SINCE, max_version=13),
            self._layouts.read,
        )
        return cast("Layout", self._manager.run(self._ask, request).content)

    async def _ask(self, request: Any, node: int | None = None) -> Any:
        return await self._manager.send(request, node_id=node)

    def acls(self) -> list[Acl] | None:
        """Return the entries on topics; None where the cluster has no authorizer."""
        anything = ResourcePatternFilter(ResourceType.TOPIC, None, ACLResourcePatternType.ANY)
        try:
            entries, _ = self.describe_acls(
                ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, anything)
            )
        except kafka_python.SecurityDisabledError:
            return None
        return [
            Acl(
                principal=entry.principal,
                host=entry.host,
                operation=entry.operation.name.lower(),
                allowed=entry.permission_type == ACLPermissionType.ALLOW,
                pattern=entry.resource_pattern.pattern_type.name.lower(),
                topic=entry.resource_pattern.resource_name,
            )
            for entry in entries
            if entry.operation in _TRAFFIC
        ]

    # -- groups -----------------------------------------------------------------------------------
    def list_groups(self, *_: Any, **__: Any) -> list[GroupListing]:
        """List the groups of all kinds; kinds are lower case, groups of old brokers classic."""
        listed = super().list_groups()
        return [
            GroupListing(
                name=group["group_id"],
                kind=(group.get("group_type") or "classic").lower(),
                state=group.get("group_state") or "",
                protocol=group.get("protocol_type") or "",
            )
            for group in listed
        ]

    def committed_offsets(self, groups: Sequence[str]) -> Found[dict[str, dict[Partition, int]]]:
        """Fetch committed offsets; what a group may not tell is a problem under its name."""
        return Found(*self._manager.run(self._committed_offsets, groups))

    async def _committed_offsets(
        self, groups: Sequence[str]
    ) -> tuple[dict[str, dict[Partition, int]], dict[str, str]]:
        found: dict[str, dict[Partition, int]] = {}
        problems: dict[str, str] = {}
        asked = OffsetFetchRequest.OffsetFetchRequestGroup
        async for node, names in self._routed(groups):
            request = OffsetFetchRequest(
                groups=[asked(group_id=name, topics=None) for name in names],
                min_version=COMMITTED_SINCE,
                max_version=9,
            )
            answer = await self._ask(ByHand(request, self._commits.read), node)
            found |= answer.content.groups
            for group, code in answer.content.refused:
                self._check_coordinator(code)
                if code != GROUP_GONE:
                    problems[group] = say(code)
        self._commits.keep(found)
        return found, problems

    # -- producers and transactions ---------------------------------------------------------------
    def producers(
        self, partitions: Iterable[Partition], layout: Layout
    ) -> Asked[tuple[Producer, ...]]:
        """Ask each leader for the producers it remembers."""
        return cast(
            "Asked[tuple[Producer, ...]]", self._manager.run(self._producers, partitions, layout)
        )

    async def _producers(
        self, partitions: Iterable[Partition], layout: Layout
    ) -> Asked[tuple[Producer, ...]]:
        read = _Answers[tuple[Producer, ...]]()
        topic_request = DescribeProducersRequest.TopicRequest
        for node, chunk in read.route(partitions, layout):
            request = DescribeProducersRequest(
                topics=[
                    topic_request(name=name, partition_indexes=numbers)
                    for name, numbers in by_topic(chunk).items()
                ]
            )
            parts = list(_parts((await self._ask(request, node)).topics))
            read.take(
                {
                    place: tuple(map(_producer, part.active_producers))
                    for place, part in parts
                    if not part.error_code
                },
                [(place, part.error_code) for place, part in parts if part.error_code],
            )
        return read.result

    def transactions(self) -> list[Transaction]:
        """List transactional ids, and describe those under way."""
        return cast("list[Transaction]", self._manager.run(self._transactions))

    async def _transactions(self) -> list[Transaction]:
        listed = {}
        for broker in self._manager.cluster.brokers():
            answer = await self._ask(
                ListTransactionsRequest(state_filters=[], producer_id_filters=[]), broker.node_id
            )
            if answer.error_code:
                raise kafka_python.for_code(answer.error_code)("ListTransactions")
            for state in answer.transaction_states:
                listed[state.transactional_id] = Transaction(
                    state.transactional_id, state.producer_id, state.transaction_state
                )
        under_way = [name for name, it in listed.items() if it.state == "Ongoing"]
        async for found in self._described_transactions(under_way):
            listed[found.transactional_id] = found
        return list(listed.values())

    async def _described_transactions(self, names: Sequence[str]) -> Any:
        if not names:
            return
        routed = await self._coordinators(names, CoordinatorType.TRANSACTION)
        for node, owned in routed.items():
            answer = await self._ask(DescribeTransactionsRequest(transactional_ids=owned), node)
            for it in answer.transaction_states:
                if it.error_code:
                    continue
                partitions = tuple(
                    Partition(topic.topic, number)
                    for topic in it.topics
                    for number in topic.partitions
                )
                yield Transaction(
                    it.transactional_id, it.producer_id, it.transaction_state, partitions
                )

    # -- the log ----------------------------------------------------------------------------------
    def end_offsets(
        self, partitions: Iterable[Partition], layout: Layout, moment: int = LATEST
    ) -> Asked[int]:
        """Ask each leader for the offset one past its last record, or of its first one."""
        return cast("Asked[int]", self._manager.run(self._end_offsets, partitions, layout, moment))

    async def _end_offsets(
        self, partitions: Iterable[Partition], layout: Layout, moment: int
    ) -> Asked[int]:
        read = _Answers[int]()
        for node, chunk in read.route(partitions, layout):
            request = ByHand(
                ListOffsetsRequest(
                    replica_id=-1, topics=[], min_version=END_OFFSETS_SINCE, max_version=9
                ),
                read_ends,
                body=partial(write_end_request, by_topic(chunk), moment),
            )
            ends = (await self._ask(request, node)).content
            read.take(ends.offsets, ends.refused)
        return read.result

    def fetch(
        self,
        positions: Mapping[Partition, int],
        layout: Layout,
        *,
        partition_bytes: int,
        total: int,
    ) -> Found[dict[Partition, bytes]]:
        """Fetch one chunk of raw batches a partition, waiting for nothing.

        Partitions beyond `total` bytes are left out; one with nothing to read has an empty chunk.
        The chunk of a partition whose next batch is larger than `partition_bytes` is that batch.
        """
        return Found(*self._manager.run(self._fetch, positions, layout, partition_bytes, total))

    async def _fetch(
        self, positions: Mapping[Partition, int], layout: Layout, partition_bytes: int, total: int
    ) -> tuple[dict[Partition, bytes], dict[str, str]]:
        found: dict[Partition, bytes] = {}
        problems: dict[str, str] = {}
        routed, _ = _by_leader(positions, layout)
        size = max(_PARTITIONS_A_FETCH, _FETCH_BYTES // partition_bytes)
        turns = deque((node, it) for node, owned in routed.items() for it in chunks(owned, size))
        received = 0
        while turns and received < total:
            node, chunk = turns.popleft()
            answer = await self._ask(_fetch_request(chunk, positions, partition_bytes), node)
            fetched = answer.content
            for place, code in fetched.refused:
                if code == _OUT_OF_RANGE:
                    fetched.batches[place] = b""
                else:
                    problems[place.topic] = say(code)
            again = _left_out(fetched, positions) if len(chunk) > 1 else []
            turns += [(node, it) for it in chunks(again, _fewer(len(chunk), partition_bytes))]
            for place in again:
                del fetched.batches[place]
            received += sum(map(len, fetched.batches.values()))
            found |= fetched.batches
        return found, problems


def _left_out(fetched: Fetched, positions: Mapping[Partition, int]) -> list[Partition]:
    """Return the partitions that have records but got none, for the sake of the request's bytes."""
    return [
        it
        for it, high in fetched.high.items()
        if positions[it] < high
        and next_offset_of(fetched.batches[it], positions[it]) <= positions[it]
    ]


def _fewer(partitions: int, partition_bytes: int) -> int:
    """Return how many to ask for at once instead: as many as have their share, then half of it.

    A batch larger than its share comes whole to who asks for it alone (KIP-74).
    """
    shared = max(1, _FETCH_BYTES // partition_bytes)
    return shared if partitions > shared else max(1, partitions // 2)


def _by_leader(
    partitions: Iterable[Partition], layout: Layout
) -> tuple[dict[int, list[Partition]], set[Partition]]:
    """Return partitions by their leader, and those that have none at the moment."""
    routed: dict[int, list[Partition]] = defaultdict(list)
    lost = set()
    for partition in partitions:
        leader = layout.leaders.get(partition)
        if leader is not None:
            routed[leader].append(partition)
        elif partition.topic in layout.partitions:
            lost.add(partition)
    return routed, lost


def _parts(topics: Iterable[Any]) -> Iterator[tuple[Partition, Any]]:
    """Yield the partitions of an answer; requests differ in what they call a topic's name."""
    for topic in topics:
        name = topic.name if hasattr(topic, "name") else topic.topic
        for part in topic.partitions:
            yield Partition(name, part.partition_index), part


class _Answers(Generic[T]):
    """Gathers what leaders say of their partitions: found, refused, or to be asked again."""

    def __init__(self) -> None:
        self._found: dict[Partition, T] = {}
        self._problems: dict[str, str] = {}
        self._again: set[Partition] = set()

    def route(
        self, partitions: Iterable[Partition], layout: Layout
    ) -> Iterator[tuple[int, list[Partition]]]:
        """Yield leaders, each with a request's worth of partitions."""
        routed, lost = _by_leader(partitions, layout)
        self._again |= lost
        for node, owned in routed.items():
            for chunk in chunks(owned, _PARTITIONS_A_REQUEST):
                yield node, chunk

    def take(self, found: Mapping[Partition, T], refused: Iterable[tuple[Partition, int]]) -> None:
        """Take in one answer: what it found, and error codes."""
        self._found |= found
        for place, code in refused:
            if code in _TRANSIENT:
                self._again.add(place)
            else:
                self._problems[place.topic] = say(code)

    @property
    def result(self) -> Asked[T]:
        """What came of it."""
        return self._found, self._problems, self._again


def _producer(state: Any) -> Producer:
    return Producer(
        producer_id=state.producer_id,
        last_timestamp=state.last_timestamp,
        # a coordinator's marker was seen, or a transaction is open
        transactional=state.coordinator_epoch >= 0 or state.current_txn_start_offset >= 0,
    )


def _fetch_request(
    places: Iterable[Partition], positions: Mapping[Partition, int], partition_bytes: int
) -> ByHand[Fetched]:
    wanted: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for place in places:
        wanted[place.topic].append((place.partition, positions[place]))
    return ByHand(
        FetchRequest(topics=[], min_version=FETCH_SINCE, max_version=FETCH_SINCE),
        read_fetched,
        body=partial(write_fetch_request, wanted, partition_bytes, _FETCH_BYTES),
    )
