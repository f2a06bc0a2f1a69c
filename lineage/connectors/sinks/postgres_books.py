"""The books in PostgreSQL: rows are locked, and a batch moves all its offsets by one statement."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, LiteralString

import psycopg

from lineage.connectors.sinks.books import Books
from lineage.connectors.sinks.contract import Fence

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


class PostgresBooks(Books):
    """The tables beside the copies, by one connection."""

    shared: ClassVar[LiteralString] = "FOR SHARE"
    alone: ClassVar[LiteralString] = "FOR UPDATE"

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

    def _rows(self, statement: LiteralString, values: Sequence[object]) -> list[tuple[Any, ...]]:
        return self._db.execute(statement.replace("?", "%s"), values).fetchall()

    def _each(self, statement: LiteralString, rows: Iterable[Sequence[object]]) -> None:
        with self._db.cursor() as cursor:
            cursor.executemany(statement.replace("?", "%s"), rows)

    def _moved(self, fence: Fence) -> int:
        moves = sorted(fence.moves, key=lambda move: move.partition)
        return self._db.execute(
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
