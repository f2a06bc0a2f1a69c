"""`manage.py lineage QUESTION …`: the questions to lineage at a prompt and in CI.

Exit codes: 0 answered, 1 what `--fail-on` (or `path`) looks out for is so, 2 the question is wrong.
"""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rest_framework.utils.encoders import JSONEncoder

from catalog.errors import CatalogError
from lineage import actions, graph
from lineage.api import questions_serializers as shapes
from lineage.errors import LineageError
from lineage.management import tables

Options = dict[str, Any]


class Command(BaseCommand):
    """Asks one question, prints a table or, with --json, what the REST API answers."""

    help = "Ask lineage: who feeds what, over which way, what changed, what is not as declared."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the question, and what it is asked of."""
        questions = parser.add_subparsers(dest="question", required=True, metavar="QUESTION")
        for name in ("upstream", "downstream"):
            word = "feeds a thing" if name == "upstream" else "a thing feeds"
            one = _question(questions, name, f"what {word}, nearest first")
            one.add_argument("node", help="name, or kind:name (topic:orders)")
            one.add_argument("--depth", type=int, help="hops (default: any distance)")
            one.add_argument("--projection", choices=graph.PROJECTIONS, default="things")
            one.add_argument("--cap", type=int, default=500, help="most nodes (default: 500)")
        one = _question(questions, "path", "the shortest story; exit code 1 when there is none")
        one.add_argument("source", help="name, or kind:name")
        one.add_argument("target", help="name, or kind:name")
        one = _question(questions, "diff", "what changed between two instants")
        one.add_argument("--since", required=True, metavar="INSTANT", help="ISO 8601")
        one.add_argument("--kind", choices=graph.CHANGES)
        one.add_argument("--fail-on", choices=[*graph.CHANGES, "any"], help="exit code 1 if so")
        one = _question(questions, "orphans", "topics without readers or writers")
        one.add_argument("--state", choices=graph.ORPHAN_STATES)
        one.add_argument("--idle", type=int, metavar="SECONDS", help="until somebody is gone")
        one.add_argument("--fail-on", choices=[*graph.ORPHAN_STATES, "any"], help="exit code 1")
        one = _question(questions, "declared", "declared writers against observed ones")
        one.add_argument("--verdict", choices=actions.VERDICTS)
        one.add_argument("--context", help="bounded context that owns the topic")
        one.add_argument("--topic", help="name of the topic")
        one.add_argument(
            "--fail-on",
            choices=["violated", "unverified"],
            help="exit code 1 if any topic is so, or worse",
        )
        _question(questions, "couplings", "which bounded context feeds which")
        _question(questions, "cycles", "data that comes back to where it went out")
        one = _question(questions, "footprint", "all that a service leaves behind in Kafka")
        one.add_argument("service", help="name of a service, or kind:name of an actor")

    def handle(self, *_args: Any, question: str, **options: Any) -> None:
        """Answer, then end with the exit code that the answer has."""
        try:
            as_of = options["as_of"]
            options["scope"] = actions.Scope(
                as_of=actions.parse_instant(as_of) if as_of else None,
                cluster=options["cluster"],
                active=True if options["active"] else None,
                internal=options["internal"],
            )
            answer, failed = _ANSWERS[question](options)
        except (LineageError, CatalogError) as error:
            raise CommandError(str(error), returncode=2) from error
        shape, table, many = _SHAPES[question]
        if options["as_json"]:
            data = shape(answer, many=many).data
            self.stdout.write(json.dumps(data, cls=JSONEncoder, indent=2))
        else:
            for line in table(answer):
                self.stdout.write(line)
        if failed:
            raise SystemExit(1)


def _question(questions: Any, name: str, meaning: str) -> ArgumentParser:
    """Add a question with what all of them take."""
    one: ArgumentParser = questions.add_parser(name, help=meaning, description=meaning)
    one.add_argument("--as-of", metavar="INSTANT", help="ISO 8601; now by default")
    one.add_argument("--cluster", help="one cluster, by name (default: all)")
    one.add_argument("--active", action="store_true", help="only edges that are seen now")
    one.add_argument("--internal", action="store_true", help="show Kafka Streams' own topics too")
    one.add_argument("--json", action="store_true", dest="as_json", help="print JSON, as REST does")
    return one


def _trace(options: Options) -> tuple[Any, bool]:
    found = actions.trace(
        options["node"],
        options["direction"],
        depth=options["depth"],
        projection=options["projection"],
        cap=options["cap"],
        scope=options["scope"],
    )
    return found, False


def _path(options: Options) -> tuple[Any, bool]:
    story = actions.tell_story(options["source"], options["target"], options["scope"])
    return story, not story.found


def _diff(options: Options) -> tuple[Any, bool]:
    since = actions.parse_instant(options["since"])
    found = actions.compare_instants(since, kind=options["kind"], scope=options["scope"])
    return found, _fails({change.kind for change in found.edges}, options["fail_on"])


def _orphans(options: Options) -> tuple[Any, bool]:
    idle = timedelta(seconds=options["idle"]) if options["idle"] else None
    found = actions.list_orphans(state=options["state"], idle=idle, scope=options["scope"])
    return found, _fails({view.orphan.state for view in found}, options["fail_on"])


def _declared(options: Options) -> tuple[Any, bool]:
    scope: actions.Scope = options["scope"]
    found = actions.list_declared(
        verdict=options["verdict"],
        cluster=scope.cluster,
        context=options["context"],
        topic=options["topic"],
        as_of=scope.as_of,
    )
    worst = actions.VERDICTS.index(options["fail_on"]) if options["fail_on"] else 99
    return found, any(actions.VERDICTS.index(view.verdict) >= worst for view in found)


def _fails(found: set[Any], fail_on: str | None) -> bool:
    return bool(found) if fail_on == "any" else fail_on in found


_ANSWERS: dict[str, Callable[[Options], tuple[Any, bool]]] = {
    "upstream": lambda options: _trace({**options, "direction": "upstream"}),
    "downstream": lambda options: _trace({**options, "direction": "downstream"}),
    "path": _path,
    "diff": _diff,
    "orphans": _orphans,
    "declared": _declared,
    "couplings": lambda options: (actions.list_couplings(options["scope"]), False),
    "cycles": lambda options: (actions.list_cycles(options["scope"]), False),
    "footprint": lambda options: (
        actions.take_footprint(options["service"], options["scope"]),
        False,
    ),
}
_SHAPES: dict[str, tuple[Any, Callable[[Any], list[str]], bool]] = {
    "upstream": (shapes.TraceSerializer, tables.trace, False),
    "downstream": (shapes.TraceSerializer, tables.trace, False),
    "path": (shapes.PathSerializer, tables.story, False),
    "diff": (shapes.WholeDiffSerializer, tables.diff, False),
    "orphans": (shapes.OrphanSerializer, tables.orphans, True),
    "declared": (shapes.DeclaredSerializer, tables.declared, True),
    "couplings": (shapes.CouplingSerializer, tables.couplings, True),
    "cycles": (shapes.CycleSerializer, tables.cycles, True),
    "footprint": (shapes.FootprintSerializer, tables.footprint, False),
}
