"""Execute runs of every kind; among them: build a generation and swap it in.

Runs are rows that a connectors worker picks up, not Celery tasks. The worker is there anyway as
long as anything is copied; it holds the target's secrets in its environment, which the web and
Celery workers then need not; a run survives the loss of a message queue; and who executes it is a
column, so that another worker can see that the first died and take over. Live copying goes on
in its own thread meanwhile.
"""

import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import F

from broker.errors import BrokerError
from lineage.connectors.actions import WORKER_IS_GONE_AFTER, kept_here
from lineage.connectors.copying import note_generation, now
from lineage.connectors.engine_regenerate import BuildInterruptedError, Built, Regeneration
from lineage.connectors.engine_shares import Sharing
from lineage.connectors.errors import ConnectorError, RunCancelledError
from lineage.connectors.history import HistoryView
from lineage.connectors.kinds import RunKind, find_kind, known_kinds
from lineage.connectors.models import Connector, Generation, Quarantine, Run, Worker
from lineage.connectors.sessions import Session, begins_later, opened, topic_ids
from lineage.connectors.sinks.contract import Live, Sink, shadow_of
from lineage.connectors.words import numbered

_TELL_SECONDS = 0.3
_ATTEMPTS = 5
_TAKEN_OVER = "taken over"
_MOST_TAKEOVERS = 5
_WRITES = frozenset({
    "load",
    "load_packed",
    "adding_key",
    "merge",
    "merge_packed",
    "widen",
    "alter",
    "swap",
})

logger = logging.getLogger(__name__)


class _StoppingError(BuildInterruptedError):
    """The worker is being stopped: the run goes back to wait for another."""


class _TakenError(Exception):
    """We were thought dead (frozen, cut off), and another worker has the run now."""


# -- whose run it is ----------------------------------------------------------------------------
def take_run(worker: str) -> Run | None:
    """Take a waiting run, or one whose worker is dead; None when there is nothing to do."""
    alive = Worker.objects.filter(seen_at__gt=now() - WORKER_IS_GONE_AFTER)
    busy = set(alive.values_list("name", flat=True)) - {worker}
    running = Run.objects.filter(state=Run.State.RUNNING, kind__in=known_kinds())
    for run in running.exclude(worker__in=busy).order_by("started_at"):
        if run.worker == worker or not kept_here(run.connector):
            continue  # ours, in another thread; or Kafka Connect has the table
        claimed = Run.objects.filter(pk=run.pk, state=Run.State.RUNNING, worker=run.worker)
        if claimed.update(worker=worker, moved_at=now()):
            return run  # with the name of whoever had it before
    return None


def release_runs(worker: str) -> None:
    """Let go of what a worker of this name had: it was our predecessor, and is dead."""
    Run.objects.filter(state=Run.State.RUNNING, worker=worker).update(worker=f"{worker} (ended)")


class Report:
    """Writes a run's progress into its row, and notices that it shall stop."""

    def __init__(self, run: Run, worker: str, stopping: threading.Event) -> None:
        self._run = run
        self._ours = Run.objects.filter(pk=run.pk, worker=worker)
        self._stopping = stopping
        self._told = 0.0
        self._lines: list[dict[str, str]] = list(run.log)

    def __call__(self, phase: str, done: int, total: int | None, note: str = "") -> None:
        """Take note; raises RunCancelledError when somebody asked for it."""
        if self._stopping.is_set():
            raise _StoppingError
        if phase == self._run.phase and not note and time.monotonic() - self._told < _TELL_SECONDS:
            return
        self._told = time.monotonic()
        self._run.phase = phase
        values: dict[str, object] = {"phase": phase, "done": done, "total": total}
        if note:
            values |= {"message": note, "log": self.line(f"{phase}: {note}")}
        try:
            taken = not self._ours.update(moved_at=now(), **values)
            asked = Run.objects.filter(pk=self._run.pk, cancel_requested=True).exists()
        except DatabaseError as error:
            logger.warning("run %s: could not tell its progress: %s", self._run.pk, error)
            return
        if taken:
            raise _TakenError
        if asked and phase != "swap":
            raise RunCancelledError("cancelled")

    def is_ours(self) -> bool:
        """Whether no other worker has taken the run; while the database is away none could."""
        try:
            return self._ours.exists()
        except DatabaseError:
            return True

    def line(self, message: str) -> list[dict[str, str]]:
        """Return the run's log with one more line."""
        at = now().isoformat(timespec="milliseconds")
        self._lines.append({"at": at, "message": message})
        logger.info("run %s: %s", self._run.pk, message)
        return self._lines

    def finish(self, state: Run.State, message: str) -> None:
        """Close the run; `done` of a success is all."""
        values: dict[str, object] = {"state": state, "message": message, "finished_at": now()}
        if state == Run.State.SUCCEEDED:
            values["done"] = F("total")
        values["log"] = self.line(message)
        for left in reversed(range(_ATTEMPTS)):
            try:
                self._ours.update(moved_at=now(), **values)
            except OperationalError:
                # busy for a moment: what is done is not to count as failed for that
                if not left or connection.in_atomic_block:
                    raise
                time.sleep(_TELL_SECONDS)
            else:
                return


