"""`connectors audit` and `connectors repair`: follow the run, tell the verdict."""

from typing import Any

from django.core.management.base import CommandError, OutputWrapper

from lineage.connectors.audits.actions import divergences_of
from lineage.connectors.audits.api.serializers import AuditSerializer, DivergenceSerializer
from lineage.connectors.audits.models import Audit
from lineage.connectors.management.following import follow
from lineage.connectors.models import Run

VERBS = {
    "audit": "compare the copy with its log; exit code 1 where it differs",
    "repair": "audit, and write the log's row of every key that differs",
}
SHOWN = 20
"""Divergences that are written out; JSON has all that are kept."""


def judge(run: Run) -> tuple[Run, Audit]:
    """Follow an audit or a repair to its end; raises CommandError where it came to no verdict."""
    run = follow(run)
    audit = run.audits.first()
    if audit is None or run.state == Run.State.CANCELLED:
        raise CommandError(f"{run.state}: {run.message}")
    return run, audit


def as_json(audit: Audit) -> dict[str, Any]:
    """Return an audit as REST answers it, with all divergences that are kept of it."""
    kept = DivergenceSerializer(divergences_of(audit), many=True).data
    return {**AuditSerializer(audit).data, "divergences": list(kept)}


def tell(audit: Audit, out: OutputWrapper) -> None:
    """Write what differs, both values side by side."""
    for one in divergences_of(audit)[:SHOWN]:
        out.write(f"{one.kind:>8}  {one.key}")
        out.write(f"{'log':>14}: {_line(one.expected)}")
        out.write(f"{'copy':>14}: {_line(one.found)}")
    if audit.differing > SHOWN:
        out.write(f"… and {audit.differing - SHOWN} more")


def _line(values: dict[str, Any] | None) -> str:
    if values is None:
        return "no row"
    return ", ".join(f"{name}={'null' if it is None else it}" for name, it in values.items())
