"""What a cluster lets us see of who reads and who writes: groups, offsets, producers, batches."""

from broker.observe.batches import Batch, Chunk, offsets_partition_of, parse_batches
from broker.observe.client import Observer
from broker.observe.contents import (
    OFFSETS_TOPIC,
    TRANSACTIONS_TOPIC,
    LoggedTransaction,
    OffsetCommit,
)
from broker.observe.found import (
    Acl,
    Found,
    Group,
    GroupListing,
    Layout,
    Member,
    Partition,
    Producer,
    Transaction,
)

__all__ = [
    "OFFSETS_TOPIC",
    "TRANSACTIONS_TOPIC",
    "Acl",
    "Batch",
    "Chunk",
    "Found",
    "Group",
    "GroupListing",
    "Layout",
    "LoggedTransaction",
    "Member",
    "Observer",
    "OffsetCommit",
    "Partition",
    "Producer",
    "Transaction",
    "offsets_partition_of",
    "parse_batches",
]
