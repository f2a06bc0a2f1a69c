"""`manage.py connectors VERB …`: keep copies, and operate them, at a prompt and in scripts.

Exit codes: 0 done, 1 it failed (or what `--fail-on` looks out for is so), 2 it cannot be asked.
"""

import json
import re
import signal
from argparse import ArgumentParser
from collections.abc import Callable
from types import FrameType
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rest_framework.utils.encoders import JSONEncoder
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from lineage.actions import parse_instant
from lineage.connectors import actions
from lineage.connectors.actions import ConnectorView
from lineage.connectors.api import serializers as shapes
from lineage.connectors.audits.models import Audit
from lineage.connectors.errors import ConnectorError
from lineage.connectors.management import judging
from lineage.connectors.management.following import follow
from lineage.connectors.models import Run
from lineage.connectors.worker import ConnectorsWorker, worker_name
from lineage.errors import InstantInvalidError

_PLACE = re.compile(r"(.+)/(\d{1,9})@(\d{1,18})")
_VERBS = {
    "regenerate": "build the copy anew from the log, prove it, swap it in",
    "drop": "drop a table as of a time",
    "rollback": "make the generation before the live one live again",
    "replay": "read records of the quarantine again and merge what can be",
    "pause": "stop copying until resumed; offsets stay in the target",
    "resume": "go on copying",
    "quarantine": "the records that could not be copied, and why",
}
Options = dict[str, Any]


