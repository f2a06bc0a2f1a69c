"""The contract of a target database: one file per kind implements it, one test suite holds for all.

Beside the copy a sink keeps tables of its own in the same database, so that rows and offsets
move in one transaction:

insideout_offsets      (connector, topic, partition) → next_offset, epoch
insideout_generations  connector → number, table_name, layout
insideout_retired      (connector, topic, partition) → next_offset: where the generation before was

A write is *fenced*: it happens only while the generation, and of each partition the offset and
the epoch, are those that the writer claimed. Whoever lost its claim meanwhile (a paused process,
a lost lease, a swap) gets FencedError and has changed nothing.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

from broker.records import Partition
from lineage.connectors.columns import Column, Digest, Layout, Row


@dataclass(frozen=True)
class Live:
    """The generation that readers see; no layout: its table is not made yet."""

    number: int
    table: str
    layout: Layout | None


@dataclass(frozen=True)
class Position:
    """Where a partition stands in the copy; `next` is -1 where nothing was read yet."""

    next: int
    epoch: int


@dataclass(frozen=True)
class Move:
    """One partition's step from `expected` to `next`, under the claimed epoch."""

    partition: Partition
    expected: int
    next: int
    epoch: int


@dataclass(frozen=True)
class Fence:
    """What must still hold when a batch is written, and what its offsets become."""

    connector: str
    generation: int
    moves: tuple[Move, ...]


Part = tuple[int, int]
"""A part of a table, in numbers of the target's own."""


class BehindError(Exception):
    """A shadow may not be swapped in: the live table has already read further."""


def shadow_of(table: str) -> str:
    """Return the name under which a generation is built."""
    return f"{table}__new"


def retired_of(table: str, number: int) -> str:
    """Return the name under which a replaced generation is kept."""
    return f"{table}__g{number}"


class Sink(Protocol):
    """One open target. Every method is one transaction; any of them raises a SinkError."""

    kind: ClassVar[str]

    def column_type(self, column: Column) -> str:
        """Return the type that a column has in this database."""
        ...

    # -- whose turn it is -------------------------------------------------------------------------
    def live(self, connector: str) -> Live | None:
        """Return the live generation, if there is any."""
        ...

    def positions(self, connector: str) -> dict[Partition, Position]:
        """Return where every partition stands."""
        ...

    def claim(
        self, connector: str, table: str, partitions: Sequence[Partition]
    ) -> tuple[Live, dict[Partition, Position]]:
        """Become the one owner of these partitions: raises their epochs, fences all others."""
        ...

    # -- the live table ---------------------------------------------------------------------------
    def shape(self, connector: str, generation: int, layout: Layout) -> Layout:
        """Create the live table, or add the columns it lacks; returns the layout it has then."""
        ...

    def merge(
        self,
        table: str,
        layout: Layout,
        upserts: Sequence[Row],
        deletes: Collection[tuple[Any, ...]],
        fence: Fence | None = None,
    ) -> None:
        """Write a batch, and its offsets under the fence. Each primary key comes once."""
        ...

    def refusals(self, table: str, layout: Layout, rows: Sequence[Row]) -> dict[int, str]:
        """Find the rows that the database refuses, by bisection; nothing is written."""
        ...

    # -- a generation -----------------------------------------------------------------------------
    def load(self, table: str, layout: Layout, rows: Iterable[Row]) -> None:
        """Create a table (dropping what stood there) and fill it, the fastest way.

        A primary key that comes twice is refused, as other rows may be: SinkRefusedError.
        """
        ...

    def alter(self, table: str, columns: Sequence[Column]) -> None:
        """Change the types of columns in place, to wider ones (`Layout.evolved`).

        Raises SchemaChangedError where this database cannot, or not without making readers wait:
        the copy is regenerated then. `shape` does the same within its transaction; a sink that
        never can leaves `shape` to raise it, by `Layout.extended`.
        """
        ...

    def widen(self, table: str, columns: Sequence[Column]) -> None:
        """Add columns to a table."""
        ...

    def read(self, table: str, layout: Layout) -> Iterator[Row]:
        """Read a table back as canonical rows, in any order, without keeping it in memory."""
        ...

    def read_keys(self, table: str, layout: Layout, keys: Collection[tuple[Any, ...]]) -> list[Row]:
        """Read the rows of these primary keys that are there, as `read` does."""
        ...

    def count(self, table: str) -> int:
        """Count rows; 0 where there is no table."""
        ...

    def swap(
        self, connector: str, live: Live, layout: Layout, offsets: Mapping[Partition, int]
    ) -> None:
        """Make the shadow of `live.table` generation `live.number` and all its owners begin anew.

        One transaction: rename, offsets, epochs, generation. Raises BehindError where the live
        table has read further than `offsets`, FencedError where `live` is not one more than the
        generation in place.
        """
        ...

    def hash_ranges(self, table: str, layout: Layout, ranges: int) -> dict[int, Digest]:
        """Return rows and sum of hashes of each range of keys that holds any: see `canonical`."""
        ...

    def read_ranges(
        self, table: str, layout: Layout, ranges: int, wanted: Collection[int]
    ) -> Iterator[Row]:
        """Read the rows whose keys fall into the wanted ranges, as canonical rows."""
        ...

    def roll_back(self, connector: str) -> Live:
        """Make the retired generation the live one again, at the offsets where it was left.

        It gets the next number, so all owners are fenced; the replaced one is retired in its
        place. One transaction; raises SinkMismatchError where none is kept.
        """
        ...

    def drop(self, table: str) -> None:
        """Drop a table, if there."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


@runtime_checkable
class TakesPacked(Protocol):
    """A sink whose database takes and gives rows in the binary form of `packing`.

    Only layouts whose columns all have that form (`packing.has_form`) go this way.
    """

    def merge_packed(
        self,
        table: str,
        layout: Layout,
        upserts: Sequence[bytes],
        deletes: Collection[tuple[Any, ...]],
        fence: Fence | None = None,
    ) -> None:
        """As `Sink.merge`, of rows that are bytes already."""
        ...

    def load_packed(self, table: str, layout: Layout, pieces: Iterable[bytes]) -> None:
        """As `Sink.load`, of pieces that hold whole rows; the key is left to `adding_key`."""
        ...

    def adding_key(self, table: str, layout: Layout) -> AbstractContextManager[None]:
        """Build the primary key while the table is read; a key that comes twice is refused."""
        ...

    def read_packed(
        self, table: str, layout: Layout, part: Part | None = None
    ) -> Iterator[list[bytes]]:
        """Read a table back, or a part of it, each row as its bytes, in any order."""
        ...

    def parts(self, table: str) -> list[Part]:
        """Return the parts of a table: together they are all of it, and each takes a moment."""
        ...

    def opener(self) -> "Callable[[], TakesPacked]":
        """Return what opens the target anew, in another process: it can be pickled."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...
