"""Who was observed at topics, for pages of rooms below that cannot ask for themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import template

from catalog.models import Topic
from catalog.observation import Access, observed_accesses

register = template.Library()

MOST_TOPICS = 8


@dataclass(frozen=True)
class Readers:
    """A topic with those who were observed reading it and, for context, writing it."""

    topic: Topic
    readers: list[Access]
    writers: list[Access]


@register.inclusion_tag("catalog/readers_of.html")
def readers_of(topics: Sequence[str], forward: str = "", backward: str = "") -> dict[str, Any]:
    """Show who reads the topics, and what a change of their schema means to each reader.

    `forward` and `backward` are the verdicts on the change: a running reader knows the schema of
    before and needs the first; once upgraded, it needs the second for what is there already.
    """
    known = Topic.objects.filter(name__in=list(topics)[:MOST_TOPICS], gone_at=None)
    found = list(known.select_related("cluster").defer("configs").order_by("name", "cluster__name"))
    seen: dict[tuple[str, str], list[Access]] = {}
    for cluster in {topic.cluster.name for topic in found}:
        names = [topic.name for topic in found if topic.cluster.name == cluster]
        for access in observed_accesses(cluster, names):
            seen.setdefault((cluster, access.topic), []).append(access)
    return {
        "topics": topics,
        "rows": [
            _readers(topic, seen.get((topic.cluster.name, topic.name), [])) for topic in found
        ],
        "forward": forward,
        "backward": backward,
    }


def _readers(topic: Topic, seen: Sequence[Access]) -> Readers:
    # who reads now comes first
    ordered = sorted(seen, key=lambda access: (not access.active, access.service or access.actor))
    return Readers(
        topic,
        readers=[access for access in ordered if access.direction == "reads"],
        writers=[access for access in ordered if access.direction == "writes"],
    )
