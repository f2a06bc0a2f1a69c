"""The copies of a topic, for the page of that topic."""

from typing import Any

from django import template

from lineage.connectors import actions
from lineage.connectors.actions import ConnectorView
from lineage.connectors.audits.actions import standings
from lineage.connectors.models import Connector

register = template.Library()


def _copies(topic: str, cluster: str) -> list[ConnectorView]:
    here = set(Connector.objects.filter(cluster__name=cluster).values_list("name", flat=True))
    return [
        view for view in actions.list_connectors() if topic in view.topics and view.name in here
    ]


@register.inclusion_tag("connectors/copies_of.html")
def copies_of(topic: str, cluster: str) -> dict[str, Any]:
    """List the copies that a topic is kept in."""
    return {"copies": _copies(topic, cluster), "topic": topic, "standing": standings()}


@register.inclusion_tag("connectors/copies_statement.html")
def copies_statement(topic: str, cluster: str) -> dict[str, Any]:
    """Say how many copies a topic has and how far they are behind it."""
    copies = _copies(topic, cluster)
    lags = [copy.lag for copy in copies]
    standing = standings()
    return {
        "copies": copies,
        "unknown": any(lag is None for lag in lags),
        "behind": max((lag for lag in lags if lag is not None), default=0),
        "diverged": [copy for copy in copies if standing.get(copy.name) == "diverged"],
        "troubled": [copy for copy in copies if copy.state in {"stopped", "paused"}],
    }
