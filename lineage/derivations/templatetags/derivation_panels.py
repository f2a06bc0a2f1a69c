"""What a thing is derived from and what derives from it, for the page of that thing."""

from typing import Any

from django import template
from django.template import RequestContext

from catalog.actions import list_claims
from lineage.derivations import panels
from lineage.derivations.actions import Known, read_known
from lineage.panels import as_of_asked

register = template.Library()
_KNOWN = "lineage.derivations.known"


def _known(context: RequestContext) -> Known:
    """Read the ledger once a page; `as_of` in the URL asks for an earlier time."""
    memory = context.render_context
    if _KNOWN not in memory:
        memory[_KNOWN] = read_known(as_of_asked(context.request.GET)[0])
    found: Known = memory[_KNOWN]
    return found


@register.inclusion_tag("lineage/derivations_of.html", takes_context=True)
def derivations_of(context: RequestContext, kind: str, name: str) -> dict[str, Any]:
    """Show derivations of and from a thing."""
    as_of = as_of_asked(context.request.GET)[0]
    return {"panel": panels.derivations_of(_known(context), f"{kind}:{name}", as_of)}


@register.inclusion_tag("lineage/derivations_fields.html", takes_context=True)
def fields_of(context: RequestContext, kind: str, name: str) -> dict[str, Any]:
    """Show where each field of a thing comes from and where it goes."""
    as_of = as_of_asked(context.request.GET)[0]
    return {
        "panel": panels.fields_of(_known(context), f"{kind}:{name}", as_of),
        "request": context.request,
    }


@register.inclusion_tag("lineage/derivations_claims.html", takes_context=True)
def claims_of(context: RequestContext, service: str) -> dict[str, Any]:
    """Show the claims that stand for a service, each with its undo."""
    found = list_claims().filter(service__name=service)
    return {"claims": found, "request": context.request, "csrf_token": context.get("csrf_token")}
