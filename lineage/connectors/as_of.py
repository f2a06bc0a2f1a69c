"""A copy as of a time: the fold of the log up to an instant, in a table of its own.

It is neither followed nor swapped in: readers of the live copy see none of it, and it stays as it
is until it is built again or dropped. The log must reach back to its beginning, uncompacted.
"""

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import cast

from django.conf import settings
from django.utils import timezone

from broker.admin import read_cleanup_policies
from broker.consume import BEGINNING, PartitionReader
from broker.records import Partition
from catalog.actions import connection_of
from lineage.connectors.actions import target_url
from lineage.connectors.building import Job, WhileOurs
from lineage.connectors.engine_load import Progress
from lineage.connectors.engine_parts import place_of
from lineage.connectors.engine_regenerate import Built, Regeneration
from lineage.connectors.errors import LogIncompleteError, TableMissingError
from lineage.connectors.kinds import RunKind
from lineage.connectors.models import Generation, Run
from lineage.connectors.sessions import Session, is_compacted, opened
from lineage.connectors.sinks import open_sink
from lineage.connectors.sinks.contract import Sink
from lineage.connectors.words import numbered

_LONGEST = 63
_FIRST_RECORD_SECONDS = 5.0


def table_as_of(table: str, instant: datetime) -> str:
    """Return the name of a copy as of an instant, within PostgreSQL's 63 bytes."""
    at = instant.astimezone(UTC)
    thousandths = f"_{at.microsecond // 1000:03}" if at.microsecond >= 1000 else ""
    mark = f"__asof_{at:%Y%m%dT%H%M%S}{thousandths}Z"
    if len(table) + len(mark) > _LONGEST:
        short = blake2b(table.encode(), digest_size=4).hexdigest()
        table = f"{table[: _LONGEST - len(mark) - len(short) - 1]}_{short}"
    return table + mark


# -- what the log must be -----------------------------------------------------------------------
def _refuse_compacted(session: Session) -> None:
    """Raise LogIncompleteError where compaction has removed, or may have, what a key held."""
    topics = session.definition.topics
    policies = read_cleanup_policies(connection_of(session.connector.cluster), topics)
    for topic in topics:
        known = policies.get(topic)
        if "compact" in known if known is not None else is_compacted(session.connector, topic):
            raise LogIncompleteError(
                f"{topic} is compacted: of each key it keeps the last value only, and what it held "
                "at an earlier time is gone. A table as of a time needs cleanup.policy=delete with "
                "retention.ms=-1, from before that time on"
            )


def _refuse_beheaded(session: Session, places: Iterable[Partition], instant: datetime) -> None:
    """Raise LogIncompleteError where records that the copy is made of were deleted.

    A copy that starts at a time is whole as long as the first record from then on has one before
    it in the log.
    """
    reader, start = session.reader, session.definition.start
    begins = reader.offsets_at(places, int(start.timestamp() * 1000)) if start else {}
    missing = [
        f"{place.topic}/{place.partition}: offsets 0 to {low - 1}"
        for place, (low, _) in PartitionReader.all_watermarks(reader, places).items()
        if 0 < low >= begins.get(place, 0)
    ]
    if missing:
        raise LogIncompleteError(
            f"the log no longer reaches back to its beginning, so what its keys held at "
            f"{_shown(instant)} cannot be told; deleted are {'; '.join(missing)}. Set "
            "retention.ms=-1 and retention.bytes=-1 to keep the log whole, or let the copy `start` "
            "at a time that the log still holds"
        )


def _refuse_before_the_log(
    session: Session, until: Mapping[Partition, int], instant: datetime
) -> None:
    """Raise LogIncompleteError where every record that there is came at the instant or later."""
    reader = session.reader
    heads = reader.all_watermarks(until)
    if any(end > heads[place][0] for place, end in until.items()):
        return
    topics = ", ".join(session.definition.topics)
    first = _first_time(reader, [place for place, (low, high) in heads.items() if high > low])
    if first is None:
        raise LogIncompleteError(f"{topics} holds no record to make a table of")
    began = f"{_shown(first)}, at its earliest record"
    if session.definition.start is not None:
        began += f" from the copy's `start` ({_shown(session.definition.start)}) on"
    raise LogIncompleteError(
        f"{topics} has no record from before {_shown(instant)}: it begins at {began}. "
        "Name a later instant"
    )


