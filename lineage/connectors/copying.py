"""Copy one connector live, in a thread: through outages, until stopped; and say how it stands."""

import logging
import threading
import time
from collections import deque
from datetime import UTC, datetime

from django.db import DatabaseError, close_old_connections, connection, transaction

from broker.consume import OffsetGoneError
from broker.errors import BrokerError
from lineage import ledger
from lineage.connectors.engine import LiveEngine
from lineage.connectors.errors import (
    ConnectorError,
    DefinitionInvalidError,
    FencedError,
    LogIncompleteError,
    SchemaChangedError,
    SinkMismatchError,
    TargetInvalidError,
    TargetUnsetError,
    TopicRecreatedError,
)
from lineage.connectors.evolving import rebuilding, regenerate_into
from lineage.connectors.history import HistoryView
from lineage.connectors.models import Connector, Generation
from lineage.connectors.sessions import GROUP_PREFIX, Session, check_topics, live_engine, opened
from lineage.connectors.sinks.contract import Live, retired_of

_POLL_SECONDS = 0.2
_TELL_SECONDS = 2.0
_LEDGER_SECONDS = 10.0
_COUNT_SECONDS = 5.0
_TOPIC_SECONDS = 15.0
_SILENCE_SECONDS = 5.0
# the rate at which the lag falls is that of so many measurements
_LAGS_KEPT = 8
# counting rows may take this share of the time
_COUNT_SHARE = 0.02
# so many times as long as word was waited for in vain, none is left
_BUSY_TIMES = 5
_LONGEST_SILENCE = 60.0
_SHORTEST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0

# nothing that waiting mends
_FINAL = (
    DefinitionInvalidError,
    LogIncompleteError,
    OffsetGoneError,
    SinkMismatchError,
    TargetInvalidError,
    TopicRecreatedError,
)

logger = logging.getLogger(__name__)


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


