"""Which edges a question is asked of. Pure.

All edges ever seen, unless told otherwise: that data flowed is a fact, and `active` only tells
whether it still does.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from lineage.edges import EdgeView, Node

_STREAMS_OWN = re.compile(
    r"-(repartition|changelog)$|-KTABLE-FK-JOIN-SUBSCRIPTION-(REGISTRATION|RESPONSE)-\d+-topic$"
)


def select(
    edges: Iterable[EdgeView],
    *,
    active: bool | None = None,
    declared: bool = True,
    internal: bool = True,
    keep: Node | None = None,
) -> list[EdgeView]:
    """Return the edges that count.

    `active`: true keeps those that are seen now, false those that are stale, None both.
    `declared`: false leaves out edges that somebody only claims and no observation proves.
    `internal`: false folds topics that Kafka Streams keeps for itself (see `fold_internal`), apart
    from `keep`, the node that is asked about.
    """
    found = [
        edge
        for edge in edges
        if active in {None, edge.active} and (declared or not is_only_declared(edge))
    ]
    return found if internal else fold_internal(found, keep=keep)


def is_only_declared(edge: EdgeView) -> bool:
    """Whether nothing but a declaration speaks for an edge."""
    return all(proof.kind == "declared" for proof in edge.evidence)


def is_named_internal(topic: str) -> bool:
    """Whether a topic is named as Kafka Streams names its repartition and changelog topics."""
    return bool(_STREAMS_OWN.search(topic))


def fold_internal(edges: Sequence[EdgeView], *, keep: Node | None = None) -> list[EdgeView]:
    """Leave out the edges at topics that are internal to one service: folded into it, they are it.

    Internal is a topic that bears a name of Kafka Streams (`…-repartition`, `…-changelog`, a
    foreign-key join's subscriptions) and at which nobody but one service or actor was seen. One
    that anybody else reads or writes is shared, whatever its name, and stays.
    """
    parties: dict[Node, set[Node]] = defaultdict(set)
    for edge in edges:
        for topic, other in ((edge.source, edge.target), (edge.target, edge.source)):
            if topic.kind == "topic" and topic != keep and is_named_internal(topic.name):
                parties[topic].add(other)
    folded = {topic for topic, others in parties.items() if len(others) == 1}
    if not folded:
        return list(edges)
    return [edge for edge in edges if edge.source not in folded and edge.target not in folded]
