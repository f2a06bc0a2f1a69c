"""The section on audits of a copy's page."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import template

from lineage.connectors.actions import describe_connector
from lineage.connectors.audits import actions
from lineage.connectors.audits.models import Audit

register = template.Library()

AUDITS_SHOWN = 10
DIVERGENCES_SHOWN = 10
BARS = 40
_HIGHEST = 40


@dataclass(frozen=True)
class Bar:
    """One audit in the trend: where it stands, how high, and what it says."""

    x: int
    height: int
    audit: Audit

    @property
    def y(self) -> int:
        """Where it begins, from the top."""
        return _HIGHEST - self.height


@register.inclusion_tag("connectors/audits.html")
def audits_of(name: str) -> dict[str, Any]:
    """Show whether a copy equals its log, since when not, and the audits so far."""
    audits = list(actions.list_audits(name)[:BARS])
    copy = describe_connector(name)
    verdict = actions.verdict_of(name)
    standing = actions.open_divergences(name)
    if verdict.state != "diverged":
        standing = standing.none()  # of a table that has been replaced since
    return {
        "name": name,
        "copy": copy,
        "running": copy.running,
        "verdict": verdict,
        "audits": audits[:AUDITS_SHOWN],
        "bars": _bars(audits),
        "divergences": standing[:DIVERGENCES_SHOWN],
        "kept": standing.count(),
    }


def _bars(audits: Sequence[Audit]) -> list[Bar]:
    """Return the verdicts from old to new; the height is the logarithm of how many keys differ."""
    reached = [it for it in reversed(audits) if it.state in {"passed", "diverged"}]
    worst = max((math.log10(1 + it.differing) for it in reached), default=0) or 1
    return [
        Bar(index, 3 + round((_HIGHEST - 3) * math.log10(1 + it.differing) / worst), it)
        for index, it in enumerate(reached)
    ]


@register.filter
def verdict(audit: Audit) -> str:
    """Say of an audit what a page says of a copy: equal, diverged; or how it ended without."""
    said = {Audit.State.PASSED: "equal", Audit.State.STOPPED: "cancelled"}
    return said.get(Audit.State(audit.state), str(audit.state))


@register.filter
def offsets(places: dict[str, int]) -> str:
    """Show offsets by partition in one line."""
    return ", ".join(f"{place} at {offset:,}" for place, offset in sorted(places.items()))
