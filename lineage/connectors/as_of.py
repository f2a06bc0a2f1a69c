"""A copy as of a time: the fold of the log up to an instant, in a table of its own.

It is neither followed nor swapped in: readers of the live copy see none of it, and it stays as it
is until it is built again or dropped. The log must reach back to its beginning, uncompacted.
"""

from datetime import UTC, datetime
from hashlib import blake2b

from django.conf import settings

from lineage.connectors.engine_load import Progress
from lineage.connectors.engine_regenerate import Built, Regeneration
from lineage.connectors.sessions import Session, is_compacted

_LONGEST = 63


def table_as_of(table: str, instant: datetime) -> str:
    """Return the name of a copy as of an instant, within PostgreSQL's 63 bytes."""
    mark = f"__asof_{instant.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    if len(table) + len(mark) > _LONGEST:
        short = blake2b(table.encode(), digest_size=4).hexdigest()
        table = f"{table[: _LONGEST - len(mark) - len(short) - 1]}_{short}"
    return table + mark


def build_as_of(session: Session, instant: datetime, progress: Progress) -> Built:
    """Build it from all that was written before the instant, by the records' times, and prove it.

    Of each partition it takes what lies before the first record of that instant or later; raises
    LogIncompleteError where the log does not reach back.
    """
    reader, definition = session.reader, session.definition
    until = reader.offsets_at(reader.partitions(definition.topics), int(instant.timestamp() * 1000))
    return Regeneration(
        name=session.connector.name,
        table=definition.table,
        topics=definition.topics,
        reader=reader,
        preparation=session.preparation,
        sink=session.sink,
        progress=progress,
        compacted=lambda topic: is_compacted(session.connector, topic),
        memory=settings.CONNECTOR_MEMORY_MIB << 20,
    ).run_as_of(until, table_as_of(definition.table, instant))
