"""Ask for audits and repairs, and read what they found; for REST, pages and commands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from catalog.observation import CopyState
from lineage.connectors.actions import due_runs, find_connector, request_run
from lineage.connectors.audits.models import Audit, Divergence
from lineage.connectors.audits.watermark import behind
from lineage.connectors.errors import AuditMissingError
from lineage.connectors.models import Connector, Generation, Run

Standing = Literal["equal", "diverged", "unknown"]

_VERDICTS = (Audit.State.PASSED, Audit.State.DIVERGED)


@dataclass(frozen=True)
class Verdict:
    """What is known of a copy: `audit` reached it, `last` may have come to none.

    `unverified` counts offsets that were copied, as of that audit, and are not verified.
    """

    state: Standing
    audit: Audit | None
    last: Audit | None
    open: int
    verified_through: dict[str, int]
    verified_at: datetime | None
    unverified: int


def request_audit(name: str, *, scheduled: bool = False) -> Run:
    """Ask for an audit; a connectors worker picks it up.

    Raises ConnectorMissingError, and RunInProgressError while another run of the connector stands.
    """
    return request_run(name, "audit", scheduled=scheduled)


def request_repair(name: str) -> Run:
    """Ask for an audit that writes the log's row of every key that differs."""
    return request_run(name, "repair")


def due_audits(now: datetime) -> list[str]:
    """Name the connectors whose definition schedules an audit that is due."""
    return [connector.name for connector, kind in due_runs(now) if kind == "audit"]


def list_audits(name: str) -> QuerySet[Audit]:
    """Return the audits of a copy, newest first; raises ConnectorMissingError."""
    return find_connector(name).audits.select_related("connector", "run")


def find_audit(name: str, audit_id: UUID | str) -> Audit:
    """Return one audit; raises ConnectorMissingError, AuditMissingError."""
    try:
        return list_audits(name).get(pk=UUID(str(audit_id)))
    except (Audit.DoesNotExist, ValueError):
        raise AuditMissingError(f"{name} has no audit with the id {audit_id}") from None


def divergences_of(audit: Audit) -> QuerySet[Divergence]:
    """Return the keys that an audit saw differ, as the last audit that saw each left them."""
    seen = Divergence.objects.filter(connector=audit.connector_id)
    seen = seen.filter(
        first_seen__started_at__lte=audit.started_at, last_seen__started_at__gte=audit.started_at
    )
    return seen.select_related("first_seen", "last_seen").order_by("key", "pk")


def open_divergences(name: str) -> QuerySet[Divergence]:
    """Return the keys that differ, as far as is known."""
    return _open(find_connector(name))


def _open(connector: Connector) -> QuerySet[Divergence]:
    standing = Divergence.objects.filter(connector=connector, repaired_at=None, vanished_at=None)
    return standing.select_related("first_seen", "last_seen").order_by("key", "pk")


def verdict_of(name: str) -> Verdict:
    """Return what is known of one copy; raises ConnectorMissingError."""
    connector = find_connector(name)
    audits = connector.audits.all()
    last = audits.first()
    reached = audits.filter(state__in=_VERDICTS).first()
    live = connector.generations.filter(state="live").first()
    if reached is not None and live is not None and reached.generation != live.number:
        reached = None  # of another table: the build of this one has proved it
    known = reached or last
    through = dict(known.verified_through) if known else {}
    at = known.verified_at if known else None
    if reached is None and live is not None and live.digest:
        through, at = dict(live.to_offsets), live.live_at
    diverged = reached is not None and reached.state == Audit.State.DIVERGED
    proven = reached is not None or (live is not None and bool(live.digest))
    return Verdict(
        state=_standing(diverged=diverged, proven=proven),
        audit=reached,
        last=last,
        # keys of a table that was replaced stay open until the next audit, and say nothing of it
        open=_open(connector).count() if diverged else 0,
        verified_through=through,
        verified_at=at,
        unverified=behind(through, reached.to_offsets) if reached else 0,
    )


def _standing(*, diverged: bool, proven: bool) -> Standing:
    return "diverged" if diverged else "equal" if proven else "unknown"


def standings() -> dict[str, Standing]:
    """Return what is known of every copy, by name, in one query: for lists."""
    reached = Audit.objects.filter(connector=OuterRef("pk"), state__in=_VERDICTS)
    live = Generation.objects.filter(connector=OuterRef("pk"), state=Generation.State.LIVE)
    rows = Connector.objects.values_list(
        "name",
        Subquery(reached.values("state")[:1]),
        Subquery(reached.values("generation")[:1]),
        Subquery(live.values("number")[:1]),
        Subquery(live.values("digest")[:1]),
    )
    found = {}
    for name, state, of, number, digest in rows:
        judged = state is not None and (number is None or of == number)
        found[name] = _standing(
            diverged=judged and state == Audit.State.DIVERGED,
            proven=judged or bool(digest),
        )
    return found


def diverged_copies() -> list[CopyState]:
    """Answer the catalog's question which copies differ from their logs."""
    found = []
    for connector in Connector.objects.filter(audits__state=Audit.State.DIVERGED).distinct():
        reached = connector.audits.filter(state__in=_VERDICTS).first()
        if reached is None or reached.state != Audit.State.DIVERGED or reached.finished_at is None:
            continue
        live = connector.generations.filter(state="live").first()
        if live is not None and live.number != reached.generation:
            continue  # of a table that has been replaced
        since = _open(connector).order_by("seen_at").values_list("seen_at", flat=True).first()
        found.append(
            CopyState(
                name=connector.name,
                topics=tuple(connector.topics),
                differing=reached.differing,
                at=reached.finished_at,
                since=since or reached.finished_at,
            )
        )
    return sorted(found, key=lambda it: it.name)
