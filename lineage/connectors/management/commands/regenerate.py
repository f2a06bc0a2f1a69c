"""`manage.py regenerate NAME`: short for `manage.py connectors regenerate NAME`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lineage.connectors import actions
from lineage.connectors.errors import ConnectorError
from lineage.connectors.management.following import follow
from lineage.connectors.models import Run


class Command(BaseCommand):
    """Regenerates one copy; exit code 1 unless the new generation is live."""

    help = "Build a copy anew from the log, prove it, and swap it in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the connector's name."""
        parser.add_argument("name", help="the connector")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Ask for a run and follow it; Ctrl-C cancels it."""
        try:
            run = actions.regenerate(options["name"])
        except ConnectorError as error:
            raise CommandError(str(error)) from error
        run = follow(run)
        if run.state != Run.State.SUCCEEDED:
            raise CommandError(f"{run.state}: {run.message}")
        self.stdout.write(run.message)
