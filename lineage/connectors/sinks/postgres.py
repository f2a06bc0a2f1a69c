"""PostgreSQL as a target: binary COPY, set-based upserts, a swap by rename."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, ClassVar, LiteralString

import psycopg
from psycopg import sql
from psycopg.errors import (
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)

from broker.consume import Partition
from lineage.connectors.columns import Column, Digest, Layout, Row
from lineage.connectors.errors import (
    FencedError,
    SinkError,
    SinkMismatchError,
    SinkRefusedError,
    SinkUnavailableError,
)
from lineage.connectors.sinks import postgres_ranges
from lineage.connectors.sinks.bisect import find_refused
from lineage.connectors.sinks.contract import (
    BehindError,
    Fence,
    Live,
    Position,
    retired_of,
    shadow_of,
)
from lineage.connectors.sinks.postgres_alter import alter_columns, declared_type, make_view
from lineage.connectors.sinks.postgres_connection import connected, index_beside
from lineage.connectors.sinks.postgres_dependents import Dependents, Moves
from lineage.connectors.sinks.postgres_staging import (
    Staging,
    listed,
    named,
    read_packed,
    send_frozen,
    send_packed,
)
from lineage.connectors.sinks.postgres_types import (
    as_numbers,
    decoded,
    read_as,
    type_of,
)

_BOOKKEEPING = (
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
_READ_CHUNK = 10_000
_SHADOW = shadow_of("")


class PostgresSink:
    """One connection to one database, used by one thread."""

    kind: ClassVar[str] = "postgresql"

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        """Connect to `postgresql://…`, a libpq URL."""
        self._url = url
        with _mapped():
            self._db = connected(url, timeout)
            for statement in _BOOKKEEPING:
                self._create_once(statement)
        self._staging = Staging(self._db)
        self._dependents = Dependents(self._db)

    def _create_once(self, statement: LiteralString) -> None:
        try:
            self._db.execute(statement)
        except (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateTable):
            return  # IF NOT EXISTS does not serialise two first connectors: the other one made it

    def close(self) -> None:
        """Let go of the connection."""
        self._db.close()

    def column_type(self, column: Column) -> str:
        """Return PostgreSQL's type: instants are timestamptz, exact decimals numeric."""
        return type_of(column)

    # -- whose turn it is -------------------------------------------------------------------------
    def live(self, connector: str) -> Live | None:
        """Return the live generation, if there is any."""
        with _mapped():
            return self._live(connector, "")

    def _live(self, connector: str, lock: LiteralString) -> Live | None:
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
        with _mapped():
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
        with _mapped(), self._db.transaction():
            self._db.execute(
                "INSERT INTO insideout_generations (connector, number, table_name) "
                "VALUES (%s, 1, %s) ON CONFLICT DO NOTHING",
                (connector, table),
            )
            live = self._live(connector, "FOR SHARE")
            with self._db.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO insideout_offsets AS o VALUES (%s, %s, %s, -1, 1) "
                    "ON CONFLICT (connector, topic, partition) DO UPDATE SET epoch = o.epoch + 1",
                    [(connector, *partition) for partition in sorted(partitions)],
                )
            places = self.positions(connector)
        assert live is not None
        return live, {partition: places[partition] for partition in partitions}

    # -- tables -----------------------------------------------------------------------------------
    def _exists(self, table: str) -> bool:
        found = self._db.execute("SELECT to_regclass(%s) IS NOT NULL", (f'"{table}"',)).fetchone()
        return bool(found and found[0])

    def _create(self, table: str, layout: Layout) -> None:
        columns = sql.SQL(", ").join(
            sql.SQL("{} {} {}").format(
                sql.Identifier(column.name),
                declared_type(column),
                # an index becomes the primary key at once where its columns are so already
                sql.SQL("NOT NULL" if at < layout.keys else ""),
            )
            for at, column in enumerate(layout.columns)
        )
        self._db.execute(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(table), columns))

    def _add_key(self, table: str, layout: Layout) -> None:
        self._db.execute(
            sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(
                sql.Identifier(table), listed(layout.key)
            )
        )

    def _add(self, table: str, columns: Iterable[Column]) -> None:
        for column in columns:
            self._db.execute(
                sql.SQL("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {} {}").format(
                    sql.Identifier(table),
                    sql.Identifier(column.name),
                    declared_type(column),
                )
            )

    def shape(self, connector: str, generation: int, layout: Layout) -> Layout:
        """Create the live table, or add the columns it lacks."""
        with _mapped(), self._db.transaction():
            live = self._live(connector, "FOR UPDATE")
            if live is None or live.number != generation:
                raise FencedError(f"{connector}: generation {generation} is no longer live")
            held = live.layout
            if held is None:
                if self._exists(live.table):
                    raise SinkMismatchError(
                        f"a table {live.table} is there already, and not of this connector's "
                        "making: rename it, or regenerate to replace it"
                    )
                self._create(live.table, layout)
                self._add_key(live.table, layout)
                wider = layout
            else:
                wider = held.evolved(layout.columns)
                alter_columns(self._db, live.table, held.altered(wider))
                self._add(live.table, wider.columns[len(held.columns) :])
            self._db.execute(
                "UPDATE insideout_generations SET layout = %s WHERE connector = %s",
                (wider.dump(), connector),
            )
        return wider

    def alter(self, table: str, columns: Sequence[Column]) -> None:
        """Change the types of columns in place, where that takes no reader long."""
        with _mapped(), self._db.transaction():
            alter_columns(self._db, table, columns)
        self._staging.forget()

    def show_history(self, table: str, layout: Layout) -> None:
        """Make the view of a history anew."""
        with _mapped():
            make_view(self._db, table, layout)

    def widen(self, table: str, columns: Sequence[Column]) -> None:
        """Add columns to a table."""
        with _mapped(), self._db.transaction():
            self._add(table, columns)

    def drop(self, table: str) -> None:
        """Drop a table, if there."""
        with _mapped():
            self._drop(table)

    def _drop(self, table: str) -> None:
        """Drop a table; of a shadow also what was built to stand on it."""
        line: LiteralString = "DROP TABLE IF EXISTS {table}"
        if table == shadow_of(table.removesuffix(_SHADOW)):
            line = "DROP TABLE IF EXISTS {table} CASCADE"
        self._db.execute(named(line, table=table))

    def count(self, table: str) -> int:
        """Count rows; 0 where there is no table."""
        with _mapped():
            if not self._exists(table):
                return 0
            found = self._db.execute(named("SELECT count(*) FROM {table}", table=table)).fetchone()
            return int(found[0]) if found else 0

    # -- rows -----------------------------------------------------------------------------------
    def merge(
        self,
        table: str,
        layout: Layout,
        upserts: Sequence[Row],
        deletes: Collection[tuple[Any, ...]],
        fence: Fence | None = None,
    ) -> None:
        """Write a batch, and its offsets under the fence.

        The rows are sent before the fence is passed: a process frozen while sending holds no lock.
        """
        try:
            with _mapped(), self._db.transaction():
                self._staging.send(table, layout, upserts, deletes)
                if fence is not None:
                    self._pass(fence)
                self._staging.apply(table, layout, upserts=bool(upserts), deletes=bool(deletes))
        except SinkError:
            self._staging.forget()
            raise

    def _pass(self, fence: Fence) -> None:
        """Move the offsets on, or raise FencedError where any is not as claimed."""
        live = self._live(fence.connector, "FOR SHARE")
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

    def refusals(self, table: str, layout: Layout, rows: Sequence[Row]) -> dict[int, str]:
        """Find the rows that PostgreSQL refuses."""

        def attempt(some: Sequence[Row]) -> None:
            self._staging.forget()
            try:
                with _mapped(), self._db.transaction(force_rollback=True):
                    if not self._exists(table):
                        self._create(table, layout)
                        self._add_key(table, layout)
                    self._staging.send(table, layout, some, ())
                    self._staging.apply(table, layout, upserts=True, deletes=False)
            finally:
                self._staging.forget()

        return find_refused(rows, attempt)

    # -- a generation -----------------------------------------------------------------------------
    def load(self, table: str, layout: Layout, rows: Iterable[Row]) -> None:
        """Create a table, fill it by COPY with frozen rows, then build its key."""
        with self._made(table, layout):
            send_frozen(self._db, table, layout, rows)
            self._add_key(table, layout)
        with _mapped():
            self._db.execute(named("ANALYZE {table}", table=table))

    def load_packed(self, table: str, layout: Layout, pieces: Iterable[bytes]) -> None:
        """As `load`, of rows that are bytes already, and without the key."""
        with self._made(table, layout):
            send_packed(self._db, table, layout, pieces)

    @contextmanager
    def _made(self, table: str, layout: Layout) -> Iterator[None]:
        """Create a table for somebody to fill within the same transaction."""
        with _mapped(), self._db.transaction():
            self._db.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            self._drop(table)
            self._create(table, layout)
            yield

    @contextmanager
    def adding_key(self, table: str, layout: Layout) -> Iterator[None]:
        """Build the key's index, and ANALYZE, on a connection beside ours."""
        with _mapped(), index_beside(self._url, table, layout.key) as built:
            yield
            index = built()
        with _mapped():
            self._db.execute(
                named(
                    "ALTER TABLE {table} ADD PRIMARY KEY USING INDEX {index}",
                    table=table,
                    index=index,
                )
            )

    def read_packed(self, table: str, layout: Layout) -> Iterator[list[bytes]]:
        """Read a table back as COPY sends it."""
        with _mapped(), self._db.transaction():
            self._db.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield from read_packed(self._db, table, layout)

    def read(self, table: str, layout: Layout) -> Iterator[Row]:
        """Read a table back as canonical rows, through a server-side cursor."""
        columns = sql.SQL(", ").join(read_as(column) for column in layout.columns)
        canonical = decoded(layout)
        statement = sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(table))
        with (
            _mapped(),
            self._db.transaction(),
            self._db.cursor("insideout_read", binary=True) as cursor,
        ):
            self._db.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            as_numbers(cursor)
            cursor.itersize = _READ_CHUNK
            cursor.execute(statement)
            for row in cursor:
                yield canonical(row)

    # -- an audit ---------------------------------------------------------------------------------
    def hash_ranges(self, table: str, layout: Layout, ranges: int) -> dict[int, Digest]:
        """Return the digest of each range of keys, computed by the server."""
        with _mapped():
            return postgres_ranges.hash_ranges(self._db, table, layout, ranges)

    def read_ranges(
        self, table: str, layout: Layout, ranges: int, wanted: Collection[int]
    ) -> Iterator[Row]:
        """Read the rows of some ranges of keys."""
        with _mapped():
            yield from postgres_ranges.read_ranges(self._db, table, layout, ranges, wanted)

    @contextmanager
    def snapshot(self, table: str) -> Iterator[None]:
        """Read as of one moment, REPEATABLE READ."""
        with _mapped(), postgres_ranges.snapshot(self._db, table):
            yield

    def swap(
        self, connector: str, live: Live, layout: Layout, offsets: Mapping[Partition, int]
    ) -> None:
        """Rename, move offsets and epochs, and record the generation, in one transaction."""
        shadow = shadow_of(live.table)
        with _mapped(), self._db.transaction():
            self._dependents.build(live.table, shadow)
        with _mapped(), self._db.transaction():
            before = self._live(connector, "FOR UPDATE")
            if (before.number if before else 0) != live.number - 1:
                raise FencedError(f"{connector}: another generation was swapped in meanwhile")
            places = self.positions(connector)
            for partition, position in places.items():
                if position.next > offsets.get(partition, -1):
                    raise BehindError(f"{partition.topic}/{partition.partition}")
            self._record(connector, Live(live.number, live.table, layout), offsets)
            self._retire(connector, before, places)
            behind = self._replace(before or Live(0, live.table, None), live.table, shadow)
        self._staging.forget()
        with _mapped():
            kept = retired_of(live.table, live.number - 2)
            self._db.execute(named("DROP TABLE IF EXISTS {table}", table=kept))
        self._finish(behind)

    def _record(self, connector: str, live: Live, offsets: Mapping[Partition, int]) -> None:
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

    def _retire(
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

    def _replace(self, before: Live, table: str, replacement: str) -> tuple[str, ...]:
        """Let a table take the place of the live one; return what is left to be said.

        Who waits for the lock lets all others wait behind: better to try again soon.
        """
        moves = Moves((), (), ())
        if self._exists(before.table):
            kept = retired_of(before.table, before.number)
            self._db.execute(named("DROP TABLE IF EXISTS {table}", table=kept))
            moves = self._dependents.moves(before.table, before.number)
            self._db.execute("SET LOCAL lock_timeout = '40ms'")
            self._db.execute(
                named("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE", table=before.table)
            )
            self._dependents.say(moves.before)
            self._rename(before.table, kept)
        self._rename(replacement, table)
        self._dependents.say(moves.after)
        return moves.behind

    def _finish(self, behind: tuple[str, ...]) -> None:
        """Say what may fail: a foreign key that the new rows violate stays unvalidated."""
        for line in behind:
            with suppress(psycopg.Error):
                self._db.execute(line.encode())

    def roll_back(self, connector: str) -> Live:
        """Make the retired generation live again, at its offsets; it gets the next number."""
        with _mapped(), self._db.transaction():
            found = self._db.execute(
                "SELECT table_name, layout FROM insideout_retired_tables WHERE connector = %s",
                (connector,),
            ).fetchone()
            now = self._live(connector, "FOR UPDATE")
            if found is None or now is None or not self._exists(found[0]):
                raise SinkMismatchError(f"{connector}: no retired generation to go back to")
            table, layout = found[0], Layout.load(found[1])
            places = self.positions(connector)
            retired = self._db.execute(
                "SELECT topic, partition, next_offset FROM insideout_retired WHERE connector = %s",
                (connector,),
            ).fetchall()
            number = int(table.rpartition("__g")[2])
            self._dependents.reclaim(table, number)
            self._dependents.build(now.table, table)
            live = Live(now.number + 1, now.table, layout)
            begin = dict.fromkeys(places, -1)
            self._record(connector, live, begin | {Partition(r[0], r[1]): r[2] for r in retired})
            self._retire(connector, now, places)
            behind = self._replace(now, now.table, table)
        self._staging.forget()
        self._finish(behind)
        return live

    # -- notes ------------------------------------------------------------------------------------
    def note(self, connector: str, name: str, content: str | None) -> None:
        """Keep a note under a name; None removes it."""
        with _mapped(), self._db.transaction():
            self._db.execute(
                "DELETE FROM insideout_notes WHERE connector = %s AND name = %s", (connector, name)
            )
            if content is not None:
                self._db.execute(
                    "INSERT INTO insideout_notes VALUES (%s, %s, %s)", (connector, name, content)
                )

    def noted(self, connector: str, name: str) -> str | None:
        """Return a note."""
        with _mapped():
            found = self._db.execute(
                "SELECT content FROM insideout_notes WHERE connector = %s AND name = %s",
                (connector, name),
            ).fetchone()
        return found[0] if found else None

    def restart(self, connector: str, topics: Collection[str]) -> None:
        """Let the partitions of topics begin at their beginning; fences their owners."""
        with _mapped():
            self._db.execute(
                "UPDATE insideout_offsets SET next_offset = -1, epoch = epoch + 1 "
                "WHERE connector = %s AND topic = ANY(%s)",
                (connector, list(topics)),
            )

    def _rename(self, table: str, name: str) -> None:
        self._db.execute(named("ALTER TABLE {table} RENAME TO {name}", table=table, name=name))


@contextmanager
def _mapped() -> Iterator[None]:
    """Raise psycopg's errors as ours: refused, not as left, unreachable, or merely failed."""
    try:
        yield
    except (DataError, IntegrityError) as error:
        raise SinkRefusedError(_first_line(error)) from error
    except (
        psycopg.errors.UndefinedTable,
        psycopg.errors.UndefinedColumn,
        psycopg.errors.DatatypeMismatch,
        psycopg.errors.DuplicateTable,
        psycopg.errors.InvalidColumnReference,
    ) as error:
        raise SinkMismatchError(f"{_first_line(error)}: regenerate") from error
    except ProgrammingError as error:
        raise SinkError(_first_line(error)) from error
    except (OperationalError, InterfaceError, psycopg.errors.InternalError) as error:
        raise SinkUnavailableError(_first_line(error)) from error
    except psycopg.Error as error:
        raise SinkError(_first_line(error)) from error


def _first_line(error: psycopg.Error) -> str:
    return str(error).strip().split("\n", 1)[0]
