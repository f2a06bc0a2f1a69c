"""The neighbourhood of a thing, as graph and table, for the page of that thing."""

import json
from typing import Any

from django import template
from django.template import RequestContext
from django.utils.safestring import SafeString, mark_safe

from lineage.panels import as_of_asked, panel_of, whole_estate

register = template.Library()


@register.inclusion_tag("lineage/neighbourhood.html", takes_context=True)
def neighbourhood(
    context: RequestContext, kind: str, name: str, hops: int = 1, title: str = "Neighbourhood"
) -> dict[str, Any]:
    """Draw what a thing reads and writes; `as_of` in the URL asks for an earlier time."""
    as_of = as_of_asked(context.request.GET)[0]
    return {
        "title": title,
        "panel": panel_of(f"{kind}:{name}", hops=hops, as_of=as_of),
        "request": context.request,
    }


@register.inclusion_tag("lineage/estate.html")
def estate() -> dict[str, Any]:
    """Draw the best connected part of the whole graph, framed by bounded context."""
    return {"panel": whole_estate()}


_MARKUP = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&"}


@register.filter
def as_json(value: object) -> SafeString:
    """Show a value as JSON that is plain text to HTML: quotes stay, whatever opens a tag cannot.

    Quotes escaped for HTML would make a drawing of 300 nodes twice as long.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_MARKUP)
    return mark_safe(text)  # noqa: S308  (no character that HTML reads is left)
