"""Taking samples: now and once, or again and again until told to stop."""

import logging
import time
from collections.abc import Callable
from threading import Event

from django.conf import settings
from django.db import OperationalError, close_old_connections

from broker.errors import BrokerError
from catalog.actions import ensure_cluster, find_cluster
from catalog.models import Cluster
from lineage.sampling.run import Outcome, Watch

log = logging.getLogger(__name__)
# a broker that hangs is to be noticed, and one that is back as well, within two periods
_LEAST_TIMEOUT, _LONGEST_TIMEOUT = 2.0, 10.0
_PERIODS_BETWEEN_FAILURES = 2
_NOW_TIMEOUT = 5.0


def sample_now(cluster: str | None = None) -> list[Outcome]:
    """Take one sample of a cluster, or of each. Raises BrokerUnavailableError."""
    outcomes = []
    for row in [find_cluster(cluster)] if cluster else clusters():
        with Watch(row, timeout=_NOW_TIMEOUT) as watch:
            outcomes.append(watch.sample())
    return outcomes


def clusters() -> list[Cluster]:
    """Return the clusters to be watched; the one of the settings is made where none is known."""
    if settings.KAFKA_BOOTSTRAP_SERVERS:
        ensure_cluster(settings.KAFKA_CLUSTER_NAME, settings.KAFKA_BOOTSTRAP_SERVERS)
    return list(Cluster.objects.order_by("name"))


class _Turn:
    """A cluster's watch, and when its next sample is due."""

    def __init__(self, cluster: Cluster, period: float) -> None:
        timeout = min(_LONGEST_TIMEOUT, max(_LEAST_TIMEOUT, 0.8 * period))
        self.address = cluster.bootstrap_servers
        self.watch = Watch(cluster, timeout=timeout)
        self.due = 0.0
        self.failed = False

    def take(self, period: float, report: Callable[[str], None]) -> None:
        """Sample; after a failure wait twice as long, for the sake of clusters that do answer."""
        begun = time.monotonic()
        name = self.watch.cluster.name
        try:
            outcome = self.watch.sample()
        except BrokerError as error:
            self._failed(f"{name}: {error}", report)
        except OperationalError as error:
            self._failed(f"{name}: the database refused the sample: {error}", report)
        else:
            if self.failed:
                report(f"{name}: back again")
            self.failed = False
            log.debug("%s: %s", name, outcome)
        self.due = begun + period * (_PERIODS_BETWEEN_FAILURES if self.failed else 1)

    def _failed(self, message: str, report: Callable[[str], None]) -> None:
        if not self.failed:
            report(message)
        self.failed = True


def sample_forever(
    period: float, stop: Event, *, cluster: str | None = None, report: Callable[[str], None]
) -> None:
    """Sample every `period` seconds until `stop` is set; a cluster that is away is waited for."""
    turns: dict[int, _Turn] = {}
    while not stop.is_set():
        close_old_connections()
        _keep(turns, _wanted(cluster, report), period)
        due = [turn for turn in turns.values() if turn.due <= time.monotonic()]
        for turn in due:
            if not stop.is_set():
                turn.take(period, report)
        next_due = min((turn.due for turn in turns.values()), default=time.monotonic() + period)
        stop.wait(max(0.05, min(next_due - time.monotonic(), period)))
    for turn in turns.values():
        turn.watch.close()


def _keep(turns: dict[int, _Turn], rows: list[Cluster], period: float) -> None:
    """Begin to watch clusters that are new, and anew those whose address changed."""
    for row in rows:
        known = turns.get(row.pk)
        if known is not None and known.address != row.bootstrap_servers:
            known.watch.close()
            known = None
        if known is None:
            turns[row.pk] = _Turn(row, period)


def _wanted(cluster: str | None, report: Callable[[str], None]) -> list[Cluster]:
    try:
        return [find_cluster(cluster)] if cluster else clusters()
    except OperationalError as error:
        report(f"the database does not answer: {error}")
        return []
