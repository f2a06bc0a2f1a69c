"""How rows get into PostgreSQL: binary COPY, and set-based merges from a staging table."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, LiteralString

from psycopg import Connection, sql
from psycopg.errors import DataError, error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult

from lineage.connectors.columns import Layout, Row
from lineage.connectors.errors import SinkRefusedError
from lineage.connectors.sinks.contract import Part
from lineage.connectors.sinks.postgres_types import encoded, read_as, sent_types

_BATCH = "insideout_batch"
_DELETED = "insideout_deleted"
# how the binary format of COPY begins, without flags or an extension, and how it ends
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_CHUNK = 5_000
_SENT_AT_ONCE = 1_000
# 4 MiB, as pages usually are
_PAGES = 512
# before, it looks through the whole table for each range (PostgreSQL 14: TID range scans)
_READS_RANGES = 140_000
# a table has no more
_LAST_PAGE = 2**32 - 1


def named(template: LiteralString, **names: str) -> sql.Composed:
    """Fill names into a statement, quoted."""
    return sql.SQL(template).format(**{key: sql.Identifier(name) for key, name in names.items()})


def listed(names: Iterable[str]) -> sql.Composed:
    """Return quoted names, with commas between."""
    return sql.SQL(", ").join(map(sql.Identifier, names))


def send(
    db: Connection[Any], statement: sql.Composed, types: list[str], rows: Iterable[Row]
) -> None:
    """Send rows by COPY; a value that has no form in its type is refused like by the server."""
    with db.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(types)
        write = copy.write_row
        for row in rows:
            try:
                write(row)
            except (OverflowError, TypeError, ValueError, DataError) as error:
                raise SinkRefusedError(str(error)) from error


def send_packed(db: Connection[Any], statement: sql.Composed, pieces: Iterable[bytes]) -> None:
    """Send pieces that hold whole rows as bytes."""
    with db.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_SIGNATURE)
        for piece in pieces:
            copy.write(piece)
        copy.write(_END)


def pages_of(db: Connection[Any], table: str) -> list[Part]:
    """Return ranges of a table's pages; the last one has what is added later, too."""
    if db.info.server_version < _READS_RANGES:
        return [(0, _LAST_PAGE)]
    statement = "SELECT pg_relation_size(%s::regclass) / current_setting('block_size')::int"
    found = db.execute(statement, (f'"{table}"',)).fetchone()
    begins = range(0, max(1, int(found[0]) if found else 0), _PAGES)
    return list(zip(begins, [*begins[1:], _LAST_PAGE], strict=True))


def read_packed(
    db: Connection[Any], table: str, layout: Layout, part: Part | None = None
) -> Iterator[list[bytes]]:
    """Read a table, or a range of its pages, by COPY, which sends each row by itself."""
    names = {"table": sql.Identifier(table), "columns": listed(layout.names)}
    if part is None:
        statement = sql.SQL("COPY {table} ({columns}) TO STDOUT (FORMAT BINARY)").format(**names)
    else:
        begin, end = (sql.Literal(f"({page},0)") for page in part)
        statement = sql.SQL(
            "COPY (SELECT {columns} FROM {table} WHERE ctid >= {begin} AND ctid < {end}) "
            "TO STDOUT (FORMAT BINARY)"
        ).format(**names, begin=begin, end=end)
    rows = _copied(db, statement)
    first = next(rows, b"")
    # what stands before the first row comes alone, or together with it
    waiting = chain([first.removeprefix(_SIGNATURE)], rows)
    while chunk := list(islice(waiting, _CHUNK)):
        yield [row for row in chunk if row and row != _END]


def _copied(db: Connection[Any], statement: sql.Composed) -> Iterator[bytes]:
    """Return what COPY sends, by libpq's own functions: psycopg's take a microsecond more a row."""
    server = db.pgconn
    result: PGresult | None = server.exec_(statement.as_bytes(db))
    assert result is not None
    if result.status != ExecStatus.COPY_OUT:
        raise error_from_result(result)
    whole = False
    try:
        while (found := server.get_copy_data(0))[0] >= 0:
            yield bytes(found[1])
        whole = True
    finally:
        if not whole and server.status == ConnStatus.OK:  # nobody wants the rest
            server.get_cancel().cancel()
            while server.get_copy_data(0)[0] >= 0:
                pass
        while server.status == ConnStatus.OK and (result := server.get_result()) is not None:
            if whole and result.status != ExecStatus.COMMAND_OK:
                raise error_from_result(result)


def _frozen(table: str, layout: Layout) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY, FREEZE)").format(
        sql.Identifier(table), listed(layout.names)
    )


def send_packed_frozen(
    db: Connection[Any], table: str, layout: Layout, pieces: Iterable[bytes]
) -> None:
    """As `send_frozen`, of rows in bytes."""
    send_packed(db, _frozen(table, layout), pieces)


