"""`manage.py lineage_impact NODE`: what a change reaches, for people and for CI."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.errors import CatalogError
from lineage.actions import parse_instant
from lineage.derivations.api.serializers import ImpactSerializer
from lineage.derivations.effects import CHANGES
from lineage.derivations.impact import Impact, Question, find_impact
from lineage.derivations.reach import CERTAINTIES
from lineage.errors import LineageError
from registry.errors import RegistryError
from registry.formats import NAMES

REACHED = 1
"""The exit code when the change reaches something as sure as --fail-on, or is incompatible."""
UNANSWERED = 2
"""The exit code when the question cannot be answered."""


class Command(BaseCommand):
    """Prints what changing or dropping a topic, a schema version or a field reaches."""

    help = (
        "What a change reaches: services, copies, topics, fields, and whom to ask. Ends with 1 "
        "when it reaches something as sure as --fail-on, or the registry refuses the candidate; "
        "with 2 when it cannot be answered."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what changes, how, as of when, and what CI minds."""
        parser.add_argument("of", nargs="?", default="", help="topic:NAME, service:NAME or a name")
        parser.add_argument("--subject", default="", help="instead: a subject of the registry")
        # `--version` is Django's own
        parser.add_argument("--schema-version", default="", help="and its version")
        parser.add_argument("--field", default="", help="the field that changes")
        parser.add_argument("--change", default="", choices=CHANGES, help="how it changes")
        parser.add_argument("--schema", type=Path, metavar="FILE", help="a candidate schema")
        parser.add_argument("--format", default="", choices=NAMES, help="its format")
        parser.add_argument("--as-of", default="", metavar="INSTANT", help="as observed by then")
        parser.add_argument("--cluster", help="one cluster, by name (default: all)")
        parser.add_argument("--json", action="store_true", help="the answer as REST gives it")
        parser.add_argument(
            "--fail-on",
            choices=(*CERTAINTIES, "incompatible", "never"),
            default="possible",
            help="the least certainty that CI minds; incompatible: the registry's verdict alone",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Answer, print, and end as --fail-on says."""
        answer = self._answer(options)
        if options["json"]:
            self.stdout.write(json.dumps(ImpactSerializer(answer).data, indent=2, default=str))
        else:
            self._print(answer)
        if _minded(answer, options["fail_on"]):
            raise SystemExit(REACHED)

    def _answer(self, options: dict[str, Any]) -> Impact:
        try:
            schema = options["schema"].read_text() if options["schema"] else ""
            return find_impact(
                Question(
                    of=options["of"],
                    subject=options["subject"],
                    version=options["schema_version"],
                    field=options["field"],
                    change=options["change"],
                    schema=schema,
                    format=options["format"],
                    as_of=parse_instant(options["as_of"]) if options["as_of"] else None,
                    cluster=options["cluster"],
                )
            )
        except (LineageError, CatalogError, RegistryError, OSError) as error:
            raise CommandError(str(error), returncode=UNANSWERED) from error

    def _print(self, answer: Impact) -> None:
        if answer.verdict:
            words = "compatible" if answer.verdict.compatible else "INCOMPATIBLE"
            self.stdout.write(f"{answer.verdict.subject}: {words} ({answer.verdict.level})")
            for change in answer.verdict.changes:
                self.stdout.write(f"  {change.sign} {change.path}")
        for it in answer.affected:
            fields = f" [{', '.join(it.reached.fields)}]" if it.reached.fields else ""
            self.stdout.write(
                f"{it.reached.certainty:<9} {it.reached.distance:>2}  {it.node.key}{fields}: "
                f"{it.effect} (ask {it.contact.owner or 'nobody named'})"
            )
        counts = ", ".join(f"{number} {kind}" for kind, number in answer.counts.items())
        self.stdout.write(f"{answer.change}: {counts}")


def _minded(answer: Impact, least: str) -> bool:
    """Whether CI shall stop: what is incompatible always, unless it never shall."""
    if least == "never":
        return False
    if answer.verdict is not None and not answer.verdict.compatible:
        return True
    if least == "incompatible":
        return False
    minded = CERTAINTIES[: CERTAINTIES.index(least) + 1]
    return any(it.reached.certainty in minded for it in answer.affected)
