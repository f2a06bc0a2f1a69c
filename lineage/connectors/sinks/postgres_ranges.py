"""Digests of ranges of keys, computed by PostgreSQL: one pass, and only sums leave the server."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

from psycopg import Connection, sql

from lineage.connectors.columns import Column, Digest, Layout, Row
from lineage.connectors.sinks.postgres_types import as_numbers, decoded, read_as

_READ_CHUNK = 10_000
# the cell of a value, as lineage.connectors.sinks.canonical has it
_CELLS: dict[str, LiteralString] = {
    "text": "length({0})::text || ':' || {0}",
    "bytes": "'x' || encode({0}, 'hex')",
    "decimal": "trim_scale({0})::text",
    "real": "CASE WHEN {0} = 'NaN' THEN 'nan' ELSE encode(float4send({0} + 0::real), 'hex') END",
    "double": "CASE WHEN {0} = 'NaN' THEN 'nan' "
    "ELSE encode(float8send({0} + 0::double precision), 'hex') END",
    "timestamptz": "encode(timestamptz_send({0}), 'hex')",
    "timestamp": "encode(timestamp_send({0}), 'hex')",
    "date": "encode(date_send({0}), 'hex')",
    "time": "encode(time_send({0}), 'hex')",
    "array": "to_jsonb({0})::text",
}


def _cell(column: Column) -> sql.Composed:
    cell = sql.SQL(_CELLS.get(column.kind, "{0}::text")).format(sql.Identifier(column.name))
    return sql.SQL("coalesce({}, '')").format(cell)


def _text(columns: Iterable[Column]) -> sql.Composed:
    cells = sql.SQL(", ").join(_cell(column) for column in columns)
    return sql.SQL("md5(convert_to(concat_ws(',', {}), 'UTF8'))").format(cells)


def _range(layout: Layout, ranges: int) -> sql.Composed:
    return sql.SQL("('x' || left({}, 8))::bit(32)::bigint % {}").format(
        _text(layout.columns[: layout.keys]), sql.Literal(ranges)
    )


def hash_ranges(db: Connection[Any], table: str, layout: Layout, ranges: int) -> dict[int, Digest]:
    """Return the digest of each range that holds rows."""
    statement = sql.SQL(
        "SELECT place, count(*), sum(hash) FROM (SELECT {range} AS place, "
        "('x' || left({text}, 16))::bit(64)::bigint AS hash FROM {table}) AS hashed GROUP BY place"
    ).format(range=_range(layout, ranges), text=_text(layout.columns), table=sql.Identifier(table))
    return {
        place: Digest(rows, int(total) % 2**64)
        for place, rows, total in db.execute(statement).fetchall()
    }


def read_ranges(
    db: Connection[Any], table: str, layout: Layout, ranges: int, wanted: Collection[int]
) -> Iterator[Row]:
    """Read the rows whose keys fall into the wanted ranges, through a server-side cursor."""
    statement = sql.SQL("SELECT {columns} FROM {table} WHERE {range} = ANY({wanted})").format(
        columns=sql.SQL(", ").join(read_as(column) for column in layout.columns),
        table=sql.Identifier(table),
        range=_range(layout, ranges),
        wanted=sql.Literal(sorted(wanted)),
    )
    canonical = decoded(layout)
    with db.transaction(), db.cursor("insideout_ranges", binary=True) as cursor:
        as_numbers(cursor)
        cursor.itersize = _READ_CHUNK
        cursor.execute(statement)
        for row in cursor:
            yield canonical(row)


@contextmanager
def snapshot(db: Connection[Any], table: str) -> Iterator[None]:
    """Read as of one moment; the lock, taken before it, keeps the name on the table."""
    with db.transaction():
        db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        db.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        db.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(sql.Identifier(table)))
        yield
