"""How old each kind of evidence is, for the pages of lineage."""

from typing import Any

from django import template

from lineage.actions import list_samplings

register = template.Library()


@register.inclusion_tag("lineage/samplings.html")
def samplings() -> dict[str, Any]:
    """List each cluster's kinds: when each last succeeded, and what it lacks."""
    return {"samplings": list_samplings()}
