"""Taking a whole sample of a cluster: every kind of evidence, one batch into the ledger.

A kind that fails degrades alone: its message is kept, the others go on. A cluster that cannot be
reached fails once, not once a kind; nothing is invented and nothing is lost, for evidence ages by
itself.
"""

import logging
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from django.db import DatabaseError
from django.utils import timezone

from broker.connection import Connection
from broker.errors import BrokerError, BrokerUnavailableError
from broker.observe import Observer
from catalog.actions import connection_of, note_reached, note_unreachable
from catalog.models import Cluster
from lineage import ledger
from lineage.ledger import Naming, Observation
from lineage.models import ProducerName, Sampling
from lineage.sampling.naming import Names
from lineage.sampling.sampler import Sample, Sampler, View
from lineage.sampling.samplers import all_samplers
from lineage.standing import Standing

log = logging.getLogger(__name__)
_SHOWN_PROBLEMS = 5
# what a slip in one kind's code, or a broker's odd answer, comes out as: others go on
DEFECTS = (
    ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError,
    ValueError, struct.error,
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What a sample came to: per kind its observations, and what failed."""

    cluster: str
    at: datetime
    seconds: float
    observations: int
    opened: int
    failed: dict[str, str] = field(default_factory=dict)


class Watch:
    """Watches one cluster: keeps its connections, and what was seen, from sample to sample."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        connection: Connection | None = None,
        samplers: Sequence[Sampler] | None = None,
        timeout: float = 10.0,
    ) -> None:
        """Connect at the first sample; `timeout` (seconds) holds for each request to Kafka."""
        self.cluster = cluster
        self._samplers = list(samplers) if samplers is not None else all_samplers()
        self._observer = Observer(connection or connection_of(cluster), timeout)
        self._memory: dict[str, Any] = {}
        self._names: Names | None = None
        self._standing = Standing()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._observer.close()

    def sample(self, at: datetime | None = None) -> Outcome:
        """Take one sample, and tell the catalog whether the cluster was reached.

        Raises BrokerUnavailableError when no broker answers, BrokerError when none lets us in.
        """
        begun = time.monotonic()
        view = View(self.cluster, self._observer, at or timezone.now(), self._memory)
        runs = [_Run(sampler) for sampler in self._samplers]
        try:
            self._look(view, runs)
        except BrokerError as error:
            note_unreachable(self.cluster, str(error) or error.code)
            for run in runs:
                run.message = str(error)
            # what was seen before it went away is true, and would not be asked for again
            self._record(view, runs)
            raise
        note_reached(self.cluster)
        opened, observations = self._record(view, runs)
        return Outcome(
            cluster=self.cluster.name,
            at=view.at,
            seconds=time.monotonic() - begun,
            observations=observations,
            opened=opened,
            failed={run.sampler.name: run.message for run in runs if run.failed},
        )

    @staticmethod
    def _look(view: View, runs: Sequence["_Run"]) -> None:
        # asked first and once: what every kind needs
        _ = view.layout
        for run in runs:
            run.take(view)

    def _record(self, view: View, runs: Sequence["_Run"]) -> tuple[int, int]:
        """Write what was seen; return how many intervals began, and how many observations."""
        for run in runs:
            if run.failed:
                run.forget(view)
        try:
            names, observations = self._attributed(runs)
            opened = ledger.record(
                self.cluster, observations, view.at, names=names, standing=self._standing
            )
            _note(self.cluster, runs, view.at)
        except DatabaseError:
            # nothing was kept of it: look again as a new process would
            self._memory.clear()
            self._names = None
            raise
        return opened, len(observations)

    def _attributed(self, runs: Sequence["_Run"]) -> tuple[list[Naming], list[Observation]]:
        """Name the producer ids by all that is known now, before anything is written."""
        if self._names is None:
            known = ProducerName.objects.filter(cluster=self.cluster)
            self._names = Names(
                known.values_list("producer_id", "node_kind", "node_name"),
                ledger.bare_writers(self.cluster),
            )
        found = [naming for run in runs for naming in run.result.names]
        observations = [it for run in runs for it in run.result.observations]
        owners = {topic: group for run in runs for topic, group in run.result.owners.items()}
        found += self._names.own(observations, owners)
        return self._names.learn(found), self._names.attribute(observations)


class _Run:
    """One sampler's turn."""

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler
        self.result = Sample()
        self.milliseconds = 0
        self.message = ""
        self.failed = True

    def take(self, view: View) -> None:
        begun = time.monotonic()
        try:
            self.result = self.sampler.sample(view)
        except BrokerUnavailableError:
            raise
        except BrokerError as error:
            needed = ", ".join(self.sampler.permissions)
            self.message = f"{error} (needs {needed})"
            log.warning("%s of %s: %s", self.sampler.name, view.cluster, self.message)
        except DEFECTS as error:
            self.message = f"an error of ours: {type(error).__name__}: {error}"
            log.exception("%s of %s", self.sampler.name, view.cluster)
        else:
            self.failed = False
            self.message = _told(self.result.problems, self.sampler.permissions)
        self.milliseconds = int((time.monotonic() - begun) * 1000)

    def forget(self, view: View) -> None:
        """Forget where the sampler got to: what it read before it failed is not recorded."""
        for key in [it for it in view.memory if it.split()[0] == self.sampler.name]:
            del view.memory[key]


def _told(problems: Any, permissions: Sequence[str]) -> str:
    if not problems:
        return ""
    shown = [f"{name}: {why}" for name, why in sorted(problems.items())[:_SHOWN_PROBLEMS]]
    if len(problems) > len(shown):
        shown.append(f"and {len(problems) - len(shown)} more")
    return f"{'; '.join(shown)} (needs {', '.join(permissions)})"


def _note(cluster: Cluster, runs: Sequence[_Run], at: datetime) -> None:
    """Keep how each kind went; a failure leaves the time of the last success as it was."""
    succeeded = [run for run in runs if not run.failed]
    fields = ["sampled_at", "duration_ms", "observations", "message"]
    for chosen, updated in (
        (succeeded, [*fields, "succeeded_at"]),
        ([run for run in runs if run.failed], fields),
    ):
        Sampling.objects.bulk_create(
            [
                Sampling(
                    cluster=cluster,
                    kind=run.sampler.name,
                    sampled_at=at,
                    succeeded_at=None if run.failed else at,
                    duration_ms=run.milliseconds,
                    observations=len(run.result.observations),
                    message=run.message,
                )
                for run in chosen
            ],
            update_conflicts=True,
            unique_fields=["cluster", "kind"],
            update_fields=updated,
        )
