"""A run of kind *replay*: records in quarantine are read again from the log and tried again.

The log decides: every key that has a record among the chosen is folded anew up to the offsets
where the copy stands, and its row is written under the fence of these offsets. So a value that is
the key's newest is merged, one that was superseded meanwhile changes nothing, and the live
engine, which may move on at any time, is never overwritten: it moves the fence.
"""

from collections import Counter
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.utils import timezone

from broker.records import Partition, Record
from lineage.connectors.building import Job
from lineage.connectors.engine import put_aside
from lineage.connectors.engine_parts import Place, place_of
from lineage.connectors.errors import (
    FencedError,
    PoisonRecordError,
    SchemaChangedError,
    SinkMismatchError,
    SinkRefusedError,
    SinkUnavailableError,
)
from lineage.connectors.kinds import RunKind
from lineage.connectors.models import Quarantine
from lineage.connectors.sessions import Session, opened
from lineage.connectors.sinks.contract import Fence, Live, Move, Position
from lineage.connectors.words import numbered

_BATCH = 50_000
_POLL_SECONDS = 0.2
_ATTEMPTS = 200
_MOST_REASONS = 3
_GONE = "the log no longer holds it: it was deleted before it could be tried again"


@dataclass
class Outcome:
    """What became of the chosen records."""

    stays: dict[Place, str] = field(default_factory=dict)
    found: dict[Place, bool] = field(default_factory=dict)

    def note(self, record: Record, reason: str) -> None:
        """Leave a record where it is: in quarantine, for this reason."""
        self.stays[place_of(record)] = reason


def replay(job: Job) -> str:
    """Try the chosen records of quarantine again, or all of them."""
    rows = _chosen(job)
    chosen = {(row.topic, row.partition, row.offset): row for row in rows}
    total = len(chosen)
    job.report("read", 0, total, f"{numbered(total, 'record')} to be tried again")
    outcome = Outcome()
    group = f"insideout.replay.{job.connector.name}"
    with opened(job.connector, group, poison=outcome.note) as session:
        live = session.sink.live(job.connector.name)
        if live is None or live.layout is None:
            raise SinkMismatchError("there is no copy yet to write them to: regenerate")
        session.preparation.adopt(live.layout)
        for number in sorted({(topic, partition) for topic, partition, _ in chosen}):
            partition = Partition(*number)
            offsets = {offset for *place, offset in chosen if tuple(place) == number}
            _Replay(job, session, partition, offsets, outcome).run()
    done = [row.pk for place, row in chosen.items() if place not in outcome.stays]
    for place, reason in outcome.stays.items():
        if place in chosen:
            Quarantine.objects.filter(pk=chosen[place].pk).update(
                reason=reason, tried_at=timezone.now()
            )
    Quarantine.objects.filter(pk__in=done).delete()
    compacted = [place for place in chosen if place not in outcome.stays | outcome.found.keys()]
    job.report("merge", total, total)
    stays = [reason for place, reason in outcome.stays.items() if place in chosen]
    return told(len(done), len(compacted), stays)


def told(done: int, compacted: int, stays: list[str]) -> str:
    """Say what came back, and how many records are still in quarantine, and why."""
    said = f"{done} of {numbered(done + len(stays), 'record')} accounted for in the copy"
    if not done and stays:
        said = "nothing could be copied"
    if compacted:
        said += f" ({compacted} compacted away: newer ones of their keys stand)"
    if not stays:
        return said
    reasons = Counter(stays).most_common()
    why = [f"{reason} ({count})" for reason, count in reasons[:_MOST_REASONS]]
    if len(reasons) == 1:
        why = [reasons[0][0]]
    elif len(reasons) > _MOST_REASONS:
        why.append(f"and {numbered(len(reasons) - _MOST_REASONS, 'other')}")
    still = "is" if len(stays) == 1 else "are"
    return f"{said}; {numbered(len(stays), 'record')} {still} still in quarantine: {', '.join(why)}"


