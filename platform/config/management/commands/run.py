"""`manage.py run`: the whole product on this machine."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from config.supervisor import RunError, Supervisor


class Command(BaseCommand):
    """Start Kafka, the database, the web, the jobs and the worked example; watch over them."""

    help = __doc__
    requires_system_checks = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run until Ctrl-C or SIGTERM; one line on standard error and status 1 if it cannot."""
        try:
            Supervisor().run()
        except RunError as error:
            self.stderr.write(f"insideout: {error}", self.style.ERROR)
            sys.exit(1)
