"""The dataclasses that observing answers with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Partition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


@dataclass(frozen=True)
class Found(Generic[T]):
    """What was found, and what could not be read: name of a topic, group … → why."""

    items: T
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Acl:
    """An access control entry on topics: who may (or may not) do what to which of them.

    `operation` is `read`, `write` or `all`; `pattern` is `literal` (of which `*` is all topics)
    or `prefixed` (KIP-290).
    """

    principal: str
    host: str
    operation: str
    allowed: bool
    pattern: str
    topic: str


@dataclass(frozen=True)
class Layout:
    """Where each partition's leader is (broker id), and which topics are Kafka's own.

    `ids` tells a topic from another one made later under its name (KIP-516).
    """

    leaders: Mapping[Partition, int]
    internal: frozenset[str]
    partitions: Mapping[str, int]
    cluster_id: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def shared(self) -> tuple[Partition, ...]:
        """The partitions of topics that are the users' own, not Kafka's."""
        return tuple(it for it in self.leaders if it.topic not in self.internal)


@dataclass(frozen=True)
class GroupListing:
    """A group as listed: `kind` is classic, consumer (KIP-848), share (KIP-932) or streams
    (KIP-1071); `protocol` is `consumer`, `connect`, … or empty for a group that only commits.
    """

    name: str
    kind: str
    state: str
    protocol: str


@dataclass(frozen=True)
class Member:
    """A member of a group, and the topics of which it has partitions at this moment."""

    member_id: str
    client_id: str
    host: str
    topics: frozenset[str]


@dataclass(frozen=True)
class Group:
    """A group with its members; `reads` and `writes` come from a streams group's topology.

    `writes` holds repartition and changelog topics only: a topology does not name its sinks.
    `assignor` is what a classic group's members agreed on: `range`, `stream`, ….
    """

    listing: GroupListing
    members: tuple[Member, ...]
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    assignor: str = ""


@dataclass(frozen=True)
class Producer:
    """A producer as a partition's leader remembers it (KIP-664); the timestamp in ms since 1970.

    `transactional` is certain when true only: between transactions the leader cannot tell.
    """

    producer_id: int
    last_timestamp: int
    transactional: bool


@dataclass(frozen=True)
class Transaction:
    """A transactional id, its producer id, and the partitions it writes at this moment."""

    transactional_id: str
    producer_id: int
    state: str
    partitions: tuple[Partition, ...] = ()
