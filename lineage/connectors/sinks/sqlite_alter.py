"""Columns of another type in SQLite, in place: what is kept alike needs nothing."""

import sqlite3
from collections.abc import Sequence

from lineage.connectors.columns import Column, describe
from lineage.connectors.errors import SchemaChangedError
from lineage.connectors.sinks.sqlite_types import quoted, type_of


def alter_columns(
    db: sqlite3.Connection, table: str, columns: Sequence[Column], key: Sequence[str] = ()
) -> None:
    """Give columns their new type, within the transaction at hand.

    SQLite cannot change a type, so a column beside it is filled and takes its place. Raises
    SchemaChangedError for a column of the key, and where a view or an index names the column.
    """
    rows = db.execute("SELECT name, type, pk FROM pragma_table_info(?)", (table,)).fetchall()
    types = {name: (kept, bool(part)) for name, kept, part in rows}
    for column in columns:
        kept, in_key = types.get(column.name, ("", False))
        if kept == type_of(column):
            continue
        if in_key or column.name in key:
            raise _cannot(column, "it is the key")
        _replace(db, table, column)


def _replace(db: sqlite3.Connection, table: str, column: Column) -> None:
    whole, name = quoted(table), quoted(column.name)
    beside = quoted(f"{column.name}__new")
    try:
        db.execute(f"ALTER TABLE {whole} ADD COLUMN {beside} {type_of(column)}")
        db.execute(f"UPDATE {whole} SET {beside} = {name}")  # noqa: S608  (quoted names)
        db.execute(f"ALTER TABLE {whole} DROP COLUMN {name}")
        db.execute(f"ALTER TABLE {whole} RENAME COLUMN {beside} TO {name}")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        raise _cannot(column, str(error)) from error


def _cannot(column: Column, reason: str) -> SchemaChangedError:
    return SchemaChangedError(
        f"column {column.name} cannot become {describe(column)} in place: {reason}: regenerate"
    )