def _first_time(reader: PartitionReader, places: Iterable[Partition]) -> datetime | None:
    """Return when the first of the first records was written."""
    times = []
    for place in places:
        reader.assign({place: BEGINNING})
        until = time.monotonic() + _FIRST_RECORD_SECONDS
        while time.monotonic() < until and place not in reader.ended:
            if found := reader.poll(1, 0.2):
                times.append(found[0].timestamp)
                break
    return datetime.fromtimestamp(min(times) / 1000, UTC) if times else None


def _shown(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


# -- building -------------------------------------------------------------------------------------
def build_as_of(session: Session, instant: datetime, table: str, progress: Progress) -> Built:
    """Build it from all that was written before the instant, by the records' times, and prove it.

    Of each partition it takes what lies before the first record of that instant or later; raises
    LogIncompleteError where the log does not reach back.
    """
    reader, definition = session.reader, session.definition
    _refuse_compacted(session)
    places = reader.partitions(definition.topics)
    _refuse_beheaded(session, places, instant)
    # a negative time is not one to Kafka, but a special value
    until = reader.offsets_at(places, max(0, int(instant.timestamp() * 1000)))
    _refuse_before_the_log(session, until, instant)
    with session.sharing() as sharing:
        return Regeneration(
            name=session.connector.name,
            table=definition.table,
            topics=definition.topics,
            reader=reader,
            preparation=session.preparation,
            sink=session.sink,
            progress=progress,
            memory=settings.CONNECTOR_MEMORY_MIB << 20,
            begins_later=definition.start is not None,
            sharing=sharing,
        ).run_as_of(until, table)


def build(job: Job) -> str:
    """Build the table as of the instant that the run names."""
    instant = datetime.fromisoformat(job.run.arguments["as_of"])
    table = table_as_of(job.connector.table, instant)
    left_out: set[tuple[str, int, int]] = set()
    with opened(
        job.connector,
        f"insideout.as-of.{job.connector.name}",
        # they are no affair of the live copy's quarantine
        poison=lambda record, _reason: left_out.add(place_of(record)),
    ) as session:
        _begin(job, instant, table)
        session.sink = cast("Sink", WhileOurs(session.sink, job.report))
        built = build_as_of(session, instant, table, job.report)
    assert job.run.generation is not None
    Generation.objects.filter(pk=job.run.generation.pk).update(
        state=Generation.State.BUILT,
        rows=built.digest.rows,
        digest=str(built.digest),
        from_offsets=_named(built.begins),
        to_offsets=_named(built.ends),
    )
    rows = numbered(built.digest.rows, "row")
    said = f"{table} holds what the log said as of {_shown(instant)}: {rows}"
    if left_out:
        said += f"; left out, as they cannot be copied: {numbered(len(left_out), 'record')}"
    return said


def _begin(job: Job, instant: datetime, table: str) -> None:
    generation, _ = Generation.objects.update_or_create(
        connector=job.connector,
        table=table,
        as_of=instant,
        defaults={
            "state": Generation.State.BUILDING,
            "target": job.connector.target,
            "created_at": timezone.now(),
            "rows": None,
            "digest": "",
            "dropped_at": None,
        },
    )
    job.run.generation = generation
    Run.objects.filter(pk=job.run.pk).update(generation=generation)


def _named(offsets: Mapping[Partition, int]) -> dict[str, int]:
    return {f"{place.topic}/{place.partition}": at for place, at in offsets.items()}


# -- dropping -------------------------------------------------------------------------------------
def drop(job: Job) -> str:
    """Drop a table as of a time, where it lies; what is recorded of it stays."""
    table = job.run.arguments["table"]
    generation = job.connector.generations.filter(
        as_of__isnull=False, table=table, dropped_at=None
    ).first()
    if generation is None:
        raise TableMissingError(f"{job.connector.name} has no table {table} as of a time any more")
    job.run.generation = generation
    Run.objects.filter(pk=job.run.pk).update(generation=generation)
    job.report("drop", 0, 1, f"dropping {table}")
    sink = open_sink(target_url(generation.target))
    try:
        sink.drop(table)
    finally:
        sink.close()
    Generation.objects.filter(pk=generation.pk).update(dropped_at=timezone.now())
    job.report("drop", 1, 1)
    return f"{table} is dropped"


AS_OF = RunKind("as-of", ("read", "load", "verify"), build)
DROP = RunKind("drop", ("drop",), drop)
