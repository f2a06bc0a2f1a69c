"""`manage.py apply FILE…`: bring the catalog to what files declare, and say what changed."""

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.actions import Change, apply
from catalog.declaration import read
from catalog.errors import DeclarationInvalidError


class Command(BaseCommand):
    """Reads, checks and applies declarations; all of them or, with a complaint, none."""

    help = (
        "Apply catalog files: clusters, contexts, services, topics, connectors. All files are one "
        "declaration, applied whole or not at all; what they do not name stays as it is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take files, folders and `--dry-run`."""
        parser.add_argument(
            "paths", nargs="+", type=Path, metavar="FILE", help="a YAML file, or a folder of them"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="check, and say what would change; write nothing"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Apply, and print one line a change and a count of each outcome."""
        try:
            changes = apply(read(*options["paths"]), dry_run=options["dry_run"])
        except DeclarationInvalidError as error:
            raise CommandError(f"{error}\nnothing was applied") from None
        for change in changes:
            if change.action != "unchanged":
                self.stdout.write(_line(change))
        counts = Counter[str](change.action for change in changes)
        words = ("created", "changed", "unchanged")
        total = ", ".join(f"{counts[word]} {word}" for word in words)
        self.stdout.write(f"{total}{' (dry run: nothing was written)' * options['dry_run']}")


def _line(change: Change) -> str:
    fields = "; ".join(str(field) for field in change.fields)
    return f"{change.action:<9} {change.kind:<9} {change.name}{': ' * bool(fields)}{fields}"
