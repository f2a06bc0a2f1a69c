"""The log keeps what its kind promises: tables keep every key, events every record.

A copy can be rebuilt only from what the log still holds.
"""

from collections.abc import Iterator
from datetime import timedelta

from catalog.policies.contract import Finding, Severity, Snapshot, TopicState, about
from catalog.policies.words import span

RULE = "retention"


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield declared topics whose clean-up loses what their kind promises to keep."""
    for topic in snapshot.topics:
        if topic.declared and topic.present:
            yield from _check(topic)


def _check(topic: TopicState) -> Iterator[Finding]:
    policies = {policy.strip() for policy in topic.cleanup_policy.split(",")} - {""}
    forgets = "delete" in policies and topic.retention_ms is not None and topic.retention_ms >= 0
    kept = span(timedelta(milliseconds=topic.retention_ms or 0))
    found: tuple[Severity, str] | None = None
    if topic.kind == "table" and policies and "compact" not in policies and forgets:
        found = "error", f"a table that is not compacted: keys not written for {kept} are lost"
    elif topic.kind == "event" and "compact" in policies:
        found = "warning", "events that are compacted: all but the newest of a key are lost"
    elif topic.canonical and forgets:
        found = "info", f"canonical, yet Kafka keeps it for {kept}: older records cannot be rebuilt"
    if found:
        yield Finding(RULE, found[0], about(topic), found[1])