# -- the run ------------------------------------------------------------------------------------
@dataclass
class Job:
    """What an executor is given: the run, its connector, and whom to tell how far it is."""

    run: Run
    connector: Connector
    report: "Report"


def execute(run: Run, worker: str, stopping: threading.Event) -> None:
    """Carry a run out, whatever becomes of it, and leave its row saying so."""
    report = Report(run, worker, stopping)
    try:
        if run.worker:
            _take_over(run, report)
        connector = Connector.objects.select_related("cluster").get(pk=run.connector_id)
        kind = find_kind(run.kind)
        assert kind is not None  # take_run takes no other
        report.finish(Run.State.SUCCEEDED, kind.execute(Job(run, connector, report)))
    except _TakenError:
        logger.warning("run %s: another worker has it now", run.pk)
    except _StoppingError:
        Run.objects.filter(pk=run.pk).update(
            worker="", log=report.line(f"worker {worker} was stopped: waiting for another")
        )
        _end_generation(run, Generation.State.FAILED)
    except RunCancelledError as error:
        _end_generation(run, Generation.State.CANCELLED)
        report.finish(Run.State.CANCELLED, str(error))
    except Connector.DoesNotExist:
        logger.info("run %s: its connector is gone", run.pk)
    except (ConnectorError, BrokerError, DatabaseError) as error:
        _fail(run, report, error)
    except Exception as error:
        # by its kind alone: the words of what nobody foresaw may hold anything
        said = f"{type(error).__name__}, a fault of the product itself: see the worker's log"
        _fail(run, report, ConnectorError(said))
        raise
    finally:
        connection.close()


def _fail(run: Run, report: Report, error: Exception) -> None:
    """Close a run that an error ended; who asked it to stop before that has got that."""
    if Run.objects.filter(pk=run.pk, cancel_requested=True).exists():
        report.line(f"ended by: {error}")
        _end_generation(run, Generation.State.CANCELLED)
        report.finish(Run.State.CANCELLED, "cancelled")
    else:
        _end_generation(run, Generation.State.FAILED)
        report.finish(Run.State.FAILED, str(error))


def _take_over(run: Run, report: Report) -> None:
    takeovers = sum(1 for line in run.log if line["message"].startswith(_TAKEN_OVER))
    if takeovers >= _MOST_TAKEOVERS:
        raise ConnectorError(f"given up: {takeovers} workers ended in the midst of this run")
    line = f"{_TAKEN_OVER}: its worker {run.worker} ended in the midst of it; beginning anew"
    Run.objects.filter(pk=run.pk).update(log=report.line(line))


# -- regenerate ---------------------------------------------------------------------------------
def build(job: Job) -> str:
    """Build the copy anew, prove it and swap it in."""
    run, connector, began = job.run, job.connector, now()
    with opened(connector, f"insideout.regenerate.{connector.name}") as session:
        ids = topic_ids(connector, session.definition.topics)
        before = session.sink.live(connector.name)
        if _swapped_already(run, before):
            _celebrate(run, connector, before, None)
            return "swapped in by a worker that ended right after"
        if before is not None:
            note_generation(connector, before)
        _begin_generation(run, connector, (before.number if before else 0) + 1)
        with session.sharing() as sharing:
            built = _regeneration(session, job.report, sharing).run()
        live = session.sink.live(connector.name)
        HistoryView(session.definition, session.sink).follow(live)
    _celebrate(run, connector, live, built)
    _keep_topics(connector, before, ids)
    _release_quarantine(connector, built, began)
    return (
        f"generation {built.number} is live: {numbered(built.digest.rows, 'row')} equal to the log"
    )


