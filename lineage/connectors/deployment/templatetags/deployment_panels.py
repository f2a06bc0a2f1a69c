"""How Kafka Connect keeps a copy, for the page of that copy."""

from typing import Any

from django import template
from django.conf import settings

from lineage.connectors.actions import kept_here
from lineage.connectors.deployment import actions
from lineage.connectors.deployment.client import shown
from lineage.connectors.models import Connector

register = template.Library()


@register.inclusion_tag("connectors/deployment.html", takes_context=True)
def deployment_of(context: dict[str, Any], connector: Connector) -> dict[str, Any]:
    """Show the deployment of a copy, or what it would be; nothing where no Connect is known."""
    if kept_here(connector) and not settings.KAFKA_CONNECT_URLS:
        return {"shown": False}
    return {
        "view": actions.describe(connector.name),
        "shown": True,
        "addresses": [shown(url) for url in settings.KAFKA_CONNECT_URLS],
        "csrf_token": context.get("csrf_token"),
    }