class Command(BaseCommand):
    """Runs connectors, shows them, and does what their pages do."""

    help = "Keep copies live (run), show them (status), regenerate, roll back, pause, mend them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        verbs.add_parser("run", help="keep all declared copies live, until stopped")
        status = verbs.add_parser("status", help="each copy's state, lag and time left")
        status.add_argument("name", nargs="?", help="one connector (default: all)")
        status.add_argument("--json", action="store_true", help="as the REST API answers")
        status.add_argument(
            "--fail-on",
            choices=["stopped", "trouble"],
            help="exit code 1 if a copy is stopped, or is kept from copying by anything",
        )
        for name, meaning in (_VERBS | judging.VERBS).items():
            verb = verbs.add_parser(name, help=meaning, description=meaning.capitalize() + ".")
            verb.add_argument("name", help="the connector")
            verb.add_argument("--json", action="store_true", help="as the REST API answers")
            if name in {"regenerate", "drop", "rollback", "replay"}:
                verb.add_argument(
                    "--no-wait", action="store_true", help="leave the run to a worker, and end"
                )
            if name == "regenerate":
                verb.add_argument(
                    "--as-of",
                    metavar="INSTANT",
                    help="build TABLE__asof_INSTANT of what the log said then (ISO 8601, UTC), "
                    "and leave the copy alone",
                )
            if name == "drop":
                verb.add_argument("table", help="its name: TABLE__asof_INSTANT")
            if name == "replay":
                verb.add_argument(
                    "--record",
                    action="append",
                    default=[],
                    metavar="TOPIC/PARTITION@OFFSET",
                    help="this record (again for more; default: all)",
                )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do what the verb says."""
        verb: Callable[[Options], None] = getattr(self, f"_{options['verb']}")
        try:
            verb(options)
        except (ConnectorError, InstantInvalidError) as error:
            raise CommandError(str(error), returncode=2) from error

    def _print(self, shape: Any, found: Any, *, many: bool = False) -> None:
        data = shape(found, many=many).data
        self.stdout.write(json.dumps(data, cls=JSONEncoder, indent=2, ensure_ascii=False))

    def _console(self) -> Console:
        return Console(file=cast("IO[str]", self.stdout))

    # -- the worker -----------------------------------------------------------------------------
    def _run(self, _options: Options) -> None:
        with worker_name() as name:
            worker = ConnectorsWorker(name)

            def stop(_signal: int, _frame: FrameType | None) -> None:
                worker.stop()

            signal.signal(signal.SIGTERM, stop)
            signal.signal(signal.SIGINT, stop)
            worker.run()

    # -- looking --------------------------------------------------------------------------------
    def _status(self, options: Options) -> None:
        name = options["name"]
        views = [actions.describe_connector(name)] if name else actions.list_connectors()
        if options["json"]:
            self._print(shapes.ConnectorSerializer, views, many=True)
        else:
            self._show(views)
        failing = {
            "stopped": [view for view in views if view.state == "stopped"],
            "trouble": [view for view in views if view.trouble or view.state == "stopped"],
        }.get(options["fail_on"] or "", [])
        if failing:
            raise CommandError(", ".join(f"{it.name}: {it.message}" for it in failing))

    def _show(self, views: list[ConnectorView]) -> None:
        table = Table(
            Column("connector", no_wrap=True),
            *("state", "lag", "level in", "rows", "generation", "left out"),
            Column("target", overflow="fold"),
        )
        console = self._console()
        for view in views:
            numbers = (view.rows, view.live_generation, view.quarantined)
            left = view.level_in_seconds
            table.add_row(
                view.name,
                view.state,
                "" if view.lag is None else f"{view.lag:,}",
                "" if left is None else f"{left:,.0f} s",
                *("" if number is None else f"{number:,}" for number in numbers),
                Text(view.target),
            )
        console.print(table)
        for view in views:
            if view.message:
                said = f"{view.name}: {view.message}"
                console.print(f"{said}\n  {view.remedy}" if view.remedy else said, markup=False)
        if not actions.worker_alive():
            console.print("No worker is alive: start one with `manage.py connectors run`.")

    def _quarantine(self, options: Options) -> None:
        rows = actions.list_quarantine(options["name"], 1000)
        if options["json"]:
            self._print(shapes.QuarantineSerializer, rows, many=True)
            return
        table = Table("record", "key", "why", "since")
        for row in rows:
            place = f"{row.topic}/{row.partition}@{row.offset}"
            cells = (place, row.key, row.reason, f"{row.at:%Y-%m-%d %H:%M:%S}")
            table.add_row(*map(Text, cells))
        self._console().print(table)

    # -- acting ---------------------------------------------------------------------------------
    def _pause(self, options: Options) -> None:
        actions.pause(options["name"])
        self._told(options)

    def _resume(self, options: Options) -> None:
        actions.resume(options["name"])
        self._told(options)

    def _told(self, options: Options) -> None:
        view = actions.describe_connector(options["name"])
        if options["json"]:
            self._print(shapes.ConnectorSerializer, view)
        else:
            self.stdout.write(f"{view.name} is {view.state}")

    def _regenerate(self, options: Options) -> None:
        if options["as_of"] is None:
            run = actions.regenerate(options["name"])
        else:
            run = actions.regenerate_as_of(options["name"], parse_instant(options["as_of"]))
        self._carry_out(run, options)

    def _drop(self, options: Options) -> None:
        self._carry_out(actions.drop_as_of(options["name"], options["table"]), options)

    def _rollback(self, options: Options) -> None:
        self._carry_out(actions.roll_back(options["name"]), options)

    def _replay(self, options: Options) -> None:
        places = []
        for text in options["record"]:
            found = _PLACE.fullmatch(text)
            if not found:
                raise CommandError(f"{text!r} is not TOPIC/PARTITION@OFFSET", returncode=2)
            places.append((found[1], int(found[2]), int(found[3])))
        self._carry_out(actions.replay(options["name"], places), options)

    def _audit(self, options: Options) -> None:
        self._judge(actions.request_run(options["name"], "audit"), options)

    def _repair(self, options: Options) -> None:
        self._judge(actions.request_run(options["name"], "repair"), options)

    def _judge(self, run: Run, options: Options) -> None:
        """Follow an audit or a repair; the verdict is the exit code."""
        run, audit = judging.judge(run)
        if options["json"]:
            found = judging.as_json(audit)
            self.stdout.write(json.dumps(found, cls=JSONEncoder, indent=2, ensure_ascii=False))
        else:
            judging.tell(audit, self.stdout)
        if run.state != Run.State.SUCCEEDED or audit.state != Audit.State.PASSED:
            raise CommandError(run.message)
        if not options["json"]:
            self.stdout.write(run.message)

    def _carry_out(self, run: Run, options: Options) -> None:
        """Follow a run to its end, unless it shall be left to a worker."""
        if not options["no_wait"]:
            run = follow(run)
        if options["json"]:
            self._print(shapes.RunSerializer, run)
        if run.state in {Run.State.FAILED, Run.State.CANCELLED}:
            raise CommandError(f"{run.state}: {run.message}")
        if not options["json"]:
            self.stdout.write(run.message)
