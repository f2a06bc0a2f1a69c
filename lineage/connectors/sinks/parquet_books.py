"""Offsets, epochs and generations of a folder of Parquet tables, within one of its states."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from broker.records import Partition
from lineage.connectors.columns import Layout
from lineage.connectors.errors import FencedError, SinkMismatchError
from lineage.connectors.sinks.books import check_follows
from lineage.connectors.sinks.contract import (
    Fence,
    Live,
    Position,
    retired_of,
    shadow_of,
)
from lineage.connectors.sinks.parquet_store import State


class ParquetBooks:
    """What a state says of connectors; changed here, it counts when the state is committed."""

    def __init__(self, state: State) -> None:
        self.state = state

    def _of(self, connector: str) -> dict[str, Any]:
        return self.state.connectors.get(connector, {})

    def live(self, connector: str) -> Live | None:
        """Return the live generation, if there is any."""
        found = self._of(connector)
        if "number" not in found:
            return None  # never claimed, though something may be noted
        layout = Layout.load(found["layout"]) if found["layout"] else None
        return Live(found["number"], found["table"], layout)

    def live_as(self, connector: str, generation: int) -> Live:
        """Return the live generation, or raise FencedError where it is not this one."""
        live = self.live(connector)
        if live is None or live.number != generation:
            raise FencedError(f"{connector}: generation {generation} is no longer live")
        return live

    def positions(self, connector: str) -> dict[Partition, Position]:
        """Return where every partition stands."""
        return {
            Partition(topic, number): Position(offset, epoch)
            for topic, number, offset, epoch in self._of(connector).get("offsets", ())
        }

    def _put_positions(self, connector: str, places: Mapping[Partition, Position]) -> None:
        self.state.connectors[connector]["offsets"] = [
            [*partition, place.next, place.epoch] for partition, place in sorted(places.items())
        ]

    def claim(
        self, connector: str, table: str, partitions: Sequence[Partition]
    ) -> tuple[Live, dict[Partition, Position]]:
        """Raise the epochs of these partitions; the connector's first claim makes generation 1."""
        if self.live(connector) is None:
            first = {"number": 1, "table": table, "layout": None, "retired_layout": None}
            self.state.connectors[connector] = self._of(connector) | first
        places = self.positions(connector)
        for partition in partitions:
            place = places.get(partition, Position(-1, 0))
            places[partition] = Position(place.next, place.epoch + 1)
        self._put_positions(connector, places)
        live = self.live(connector)
        assert live is not None
        return live, {partition: places[partition] for partition in partitions}

    def move(self, fence: Fence) -> None:
        """Move the offsets on, or raise FencedError where any is not as claimed."""
        self.live_as(fence.connector, fence.generation)
        places = self.positions(fence.connector)
        for move in fence.moves:
            if places.get(move.partition) != Position(move.expected, move.epoch):
                raise FencedError(f"{fence.connector}: another owner has written since")
            places[move.partition] = Position(move.next, move.epoch)
        self._put_positions(fence.connector, places)

    def keep_layout(self, connector: str, layout: Layout) -> None:
        """Record which columns the live table has."""
        self.state.connectors[connector]["layout"] = layout.dump()

    def swap(
        self, connector: str, live: Live, layout: Layout, offsets: Mapping[Partition, int]
    ) -> None:
        """Put the shadow in the live table's place; raises FencedError, BehindError."""
        before, tables = self.live(connector), self.state.tables
        check_follows(connector, live, before, self.positions(connector), offsets)
        if shadow_of(live.table) not in tables:
            raise SinkMismatchError(f"there is no table {shadow_of(live.table)}: regenerate")
        if before and before.table in tables:
            tables.pop(retired_of(before.table, live.number - 2), None)
            tables[retired_of(before.table, before.number)] = tables.pop(before.table)
        elif live.table in tables:
            tables[retired_of(live.table, 0)] = tables.pop(live.table)
        tables[live.table] = tables.pop(shadow_of(live.table))
        entering = Live(live.number, live.table, layout)
        self._put_live(connector, entering, before, offsets)

    def _put_live(
        self,
        connector: str,
        live: Live,
        before: Live | None,
        offsets: Mapping[Partition, int],
    ) -> None:
        """Record a generation, and where the one that it replaces was left."""
        places = self.positions(connector)
        self.state.connectors[connector] = self._of(connector) | {
            "number": live.number,
            "table": live.table,
            "layout": live.layout.dump() if live.layout else None,
            "retired_layout": before.layout.dump() if before and before.layout else None,
            "retired": [[*partition, place.next] for partition, place in sorted(places.items())],
        }
        for partition, offset in offsets.items():
            places[partition] = Position(offset, places.get(partition, Position(-1, 0)).epoch + 1)
        self._put_positions(connector, places)

    def roll_back(self, connector: str) -> Live:
        """Exchange the live and the retired generation, their tables, layouts and offsets."""
        live, tables, found = self.live(connector), self.state.tables, self._of(connector)
        if live is None or not found["retired_layout"]:
            raise SinkMismatchError(f"{connector}: no retired generation is kept")
        retired = retired_of(live.table, live.number - 1)
        if retired not in tables:
            raise SinkMismatchError(f"{connector}: the retired table {retired} is gone")
        if live.table in tables:
            tables[retired_of(live.table, live.number)] = tables.pop(live.table)
        tables[live.table] = tables.pop(retired)
        offsets = dict.fromkeys(self.positions(connector), -1)
        offsets |= {Partition(topic, number): offset for topic, number, offset in found["retired"]}
        again = Live(live.number + 1, live.table, Layout.load(found["retired_layout"]))
        self._put_live(connector, again, live, offsets)
        return again

    # -- notes ------------------------------------------------------------------------------------
    def note(self, connector: str, name: str, content: str | None) -> None:
        """Keep a note under a name; None removes it."""
        found = dict(self._of(connector))
        notes = {key: text for key, text in found.get("notes", {}).items() if key != name}
        found["notes"] = notes if content is None else notes | {name: content}
        self.state.connectors[connector] = found

    def noted(self, connector: str, name: str) -> str | None:
        """Return a note."""
        found: str | None = self._of(connector).get("notes", {}).get(name)
        return found

    def restart(self, connector: str, topics: Collection[str]) -> None:
        """Let the partitions of topics begin at their beginning; fences their owners."""
        places = self.positions(connector)
        anew = {
            partition: Position(-1, place.epoch + 1)
            for partition, place in places.items()
            if partition.topic in topics
        }
        if anew:
            self._put_positions(connector, places | anew)