def _keep_topics(connector: Connector, before: Live | None, ids: dict[str, str]) -> None:
    """Remember the topics' identity, and of what the replaced generation's offsets are."""
    kept = Connector.objects.values_list("topic_ids", flat=True).get(pk=connector.pk)
    if before is not None:
        connector.generations.filter(number=before.number).update(topic_ids=kept)
    Connector.objects.filter(pk=connector.pk).update(topic_ids=ids)


def _release_quarantine(connector: Connector, built: Built, began: datetime) -> None:
    """Let go of records that the new generation read, or has no need of."""
    for partition, end in built.ends.items():
        Quarantine.objects.filter(
            connector=connector,
            topic=partition.topic,
            partition=partition.partition,
            offset__lt=end,
            tried_at__lt=began,
        ).delete()


def _regeneration(session: Session, report: Report, sharing: Sharing) -> Regeneration:
    return Regeneration(
        name=session.connector.name,
        table=session.definition.table,
        topics=session.definition.topics,
        reader=session.reader,
        preparation=session.preparation,
        sink=cast("Sink", WhileOurs(session.sink, report)),
        progress=report,
        compacted=lambda topic: begins_later(session, topic),
        memory=settings.CONNECTOR_MEMORY_MIB << 20,
        identity=repr(session.definition),
        sharing=sharing,
    )


class WhileOurs:
    """A target that is written only as long as no other worker has taken the run.

    The shadow has one name for all: who thaws in the midst of it must leave it to its new owner.
    """

    def __init__(self, sink: Sink, report: Report) -> None:
        self._sink = sink
        self._report = report

    def __getattr__(self, name: str) -> Any:
        """Do what the target does."""
        if name in _WRITES and not self._report.is_ours():
            raise _TakenError
        return getattr(self._sink, name)

    def drop(self, table: str) -> None:
        """Drop a table, unless it is the new owner's."""
        if self._report.is_ours():
            self._sink.drop(table)


def _swapped_already(run: Run, live: Live | None) -> bool:
    """Whether the generation of a run taken over went live before its worker ended."""
    generation = run.generation
    return generation is not None and live is not None and live.number == generation.number


def _begin_generation(run: Run, connector: Connector, number: int) -> None:
    generation, _ = Generation.objects.update_or_create(
        connector=connector,
        number=number,
        defaults={
            "state": Generation.State.BUILDING,
            "table": shadow_of(connector.table),
            "dropped_at": None,
        },
    )
    run.generation = generation
    Run.objects.filter(pk=run.pk).update(generation=generation)


def _end_generation(run: Run, state: Generation.State) -> None:
    if run.generation is not None:
        building = Generation.objects.filter(pk=run.generation.pk, state=Generation.State.BUILDING)
        building.update(state=state, dropped_at=now())


def _celebrate(run: Run, connector: Connector, live: Live | None, built: Built | None) -> None:
    """Record that the generation is live; a connector that had stopped goes on."""
    assert live is not None
    with transaction.atomic():
        if built is not None and run.generation is not None:
            Generation.objects.filter(pk=run.generation.pk).update(
                table=connector.table,
                rows=built.digest.rows,
                digest=str(built.digest),
                from_offsets={f"{p.topic}/{p.partition}": o for p, o in built.begins.items()},
                to_offsets={f"{p.topic}/{p.partition}": o for p, o in built.ends.items()},
            )
        note_generation(connector, live)
        Connector.objects.filter(pk=connector.pk, state=Connector.State.STOPPED).update(
            state=Connector.State.LIVE, message="", trouble=""
        )


REGENERATE = RunKind("regenerate", ("read", "load", "verify", "catch-up", "swap"), build)
