"""The connectors worker: a thread for each live connector, one for each run, and a heartbeat."""

import fcntl
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, close_old_connections

from lineage.connectors.actions import kept_here
from lineage.connectors.building import execute, release_runs, take_run
from lineage.connectors.copying import Copier, now
from lineage.connectors.models import Connector, Run, Worker

_LOOK_SECONDS = 0.5
_STOP_SECONDS = 20.0

logger = logging.getLogger(__name__)


@contextmanager
def worker_name() -> Iterator[str]:
    """Take the first free name of this host, `host-1`, `host-2` …, for as long as we live.

    The name makes us a static member of the consumer groups (KIP-345): whoever is started after
    a kill takes the same name, and with it the dead worker's partitions, without a wait. The
    lock is the kernel's, so that it ends with the process, however that ends.
    """
    folder = Path(settings.VAR_DIR) / "connectors"
    folder.mkdir(parents=True, exist_ok=True)
    host = socket.gethostname()
    slot = 0
    while True:
        slot += 1
        with (folder / f"worker-{slot}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            yield f"{host}-{slot}"
            return


class ConnectorsWorker:
    """Follows what is declared, paused, resumed and asked for, until stopped."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._known = False
        self._stopping = threading.Event()
        self._copiers: dict[int, tuple[Copier, dict[str, object]]] = {}
        self._runs: list[threading.Thread] = []

    def stop(self) -> None:
        """Ask everything to end."""
        self._stopping.set()

    def run(self) -> None:
        """Work until stopped; a database that is away is waited for."""
        try:
            while not self._stopping.is_set():
                try:
                    close_old_connections()
                    self._look()
                except DatabaseError as error:
                    logger.warning("the product's database: %s", error)
                self._stopping.wait(_LOOK_SECONDS)
        finally:
            self._end()

    def _look(self) -> None:
        """Compare what is asked for with what is being done."""
        # reading first: while another process, frozen maybe, holds the lock of a file, we can copy
        self._follow()
        if not self._known:
            release_runs(self._name)
            self._known = True
        self._beat()
        self._take()

    def _beat(self) -> None:
        Worker.objects.update_or_create(
            name=self._name,
            defaults={"seen_at": now(), "pid": os.getpid()},
            create_defaults={"seen_at": now(), "pid": os.getpid(), "started_at": now()},
        )

    # -- copying --------------------------------------------------------------------------------
    def _follow(self) -> None:
        """Start and stop copiers, so that they are those of the connectors that are live."""
        live = {
            connector.pk: connector
            for connector in Connector.objects.filter(state=Connector.State.LIVE).select_related(
                "cluster", "context", "deployment"
            )
            if kept_here(connector)
        }
        for key, (copier, definition) in list(self._copiers.items()):
            if key not in live or live[key].definition != definition:
                copier.stop()
            if not copier.is_alive():
                del self._copiers[key]
        for key, connector in live.items():
            if key not in self._copiers:
                copier = Copier(connector, self._name)
                self._copiers[key] = copier, connector.definition
                copier.start()
                logger.info("copying %s", connector.name)

    # -- runs -------------------------------------------------------------------------------------
    def _take(self) -> None:
        self._runs = [thread for thread in self._runs if thread.is_alive()]
        run = take_run(self._name)
        if run is not None:
            thread = threading.Thread(
                target=execute, args=(run, self._name, self._stopping), name=f"run-{run.pk}"
            )
            self._runs.append(thread)
            thread.start()

    def _end(self) -> None:
        self._stopping.set()
        for copier, _ in self._copiers.values():
            copier.stop()
        for thread in [*(copier for copier, _ in self._copiers.values()), *self._runs]:
            thread.join(_STOP_SECONDS)
        Worker.objects.filter(name=self._name).delete()


def execute_here(run: Run) -> threading.Thread | None:
    """Execute one run in this process; None when another worker has it."""
    name = f"{socket.gethostname()}-command-{os.getpid()}"
    if not Run.objects.filter(pk=run.pk, state=Run.State.RUNNING, worker="").update(worker=name):
        return None
    Worker.objects.create(name=name, pid=os.getpid(), started_at=now(), seen_at=now())

    def work() -> None:
        done = threading.Event()

        def beat() -> None:
            while not done.wait(_LOOK_SECONDS * 4):
                Worker.objects.filter(name=name).update(seen_at=now())

        heart = threading.Thread(target=beat, daemon=True)
        heart.start()
        try:
            execute(run, name, threading.Event())
        finally:
            done.set()
            heart.join()
            Worker.objects.filter(name=name).delete()

    thread = threading.Thread(target=work, name=f"run-{run.pk}")
    thread.start()
    return thread
