"""The view of a history: when each version was valid, computed from the versions themselves.

The table holds one row for each version, as its record says alone; so a replay, a rebuild and an
audit need no other row. `<table>_history` joins each version with the next of its key, in the
order of the log: valid from its own time until that one's. A deletion ends the version before it
and is none itself. A record that claims an earlier time than the one before it leaves that one
no time at all, rather than a negative one.
"""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from lineage.connectors.columns import Column, Layout

HISTORY_COLUMNS = (
    Column("kafka_partition", "integer"),
    Column("kafka_offset", "bigint"),
    Column("valid_from", "timestamptz", 3),
    Column("deleted", "boolean"),
)
HISTORY_KEYS = 2
"""How many of them belong to the primary key, behind the record's own."""


@runtime_checkable
class ShowsHistory(Protocol):
    """A sink that can keep the view of a history."""

    def show_history(self, table: str, layout: Layout) -> None:
        """Make the view of a table, or make it anew where columns were added or changed."""
        ...


def view_of(table: str) -> str:
    """Return the name of a history's view."""
    return f"{table}_history"


def select_history(table: str, layout: Layout, quoted: Callable[[str], str]) -> str:
    """Return the view's query: key, valid_from, valid_to, place, then the values."""
    key = [quoted(name) for name in layout.key[:-HISTORY_KEYS]]
    values = [quoted(name) for name in layout.names[layout.keys + 2 :]]
    place = ["kafka_partition", "kafka_offset"]
    shown = ", ".join([*key, "valid_from", "valid_to", *place, *values])
    inner = ", ".join([*key, "valid_from", "deleted", *place, *values])
    return (
        f"SELECT {shown} FROM (SELECT {inner}, CASE WHEN lead(valid_from) OVER versions "  # noqa: S608
        "< valid_from THEN valid_from ELSE lead(valid_from) OVER versions END AS valid_to "
        f"FROM {quoted(table)} WINDOW versions AS (PARTITION BY {', '.join(key)} "
        "ORDER BY kafka_partition, kafka_offset)) AS v WHERE NOT deleted"
    )
