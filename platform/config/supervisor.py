"""Runs the whole product on one machine: servers, database, programs; and stops it in order.

Everything is a child of this one process. A guardian (config.guardian) holds the same lock and
ends whatever is left should the supervisor itself be killed.
"""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import IO
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, connections

from broker.admin import describe_cluster
from broker.embedded import EmbeddedKafka
from broker.errors import BrokerError
from config import guardian, processes
from config.console import Progress
from config.postgres import EmbeddedPostgres, EmbeddedPostgresError
from config.processes import Child, Program

_READY_SECONDS = 60.0
_TOPICS_SECONDS = 30.0
# a little longer than the programs give themselves
_CLIENT_SECONDS = 5.0
_WEB_SECONDS = 3.0
_LOCK_SECONDS = 12.0
_LOOK_SECONDS = 0.25


class RunError(Exception):
    """Why the product cannot run, in one line."""


def claim_port(host: str, port: int) -> None:
    """Raise RunError unless the web server may listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise RunError(
                f"port {port} of {host} cannot be used: {reason}; choose another with PORT=…"
            ) from None


def reach_database() -> None:
    """Raise RunError, which tells what to set, unless the product's own database answers."""
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        known = connection.settings_dict
        server = f"{known['HOST'] or 'localhost'}:{known['PORT'] or 5432}/"
        where = f"{server if connection.vendor == 'postgresql' else ''}{known['NAME']}"
        said = " ".join(str(error).split())
        raise RunError(f"no database at {where}, which DATABASE_URL names: {said}") from error


