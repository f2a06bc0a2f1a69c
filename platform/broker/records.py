"""Records as they lie in the log, and batches of them that cost little until one is looked at."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple, overload

from confluent_kafka import Message


class Partition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Record(NamedTuple):
    """A record as it lies in the log: nothing decoded; the timestamp in ms since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] | None


_record = partial(tuple.__new__, Record)


class Records(Sequence[Record]):
    """Messages of the client, made into records when somebody asks for them.

    Whoever needs no more than keys and values asks for those, at a third of the cost.
    """

    __slots__ = ("_made", "ends", "messages")

    def __init__(self, messages: Sequence[Message], ends: Mapping[Partition, int]) -> None:
        """Hold messages without errors; `ends` is, of each partition, the offset behind them."""
        self.messages = messages
        self.ends = ends
        self._made: list[Record] | None = None

    def __len__(self) -> int:
        return len(self.messages)

    @overload
    def __getitem__(self, at: int) -> Record: ...

    @overload
    def __getitem__(self, at: slice) -> "Records": ...

    def __getitem__(self, at: int | slice) -> "Record | Records":
        if isinstance(at, slice):
            return Records(self.messages[at], self.ends)
        return _made([self.messages[at]])[0] if self._made is None else self._made[at]

    def __iter__(self) -> Iterator[Record]:
        if self._made is None:
            self._made = _made(self.messages)
        return iter(self._made)

    def keys(self) -> list[bytes | None]:
        """Return the keys."""
        return list(map(Message.key, self.messages))

    def values(self) -> list[bytes | None]:
        """Return the values."""
        return list(map(Message.value, self.messages))

    def have_headers(self) -> bool:
        """Whether any has a header."""
        return any(map(Message.headers, self.messages))


def _made(messages: Sequence[Message]) -> list[Record]:
    """Return what messages hold: column by column, half the cost of one by one."""
    # each message brings its topic's name anew: one of them is enough
    names: dict[Any, Any] = {}
    topics = list(map(Message.topic, messages))
    headers: list[Any] = list(map(Message.headers, messages))
    if any(headers):
        headers = [tuple(some) if some else None for some in headers]
    else:
        headers = [None] * len(messages)
    columns = zip(
        map(names.setdefault, topics, topics),
        map(Message.partition, messages),
        map(Message.offset, messages),
        map(itemgetter(1), map(Message.timestamp, messages)),
        map(Message.key, messages),
        map(Message.value, messages),
        headers,
        strict=True,
    )
    return list(map(_record, columns))


# -- of batches of either form ------------------------------------------------------------------
def keys_of(records: Sequence[Record]) -> list[bytes | None]:
    """Return the keys of records."""
    return records.keys() if isinstance(records, Records) else [one.key for one in records]


def values_of(records: Sequence[Record]) -> list[bytes | None]:
    """Return the values of records."""
    return records.values() if isinstance(records, Records) else [one.value for one in records]


def have_headers(records: Sequence[Record]) -> bool:
    """Whether any of them has a header."""
    if isinstance(records, Records):
        return records.have_headers()
    return any(one.headers for one in records)


def ends_of(records: Sequence[Record]) -> Mapping[Partition, int]:
    """Return, of each partition, the offset behind the last of its records."""
    if isinstance(records, Records):
        return records.ends
    return {Partition(one.topic, one.partition): one.offset + 1 for one in records}


def picked(records: Sequence[Record], places: Iterable[int]) -> Sequence[Record]:
    """Return the records at these places."""
    if isinstance(records, Records):
        return Records([records.messages[at] for at in places], records.ends)
    return [records[at] for at in places]


def held(records: Sequence[Record]) -> Sequence[Any]:
    """Return what to hold of records for later, when `taken_up` makes records of it again."""
    return records.messages if isinstance(records, Records) else records


def taken_up(items: Sequence[Any]) -> Sequence[Record]:
    """Return the records of what was held; of those that were messages the ends are not known."""
    return Records(items, {}) if items and isinstance(items[0], Message) else items
