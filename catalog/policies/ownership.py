"""Shared data has an owner: what is written is declared, and written from its own context."""

from collections.abc import Iterator

from catalog.policies.contract import Finding, Snapshot, TopicState, about
from catalog.policies.words import listing

RULE = "ownership"


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield written topics that nobody declared or owns, and writers of another context."""
    for topic in snapshot.topics:
        if topic.internal or not topic.present:
            continue
        if not topic.declared:
            yield from _undeclared(topic)
        elif topic.writer is None:
            message = "declared without a writer: nobody answers for what it holds"
            yield Finding(RULE, "warning", about(topic), message)
        elif topic.context and topic.writer_context and topic.context != topic.writer_context:
            message = (
                f"belongs to the context {topic.context}, yet its writer {topic.writer} belongs to "
                f"{topic.writer_context}: a context is written from within"
            )
            yield Finding(RULE, "warning", about(topic), message)


def _undeclared(topic: TopicState) -> Iterator[Finding]:
    active = [access for access in topic.accesses if access.active]
    writers = sorted({
        access.service or access.actor for access in active if access.direction == "writes"
    })
    readers = sorted({
        access.service or access.actor for access in active if access.direction == "reads"
    })
    if not active:
        return
    facts = [f"written by {listing(writers)}"] if writers else []
    facts += [f"read by {listing(readers)}"] if readers else []
    message = f"{' and '.join(facts)}, but declared by nobody"
    yield Finding(RULE, "warning" if readers else "info", about(topic), message)
