"""Keep what audits found: the audit, the divergences with their since when, the watermark."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from broker.records import Partition
from lineage.connectors.actions import definition_of
from lineage.connectors.audits.engine import MOST_DIFFERENCES, Outcome
from lineage.connectors.audits.models import Audit, Divergence
from lineage.connectors.audits.showing import key_hash, show
from lineage.connectors.audits.watermark import advance
from lineage.connectors.discretion import hidden_columns
from lineage.connectors.models import Connector, Generation, Run

KEPT = 1_000
"""Divergences kept of one audit; the others are counted."""

_LONGEST_MESSAGE = 2_000


def begin(connector: Connector, run: Run) -> Audit:
    """Note that an audit begins; one whose worker ended in the midst of it has stopped."""
    unfinished = Audit.objects.filter(connector=connector, state=Audit.State.RUNNING)
    unfinished.update(
        state=Audit.State.STOPPED, message="its worker ended", finished_at=timezone.now()
    )
    verified, at = _verified(connector, None)
    return Audit.objects.create(
        connector=connector, run=run, verified_through=verified, verified_at=at
    )


def end(audit: Audit, state: Audit.State, message: str) -> None:
    """Close an audit that came to no verdict."""
    Audit.objects.filter(pk=audit.pk, state=Audit.State.RUNNING).update(
        state=state,
        message=message.replace("\x00", "\\x00")[:_LONGEST_MESSAGE],
        finished_at=timezone.now(),
    )


def conclude(audit: Audit, outcome: Outcome, *, repaired: int, message: str) -> Audit:
    """Close an audit with its verdict: passed where nothing differs, or no longer does."""
    live = outcome.moment.live
    begins, ends = _by_name(outcome.begins), _by_name(outcome.moment.positions)
    passed = outcome.differing == repaired
    now = timezone.now()
    audit.generation = live.number if live else None
    audit.verified_through, audit.verified_at = _verified(audit.connector, audit.generation)
    if passed:
        audit.verified_through = advance(audit.verified_through, begins, ends)
        audit.verified_at = now
    audit.from_offsets, audit.to_offsets = begins, ends
    audit.rows, audit.digest = outcome.copy.rows, str(outcome.copy)
    audit.log_rows, audit.log_digest = outcome.log.rows, str(outcome.log)
    for kind, count in outcome.counts.items():
        setattr(audit, kind, count)
    audit.unjudged, audit.repaired = outcome.unjudged, repaired
    audit.hash_seconds, audit.log_seconds = outcome.hash_seconds, outcome.log_seconds
    audit.state = Audit.State.PASSED if passed else Audit.State.DIVERGED
    audit.message, audit.finished_at = message, now
    with transaction.atomic():
        audit.save()
        _keep(audit, outcome, repaired=passed and repaired > 0)
    return audit


def _by_name(offsets: Mapping[Partition, int]) -> dict[str, int]:
    return {f"{p.topic}/{p.partition}": offset for p, offset in sorted(offsets.items())}


def _verified(
    connector: Connector, generation: int | None
) -> tuple[dict[str, int], datetime | None]:
    """Return the watermark of a generation: of its last audit, else of the build that proved it."""
    audits = Audit.objects.filter(connector=connector).exclude(verified_at=None)
    if generation is not None:
        audits = audits.filter(generation=generation)
    last = audits.exclude(finished_at=None).order_by("-finished_at").first()
    if last is not None:
        return last.verified_through, last.verified_at
    built = Generation.objects.filter(connector=connector, state=Generation.State.LIVE)
    if generation is not None:
        built = built.filter(number=generation)
    made = built.exclude(digest="").first()
    return (dict(made.to_offsets), made.live_at) if made else ({}, None)


def _keep(audit: Audit, outcome: Outcome, *, repaired: bool) -> None:
    """Carry on the divergences that stand, add the new ones, and end those that are gone."""
    live = outcome.moment.live
    now = audit.finished_at
    standing = {
        it.key_hash: it
        for it in Divergence.objects.filter(
            connector=audit.connector, repaired_at=None, vanished_at=None
        )
    }
    if live is not None and live.layout is not None:
        rules = definition_of(audit.connector).columns
        masked = hidden_columns(rules, live.layout.names)
        equal_at = _last_pass(audit)
        for difference in outcome.differences[:KEPT]:
            shown = show(live.layout, difference, masked)
            known = standing.pop(shown.key_hash, None)
            row = known or Divergence(
                connector=audit.connector, first_seen=audit, equal_at=equal_at, key=shown.key
            )
            row.key_hash, row.last_seen, row.kind = shown.key_hash, audit, shown.kind
            row.columns, row.expected, row.found = shown.columns, shown.expected, shown.found
            row.repaired_at = now if repaired else None
            row.save()
        for difference in outcome.differences[KEPT:]:
            still = standing.pop(key_hash(live.layout, difference.key), None)
            if still is not None:
                still.last_seen, still.repaired_at = audit, now if repaired else None
                still.save(update_fields=["last_seen", "repaired_at"])
    if outcome.differing <= MOST_DIFFERENCES:
        gone = [it.pk for it in standing.values()]
        Divergence.objects.filter(pk__in=gone).update(vanished_at=now)


def _last_pass(audit: Audit) -> datetime | None:
    passed = Audit.objects.filter(connector=audit.connector, state=Audit.State.PASSED)
    return (
        passed
        .exclude(pk=audit.pk)
        .order_by("-finished_at")
        .values_list("finished_at", flat=True)
        .first()
    )