def _chosen(job: Job) -> QuerySet[Quarantine]:
    rows = Quarantine.objects.filter(connector=job.connector)
    places = job.run.arguments.get("records")
    if places is None:
        return rows
    wanted = {tuple(place) for place in places}
    return rows.filter(
        pk__in=[row.pk for row in rows if (row.topic, row.partition, row.offset) in wanted]
    )


@dataclass
class _Replay:
    """Folds the keys of one partition's chosen records anew and writes them."""

    job: Job
    session: Session
    partition: Partition
    offsets: set[int]
    outcome: Outcome

    def run(self) -> None:
        """Read, fold and write, and again where the copy moved on meanwhile."""
        self._records: dict[object, list[Record]] = {}
        low, _ = self.session.reader.watermarks(self.partition)
        gone = {offset for offset in self.offsets if offset < low}
        self.outcome.stays |= dict.fromkeys(map(self._place, gone), _GONE)
        self._left = self.offsets - gone
        if not self._left:
            return
        self._next = min(self._left)
        for _ in range(_ATTEMPTS):
            live, position = self._standing()
            self._read(position.next)
            try:
                self._write(live, position)
            except FencedError:
                continue  # the copy moved on meanwhile: so do we
            return
        raise SinkUnavailableError("the copy moves on faster than this: pause it, and replay again")

    def _place(self, offset: int) -> Place:
        return (self.partition.topic, self.partition.partition, offset)

    def _standing(self) -> tuple[Live, Position]:
        name = self.job.connector.name
        live = self.session.sink.live(name)
        position = self.session.sink.positions(name).get(self.partition)
        if live is None or live.layout is None or position is None:
            raise SinkMismatchError("the copy's tables are gone: regenerate")
        return live, position

    def _read(self, end: int) -> None:
        """Read on to where the copy stands; keep the records of the keys that are replayed."""
        reader, fold_key = self.session.reader, self.session.preparation.fold_key
        if self._next >= end:
            return
        reader.assign({self.partition: self._next})
        while reader.positions[self.partition] < end and self.partition not in reader.ended:
            for record in reader.poll(_BATCH, _POLL_SECONDS):
                if record.offset >= end:
                    break
                place = place_of(record)
                chosen = record.offset in self._left
                if chosen:
                    self.outcome.found[place] = True
                    self._try(record)
                key = None if place in self.outcome.stays else fold_key(record)
                if key is not None and (chosen or key in self._records):
                    self._records.setdefault(key, []).append(record)
            done = len(self.outcome.found) + len(self.outcome.stays)
            self.job.report("read", done, None)
        self._next = end

    def _try(self, record: Record) -> None:
        """Decode a record; one that still cannot be read stays, with the reason it has now."""
        preparation = self.session.preparation
        try:
            if not preparation.removes(record):
                preparation.row_of(record)
        except (PoisonRecordError, SchemaChangedError) as error:
            self.outcome.stays[place_of(record)] = self.session.discretion.reason(str(error))

    def _write(self, live: Live, position: Position) -> None:
        records = sorted(
            (record for of_key in self._records.values() for record in of_key),
            key=lambda record: record.offset,
        )
        sink, preparation = self.session.sink, self.session.preparation
        move = Move(self.partition, position.next, position.next, position.epoch)
        fence = Fence(self.job.connector.name, live.number, (move,))
        skip = frozenset(self.outcome.stays)
        while True:
            changes = preparation.changes(records, skip)
            layout = preparation.layout
            assert layout is not None
            if layout != live.layout:
                sink.shape(fence.connector, live.number, layout)
            try:
                sink.merge(
                    live.table, layout, list(changes.upserts.values()), changes.deletes, fence
                )
            except SinkRefusedError as refusal:
                refused = put_aside(sink, live.table, preparation, changes, refusal)
                skip |= refused
            else:
                return


REPLAY = RunKind("replay", ("read", "merge"), replay)
