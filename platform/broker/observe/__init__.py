"""What a cluster lets us see of who reads and who writes: groups, offsets, producers, batches."""

from broker.observe.batches import Batch, OffsetCommit, offsets_partition_of, parse_batches
from broker.observe.client import Observer
from broker.observe.found import (
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
    "Batch",
    "Found",
    "Group",
    "GroupListing",
    "Layout",
    "Member",
    "Observer",
    "OffsetCommit",
    "Partition",
    "Producer",
    "Transaction",
    "offsets_partition_of",
    "parse_batches",
]
