"""`manage.py serve`: the web alone, which is a registry by itself."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from config.supervisor import RunError, claim_port


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
            "--host": host,
            "--port": str(port),
            "--workers": str(workers),
            "--blocking-threads": str(settings.WEB_THREADS),
            "--backpressure": str(max(64, settings.WEB_THREADS * 4)),
            "--workers-kill-timeout": "2s",
            "--log-level": "warning",
        }
        arguments = [word for option in options.items() for word in option]
        command = [
            sys.executable,
            "-m",
            "granian",
            *arguments,
            "--no-ws",
            "config.wsgi:application",
        ]
        os.execv(sys.executable, command)  # noqa: S606  (never a shell)
