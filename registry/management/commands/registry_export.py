"""`manage.py registry_export`: write this registry to a topic or a folder."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from broker.errors import BrokerError
from registry.management.places import Ticker, add_kafka_arguments, connection_from
from registry.transfer.errors import TransferError
from registry.transfer.folder import write_folder
from registry.transfer.store import read_store
from registry.transfer.topic import write_topic


class Command(BaseCommand):
    """Writes every context, version, config and mode to one place."""

    help = (
        "Write all of this registry: to a _schemas topic that Confluent's registry and Karapace "
        "replay to the same ids, or to a folder with a file for each version."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take one place to export to, and how."""
        place = parser.add_mutually_exclusive_group(required=True)
        place.add_argument("--topic", help="the log to write, usually _schemas; made if missing")
        place.add_argument("--folder", type=Path, help="an empty folder, or one exported before")
        add_kafka_arguments(parser)
        parser.add_argument(
            "--append", action="store_true", help="write behind what the topic already holds"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Export, and print what was written."""
        ticker = Ticker(self.stderr)
        snapshot = read_store(lambda count: ticker.show("versions read", count))
        try:
            if options["folder"]:
                written = f"{write_folder(options['folder'], snapshot)} files"
            else:
                connection = connection_from(options)
                topic, append = options["topic"], options["append"]
                count = write_topic(connection, topic, snapshot, append=append)
                written = f"{count} records"
        except (TransferError, BrokerError) as wrong:
            raise CommandError(str(wrong)) from wrong
        except OSError as wrong:
            raise CommandError(f"{wrong.filename}: {wrong.strerror}") from wrong
        self.stdout.write(
            f"{len(snapshot.versions)} versions, {len(snapshot.configs)} configs, "
            f"{len(snapshot.modes)} modes: {written} written"
        )
