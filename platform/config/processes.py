"""The programs that make up the running product, and one of them as a supervised child."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from itertools import pairwise
from pathlib import Path

from broker.lifeline import tied

_LOG_BYTES = 10 * 1024 * 1024
_KEPT_LOGS = 3
_STEADY_SECONDS = 30.0
_LONGEST_PAUSE = 30.0


@dataclass(frozen=True)
class Program:
    """A program by name, its command, and what it finds in its environment beside ours."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def manage(name: str, *arguments: str) -> Program:
    """Return the program `manage.py ARGUMENTS`."""
    from django.conf import settings

    return Program(name, (sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments))


def celery(name: str, *arguments: str) -> Program:
    """Return the program `celery -A config ARGUMENTS`."""
    return Program(name, (sys.executable, "-m", "celery", "-A", "config", *arguments))


def web(port: int, workers: int) -> Program:
    """Return the web server."""
    return manage("web", "serve", "--port", str(port), "--workers", str(workers))


def background(jobs: Path) -> list[Program]:
    """Return what works beside the web: jobs, their schedule, the sampler, the connectors.

    One job at a time, in the worker's own process: jobs start long work, they do not do it.
    """
    quiet = ("--loglevel", "INFO")
    mute = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    schedule = ("--schedule", str(jobs / "beat"), "--pidfile", "")
    return [
        celery("worker", "worker", "--pool", "solo", *mute, *quiet),
        celery("beat", "beat", *schedule, *quiet),
        manage("sampler", "sample"),
        manage("connectors", "connectors", "run"),
    ]


def demo() -> list[Program]:
    """Return the services of the worked example, one process each.

    They are no part of the product, so they are named by themselves and not imported by it.
    """
    listed = import_module("examples.shop.processes").PROCESSES
    return [
        Program(f"shop-{service.name}", (sys.executable, "-m", service.module))
        for service in listed
    ]


def demo_topics() -> Program:
    """Return the program that makes the worked example's topics, and ends."""
    return Program("shop-topics", (sys.executable, "-m", "examples.shop.topics"))


class Child:
    """One program kept running: its log, its restarts, its end.

    The log is a plain file that the program appends to, rotated by copy, so that nothing stands
    between the program and its last words.
    """

    def __init__(self, program: Program, logs: Path, environment: Mapping[str, str]) -> None:
        self.program = program
        self.log = logs / f"{program.name}.log"
        self._environment = {**environment, **program.environment}
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = 0.0
        self._failures = 0
        self.pause_until = 0.0

    @property
    def name(self) -> str:
        """The program's name."""
        return self.program.name

    @property
    def pid(self) -> int | None:
        """Its process and process group, from start until its end was noticed."""
        return self._process.pid if self._process is not None else None

    def start(self, folder: Path) -> int:
        """Start it in a process group of its own; return that group."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                tied(self.program.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=dict(self._environment),
                # a Ctrl-C in the terminal reaches the supervisor alone, which stops in order
                start_new_session=True,
            )
        self._begun = time.monotonic()
        return self._process.pid

    def notice_end(self) -> int | None:
        """Return the exit status if it ended since the last look, and plan its restart.

        The pause doubles with each failure in a row, from half a second to half a minute.
        """
        if self._process is None or (status := self._process.poll()) is None:
            return None
        self.signal_group(signal.SIGKILL)
        self._process = None
        if time.monotonic() - self._begun > _STEADY_SECONDS:
            self._failures = 0
        pause = min(0.5 * 2**self._failures, _LONGEST_PAUSE)
        self._failures += 1
        self.pause_until = time.monotonic() + pause
        return status

    def is_due(self) -> bool:
        """Whether it ended, and its pause as well."""
        return self._process is None and time.monotonic() >= self.pause_until

    @property
    def pause(self) -> float:
        """Seconds until it is started again."""
        return max(0.0, self.pause_until - time.monotonic())

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to everything it started."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def run_to_end(self, folder: Path, timeout: float) -> bool:
        """Start it, wait for its own end; return whether it succeeded in time (seconds)."""
        self.start(folder)
        try:
            return self._process is not None and self._process.wait(timeout) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            self.await_end(time.monotonic())

    def ask_to_end(self) -> None:
        """Send SIGTERM to the program itself, which ends its own children."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def await_end(self, deadline: float) -> None:
        """Wait until the deadline (monotonic seconds), then kill what is left of it."""
        if self._process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, deadline - time.monotonic()))
        self.signal_group(signal.SIGKILL)
        self._process.wait()
        self._process = None

    def rotate_log(self) -> None:
        """Keep the log under 10 MB, with three older parts beside it."""
        if not self.log.exists() or self.log.stat().st_size < _LOG_BYTES:
            return
        parts = [self.log.with_suffix(f".log.{number}") for number in range(1, _KEPT_LOGS + 1)]
        for newer, older in reversed(list(pairwise(parts))):
            if newer.exists():
                newer.replace(older)
        parts[0].write_bytes(self.log.read_bytes())
        os.truncate(self.log, 0)

    def last_words(self) -> str:
        """Return the last line of its log."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 4096))
            lines = log.read().decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""
