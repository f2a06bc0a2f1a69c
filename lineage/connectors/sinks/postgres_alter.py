"""Columns of another type in PostgreSQL, enums by CHECK, and the view of a history."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, cast

import psycopg
from psycopg import sql

from lineage.connectors.columns import Column, Layout, describe
from lineage.connectors.errors import SchemaChangedError
from lineage.connectors.sinks.history_view import select_history, view_of
from lineage.connectors.sinks.postgres_types import type_name, type_of

MOST_REWRITTEN = 64 * 2**20
"""A table of more bytes is not rewritten in place, which shuts its readers out: a second or two."""
_LONGEST_NAME = 63

Connection = psycopg.Connection[Any]


def declared_type(column: Column) -> sql.Composable:
    """Return a column's type as in CREATE TABLE, with the CHECK of an enum."""
    if not column.symbols:
        return type_name(column)
    return sql.SQL("{} CONSTRAINT {} {}").format(
        type_name(column), sql.Identifier(check_name(column.name)), _check(column)
    )


def check_name(column: str) -> str:
    """Return the name of the CHECK of a column that is an enum, within PostgreSQL's 63 bytes."""
    name = f"{column}_symbols"
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    return f"symbols_{blake2b(column.encode(), digest_size=8).hexdigest()}"


def _check(column: Column) -> sql.Composed:
    return sql.SQL("CHECK ({} IN ({}))").format(
        sql.Identifier(column.name), sql.SQL(", ").join(map(sql.Literal, column.symbols))
    )


def alter_columns(db: Connection, table: str, columns: Sequence[Column]) -> None:
    """Give columns their new types and CHECKs, within the transaction at hand.

    Raises SchemaChangedError where a view stands in the way, or the table is too big to be
    rewritten while its readers wait.
    """
    if not columns:
        return
    db.execute("SET LOCAL lock_timeout = '5s'")
    kept = _types(db, table)
    for column in columns:
        _drop_check(db, table, column)
        if kept.get(column.name) != type_of(column):
            _check_size(db, table, column)
            _set_type(db, table, column)
        if column.symbols:
            # every row obeys it already, as it obeyed a narrower one: no need to read them
            db.execute(
                sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {} NOT VALID").format(
                    sql.Identifier(table), sql.Identifier(check_name(column.name)), _check(column)
                )
            )


def _types(db: Connection, table: str) -> dict[str, str]:
    rows = db.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
        (f'"{table}"',),
    ).fetchall()
    return dict(rows)


def _drop_check(db: Connection, table: str, column: Column) -> None:
    db.execute(
        sql.SQL("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}").format(
            sql.Identifier(table), sql.Identifier(check_name(column.name))
        )
    )


def _check_size(db: Connection, table: str, column: Column) -> None:
    found = db.execute("SELECT pg_table_size(to_regclass(%s))", (f'"{table}"',)).fetchone()
    if found and found[0] and found[0] > MOST_REWRITTEN:
        reason = f"its table has {found[0] >> 20} MiB, and readers would have to wait"
        raise _cannot(column, reason)


def _set_type(db: Connection, table: str, column: Column) -> None:
    statement = sql.SQL("ALTER TABLE {} ALTER COLUMN {} TYPE {}").format(
        sql.Identifier(table), sql.Identifier(column.name), type_name(column)
    )
    try:
        with db.transaction():
            db.execute(statement)
    except psycopg.errors.FeatureNotSupported as error:  # a view, a rule, a policy uses it
        raise _cannot(column, str(error).partition("\n")[0]) from error


def _cannot(column: Column, reason: str) -> SchemaChangedError:
    return SchemaChangedError(
        f"column {column.name} cannot become {describe(column)} in place: {reason}: regenerate"
    )


def make_view(db: Connection, table: str, layout: Layout) -> None:
    """Make the view of a history; others' views on it stay where columns were only added."""

    def quoted(name: str) -> str:
        return sql.Identifier(name).as_string(db)

    # made of quoted names and words of ours alone
    select = sql.SQL(cast("Any", select_history(table, layout, quoted)))
    view = sql.Identifier(view_of(table))
    try:
        with db.transaction():
            db.execute(sql.SQL("CREATE OR REPLACE VIEW {} AS {}").format(view, select))
    except psycopg.errors.InvalidTableDefinition:
        with db.transaction():
            db.execute(sql.SQL("DROP VIEW {}").format(view))
            db.execute(sql.SQL("CREATE VIEW {} AS {}").format(view, select))
