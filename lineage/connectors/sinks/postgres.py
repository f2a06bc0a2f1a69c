"""PostgreSQL as a target: binary COPY, set-based upserts, a swap by rename."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
from lineage.connectors.columns import Column, Layout, Row
from lineage.connectors.errors import (
    FencedError,
    SinkError,
    SinkMismatchError,
    SinkRefusedError,
    SinkUnavailableError,
)
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
from lineage.connectors.sinks.postgres_types import (
    encoded,
    read_as,
    sent_types,
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
)
_BATCH = "insideout_batch"
_DELETED = "insideout_deleted"
_READ_CHUNK = 10_000


def _named(template: LiteralString, **names: str) -> sql.Composed:
    return sql.SQL(template).format(**{key: sql.Identifier(name) for key, name in names.items()})


def _list(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


class PostgresSink:
    """One connection to one database, used by one thread."""

    kind: ClassVar[str] = "postgresql"

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        """Connect to `postgresql://…`, a libpq URL."""
        self._staged: tuple[str, Layout] | None = None
        with _mapped():
            self._db = psycopg.connect(
                url,
                autocommit=True,
                connect_timeout=int(timeout),
                application_name="insideout",
                # a frozen owner must not keep its rows locked: its fence has fallen anyway
                options="-c idle_in_transaction_session_timeout=10s -c lock_timeout=30s "
                "-c client_min_messages=warning",
            )
            for statement in _BOOKKEEPING:
                self._create_once(statement)

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
            sql.SQL("{} {}").format(sql.Identifier(column.name), declared_type(column))
            for column in layout.columns
        )
        self._db.execute(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(table), columns))

    def _add_key(self, table: str, layout: Layout) -> None:
        self._db.execute(
            sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(
                sql.Identifier(table), _list(layout.key)
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
        self._staged = None

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
            self._db.execute(_named("DROP TABLE IF EXISTS {table}", table=table))

    def count(self, table: str) -> int:
        """Count rows; 0 where there is no table."""
        with _mapped():
            if not self._exists(table):
                return 0
            found = self._db.execute(_named("SELECT count(*) FROM {table}", table=table)).fetchone()
            return int(found[0]) if found else 0

    # -- rows -----------------------------------------------------------------------------------
    def _copy(self, statement: sql.Composed, types: list[str], rows: Iterable[Row]) -> None:
        """Send rows by COPY; a value that has no form in its type is refused like by the server."""
        with self._db.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(types)
            write = copy.write_row
            for row in rows:
                try:
                    write(row)
                except (OverflowError, TypeError, ValueError, DataError) as error:
                    raise SinkRefusedError(str(error)) from error

    def _stage(self, table: str, layout: Layout) -> None:
        """Make the session's staging table, once for each layout."""
        if self._staged == (table, layout):
            return
        self._db.execute(_named("DROP TABLE IF EXISTS {batch}", batch=_BATCH))
        self._db.execute(
            sql.SQL(
                "CREATE TEMP TABLE {batch} ON COMMIT DELETE ROWS AS "
                "SELECT {names}, false AS {deleted} FROM {table} LIMIT 0"
            ).format(
                batch=sql.Identifier(_BATCH),
                names=_list(layout.names),
                deleted=sql.Identifier(_DELETED),
                table=sql.Identifier(table),
            )
        )

    def _send(
        self,
        layout: Layout,
        upserts: Sequence[Row],
        deletes: Collection[tuple[Any, ...]],
    ) -> None:
        rest = [None] * (len(layout.columns) - layout.keys)

        def rows() -> Iterator[Row]:
            for row in encoded(layout, upserts):
                row.append(False)
                yield row
            for row in encoded(layout, ([*key, *rest] for key in deletes)):
                row.append(True)
                yield row

        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
            sql.Identifier(_BATCH), _list([*layout.names, _DELETED])
        )
        self._copy(statement, [*sent_types(layout), "bool"], rows())

    def _apply(self, table: str, layout: Layout, *, deletes: bool) -> None:
        names = _list(layout.names)
        values = [
            sql.SQL("{name} = excluded.{name}").format(name=sql.Identifier(name))
            for name in layout.names[layout.keys :]
        ]
        action = sql.SQL("UPDATE SET {}").format(sql.SQL(", ").join(values)) if values else None
        self._db.execute(
            sql.SQL(
                "INSERT INTO {table} ({names}) SELECT {names} FROM {batch} WHERE NOT {deleted} "
                "ON CONFLICT ({key}) DO {action}"
            ).format(
                table=sql.Identifier(table),
                names=names,
                batch=sql.Identifier(_BATCH),
                deleted=sql.Identifier(_DELETED),
                key=_list(layout.key),
                action=action or sql.SQL("NOTHING"),
            )
        )
        if not deletes:
            return
        matches = [
            sql.SQL("t.{name} = b.{name}").format(name=sql.Identifier(name)) for name in layout.key
        ]
        self._db.execute(
            sql.SQL("DELETE FROM {table} t USING {batch} b WHERE b.{deleted} AND {match}").format(
                table=sql.Identifier(table),
                batch=sql.Identifier(_BATCH),
                deleted=sql.Identifier(_DELETED),
                match=sql.SQL(" AND ").join(matches),
            )
        )

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
                if upserts or deletes:
                    self._stage(table, layout)
                    self._send(layout, upserts, deletes)
                if fence is not None:
                    self._pass(fence)
                if upserts or deletes:
                    self._apply(table, layout, deletes=bool(deletes))
        except SinkError:
            self._staged = None
            raise
        if upserts or deletes:
            self._staged = (table, layout)

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
            self._staged = None
            with _mapped(), self._db.transaction(force_rollback=True):
                if not self._exists(table):
                    self._create(table, layout)
                    self._add_key(table, layout)
                self._stage(table, layout)
                self._send(layout, some, ())
                self._apply(table, layout, deletes=False)

        return find_refused(rows, attempt)

    # -- a generation -----------------------------------------------------------------------------
    def load(self, table: str, layout: Layout, rows: Iterable[Row]) -> None:
        """Create a table, fill it by COPY with frozen rows, then build its key."""
        with _mapped(), self._db.transaction():
            self._db.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            self._db.execute(_named("DROP TABLE IF EXISTS {table}", table=table))
            self._create(table, layout)
            statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY, FREEZE)").format(
                sql.Identifier(table), _list(layout.names)
            )
            self._copy(statement, sent_types(layout), encoded(layout, rows))
            self._add_key(table, layout)
        with _mapped():
            self._db.execute(_named("ANALYZE {table}", table=table))

    def read(self, table: str, layout: Layout) -> Iterator[Row]:
        """Read a table back as canonical rows, through a server-side cursor."""
        columns = sql.SQL(", ").join(read_as(column) for column in layout.columns)
        statement = sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(table))
        with (
            _mapped(),
            self._db.transaction(),
            self._db.cursor("insideout_read", binary=True) as cursor,
        ):
            self._db.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.itersize = _READ_CHUNK
            cursor.execute(statement)
            for row in cursor:
                yield list(row)

    def swap(
        self, connector: str, live: Live, layout: Layout, offsets: Mapping[Partition, int]
    ) -> None:
        """Rename, move offsets and epochs, and record the generation, in one transaction."""
        with _mapped(), self._db.transaction():
            self._db.execute("SET LOCAL lock_timeout = '5s'")
            before = self._live(connector, "FOR UPDATE")
            if (before.number if before else 0) != live.number - 1:
                raise FencedError(f"{connector}: another generation was swapped in meanwhile")
            for partition, position in self.positions(connector).items():
                if position.next > offsets.get(partition, -1):
                    raise BehindError(f"{partition.topic}/{partition.partition}")
            self._retire(before, live)
            self._rename(shadow_of(live.table), live.table)
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
                (connector, live.number, live.table, layout.dump()),
            )
        self._staged = None

    def _retire(self, before: Live | None, live: Live) -> None:
        """Keep the replaced table under its generation's name; the one before it goes."""
        if before and self._exists(before.table):
            for number in (live.number - 2, before.number):
                kept = retired_of(before.table, number)
                self._db.execute(_named("DROP TABLE IF EXISTS {table}", table=kept))
            self._rename(before.table, retired_of(before.table, before.number))
        elif self._exists(live.table):
            self._rename(live.table, retired_of(live.table, 0))

    def _rename(self, table: str, name: str) -> None:
        self._db.execute(_named("ALTER TABLE {table} RENAME TO {name}", table=table, name=name))


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
