"""`manage.py serve`: the web alone, which is a registry by itself."""

import os
import resource
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from config import intake
from config.supervisor import RunError, claim_port

_FILES = 8192


class Command(BaseCommand):
    """Serve pages, REST and registry; needs a migrated database and nothing else."""

    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the address, defaulting to the settings."""
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument("--workers", type=int, default=settings.WEB_WORKERS)

    def handle(self, *_args: Any, host: str, port: int, workers: int, **_options: Any) -> None:
        """Become the web server: this process is its parent process from here on."""
        try:
            claim_port(host, port)
        except RunError as error:
            self.stderr.write(f"insideout: {error}", self.style.ERROR)
            sys.exit(1)
        self.stdout.write(f"serving on http://{host}:{port}/")
        self.stdout.flush()
        options = {
            "--interface": "wsgi",
            # a client that says nothing is only timed where the protocol is known beforehand
            "--http": "1",
            "--http1-header-read-timeout": "10000",
            "--host": host,
            "--port": str(port),
            "--workers": str(workers),
            "--blocking-threads": str(intake.THREADS),
            # counts connections, idle ones too: a few hundred clients are an ordinary day
            "--backpressure": str(_allow_connections()),
            "--respawn-interval": "0.5",
            "--workers-kill-timeout": "2s",
            # it warns of many threads, which mostly wait: see config.intake
            "--log-level": "error",
        }
        arguments = [word for option in options.items() for word in option]
        command = [
            sys.executable,
            "-m",
            "granian",
            *arguments,
            "--no-ws",
            "--respawn-failed-workers",
            "config.web:application",
        ]
        os.execv(sys.executable, command)  # noqa: S606  (never a shell)


def _allow_connections() -> int:
    """How many connections a worker holds at once, once it may open as many files as it can."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted // 2
