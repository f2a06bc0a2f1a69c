"""Offsets, epochs, generations and notes in PostgreSQL, inside the transaction of who asks."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from broker.records import Partition
from lineage.connectors.columns import Layout
from lineage.connectors.errors import FencedError
from lineage.connectors.sinks.contract import Fence, Live, Position, retired_of

_TABLES = (
    """CREATE TABLE IF NOT EXISTS insideout_offsets (
  connector text, topic text, partition integer,
  next_offset bigint NOT NULL, epoch bigint NOT NULL,
  PRIMARY KEY (connector, topic, partition)) WITH (fillfactor = 50)""",
    """CREATE TABLE IF NOT EXISTS insideout_generations (
  connector text PRIMARY KEY, number integer NOT NULL, table_name text NOT NULL,
  layout text, live_at timestamptz NOT NULL DEFAULT now())""",
    """CREATE TABLE IF NOT EXISTS insideout_retired (
  connector text, topic text, partition integer, next_offset bigint NOT NULL,
  PRIMARY KEY (connector, topic, partition))""",
    """CREATE TABLE IF NOT EXISTS insideout_retired_tables (
  connector text PRIMARY KEY, table_name text NOT NULL, layout text NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS insideout_notes (
  connector text, name text, content text NOT NULL, PRIMARY KEY (connector, name))""",
)


class PostgresBooks:
    """The tables beside the copies, by one connection."""

    def __init__(self, db: psycopg.Connection[Any]) -> None:
        self._db = db

    def make(self) -> None:
        """Create the tables, where they are not there yet."""
        for statement in _TABLES:
            self._create_once(statement)

    def _create_once(self, statement: LiteralString) -> None:
        try:
            self._db.execute(statement)
        except (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateTable):
            return  # IF NOT EXISTS does not serialise two first connectors: the other one made it

    def live(self, connector: str, lock: LiteralString = "") -> Live | None:
        """Return the live generation, if there is any."""
        found = self._db.execute(
            sql.SQL(
                "SELECT number, table_name, layout FROM insideout_generations "
                "WHERE connector = %s {}"
            ).format(sql.SQL(lock)),
            (connector,),
        ).fetchone()
        if found is None:
            return None
        return Live(found[0], found[1], Layout.load(found[2]) if found[2] else None)

    def positions(self, connector: str) -> dict[Partition, Position]:
        """Return where every partition stands."""
        rows = self._db.execute(
            "SELECT topic, partition, next_offset, epoch FROM insideout_offsets "
            "WHERE connector = %s",
            (connector,),
        ).fetchall()
        return {Partition(row[0], row[1]): Position(row[2], row[3]) for row in rows}

    def claim(
        self, connector: str, table: str, partitions: Sequence[Partition]
    ) -> tuple[Live, dict[Partition, Position]]:
        """Become the one owner of these partitions."""
        self._db.execute(
            "INSERT INTO insideout_generations (connector, number, table_name) "
            "VALUES (%s, 1, %s) ON CONFLICT DO NOTHING",
            (connector, table),
        )
        live = self.live(connector, "FOR SHARE")
        with self._db.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO insideout_offsets AS o VALUES (%s, %s, %s, -1, 1) "
                "ON CONFLICT (connector, topic, partition) DO UPDATE SET epoch = o.epoch + 1",
                [(connector, *partition) for partition in sorted(partitions)],
            )
        places = self.positions(connector)
        assert live is not None
        return live, {partition: places[partition] for partition in partitions}

    def pass_fence(self, fence: Fence) -> None:
        """Move the offsets on, or raise FencedError where any is not as claimed."""
        live = self.live(fence.connector, "FOR SHARE")
        if live is None or live.number != fence.generation:
            raise FencedError(f"{fence.connector}: another generation is live")
        moves = sorted(fence.moves, key=lambda move: move.partition)
        moved = self._db.execute(
            "UPDATE insideout_offsets o SET next_offset = m.next "
            "FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::bigint[], %s::bigint[]) "
            "AS m(topic, partition, expected, next, epoch) "
            "WHERE o.connector = %s AND o.topic = m.topic AND o.partition = m.partition "
            "AND o.next_offset = m.expected AND o.epoch = m.epoch",
            (
                [move.partition.topic for move in moves],
                [move.partition.partition for move in moves],
                [move.expected for move in moves],
                [move.next for move in moves],
                [move.epoch for move in moves],
                fence.connector,
            ),
        ).rowcount
        if moved != len(moves):
            raise FencedError(f"{fence.connector}: another owner has written since")

    def record(self, connector: str, live: Live, offsets: Mapping[Partition, int]) -> None:
        """Write offsets and generation; all owners are fenced thereby."""
        with self._db.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO insideout_offsets AS o VALUES (%s, %s, %s, %s, 1) "
                "ON CONFLICT (connector, topic, partition) DO UPDATE "
                "SET next_offset = excluded.next_offset, epoch = o.epoch + 1",
                [(connector, *place, offset) for place, offset in sorted(offsets.items())],
            )
        self._db.execute(
            "INSERT INTO insideout_generations VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (connector) DO UPDATE SET number = excluded.number, "
            "table_name = excluded.table_name, layout = excluded.layout, live_at = now()",
            (connector, live.number, live.table, live.layout.dump() if live.layout else None),
        )

    def retire(
        self, connector: str, before: Live | None, places: Mapping[Partition, Position]
    ) -> None:
        """Note where the generation that is replaced was left."""
        self._db.execute("DELETE FROM insideout_retired WHERE connector = %s", (connector,))
        self._db.execute("DELETE FROM insideout_retired_tables WHERE connector = %s", (connector,))
        if before is None or before.layout is None:
            return
        self._db.execute(
            "INSERT INTO insideout_retired_tables VALUES (%s, %s, %s)",
            (connector, retired_of(before.table, before.number), before.layout.dump()),
        )
        with self._db.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO insideout_retired VALUES (%s, %s, %s, %s)",
                [(connector, *place, at.next) for place, at in sorted(places.items())],
            )

    def retired(self, connector: str) -> tuple[str, Layout] | None:
        """Return the table and the layout of the generation before, if it is kept."""
        found = self._db.execute(
            "SELECT table_name, layout FROM insideout_retired_tables WHERE connector = %s",
            (connector,),
        ).fetchone()
        return (found[0], Layout.load(found[1])) if found else None

    def retired_offsets(self, connector: str) -> dict[Partition, int]:
        """Return where it was left."""
        rows = self._db.execute(
            "SELECT topic, partition, next_offset FROM insideout_retired WHERE connector = %s",
            (connector,),
        ).fetchall()
        return {Partition(row[0], row[1]): row[2] for row in rows}

    def note(self, connector: str, name: str, content: str | None) -> None:
        """Keep a note under a name; None removes it."""
        self._db.execute(
            "DELETE FROM insideout_notes WHERE connector = %s AND name = %s", (connector, name)
        )
        if content is not None:
            self._db.execute(
                "INSERT INTO insideout_notes VALUES (%s, %s, %s)", (connector, name, content)
            )

    def noted(self, connector: str, name: str) -> str | None:
        """Return a note."""
        found = self._db.execute(
            "SELECT content FROM insideout_notes WHERE connector = %s AND name = %s",
            (connector, name),
        ).fetchone()
        return found[0] if found else None

    def restart(self, connector: str, topics: Collection[str]) -> None:
        """Let the partitions of topics begin at their beginning; fences their owners."""
        self._db.execute(
            "UPDATE insideout_offsets SET next_offset = -1, epoch = epoch + 1 "
            "WHERE connector = %s AND topic = ANY(%s)",
            (connector, list(topics)),
        )