def send_frozen(db: Connection[Any], table: str, layout: Layout, rows: Iterable[Row]) -> None:
    """Fill a table that this transaction has made: its rows need no second look, ever (FREEZE)."""
    send(db, _frozen(table, layout), sent_types(layout), encoded(layout, rows))


class Staging:
    """The session's staging table, made once for each layout and emptied by each commit."""

    def __init__(self, db: Connection[Any]) -> None:
        self._db = db
        self._made: tuple[str, Layout] | None = None

    def forget(self) -> None:
        """Make the table anew next time: a transaction that made it was rolled back."""
        self._made = None

    def _make(self, table: str, layout: Layout) -> None:
        if self._made == (table, layout):
            return
        self._db.execute(named("DROP TABLE IF EXISTS {batch}", batch=_BATCH))
        self._db.execute(
            sql.SQL(
                "CREATE TEMP TABLE {batch} ON COMMIT DELETE ROWS AS "
                "SELECT {names}, false AS {deleted} FROM {table} LIMIT 0"
            ).format(
                batch=sql.Identifier(_BATCH),
                names=listed(layout.names),
                deleted=sql.Identifier(_DELETED),
                table=sql.Identifier(table),
            )
        )
        self._made = (table, layout)

    def send(
        self,
        table: str,
        layout: Layout,
        upserts: Sequence[Row],
        deletes: Collection[tuple[Any, ...]],
    ) -> None:
        """Send a batch to the staging table; its locks are this session's own."""
        if not (upserts or deletes):
            return
        self._make(table, layout)
        rest = [None] * (len(layout.columns) - layout.keys)

        def rows() -> Iterator[Row]:
            for row in encoded(layout, upserts):
                row.append(False)
                yield row
            for row in encoded(layout, ([*key, *rest] for key in deletes)):
                row.append(True)
                yield row

        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
            sql.Identifier(_BATCH), listed([*layout.names, _DELETED])
        )
        send(self._db, statement, [*sent_types(layout), "bool"], rows())

    def send_packed(self, table: str, layout: Layout, upserts: Sequence[bytes]) -> None:
        """As `send`, of rows in bytes."""
        if not upserts:
            return
        self._make(table, layout)
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
            sql.Identifier(_BATCH), listed(layout.names)
        )
        waiting = iter(upserts)
        send_packed(
            self._db, statement, iter(lambda: b"".join(islice(waiting, _SENT_AT_ONCE)), b"")
        )

    def apply(self, table: str, layout: Layout, *, upserts: bool, deletes: bool) -> None:
        """Write what was sent into the table."""
        if upserts:
            self._upsert(table, layout)
        if deletes:
            self._delete(table, layout)

    def rows_of_keys(self, table: str, layout: Layout) -> sql.Composed:
        """Return the query for the rows whose keys were sent as deletions."""
        self._by_index()
        return sql.SQL(
            "SELECT {columns} FROM {table} WHERE ({key}) IN (SELECT {key} FROM {batch})"
        ).format(
            columns=sql.SQL(", ").join(map(read_as, layout.columns)),
            table=sql.Identifier(table),
            key=listed(layout.key),
            batch=sql.Identifier(_BATCH),
        )

    def _by_index(self) -> None:
        """Let the planner find rows by the primary key: it knows not how few a batch has."""
        for way in ("hashjoin", "mergejoin", "seqscan"):
            self._db.execute(sql.SQL("SET LOCAL {} = off").format(sql.Identifier(f"enable_{way}")))

    def _upsert(self, table: str, layout: Layout) -> None:
        values = [
            sql.SQL("{name} = excluded.{name}").format(name=sql.Identifier(name))
            for name in layout.names[layout.keys :]
        ]
        action = sql.SQL("UPDATE SET {}").format(sql.SQL(", ").join(values)) if values else None
        self._db.execute(
            sql.SQL(
                "INSERT INTO {table} ({names}) SELECT {names} FROM {batch} "
                "WHERE {deleted} IS NOT TRUE ON CONFLICT ({key}) DO {action}"
            ).format(
                table=sql.Identifier(table),
                names=listed(layout.names),
                batch=sql.Identifier(_BATCH),
                deleted=sql.Identifier(_DELETED),
                key=listed(layout.key),
                action=action or sql.SQL("NOTHING"),
            )
        )

    def _delete(self, table: str, layout: Layout) -> None:
        """Delete by the primary key's index; the planner knows no better than to hash the copy."""
        matches = [
            sql.SQL("t.{name} = b.{name}").format(name=sql.Identifier(name)) for name in layout.key
        ]
        self._by_index()
        self._db.execute(
            sql.SQL("DELETE FROM {table} t USING {batch} b WHERE b.{deleted} AND {match}").format(
                table=sql.Identifier(table),
                batch=sql.Identifier(_BATCH),
                deleted=sql.Identifier(_DELETED),
                match=sql.SQL(" AND ").join(matches),
            )
        )
