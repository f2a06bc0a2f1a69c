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
_LONGEST_BACKOFF = 15.0
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

    def __init__(self, cluster: Cluster) -> None:
        self.address = cluster.bootstrap_servers
        self.watch = Watch(cluster)
        self.due = 0.0
        self.failures = 0

    def take(self, period: float, report: Callable[[str], None]) -> None:
        """Sample; after failures wait twice as long each time, up to a quarter of one minute."""
        begun = time.monotonic()
        name = self.watch.cluster.name
        try:
            outcome = self.watch.sample()
        except BrokerError as error:
            self._failed(f"{name}: {error}", report)
        except OperationalError as error:
            self._failed(f"{name}: the database refused the sample: {error}", report)
        else:
            if self.failures:
                report(f"{name}: back again")
            self.failures = 0
            log.debug("%s: %s", name, outcome)
        wait = period * 2**self.failures if self.failures else period
        self.due = begun + min(wait, max(_LONGEST_BACKOFF, period))

    def _failed(self, message: str, report: Callable[[str], None]) -> None:
        if not self.failures:
            report(message)
        self.failures = min(self.failures + 1, 10)


def sample_forever(
    period: float, stop: Event, *, cluster: str | None = None, report: Callable[[str], None]
) -> None:
    """Sample every `period` seconds until `stop` is set; a cluster that is away is waited for."""
    turns: dict[int, _Turn] = {}
    while not stop.is_set():
        close_old_connections()
        _keep(turns, _wanted(cluster, report))
        due = [turn for turn in turns.values() if turn.due <= time.monotonic()]
        for turn in due:
            if not stop.is_set():
                turn.take(period, report)
        next_due = min((turn.due for turn in turns.values()), default=time.monotonic() + period)
        stop.wait(max(0.05, min(next_due - time.monotonic(), period)))
    for turn in turns.values():
        turn.watch.close()


def _keep(turns: dict[int, _Turn], rows: list[Cluster]) -> None:
    """Begin to watch clusters that are new, and anew those whose address changed."""
    for row in rows:
        known = turns.get(row.pk)
        if known is not None and known.address != row.bootstrap_servers:
            known.watch.close()
            known = None
        if known is None:
            turns[row.pk] = _Turn(row)


def _wanted(cluster: str | None, report: Callable[[str], None]) -> list[Cluster]:
    try:
        return [find_cluster(cluster)] if cluster else clusters()
    except OperationalError as error:
        report(f"the database does not answer: {error}")
        return []
