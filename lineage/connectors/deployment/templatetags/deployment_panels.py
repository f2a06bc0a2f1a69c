"""How Kafka Connect keeps a copy, for the page of that copy."""

from typing import Any

from django import template
from django.conf import settings

from lineage.connectors.deployment import actions
from lineage.connectors.deployment.client import shown

register = template.Library()


@register.inclusion_tag("connectors/deployment.html", takes_context=True)
def deployment_of(context: dict[str, Any], name: str) -> dict[str, Any]:
    """Show the deployment of a copy, or what it would be; nothing where no Connect is known."""
    is_known = bool(settings.KAFKA_CONNECT_URLS)
    view = actions.describe(name)
    return {
        "view": view,
        "shown": is_known or view.engine == "connect" or view.deployment is not None,
        "addresses": [shown(url) for url in settings.KAFKA_CONNECT_URLS],
        "csrf_token": context.get("csrf_token"),
    }
