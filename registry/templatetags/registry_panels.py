"""The schemas of a topic, by the subject names that serializers give them."""

from typing import Any

from django import template

from registry.panels.fields import latest_of

register = template.Library()


@register.inclusion_tag("registry/schemas_of.html")
def schemas_of(topic: str) -> dict[str, Any]:
    """Show the newest schemas of a topic's keys and values (`TOPIC-key`, `TOPIC-value`)."""
    subjects = {part: f"{topic}-{part}" for part in ("value", "key")}
    return {
        "topic": topic,
        "schemas": [(part, found) for part, name in subjects.items() if (found := latest_of(name))],
    }