class Supervisor:
    """One run of the product over the folder VAR_DIR."""

    def __init__(self) -> None:
        self.folder: Path = settings.VAR_DIR
        self.url = f"http://localhost:{settings.PORT}/"
        self._say = Progress()
        self._children: list[Child] = []
        self._kafka: EmbeddedKafka | None = None
        self._postgres: EmbeddedPostgres | None = None
        self._guardian: subprocess.Popen[str] | None = None
        self._groups: set[int] = set()
        self._environment = dict(os.environ)
        self._signals = 0

    def run(self) -> None:
        """Start everything, watch it until a signal comes, stop everything.

        Raises RunError when it cannot start.
        """
        lock = self._lock()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._take_signal)
        try:
            self._start_guardian(lock)
            self._start_all()
            self._watch()
        except (_StopRequested, KeyboardInterrupt):
            pass
        except (BrokerError, EmbeddedPostgresError, DatabaseError, CommandError) as error:
            raise RunError(" ".join(str(error).split()) or type(error).__name__) from error
        finally:
            self._stop_all()
            lock.close()

    # -- start ----------------------------------------------------------------------------------

    def _start_all(self) -> None:
        claim_port(settings.HOST, settings.PORT)
        self._prepare_environment()
        reach_database()
        self._launch_kafka()
        self._migrate()
        if settings.DEMO:
            self._start_postgres()
        bootstrap_servers = self._await_kafka()
        self._environment["KAFKA_BOOTSTRAP_SERVERS"] = bootstrap_servers
        self._declare(bootstrap_servers)
        web = self._add(processes.web(settings.PORT, settings.WEB_WORKERS))
        self._await_ready(web)
        self._say.announce(self.url)
        for program in self._programs():
            self._add(program)
        self._say.done("programs", ", ".join(child.name for child in self._children))

    def _programs(self) -> list[Program]:
        programs = processes.background(self.folder / "jobs")
        return [*(processes.demo() if settings.DEMO else []), *programs]

    def _lock(self) -> IO[str]:
        """Hold VAR_DIR for this run alone; wait while the remains of a killed run end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = (self.folder / "run.lock").open("a+")
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                self._refuse_second(file, deadline)
                time.sleep(0.2)
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()} {self.url}")
        file.flush()
        return file

    def _refuse_second(self, file: IO[str], deadline: float) -> None:
        file.seek(0)
        pid, _, url = file.read().partition(" ")
        if pid.isdigit() and not Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            self._say.doing("lock", "the run before was killed; waiting for its remains to end")
            return
        raise RunError(
            f"insideout already runs on {self.folder} (process {pid or '?'}, {url or '?'}); "
            "stop it, or choose another folder with VAR_DIR=…"
        )

    def _start_guardian(self, lock: IO[str]) -> None:
        self._guardian = subprocess.Popen(
            [sys.executable, "-I", "-S", str(guardian.__file__)],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # the lock is given back when both have ended
            pass_fds=[lock.fileno()],
        )

    def _prepare_environment(self) -> None:
        (self.folder / "jobs").mkdir(parents=True, exist_ok=True)
        self._environment |= {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONUNBUFFERED": "1",
            "VAR_DIR": str(self.folder),
            "PORT": str(settings.PORT),
            "DATABASE_URL": settings.DATABASE_URL,
            "SCHEMA_REGISTRY_URL": self._own_address(),
        }
        for name in ("NO_PROXY", "no_proxy"):
            given = self._environment.get(name, "")
            self._environment[name] = ",".join(filter(None, [given, "localhost", "127.0.0.1"]))

    def _own_address(self) -> str:
        """Return where our programs reach the web server."""
        everywhere = settings.HOST in {"0.0.0.0", "::"}  # noqa: S104  (compared, not bound)
        host = "127.0.0.1" if everywhere else settings.HOST
        return (
            f"http://[{host}]:{settings.PORT}" if ":" in host else f"http://{host}:{settings.PORT}"
        )

    def _launch_kafka(self) -> None:
        if settings.KAFKA_BOOTSTRAP_SERVERS:
            return
        self._kafka = EmbeddedKafka(self.folder / "kafka")
        self._kafka.launch(self._reporter("kafka"))
        self._guard(self._kafka.pid)

    def _await_kafka(self) -> str:
        """Return the bootstrap servers once the cluster answers."""
        given: str = settings.KAFKA_BOOTSTRAP_SERVERS
        if self._kafka is None:
            from catalog.actions import connection_to

            self._say.doing("kafka", f"reaching {given}")
            described = describe_cluster(connection_to(given))
            self._say.done("kafka", f"{given} ({len(described.brokers)} brokers)")
            return given
        self._kafka.await_ready(self._reporter("kafka"))
        servers = self._kafka.connection.bootstrap_servers
        self._say.done("kafka", f"Apache Kafka at {servers}")
        return servers

    def _migrate(self) -> None:
        self._say.doing("database", "applying migrations")
        call_command("migrate", verbosity=0, interactive=False)
        self._say.done("database", connection.vendor)

    def _start_postgres(self) -> None:
        """Start the database that one of the worked example's copies lives in."""
        if "COPIES_POSTGRES_URL" in os.environ:
            return
        self._postgres = EmbeddedPostgres(self.folder / "postgres")
        self._postgres.start(self._reporter("postgres"))
        self._guard(self._postgres.pid)
        url = self._postgres.ensure_database("copies")
        self._environment["COPIES_POSTGRES_URL"] = url
        place = f"127.0.0.1:{urlsplit(url).port}, password in {self.folder / 'postgres/password'}"
        self._say.done(
            "postgres", f"PostgreSQL for copies at {place}, process {self._postgres.pid}"
        )

    def _declare(self, bootstrap_servers: str) -> None:
        """Write the cluster, and the worked example's declarations, into the catalog."""
        # the catalog's models exist only once Django is set up
        from catalog import actions, declaration
        from catalog.errors import CatalogError

        # a declaration may name these variables; it is read in this process
        os.environ.update(self._environment)
        cluster = actions.ensure_cluster(settings.KAFKA_CLUSTER_NAME, bootstrap_servers)
        if settings.DEMO:
            file = settings.BASE_DIR / "examples" / "shop" / "catalog.yaml"
            self._say.doing("catalog", f"applying {file}")
            try:
                changes = actions.apply(declaration.read(file))
            except CatalogError as error:
                raise RunError(f"{file} cannot be applied: {error}") from error
            made = sum(change.action != "unchanged" for change in changes)
            self._say.done("catalog", f"the worked example, {made} changes")
            self._make_topics()
        # so that the first page shows what is there, and not what is to be read in 15 s
        actions.synchronise(cluster)
        connections.close_all()

    def _make_topics(self) -> None:
        self._say.doing("topics", "making those of the worked example")
        child = Child(processes.demo_topics(), self.folder / "log", self._environment)
        if not child.run_to_end(settings.BASE_DIR, _TOPICS_SECONDS):
            raise RunError(f"the topics could not be made: {child.last_words() or child.log}")

    def _await_ready(self, web: Child) -> None:
        self._say.doing("web", "starting")
        deadline = time.monotonic() + _READY_SECONDS
        address = f"{self._own_address()}/health/ready"
        while time.monotonic() < deadline:
            self._raise_if_asked()
            if web.notice_end() is not None:
                break
            if _answers(address):
                return
            time.sleep(0.1)
        raise RunError(f"the web server did not become ready; see {web.log}")

    # -- watch ----------------------------------------------------------------------------------

    def _watch(self) -> None:
        while True:
            self._raise_if_asked()
            self._restart_servers()
            for child in self._children:
                self._look_after(child)
            time.sleep(_LOOK_SECONDS)

    def _look_after(self, child: Child) -> None:
        group = child.pid
        status = child.notice_end()
        if status is not None:
            self._unguard(group)
            self._say.warn(
                child.name,
                f"ended ({_describe_status(status)}); again in {child.pause:.1f} s; {child.log}",
            )
        elif child.is_due():
            self._guard(child.start(settings.BASE_DIR))
            self._say.done(child.name, "started again")
        child.rotate_log()

    def _restart_servers(self) -> None:
        """Start an embedded server again that ended by itself; its clients reconnect."""
        servers: list[tuple[str, EmbeddedKafka | EmbeddedPostgres | None]]
        servers = [("kafka", self._kafka), ("postgres", self._postgres)]
        for name, server in servers:
            if server is not None and server.pid is None:
                self._say.warn(name, "ended; starting it again")
                server.start(self._reporter(name))
                self._guard(server.pid)
                self._say.done(name, "started again")

    # -- stop -----------------------------------------------------------------------------------

    def _stop_all(self) -> None:
        """Stop clients, then what they call, so that each can still say goodbye."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._kill_all)
        started = bool(self._children or self._kafka)
        if started:
            self._say.doing("stopping", "programs")
        web, others = self._children[:1], self._children[1:]
        self._end(others, _CLIENT_SECONDS)
        self._end(web, _WEB_SECONDS)
        for server in (self._postgres, self._kafka):
            if server is not None:
                server.stop()
        self._dismiss_guardian()
        self._say.clear()
        if started:
            self._say.done("stopped", "everything")

    def _end(self, children: Sequence[Child], seconds: float) -> None:
        for child in children:
            child.ask_to_end()
        deadline = time.monotonic() + seconds
        for child in children:
            child.await_end(deadline)

    def _dismiss_guardian(self) -> None:
        for group in list(self._groups):
            self._unguard(group)
        if self._guardian is not None and self._guardian.stdin is not None:
            self._guardian.stdin.close()
            self._guardian.wait()

    def _kill_all(self, _number: int, _frame: FrameType | None) -> None:
        """Take a second signal: end without waiting; the guardian ends the rest."""
        os._exit(1)

    def _take_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        raise _StopRequested

    def _raise_if_asked(self) -> None:
        if self._signals:
            raise _StopRequested

    # -- children -------------------------------------------------------------------------------

    def _add(self, program: Program) -> Child:
        child = Child(program, self.folder / "log", self._environment)
        self._children.append(child)
        self._guard(child.start(settings.BASE_DIR))
        return child

    def _guard(self, group: int | None) -> None:
        self._tell_guardian("+", group)

    def _unguard(self, group: int | None) -> None:
        self._tell_guardian("-", group)

    def _tell_guardian(self, sign: str, group: int | None) -> None:
        if group is None or self._guardian is None or self._guardian.stdin is None:
            return
        if sign == "+":
            self._groups.add(group)
        else:
            self._groups.discard(group)
        self._guardian.stdin.write(f"{sign}{group}\n")
        self._guardian.stdin.flush()

    def _reporter(self, name: str) -> Callable[[str], None]:
        return lambda message: self._say.doing(name, message)


class _StopRequested(BaseException):
    """A signal asked for the end."""


def _answers(address: str) -> bool:
    # our own address is never behind the machine's proxy
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _describe_status(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    return signal.Signals(-status).name
