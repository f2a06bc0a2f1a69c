"""Offsets, epochs, generations and notes beside the copies, inside the transaction of who asks.

SQLite, PostgreSQL and DuckDB keep them by the same statements, written with `?` for a value. Each
says which tables these are, how a statement is run, and how offsets are moved on. MySQL knows no
`ON CONFLICT` and exchanges tables in steps: it has books of its own.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar, LiteralString

from broker.records import Partition
from lineage.connectors.columns import Layout
from lineage.connectors.errors import FencedError
from lineage.connectors.sinks.contract import (
    BehindError,
    Fence,
    Live,
    Position,
    retired_of,
)


def check_follows(
    connector: str,
    live: Live,
    before: Live | None,
    places: Mapping[Partition, Position],
    offsets: Mapping[Partition, int],
) -> None:
    """Raise FencedError where `live` is not next, BehindError where `before` has read further."""
    if (before.number if before else 0) != live.number - 1:
        raise FencedError(f"{connector}: another generation was swapped in meanwhile")
    for partition, position in places.items():
        if position.next > offsets.get(partition, -1):
            raise BehindError(f"{partition.topic}/{partition.partition}")


class Books(ABC):
    """The tables beside the copies, by one connection."""

    shared: ClassVar[LiteralString] = ""
    alone: ClassVar[LiteralString] = ""
    """What ends a SELECT whose row stays as it is until the transaction ends, for many or for one;
    nothing where writers take turns anyway."""

    @abstractmethod
    def _rows(self, statement: LiteralString, values: Sequence[object]) -> list[tuple[Any, ...]]:
        """Execute a statement, and return what it found."""

    @abstractmethod
    def _each(self, statement: LiteralString, rows: Iterable[Sequence[object]]) -> None:
        """Execute a statement with each of these values."""

    @abstractmethod
    def _moved(self, fence: Fence) -> int:
        """Move the offsets on that are as claimed, and return how many those are."""

    # -- whose turn it is -------------------------------------------------------------------------
    def live(self, connector: str, lock: LiteralString = "") -> Live | None:
        """Return the live generation, if there is any; `lock` keeps it so in the transaction."""
        asked = "SELECT number, table_name, layout FROM insideout_generations WHERE connector = ?"
        found = self._rows(f"{asked} {lock}", (connector,))
        if not found:
            return None
        number, table, layout = found[0]
        return Live(number, table, Layout.load(layout) if layout else None)

    def positions(self, connector: str) -> dict[Partition, Position]:
        """Return where every partition stands."""
        rows = self._rows(
            "SELECT topic, partition, next_offset, epoch FROM insideout_offsets "
            "WHERE connector = ?",
            (connector,),
        )
        return {Partition(row[0], row[1]): Position(row[2], row[3]) for row in rows}

    def claim(
        self, connector: str, table: str, partitions: Sequence[Partition]
    ) -> tuple[Live, dict[Partition, Position]]:
        """Raise the epochs of these partitions; the connector's first claim makes generation 1."""
        self._each(
            "INSERT INTO insideout_generations (connector, number, table_name, live_at) "
            "VALUES (?, 1, ?, CURRENT_TIMESTAMP) ON CONFLICT DO NOTHING",
            [(connector, table)],
        )
        live = self.live(connector, self.shared)
        self._each(
            "INSERT INTO insideout_offsets VALUES (?, ?, ?, -1, 1) "
            "ON CONFLICT (connector, topic, partition) "
            "DO UPDATE SET epoch = insideout_offsets.epoch + 1",
            [(connector, *partition) for partition in sorted(partitions)],
        )
        places = self.positions(connector)
        assert live is not None
        return live, {partition: places[partition] for partition in partitions}

    def pass_fence(self, fence: Fence) -> None:
        """Move the offsets on, or raise FencedError where any is not as claimed."""
        live = self.live(fence.connector, self.shared)
        if live is None or live.number != fence.generation:
            raise FencedError(f"{fence.connector}: another generation is live")
        if self._moved(fence) != len(fence.moves):
            raise FencedError(f"{fence.connector}: another owner has written since")

    def restart(self, connector: str, topics: Collection[str]) -> None:
        """Let the partitions of topics begin at their beginning; fences their owners."""
        self._each(
            "UPDATE insideout_offsets SET next_offset = -1, epoch = epoch + 1 "
            "WHERE connector = ? AND topic = ?",
            [(connector, topic) for topic in sorted(topics)],
        )

    # -- a swap -----------------------------------------------------------------------------------
    def check_swap(
        self, connector: str, live: Live, offsets: Mapping[Partition, int]
    ) -> tuple[Live | None, dict[Partition, Position]]:
        """Return the generation in place and where it stands; raises FencedError, BehindError."""
        before = self.live(connector, self.alone)
        places = self.positions(connector)
        check_follows(connector, live, before, places, offsets)
        return before, places

    def keep_layout(self, connector: str, layout: Layout) -> None:
        """Record which columns the live table has."""
        self._each(
            "UPDATE insideout_generations SET layout = ? WHERE connector = ?",
            [(layout.dump(), connector)],
        )

    def put_offsets(self, connector: str, offsets: Mapping[Partition, int]) -> None:
        """Set offsets, and raise the epochs: all owners are fenced thereby."""
        self._each(
            "INSERT INTO insideout_offsets VALUES (?, ?, ?, ?, 1) "
            "ON CONFLICT (connector, topic, partition) DO UPDATE "
            "SET next_offset = excluded.next_offset, epoch = insideout_offsets.epoch + 1",
            [(connector, *place, offset) for place, offset in sorted(offsets.items())],
        )

    def put_live(self, connector: str, live: Live) -> None:
        """Record the generation that is live from now on."""
        self._each(
            "INSERT INTO insideout_generations (connector, number, table_name, layout, live_at) "
            "VALUES (?, ?, ?, ?, CURRENT_TIMESTAMP) ON CONFLICT (connector) DO UPDATE SET "
            "number = excluded.number, table_name = excluded.table_name, "
            "layout = excluded.layout, live_at = excluded.live_at",
            [(connector, live.number, live.table, live.layout.dump() if live.layout else None)],
        )

    def retire(
        self, connector: str, before: Live | None, places: Mapping[Partition, Position]
    ) -> None:
        """Note which generation is replaced, and where it was left."""
        kept = before if before is not None and before.layout is not None else None
        self._each("DELETE FROM insideout_retired WHERE connector = ?", [(connector,)])
        self._keep_retired(connector, kept)
        if kept is not None:
            self._each(
                "INSERT INTO insideout_retired VALUES (?, ?, ?, ?)",
                [(connector, *place, at.next) for place, at in sorted(places.items())],
            )

    def _keep_retired(self, connector: str, before: Live | None) -> None:
        self._each("DELETE FROM insideout_retired_tables WHERE connector = ?", [(connector,)])
        if before is not None and before.layout is not None:
            table = retired_of(before.table, before.number)
            self._each(
                "INSERT INTO insideout_retired_tables VALUES (?, ?, ?)",
                [(connector, table, before.layout.dump())],
            )

    def retired(self, connector: str) -> tuple[str, Layout] | None:
        """Return the table and the layout of the generation before, if it is kept."""
        found = self._rows(
            "SELECT table_name, layout FROM insideout_retired_tables WHERE connector = ?",
            (connector,),
        )
        return (found[0][0], Layout.load(found[0][1])) if found else None

    def retired_offsets(self, connector: str) -> dict[Partition, int]:
        """Return where that was left."""
        rows = self._rows(
            "SELECT topic, partition, next_offset FROM insideout_retired WHERE connector = ?",
            (connector,),
        )
        return {Partition(row[0], row[1]): row[2] for row in rows}

    # -- notes ------------------------------------------------------------------------------------
    def note(self, connector: str, name: str, content: str | None) -> None:
        """Keep a note under a name; None removes it."""
        self._each(
            "DELETE FROM insideout_notes WHERE connector = ? AND name = ?", [(connector, name)]
        )
        if content is not None:
            self._each("INSERT INTO insideout_notes VALUES (?, ?, ?)", [(connector, name, content)])

    def noted(self, connector: str, name: str) -> str | None:
        """Return a note."""
        found = self._rows(
            "SELECT content FROM insideout_notes WHERE connector = ? AND name = ?",
            (connector, name),
        )
        return found[0][0] if found else None
