"""What tells whether the keys of one share are in another too. Pure.

Of one key only one record counts, and of two partitions no share knows both. Two rows of one key
are refused by the database; a row here and a deletion there would be noticed by nobody.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from itertools import compress
from operator import not_

from broker.records import Record, keys_of, values_of

MOST = 1_000_000
"""Deleted keys that one share tells of, at most."""

DELETED_ELSEWHERE = "a key that is deleted in one partition is in another too"
TOO_MANY_DELETED = "too many keys are deleted to be compared"

# keys that end so are told, which is every tenth of numbers, and every sixteenth of UUIDs
_SAMPLED = frozenset(b"'7GWgw")
_MOST_SAMPLED = 100_000


class Marks:
    """Keys to compare with those of other shares: all that are deleted, and some of the rest."""

    def __init__(self) -> None:
        self.gone: set[bytes | None] = set()
        self.some: set[bytes | None] = set()

    def add(self, records: Sequence[Record]) -> None:
        """Take in what is kept."""
        keys, values = keys_of(records), values_of(records)
        if len(self.gone) <= MOST and not all(values):
            empty = compress(zip(keys, values, strict=True), map(not_, values))
            self.gone.update(key for key, value in empty if value is None)
        if len(self.some) < _MOST_SAMPLED:
            self.some.update(sampled(keys))

    def told(self) -> tuple[list[bytes | None] | None, list[bytes | None]]:
        """Return them to be sent; None: too many are deleted."""
        return (list(self.gone) if len(self.gone) <= MOST else None), list(self.some)


def sampled(keys: Iterable[bytes | None]) -> list[bytes | None]:
    """Return the same few of equal keys, in whatever order they come."""
    return [key for key in keys if key and key[-1] in _SAMPLED]


def are_gone(records: Sequence[Record], gone: AbstractSet[bytes | None]) -> bool:
    """Whether a row is of a key that is deleted elsewhere."""
    if not gone or gone.isdisjoint(keys_of(records)):
        return False
    return any(one.key in gone and one.value is not None for one in records)