class Copier(threading.Thread):
    """Keeps one copy live until stopped; what no waiting mends stops the connector."""

    def __init__(self, connector: Connector, worker: str) -> None:
        super().__init__(name=f"copy-{connector.name}", daemon=True)
        self._connector = connector
        self._worker = worker
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ask to finish the batch at hand and end."""
        self._stopping.set()

    def run(self) -> None:
        """Copy; after an outage open everything again, pausing longer each time."""
        pause = _SHORTEST_PAUSE
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                close_old_connections()
                self._copy()
            except TargetUnsetError as error:
                # set for the worker that is started next, maybe
                pause = self._wait(error, pause)
            except SchemaChangedError as error:
                # the copy that is there stays readable until the one of the new shape is built
                if not regenerate_into(self._connector, error):
                    self._halt(error)
                    break
                self._await_rebuild(error)
            except _FINAL as error:
                self._halt(error)
                break
            except (FencedError, BrokerError, ConnectorError, DatabaseError) as error:
                if time.monotonic() - began > 60:
                    pause = _SHORTEST_PAUSE
                pause = self._wait(error, pause)
        connection.close()

    def _wait(self, error: Exception, pause: float) -> float:
        """Say what keeps us from copying, and wait; returns how long to wait the next time."""
        self._say(error)
        self._stopping.wait(pause)
        return min(2 * pause, _LONGEST_PAUSE)

    def _await_rebuild(self, error: Exception) -> None:
        """Leave the copy as it is until its next generation is built, or the build has ended."""
        self._tell(message=f"{error}: being rebuilt", rows_per_second=None, retrying=True)
        while not self._stopping.wait(_SHORTEST_PAUSE) and rebuilding(self._connector):
            close_old_connections()

    def _say(self, error: Exception) -> None:
        self._tell(
            message=f"{error} (trying again)",
            trouble=getattr(error, "code", ""),
            rows_per_second=None,
            level_in_seconds=None,
            retrying=True,
        )

    def _halt(self, error: Exception) -> None:
        if isinstance(error, TargetInvalidError | DefinitionInvalidError):
            hint = ": declare it otherwise"
        else:
            hint = "" if "regenerate" in str(error) else ": regenerate"
        logger.error("%s stopped: %s", self._connector.name, error)
        # a pause, or a new declaration, that came meanwhile is kept
        Connector.objects.filter(pk=self._connector.pk, state=Connector.State.LIVE).update(
            state=Connector.State.STOPPED,
            message=f"{error}{hint}",
            trouble=getattr(error, "code", ""),
            rows_per_second=None,
            level_in_seconds=None,
        )

    def _tell(self, **values: object) -> bool:
        """Leave word for pages; a busy database is no reason to stop copying."""
        try:
            Connector.objects.filter(pk=self._connector.pk).update(**values)
        except DatabaseError as error:
            logger.warning("%s: could not leave word: %s", self._connector.name, error)
            return False
        return True

    def _record(self, account: "Account") -> bool:
        """Note generation and edge; what could not be noted is noted the next time."""
        try:
            account.record()
        except DatabaseError as error:
            logger.warning("%s: could not leave word: %s", self._connector.name, error)
            return False
        return True

    def _copy(self) -> None:
        name = self._connector.name
        instance = f"{self._worker}.{name}"
        with opened(self._connector, GROUP_PREFIX + name, instance) as session:
            try:
                self._follow(session)
            except (BrokerError, ConnectorError, DatabaseError) as error:
                if not isinstance(error, (*_FINAL, SchemaChangedError)):
                    self._say(error)  # at once: to leave a silent Kafka takes a minute
                raise

    def _follow(self, session: Session) -> None:
        engine = live_engine(session)
        account = Account(session, engine)
        history = HistoryView(session.definition, session.sink)
        while not self._stopping.is_set():
            step = engine.step(_POLL_SECONDS)
            history.follow(engine.live)
            account.add(step.records)
            if account.due():
                began = time.monotonic()
                if not (self._tell(**account.balance()) and self._record(account)):
                    # it waited for a lock that somebody, frozen maybe, holds: copy meanwhile
                    waited = time.monotonic() - began
                    account.put_off(min(_LONGEST_SILENCE, _BUSY_TIMES * waited))
                account.check_topics()
        session.reader.commit(wait=True)


class Account:
    """Measures a session: lag, rate, rows; commits offsets for Kafka's tools to see."""

    def __init__(self, session: Session, engine: LiveEngine) -> None:
        self._session = session
        self._engine = engine
        self._records = 0
        self._since = time.monotonic()
        self._counted = 0.0
        self._count_pause = 0.0
        self._recorded = 0.0
        self._not_before = 0.0
        self._checked = self._heard = time.monotonic()
        self._generation = 0
        self._lags: deque[tuple[float, int]] = deque(maxlen=_LAGS_KEPT)
        self._worst = session.connector.lag_at_worst or 0

    def add(self, records: int) -> None:
        """Count records copied."""
        self._records += records
        if records:
            self._heard = time.monotonic()

    def _hear(self) -> None:
        """Ask Kafka something after a silence: a wire that was cut looks like a log at rest.

        Raises BrokerError where no answer comes.
        """
        partition = next(iter(self._session.reader.positions), None)
        if partition is not None and time.monotonic() - self._heard > _SILENCE_SECONDS:
            self._session.reader.watermarks(partition, _SILENCE_SECONDS)
            self._heard = time.monotonic()

    def due(self) -> bool:
        """Whether it is time to tell again."""
        return time.monotonic() >= max(self._since + _TELL_SECONDS, self._not_before)

    def put_off(self, seconds: float) -> None:
        """Tell nothing for a while."""
        self._not_before = time.monotonic() + seconds

    def balance(self) -> dict[str, object]:
        """Return what there is to tell since the last time."""
        self._hear()
        reader = self._session.reader
        seconds, self._since = time.monotonic() - self._since, time.monotonic()
        rate, self._records = self._records / seconds, 0
        reader.commit()
        values: dict[str, object] = {
            "rows_per_second": round(rate, 1),
            "retrying": False,
            "message": f"Kafka: {reader.trouble}" if reader.trouble else "",
            "trouble": "broker-unavailable" if reader.trouble else "",
        }
        if reader.trouble:
            return values
        values |= {**self._behind(self._lag()), "measured_at": now()}
        if time.monotonic() - self._counted > self._count_pause:
            began = time.monotonic()
            values["rows"] = self._session.sink.count(self._engine.live.table)
            self._counted = time.monotonic()
            self._count_pause = max(_COUNT_SECONDS, (self._counted - began) / _COUNT_SHARE)
        return values

    def _behind(self, lag: int | None) -> dict[str, object]:
        """Tell the lag, the worst since it was level, and how long it will take at this rate."""
        if lag is None:
            return {"lag": None, "level_in_seconds": None}
        self._worst = max(lag, self._worst) if lag else 0
        self._lags.append((time.monotonic(), lag))
        (then, before), (at, _) = self._lags[0], self._lags[-1]
        falls = (before - lag) / (at - then) if at > then else 0.0
        left = lag / falls if lag and falls > 0 else None
        return {"lag": lag, "lag_at_worst": self._worst, "level_in_seconds": left}

    def check_topics(self) -> None:
        """Look now and then whether the topics are still those that the copy was begun with."""
        if time.monotonic() - self._checked < _TOPIC_SECONDS:
            return
        self._checked = time.monotonic()
        try:
            check_topics(self._session.connector, self._session.definition.topics)
        except BrokerError as error:
            logger.info("%s: topics not looked at: %s", self._session.connector.name, error)

    def _lag(self) -> int | None:
        """Add up what we own, and what other workers do as far as the target tells."""
        reader = self._session.reader
        lag = reader.lag()
        if lag is None:
            return None
        for partition, position in self._session.sink.positions(
            self._session.connector.name
        ).items():
            if partition not in reader.positions:
                low, high = reader.watermarks(partition)
                lag += max(0, high - max(position.next, low))
        return lag

    def record(self) -> None:
        """Note the live generation, and the edge from topic to copy in the ledger."""
        connector = self._session.connector
        live = self._engine.live
        if live.number and live.number != self._generation:
            note_generation(connector, live)
            self._generation = live.number
        if not self._session.reader.positions or (
            time.monotonic() - self._recorded < _LEDGER_SECONDS
        ):
            return
        self._recorded = time.monotonic()
        context = connector.context.name if connector.context else None
        detail = {"table": live.table, "generation": live.number, "context": context}
        ledger.record(
            connector.cluster,
            [
                ledger.Observation(
                    "topic", topic, "copy", connector.name, "connector", now(), detail
                )
                for topic in self._session.definition.topics
            ],
            now(),
        )


def note_generation(connector: Connector, live: Live) -> None:
    """Make our record of generations say what the target says."""
    with transaction.atomic():
        others = Generation.objects.filter(connector=connector).exclude(number=live.number)
        for replaced in others.filter(state=Generation.State.LIVE):
            replaced.state = Generation.State.RETIRED
            replaced.retired_at = now()
            assert replaced.number is not None  # else it is as of a time, and never live
            if replaced.number < live.number:  # otherwise it lies in another target, as it was
                replaced.table = retired_of(replaced.table, replaced.number)
            replaced.save(update_fields=["state", "retired_at", "table"])
        # a swap keeps the table that it replaced, and drops the one before
        gone = others.filter(state=Generation.State.RETIRED, number__lt=live.number - 1)
        gone.filter(dropped_at=None).update(dropped_at=now())
        generation, _ = Generation.objects.get_or_create(
            connector=connector, number=live.number, defaults={"table": live.table}
        )
        if generation.state != Generation.State.LIVE:
            generation.state = Generation.State.LIVE
            generation.live_at = generation.live_at or now()
            generation.dropped_at = None
            generation.save(update_fields=["state", "live_at", "dropped_at"])
