"""`manage.py registry_import`: bring in a registry from a server, a topic or a folder."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from broker.errors import BrokerError
from registry.management.places import Ticker, add_kafka_arguments, connection_from, read_file
from registry.transfer.apply import Options, import_snapshot
from registry.transfer.entries import Snapshot
from registry.transfer.errors import TransferError
from registry.transfer.folder import read_folder
from registry.transfer.peer import read_peer
from registry.transfer.report import Report
from registry.transfer.session import Session
from registry.transfer.topic import read_topic


class Command(BaseCommand):
    """Reads all of the other registry, then brings it in; status 1 if anything was left out."""

    help = (
        "Bring in subjects, versions, ids, configs and modes of another registry: of a running one "
        "by its URL, of a _schemas topic, or of a folder written by registry_export. Ids and "
        "versions are kept. What is here is never replaced; what differs is told. May be run "
        "again at any time, also after it was interrupted: what is equal is passed over."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take one place to import from, and how."""
        place = parser.add_mutually_exclusive_group(required=True)
        place.add_argument("url", nargs="?", help="address of a registry: https://host:8081")
        place.add_argument("--topic", help="its log in Kafka, usually _schemas")
        place.add_argument("--folder", type=Path, help="a folder written by registry_export")
        parser.add_argument(
            "--credentials",
            type=Path,
            metavar="FILE",
            help="file with user:password or a bearer token for the URL",
        )
        add_kafka_arguments(parser)
        parser.add_argument(
            "--update",
            action="store_true",
            help="take deletions, configs and modes from there where they differ",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would happen; write nothing"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Import; print what somebody has to look at, then the counts."""
        ticker = Ticker(self.stderr)
        how = Options(dry_run=options["dry_run"], update=options["update"])
        try:
            snapshot = self._read(options, ticker)
            report = import_snapshot(
                snapshot, how, lambda done, total: ticker.show("versions compared", done, total)
            )
        except (TransferError, BrokerError) as wrong:
            raise CommandError(str(wrong)) from wrong
        except DatabaseError as wrong:
            raise CommandError(
                f"the database failed: {wrong}\nwhat was brought in stays; run this again"
            ) from wrong
        self._print(snapshot, report, dry_run=how.dry_run)
        if not report.clean:
            sys.exit(1)

    def _read(self, options: dict[str, Any], ticker: Ticker) -> Snapshot:
        if options["folder"]:
            return read_folder(options["folder"])
        if options["topic"]:
            return read_topic(
                connection_from(options),
                options["topic"],
                lambda done, total: ticker.show("records read", done, total),
            )
        credentials = options["credentials"]
        with Session(options["url"], read_file(credentials) if credentials else "") as session:
            return read_peer(session, ticker.show)

    def _print(self, snapshot: Snapshot, report: Report, *, dry_run: bool) -> None:
        for outcome in report.noteworthy:
            self.stdout.write(f"{outcome.kind:<9} {outcome.what}: {outcome.detail}")
        self.stdout.write(
            f"{len(snapshot.versions)} versions, {len(snapshot.configs)} configs, "
            f"{len(snapshot.modes)} modes: {report}{' (dry run: nothing was written)' * dry_run}"
        )
