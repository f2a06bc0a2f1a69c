"""Execute a run: build a generation and swap it in.

Runs are rows that a connectors worker picks up, not Celery tasks. The worker is there anyway as
long as anything is copied; it holds the target's secrets in its environment, which the web and
Celery workers then need not; a run survives the loss of a message queue; and who executes it is a
column, so that another worker can see that the first died and take over. Live copying goes on
in its own thread meanwhile.
"""

import logging
import threading
import time

from django.db import DatabaseError, connection, transaction
from django.db.models import F

from broker.errors import BrokerError
from lineage.connectors.actions import WORKER_IS_GONE_AFTER
from lineage.connectors.copying import note_generation, now
from lineage.connectors.engine_regenerate import Built, Regeneration
from lineage.connectors.errors import ConnectorError, RunCancelledError
from lineage.connectors.history import HistoryView
from lineage.connectors.models import Connector, Generation, Run, Worker
from lineage.connectors.sessions import Session, only_compacted, opened
from lineage.connectors.sinks.contract import Live, shadow_of

_TELL_SECONDS = 0.3
_TAKEN_OVER = "taken over"
_MOST_TAKEOVERS = 5

logger = logging.getLogger(__name__)


class _StoppingError(Exception):
    """The worker is being stopped: the run goes back to wait for another."""


# -- whose run it is ----------------------------------------------------------------------------
def take_run(worker: str) -> Run | None:
    """Take a waiting run, or one whose worker is dead; None when there is nothing to do."""
    alive = Worker.objects.filter(seen_at__gt=now() - WORKER_IS_GONE_AFTER)
    busy = set(alive.values_list("name", flat=True)) - {worker}
    running = Run.objects.filter(state=Run.State.RUNNING, kind="regenerate")
    for run in running.exclude(worker__in=busy).order_by("started_at"):
        if run.worker == worker:
            continue  # ours, in another thread
        claimed = Run.objects.filter(pk=run.pk, state=Run.State.RUNNING, worker=run.worker)
        if claimed.update(worker=worker, moved_at=now()):
            return run  # with the name of whoever had it before
    return None


def release_runs(worker: str) -> None:
    """Let go of what a worker of this name had: it was our predecessor, and is dead."""
    Run.objects.filter(state=Run.State.RUNNING, worker=worker).update(worker=f"{worker} (ended)")


class Report:
    """Writes a run's progress into its row, and notices that it shall stop."""

    def __init__(self, run: Run, stopping: threading.Event) -> None:
        self._run = run
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
            Run.objects.filter(pk=self._run.pk).update(moved_at=now(), **values)
            asked = Run.objects.filter(pk=self._run.pk, cancel_requested=True).exists()
        except DatabaseError as error:
            logger.warning("run %s: could not tell its progress: %s", self._run.pk, error)
            return
        if asked and phase != "swap":
            raise RunCancelledError("cancelled")

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
        Run.objects.filter(pk=self._run.pk).update(moved_at=now(), log=self.line(message), **values)


# -- the run ------------------------------------------------------------------------------------
def execute(run: Run, worker: str, stopping: threading.Event) -> None:
    """Carry a run out, whatever becomes of it, and leave its row saying so."""
    report = Report(run, stopping)
    try:
        if run.worker:
            _take_over(run, report)
        _build(run, report)
    except _StoppingError:
        Run.objects.filter(pk=run.pk).update(
            worker="", log=report.line(f"worker {worker} was stopped: waiting for another")
        )
        _end_generation(run, Generation.State.FAILED)
    except RunCancelledError as error:
        _end_generation(run, Generation.State.CANCELLED)
        report.finish(Run.State.CANCELLED, str(error))
    except (ConnectorError, BrokerError, DatabaseError) as error:
        _fail(run, report, error)
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


def _build(run: Run, report: Report) -> None:
    connector = Connector.objects.select_related("cluster").get(pk=run.connector_id)
    group = f"insideout.regenerate.{connector.name}"
    with opened(connector, group) as session:
        before = session.sink.live(connector.name)
        if _swapped_already(run, before):
            _celebrate(run, connector, before, None)
            report.finish(Run.State.SUCCEEDED, "swapped in by a worker that ended right after")
            return
        _begin_generation(run, connector, (before.number if before else 0) + 1)
        built = _regeneration(session, report).run()
        live = session.sink.live(connector.name)
        HistoryView(session.definition, session.sink).follow(live)
    _celebrate(run, connector, live, built)
    report.finish(
        Run.State.SUCCEEDED,
        f"generation {built.number} is live: {built.digest.rows} rows equal to the log",
    )


def _regeneration(session: Session, report: Report) -> Regeneration:
    return Regeneration(
        name=session.connector.name,
        table=session.definition.table,
        topics=session.definition.topics,
        reader=session.reader,
        preparation=session.preparation,
        sink=session.sink,
        progress=report,
        # a copy that starts at a time needs nothing from before it
        compacted=lambda topic: (
            session.definition.start is not None or only_compacted(session.connector, topic)
        ),
    )


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
            state=Connector.State.LIVE, message=""
        )
