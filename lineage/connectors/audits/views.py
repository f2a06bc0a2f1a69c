"""The page of an audit, and the buttons of a copy's section on audits."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from lineage.connectors.actions import describe_connector
from lineage.connectors.audits import actions
from lineage.connectors.audits.models import Audit, Divergence
from lineage.connectors.errors import RunInProgressError
from lineage.connectors.models import Run
from pages.listing import Column, Facet, Listing


@require_POST
def audit_copy(request: HttpRequest, name: str) -> HttpResponse:
    """Start an audit and go to its run; a run in progress is shown instead."""
    return _started(request, name, actions.request_audit)


@require_POST
def repair_copy(request: HttpRequest, name: str) -> HttpResponse:
    """Start a repair and go to its run; a run in progress is shown instead."""
    return _started(request, name, actions.request_repair)


def _started(request: HttpRequest, name: str, ask: Callable[[str], Run]) -> HttpResponse:
    try:
        run = ask(name)
    except RunInProgressError as refused:
        messages.warning(request, str(refused))
        standing = describe_connector(name).running
        return redirect("run", standing) if standing else redirect("copy", name)
    return redirect("run", run.pk)


def _repairable(audit: Audit) -> bool:
    """Whether what this audit found still stands: no later one has, and nothing is being done."""
    standing = actions.verdict_of(audit.connector.name)
    current = standing.state == "diverged" and standing.audit == audit
    return current and describe_connector(audit.connector.name).running is None


@require_safe
@vary_on_headers("HX-Request")
def show_audit(request: HttpRequest, name: str, audit_id: UUID) -> HttpResponse:
    """One audit: what was compared, and every key that is kept of those that differed."""
    audit = actions.find_audit(name, audit_id)
    listing: Listing[Divergence] = Listing(
        list(actions.divergences_of(audit)),
        request.GET,
        columns=[
            Column("kind", "What", lambda it: it.kind),
            Column("key", "Key", lambda it: it.key),
            Column("expected", "The log says"),
            Column("found", "The copy held"),
            Column("since", "Since", lambda it: it.seen_at),
        ],
        facets=[Facet("kind", "What", lambda it: it.kind)],
        text=lambda it: f"{it.key} {it.expected} {it.found}",
        order="key",
    )
    fragment = "#rows" if "HX-Request" in request.headers else ""
    return render(
        request,
        f"connectors/audit.html{fragment}",
        {
            "audit": audit,
            "key": str(audit.pk),
            "listing": listing,
            "repairable": _repairable(audit),
        },
    )
